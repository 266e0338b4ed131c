"""Templates of lines: names, functions, and what they compute."""

from __future__ import annotations

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.tutor.functions import FUNCTIONS, TemplateError, fill, names_in, unescape

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@given(TEXTS.filter(lambda text: "{{" not in text))
def test_a_line_without_slots_stays_as_it_is(line: str) -> None:
    """Only double braces mean anything."""
    assert fill(line, {}) == line


def test_names_are_filled_in_and_four_braces_stand_for_two() -> None:
    """A value is put in as it is, braces of its own included."""
    assert fill("MAIL FROM:<{{me}}> {{{{x", {"me": "{{you}}"}) == "MAIL FROM:<{{you}}> {{x"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{nobody}}", "nothing is called 'nobody'"),
        ("{{upper(me)}}", "no function is called 'upper'"),
        ("{{plain(me)}}", "takes 2 names, not 1"),
        ("{{1 + 1}}", "neither a name nor a function"),
        ("{{b64(nobody)}}", "nothing is called 'nobody'"),
    ],
)
def test_what_cannot_be_filled_in_is_told(template: str, words: str) -> None:
    """Unknown names and functions are errors with words."""
    with pytest.raises(TemplateError, match=words.replace("(", r"\(")):
        fill(template, {"me": "x"})


@given(TEXTS.filter(lambda text: "\\" not in text))
def test_base64_goes_there_and_back(text: str) -> None:
    """b64 and unb64 undo each other for any text without escapes."""
    encoded = fill("{{b64(x)}}", {"x": text})
    assert base64.b64decode(encoded) == text.encode()
    assert fill("{{unb64(x)}}", {"x": encoded}) == text


def test_escapes_stand_for_octets() -> None:
    r"""`\0`, `\xHH` and the line ends are octets; a doubled backslash is one."""
    assert unescape(r"\0a\x41\r\n\t\\x") == b"\0aA\r\n\t\\x"
    assert fill("{{octets(x)}} {{utf8len(x)}}", {"x": r"é\r\n"}) == "4 6"


def test_plain_is_rfc_4616() -> None:
    """The message is NUL, user, NUL, password."""
    line = fill("AUTH PLAIN {{plain(user, word)}}", {"user": "tim", "word": "tanstaaftanstaaf"})
    assert base64.b64decode(line.split()[2]) == b"\0tim\0tanstaaftanstaaf"


def test_cram_md5_is_the_example_of_rfc_2195() -> None:
    """Section 2 of RFC 2195 gives user, secret, challenge and answer."""
    challenge = base64.b64encode(b"<1896.697170952@postoffice.reston.mci.net>").decode()
    values = {"user": "tim", "word": "tanstaaftanstaaf", "challenge": challenge}
    answer = base64.b64decode(fill("{{cram_md5(user, word, challenge)}}", values)).decode()
    assert answer == "tim b913a602c7eda7a495b4e6e7334d3890"
    key = b"tanstaaftanstaaf"
    assert answer.split()[1] == hmac.new(key, base64.b64decode(challenge), "md5").hexdigest()


def test_scram_is_the_example_of_rfc_7677() -> None:
    """Section 3 of RFC 7677 gives both messages of the client."""
    first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    values = {
        "user": "user",
        "word": "pencil",
        "nonce": "rOprNGfwEbeRWgbNEkqO",
        "challenge": base64.b64encode(first.encode()).decode(),
    }
    assert base64.b64decode(fill("{{scram_first(user, nonce)}}", values)) == (
        b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    )
    final = base64.b64decode(fill("{{scram_final(user, word, nonce, challenge)}}", values))
    assert final.endswith(b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")


def test_the_names_that_a_template_needs_are_known() -> None:
    """Authors' tools can tell what a line depends on."""
    assert names_in("AUTH {{plain(user, word)}} {{x}} {{{{y}}") == ["user", "word", "x"]
    assert all(count > 0 and words for count, _, words in FUNCTIONS.values())
