"""The grammar: what RFC 5321 allows matches, what it forbids does not, and no text is slow."""

from __future__ import annotations

import ipaddress
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol import grammar
from smtpshell.protocol.grammar import (
    decode_xtext,
    domain_problem,
    encode_xtext,
    mailbox_problem,
    matches,
    split_mailbox,
)

RULES = {
    name: value
    for name, value in vars(grammar).items()
    if name.isupper() and isinstance(value, str) and name not in {"ATEXT", "UTF8_NON_ASCII"}
}

GOOD = {
    "DOMAIN": ["example.com", "a", "xn--bcher-kva.example", "1.2.3.4", "a--b.c-d.example"],
    "DOMAIN_UTF8": ["bücher.example", "例え.example", "example.com"],
    "ADDRESS_LITERAL": [
        "[192.0.2.1]",
        "[0.0.0.0]",
        "[255.255.255.255]",
        "[IPv6:2001:db8::1]",
        "[ipv6:::]",
        "[IPv6:::1]",
        "[IPv6:1:2:3:4:5:6:7:8]",
        "[IPv6:1:2:3:4:5:6::]",
        "[IPv6:::ffff:192.0.2.1]",
        "[IPv6:1:2:3:4:5:6:192.0.2.1]",
        "[x-future:anything!]",
    ],
    "LOCAL_PART": [
        "ann",
        "a.b.c",
        "a+b",
        '"quoted string"',
        r'"a\"b"',
        '""',
        "!#$%&'*+-/=?^_`{|}~",
    ],
    "LOCAL_PART_UTF8": ["josé", '"josé b"'],
    "MAILBOX": ["ann@example.com", '"a@b"@example.com', "ann@[192.0.2.1]"],
    "MAILBOX_UTF8": ["用户@例え.example"],
    "PATH": ["<ann@example.com>", "<@relay.example,@b.example:ann@example.com>"],
    "REVERSE_PATH": ["<>", "<ann@example.com>"],
    "FORWARD_PATH": ["<Postmaster>", "<POSTMASTER>", "<bob@example.com>"],
    "HELLO_ARGUMENT": ["client.example", "[192.0.2.1]"],
    "ESMTP_KEYWORD": ["SIZE", "8BITMIME", "X-EXPS"],
    "ESMTP_PARAMETER": ["SIZE=100", "SMTPUTF8", "ORCPT=rfc822;ann@example.com"],
    "XTEXT": ["", "abc", "a+2Bb"],
}

BAD = {
    "DOMAIN": ["", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "bücher.example", "a b", "a\n"],
    "DOMAIN_UTF8": ["bücher..example", "-ü", "\udcff"],
    "ADDRESS_LITERAL": [
        "192.0.2.1",
        "[192.0.2]",
        "[192.0.2.256]",
        "[192.0.2.01]",
        "[IPv6:1:2:3:4:5:6:7]",
        "[IPv6:1:2:3:4:5:6:7:8:9]",
        "[IPv6:1::2::3]",
        "[IPv6:1:2:3:4:5:6:7::]",
        "[IPv6:12345::]",
        "[IPv6:x]",
        "[tag:]",
        "[]",
    ],
    "LOCAL_PART": ["", ".a", "a.", "a..b", "a b", 'a"b', '"a', '"a"b"', "josé", "a@b"],
    "MAILBOX": ["ann", "@example.com", "ann@", "ann@@example.com", "ann@example.com."],
    "PATH": [
        "ann@example.com",
        "<>",
        "<ann>",
        "<ann@example.com",
        "<@relay.example ann@b.example>",
    ],
    "REVERSE_PATH": ["", "< >", "<Postmaster>"],
    "FORWARD_PATH": ["<>", "<bob>"],
    "ESMTP_KEYWORD": ["", "-A", "A_B"],
    "ESMTP_PARAMETER": ["SIZE=", "=1", "A=b=c", "A=b c"],
    "XTEXT": ["a+b", "a=b", "a b", "+2b", "é"],
}


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in GOOD.items() for text in texts]
)
def test_what_the_rules_allow_matches(rule, text):
    """Well-formed text matches, and its wider internationalised rule takes it too."""
    assert matches(RULES[rule], text)
    assert matches(RULES.get(f"{rule}_UTF8", RULES[rule]), text)


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in BAD.items() for text in texts]
)
def test_what_the_rules_forbid_does_not_match(rule, text):
    """Malformed text does not match."""
    assert not matches(RULES[rule], text)


@given(st.ip_addresses())
def test_every_address_has_a_literal(address):
    """Any IP address that Python can write is an address literal."""
    tag = "IPv6:" if address.version == 6 else ""
    assert matches(grammar.ADDRESS_LITERAL, f"[{tag}{address}]")


@given(st.text("0123456789abcdef:.", max_size=24))
def test_an_ipv6_literal_is_an_address(text):
    """What matches as an IPv6 literal is an address to Python too."""
    if matches(grammar.ADDRESS_LITERAL, f"[IPv6:{text}]"):
        assert ipaddress.IPv6Address(text).version == 6


SLOW = [
    "a" * 50_000,
    "a-" * 25_000,
    "a." * 25_000 + "!",
    '"' + "\\a" * 25_000,
    '"' + "a" * 50_000,
    "<" + "@a," * 20_000,
    "[IPv6:" + "1:" * 25_000,
    "[" + "a-" * 25_000,
    "+2B" * 20_000 + "+",
    "A=" + "b" * 50_000 + " ",
    "@" * 50_000,
]


@pytest.mark.parametrize("rule", RULES)
def test_no_text_makes_a_rule_slow(rule):
    """Fifty thousand hostile characters take each rule a fraction of a second."""
    started = time.perf_counter()
    for text in SLOW:
        matches(RULES[rule], text)
        matches(RULES[rule], text + "\0")
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("text", SLOW)
def test_no_address_makes_the_remarks_slow(text):
    """The remarks on addresses are as quick as the rules."""
    started = time.perf_counter()
    mailbox_problem(text)
    mailbox_problem(f"{text}@{text}")
    domain_problem(text)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("mailbox", "word"),
    [
        ("ann", "no domain"),
        ("@example.com", "nothing before"),
        ("", "nothing before"),
        ("a b@example.com", "quoting"),
        ("a" * 65 + "@example.com", "64"),
        ("é" * 33 + "@example.com", "64"),
        ("ann@" + "a." * 128 + "example", "255"),
        ("ann@" + "a" * 64 + ".example", "63"),
        ("ann@a..example", "empty label"),
        ("ann@ex_ample.com", "letters"),
        ("ann@[192.0.2.999]", "literal"),
        ("ann@[2001:db8::1]", "IPv6:"),
    ],
)
def test_a_remark_names_what_is_wrong_with_an_address(mailbox, word):
    """Each kind of fault has its own words."""
    assert word in (mailbox_problem(mailbox) or "")


def test_a_well_formed_address_has_no_remark():
    """Addresses that the grammar allows are left in peace, bare postmaster too."""
    for mailbox in ("ann@example.com", "postmaster", "Postmaster@example.com", '"a@b"@[192.0.2.1]'):
        assert mailbox_problem(mailbox) is None
    assert mailbox_problem("用户@例え.example") is None
    assert "SMTPUTF8" in (mailbox_problem("用户@例え.example", smtputf8=False) or "")


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_remarks_agree_with_the_grammar(text):
    """An address without a remark is a mailbox by the grammar (or the bare postmaster)."""
    if mailbox_problem(text) is None:
        assert matches(grammar.MAILBOX_UTF8, text) or text.lower() == "postmaster"


@given(st.text(), st.text("abc.[]:"))
def test_an_address_is_split_at_its_last_at_sign(local, domain):
    """Local part and domain come back as they were put together."""
    assert split_mailbox(f"{local}@{domain}") == (local, domain)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_xtext_round_trip(text):
    """Any text survives as xtext, and what is written is well-formed."""
    xtext = encode_xtext(text)
    assert matches(grammar.XTEXT, xtext)
    assert decode_xtext(xtext) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_read_as_xtext(text):
    """Broken xtext never raises; without a plus sign it is the text itself."""
    decoded = decode_xtext(text)
    assert "+" in text or decoded == text


def test_a_plus_sign_without_digits_stays():
    """What is no hexadecimal pair is left as it stands, and lower case is forgiven."""
    assert decode_xtext("a+zz+2") == "a+zz+2"
    assert decode_xtext("a+2b") == "a+"


@pytest.mark.parametrize("rule", grammar.WITHOUT_UTF8)
@given(text=st.text('aZ1.-@<>=[]"\\ ,:', max_size=20))
def test_ascii_fits_both_rules_or_neither(rule, text):
    """For a text of ASCII an internationalised rule and its plain one say the same."""
    fits = grammar.compiled(rule).fullmatch(text) is not None
    assert fits is grammar.matches(rule, text)
