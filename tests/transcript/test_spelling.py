"""Wire text for the ear: what is split, and that nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.transcript.spelling import grouped, is_base64, spelled


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("220 mx.example ready", "2 2 0, mx.example ready"),
        ("250-PIPELINING", "2 5 0 and more, PIPELINING"),
        ("451 4.7.1 Later", "4 5 1, 4 dot 7 dot 1, Later"),
        ("550 5.7.23 SPF", "5 5 0, 5 dot 7 dot 2 3, SPF"),
        ("334", "3 3 4"),
        ("334 VXNlcm5hbWU6", "3 3 4, VXNl cm5h bWU6"),
        ("no code at all", "no code at all"),
        ("", ""),
    ],
)
def test_codes_are_said_digit_by_digit(line: str, said: str) -> None:
    """Code, enhanced code and text are three parts with a pause between."""
    assert spelled(line) == said


@given(st.text(max_size=60))
def test_nothing_is_lost_in_groups(text: str) -> None:
    """Spaces are added, and nothing else is changed."""
    assert grouped(text).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("word", ["STARTTLS", "practice", "PIPELINING==", "abcd", "YWxpY2U"])
def test_words_of_the_field_stay_whole(word: str) -> None:
    """What can be read as it is, or is no whole base64, is not cut up."""
    assert not is_base64(word) or "=" in word
