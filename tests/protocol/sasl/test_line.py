"""The base64 line: what it carries, and what is said about one that carries nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.sasl import SaslError
from smtpshell.protocol.sasl.line import (
    decode_line,
    encode_line,
    initial_fits,
    is_cancel,
)


@given(st.binary(max_size=300), st.booleans())
def test_what_is_encoded_comes_back(octets, initial):
    """Any octets survive the line, as text and as octets with CRLF."""
    line = encode_line(octets, initial=initial)
    assert decode_line(line) == octets
    assert decode_line(line.encode() + b"\r\n") == octets


def test_no_octets_are_an_equals_sign_on_the_auth_line_only():
    """An empty initial response is =, an empty answer an empty line."""
    assert encode_line(b"", initial=True) == "="
    assert encode_line(b"") == ""


@given(st.one_of(st.text(max_size=60), st.text("ABab01+/= -_*\r\n", max_size=20)))
def test_any_text_is_octets_or_a_sasl_error(line):
    """Nothing but `SaslError` is raised; what is decoded fills its line (unused bits aside)."""
    try:
        octets = decode_line(line)
    except SaslError:
        octets = None
    if octets is not None:
        again = encode_line(octets)
        assert again[:-4] == line.strip(" \r\n")[: len(again) - 4] or not octets
        assert decode_line(again) == octets


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("alice", "not a multiple of four"),
        ("hunter 2", "character 7"),
        ("QUJD-_8=", "URL alphabet"),
        ("QQ==QQ==", "two joined"),
        ("QUI", "not a multiple of four"),
        ("QUJDA===", "padding"),
        ("p\u00e4ssword", "character 2"),
        ("*", "character 1"),
        ("A" * 12292, "at most 12288"),
    ],
)
def test_each_fault_is_named(line, words):
    """The error says what is wrong, where, and does not repeat the line."""
    with pytest.raises(SaslError, match=words) as caught:
        decode_line(line)
    assert line == "*" or line not in str(caught.value)


def test_the_longest_line_is_taken():
    """12288 characters are allowed (RFC 4954 section 4)."""
    assert len(decode_line("A" * 12288)) == 9216


def test_only_an_asterisk_cancels():
    """`*` cancels, with or without CRLF; base64 and an empty line do not."""
    assert is_cancel("*")
    assert is_cancel(b"*\r\n")
    assert not is_cancel("")
    assert not is_cancel("Kg==")


def test_a_long_initial_response_does_not_fit():
    """The AUTH line with its CRLF has at most 512 octets (RFC 5321 section 4.5.3.1.4)."""
    assert initial_fits("PLAIN", b"x" * 372)
    assert not initial_fits("PLAIN", b"x" * 376)
    assert initial_fits("EXTERNAL", b"")
