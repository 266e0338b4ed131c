"""Text from the wire: back to the very octets, and never dangerous on a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.text import decode, encode, is_utf8, visible

anything = st.text(st.characters(exclude_categories=())) | st.binary()
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.binary())
def test_octets_survive_decoding(octets):
    """Every octet string comes back exactly."""
    assert encode(decode(octets)) == octets


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_encoded(text):
    """Lone surrogates of any kind never raise."""
    assert isinstance(encode(text), bytes)


def test_what_is_not_utf8_is_noticed():
    """Octets that were not UTF-8 are told from those that were."""
    assert is_utf8(decode("é".encode()))
    assert not is_utf8(decode(b"\xe9"))


@given(anything)
def test_nothing_dangerous_is_left(text):
    """No control, format, surrogate or separator character reaches a terminal."""
    shown = visible(text)
    assert shown.isprintable()
    assert not {unicodedata.category(character) for character in shown} & INVISIBLE


@given(anything)
def test_plain_mode_is_ascii(text):
    """With ascii_only nothing but printable ASCII is left."""
    shown = visible(text, ascii_only=True)
    assert shown.isascii()
    assert shown.isprintable()


@given(st.text(st.characters(categories=["L", "N", "P"])))
def test_plain_text_is_left_alone(text):
    """What is printable already is not changed."""
    assert visible(text) == text


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"\x1b]0;title\x07", r"\x1b]0;title\x07"),
        (b"a\r\nb\tc\0", r"a\r\nb\tc\0"),
        (b"\xff\xfe", r"\xff\xfe"),
        ("\u202eevil".encode(), r"\u{202e}evil"),
        ("\x9b31m".encode(), r"\x9b31m"),
        ("zero\u200bwidth".encode(), r"zero\u{200b}width"),
        ("café ñ 郵便".encode(), "café ñ 郵便"),
    ],
)
def test_each_kind_is_written_out_in_its_way(octets, shown):
    """Control characters, foreign octets and bidirectional marks each have a readable form."""
    assert visible(octets) == shown
