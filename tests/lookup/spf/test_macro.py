"""Macros: what is read, what is refused, what they become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.lookup.spf import macro
from smtpshell.lookup.spf.identity import identify
from smtpshell.lookup.spf.macro import MacroError

# The values of RFC 7208 section 7.4.
WHO = identify(
    "email.example.com",
    ip="192.0.2.3",
    sender="strong-bad@email.example.com",
    helo="mail.example.net",
    receiver="mx.example.org",
    now=1234567890,
)
VALUES = {**WHO.values("email.example.com"), "p": "mx.example.org"}
SIX = identify("email.example.com", ip="2001:db8::cb01").values("email.example.com")


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{p}%%%_%-", "mx.example.org% %20"),
        ("%{S}", "strong-bad%40email.example.com"),
        ("%{LR-}", "bad.strong"),
        ("%{d99999999999999999999}", "email.example.com"),
        ("%{h2}", "example.net"),
    ],
)
def test_examples(text, expanded):
    """The examples of RFC 7208 section 7.4, and the transformers beside them."""
    assert macro.expand(macro.read(text), VALUES) == expanded


def test_letters_of_an_explanation():
    """The letters c, r and t have values where an explanation uses them, and only there."""
    pieces = macro.read("%{c} %{r} %{t}", explanation=True, blanks=True)
    assert macro.expand(pieces, VALUES) == "192.0.2.3 mx.example.org 1234567890"
    for letter in "crt":
        with pytest.raises(MacroError, match="explanations only"):
            macro.read(f"%{{{letter}}}")


def test_ipv6_in_dots():
    """An IPv6 address is 32 nibbles with dots for i, and compressed for c."""
    expanded = macro.expand(macro.read("%{ir}.%{v}._spf.%{d2}"), SIX).lower()
    assert expanded == (
        "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    )
    assert macro.expand(macro.read("%{C}", explanation=True), SIX) == "2001%3Adb8%3A%3Acb01"


@pytest.mark.parametrize(
    "text",
    [
        "%",
        "%a",
        "%(d)",
        "%{",
        "%{d",
        "%{}",
        "%{x}",
        "%{dd}",
        "%{d0}",
        "%{d00}",
        "%{dr2}",
        "%{d*}",
        "a b",
        "ä",
        "\t",
    ],
)
def test_what_is_no_macro(text):
    """Whatever breaks the syntax is refused with a reason."""
    with pytest.raises(MacroError, match=r".+"):
        macro.read(text)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("a.%{d}", True),
        ("a.%{d}.", False),
        ("a%%", True),
        ("a%%_", False),
        ("a%_", True),
        ("%{d}x", False),
        ("", False),
    ],
)
def test_ends_in_macro(text, ends):
    """Only a macro at the very end counts, read from the left."""
    assert macro.ends_in_macro(text) is ends


@given(st.text(alphabet="%{}slodiphvcrt0129.-+,/_= x", max_size=40))
def test_any_text_is_read_or_refused(text):
    """Reading any text gives pieces that expand, or MacroError; pieces keep every octet."""
    try:
        pieces = macro.read(text, explanation=True, blanks=True)
    except MacroError:
        return
    assert isinstance(macro.expand(pieces, VALUES), str)
    assert macro.letters(pieces) <= set(macro.LETTERS)


def test_steps_show_the_working():
    """Each macro is shown with what it became, in order."""
    pieces = macro.read("%{ir}.x.%{d2}")
    assert macro.steps(pieces, VALUES) == (("%{ir}", "3.2.0.192"), ("%{d2}", "example.com"))


def test_long_names_lose_labels_at_the_left():
    """A name over 253 characters is cut at the left, label by label; a final dot goes."""
    label = "x" * 49
    name = macro.shortened(".".join([label] * 7) + ".")
    assert name == ".".join([label] * 5)
    assert macro.shortened("y" * 300) == "y" * 300
