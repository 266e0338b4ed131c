"""Redaction: what is secret is gone, and the rest of the line is as it was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.secrets import HIDDEN, is_mechanism, redact_answer, redact_command


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("AUTH PLAIN c2VjcmV0", "AUTH PLAIN [hidden]"),
        ("  auth\tplain   c2VjcmV0 more ", "  auth\tplain [hidden]"),
        ("AUTH PLAIN PLAIN", "AUTH PLAIN [hidden]"),
        ("AUTH A A", "AUTH A [hidden]"),
        ("AUTH PLAIN", "AUTH PLAIN"),
        ("AUTH PLAIN =", "AUTH PLAIN ="),
        ("AUTH", "AUTH"),
        ("AUTH c2VjcmV0+/==", "AUTH [hidden]"),
        ("AUTH longer-than-a-mechanism-may-be", "AUTH [hidden]"),
        ("BURL imap://a.example/x LAST", "BURL [hidden]"),
        ("NOOP c2VjcmV0", "NOOP c2VjcmV0"),
    ],
)
def test_a_command_keeps_all_but_its_secret(line, shown):
    """The verb, the mechanism and the spaces before the secret stay."""
    assert redact_command(line) == shown


@pytest.mark.parametrize("line", ["", "*"])
def test_an_answer_that_gives_nothing_away_is_shown(line):
    """An empty answer and the cancelling one are no secrets."""
    assert redact_answer(line) == line


@given(st.text(min_size=1))
def test_any_other_answer_is_hidden(line):
    """Whatever answers a challenge is hidden, whatever it looks like."""
    assert redact_answer(line) in (HIDDEN, "*")


@given(st.sampled_from(["PLAIN", "login", "X-1_2"]), st.text("abcXYZ019+/", min_size=8))
def test_no_response_survives(mechanism, response):
    """An initial response leaves no trace in the line."""
    assert is_mechanism(mechanism)
    assert redact_command(f"AUTH {mechanism} {response}") == f"AUTH {mechanism} {HIDDEN}"
