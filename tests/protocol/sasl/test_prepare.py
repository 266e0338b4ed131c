"""SASLprep: the examples of RFC 4013, and properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.sasl import SaslError
from smtpshell.protocol.sasl.prepare import prepared_or_empty, saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("\u0627\u0031\u0628", "\u0627\u0031\u0628"),
        ("", ""),
    ],
)
def test_the_examples_of_rfc_4013(text, prepared):
    """Mapping and normalisation are those of RFC 4013 section 3."""
    assert saslprep(text) == prepared


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\u0007", "control character"),
        ("\u0627\u0031", "begin and end"),
        ("\u0627a\u0628", "mixes"),
        ("\ue000", "private-use"),
        ("\ud800", "surrogate"),
        ("\ufffd", "plain text"),
        ("\u202e", "display"),
        ("\U000e0041", "tagging"),
        ("\ufdd0", "non-character"),
        ("\u2ff0", "canonical"),
    ],
)
def test_what_is_forbidden_is_named_and_not_quoted(text, words):
    """The error names the thing, its kind and the RFC, and not one character of the secret."""
    with pytest.raises(SaslError, match=words) as caught:
        saslprep(f"{text}", "password")
    assert "the password" in str(caught.value)
    assert str(caught.value).isascii()
    assert prepared_or_empty(text) == ""


def test_unassigned_code_points_pass_in_queries_only():
    """A character newer than Unicode 3.2 is let through, unless the text is to be stored."""
    assert saslprep("\U0001f600") == "\U0001f600"
    with pytest.raises(SaslError, match=r"Unicode 3\.2"):
        saslprep("\U0001f600", stored=True)


@given(st.text(st.characters(exclude_categories=[]), max_size=20))
def test_preparing_twice_changes_nothing(text):
    """Prepared text is its own preparation, and nothing but `SaslError` is ever raised."""
    prepared = prepared_or_empty(text)
    assert prepared_or_empty(prepared) == prepared
