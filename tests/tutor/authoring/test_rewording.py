"""New words for replies: literal text follows, patterns stay, doubt is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.replies import Reply
from smtpshell.tutor.authoring.rewording import Unlike, reword, reworded
from smtpshell.tutor.lesson import Expected
from smtpshell.tutor.patterns import match_text, pieces_of

CERTAIN = {
    ("2.1.0 Fine", "2.1.0 Ok"): "2.1.0 Ok",
    ("a star", r"now * and \ here"): r"now \* and \ here",
    ("Fine: queued as {{id}}", "Ok: queued as 7F3A"): "Ok: queued as {{id}}",
    ("id=<{{id}}> taken", "id=<7F3A> queued"): "id=<{{id}}> queued",
    ("<{{me}}> no", "<ann@client.example> yes * no"): r"<{{me}}> yes \* no",
    ("2.1.0*", "2.1.0 Ok"): "2.1.0*",
}
"""A pattern and a text, and the pattern that is meant."""

DOUBTFUL = (
    ("2.1.0 Fine*", "2.1.0 Ok"),
    ("{{a}} of {{b}} done", "one in two ready"),
    ("*, {{name}}", "nobody"),
    ("plain", "a tab\there"),
    ("plain", "with {{braces}}"),
)


@pytest.mark.parametrize(("pattern", "text"), CERTAIN)
def test_text_follows_and_patterns_stay(pattern: str, text: str) -> None:
    """Captures, stars and what surrounds them are kept where there is one way to read the line."""
    values = {"me": "ann@client.example"}
    assert reworded(pattern, text, values) == CERTAIN[pattern, text]


@pytest.mark.parametrize(("pattern", "text"), DOUBTFUL)
def test_what_is_in_doubt_is_left_to_the_author(pattern: str, text: str) -> None:
    """Where a star might mean more or less, or the text cannot stand in a file, nobody guesses."""
    with pytest.raises(ValueError, match=r"pattern|cannot hold"):
        reworded(pattern, text, {})


@given(
    st.text("ab *<>{}1.", max_size=12),
    st.text("abc <>*.", max_size=20),
)
def test_what_is_certain_fits_and_keeps_every_pattern(pattern: str, text: str) -> None:
    """A new pattern fits the text, and has the captures and stars of the old one in order."""
    try:
        new = reworded(pattern, text, {})
    except ValueError:
        return
    assert match_text(new, text, {}) is not None

    def kept(each: str) -> list[tuple[str, str]]:
        return [piece for piece in pieces_of(each) if piece[0] != "text"]

    assert kept(new) == kept(pattern)


def test_codes_are_never_changed() -> None:
    """Another basic or enhanced code is another reply, not the same in other words."""
    with pytest.raises(Unlike, match="the code is 550, not 250"):
        reword(Expected(250, ("2.1.0 Ok",), 1), Reply(550, ("5.1.1 No",)), {})
    with pytest.raises(Unlike, match=r"the enhanced code is 2\.1\.5, not 2\.1\.0"):
        reword(Expected(250, ("2.1.0 Ok",), 1), Reply(250, ("2.1.5 Ok",)), {})


def test_lines_of_a_menu_are_paired_by_their_keywords() -> None:
    """The lines of an EHLO reply come in any order; a line that is gone is told, not replaced."""
    expected = Expected(250, ("mail.example", "SIZE 10", "PIPELINING", "8BITMIME"), 1, open=True)
    reply = Reply(250, ("mail.example", "PIPELINING", "SIZE 20", "HELP"))
    found = reword(expected, reply, {}, "EHLO")
    assert found.patterns == ("mail.example", "SIZE 20", "PIPELINING", "8BITMIME")
    assert found.left == {3: "no line of the reply goes with '8BITMIME'"}


def test_a_line_too_many_is_told() -> None:
    """The number of lines is the author's; a closed reply does not grow."""
    found = reword(Expected(214, ("one",), 1), Reply(214, ("one", "two")), {}, "HELP")
    assert found.patterns == ("one",)
    assert "a line more: 'two'" in found.left[0]
