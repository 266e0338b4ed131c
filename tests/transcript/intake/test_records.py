"""Replies as JSON lines: one answer for each line, whatever the line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.knowledge.context import Context
from smtpshell.transcript.intake.records import _FIELDS, KEYS, answer, command_facts, record_facts


def ask(record: object, **given_facts: object) -> dict[str, object]:
    """Return the answer to one record."""
    line = json.dumps(record).encode()
    return answer(line, len(line), given_facts)


def test_a_record_is_answered_with_every_key() -> None:
    """The answer has the keys of the contract, and the class of the reply."""
    told = ask({"reply": "550 5.1.1 <bob@b.example>: User unknown", "command": "RCPT"})
    assert told.keys() >= set(KEYS)
    assert (told["class"], told["code"], told["enhanced"]) == ("user_unknown", 550, "5.1.1")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b"{}",
        b'{"reply": null}',
        b'{"reply": ""}',
        b"\xff",
        b"[" * 9000,
    ],
)
def test_a_bad_line_is_answered_too(line: bytes) -> None:
    """What holds no reply gets an answer of class unknown that says why, with the same keys."""
    told = answer(line, len(line), {})
    assert told["class"] == "unknown"
    assert told["error"]
    assert told.keys() >= set(KEYS)


def test_a_line_that_was_cut_is_an_error() -> None:
    """A line too long to keep is not half read."""
    assert "longer" in str(answer(b'{"reply": "550 no"}', 9_000_000, {})["error"])


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from([*_FIELDS, "reply", "command"]), inner)
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_line_raises(line: bytes) -> None:
    """Any octets and any JSON get an answer."""
    assert answer(line, len(line), {})["class"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("550 5.1.1 no", 550),
        ("550-5.1.1 no\r\n550 5.1.1 never", 550),
        (["550-no", "550 never"], 550),
        (550, 550),
        ("no code here at all", None),
        ("S: 550 no", None),
    ],
)
def test_forms_of_a_reply(reply: object, code: int | None) -> None:
    """A text of one or several lines, a list of lines, a bare number."""
    assert ask({"reply": reply})["code"] == code


def test_other_keys_are_facts() -> None:
    """Keys that are fields of the context are used, in the types that fit; others are ignored."""
    facts = record_facts(
        {
            "host": "mx.b.example",
            "port": "25",
            "tls": "no",
            "recipients": ["a@b.example"],
            "message_size": True,
            "extensions": ["SIZE 1000", "AUTH PLAIN LOGIN"],
            "banner": 7,
            "command": "RCPT TO:<zoe@b.example>",
            "unheard": "of",
        }
    )
    assert facts == {
        "host": "mx.b.example",
        "port": 25,
        "tls": False,
        "recipients": ("a@b.example",),
        "extensions": {"SIZE": ("1000",), "AUTH": ("PLAIN", "LOGIN")},
        "verb": "RCPT",
        "line": "RCPT TO:<zoe@b.example>",
    }
    assert Context(**facts).command == "RCPT"  # type: ignore[arg-type] # the names are its fields


def test_options_hold_where_a_record_is_silent() -> None:
    """What the command line gives is used for every record that does not say otherwise."""
    record = {"reply": "250 ok", "command": None}
    assert ask(record, banner="mx.google.com ESMTP - gsmtp")["provider"] == "google"


def test_every_field_of_the_context_can_be_given() -> None:
    """No field of the context is out of reach of a record, but for the verb, which is `command`."""
    names = set(Context.__slots__)
    assert names - {"verb"} == _FIELDS.keys() & names == set(_FIELDS)


@pytest.mark.parametrize(
    ("words", "verb"),
    [
        ("rcpt", "RCPT"),
        ("RCPT TO", "RCPT"),
        ("MAIL FROM:<a@b.example>", "MAIL"),
        ("AUTH LOGIN", "AUTH"),
        ("end of DATA", "MESSAGE"),
        (".", "MESSAGE"),
        ("BDAT 5 LAST", "MESSAGE"),
        ("banner", "CONNECT"),
        ("EHLO", "EHLO"),
        ("XYZZY", "XYZZY"),
        ("", None),
    ],
)
def test_commands_by_any_name(words: str, verb: str | None) -> None:
    """A verb, a whole command line, or the words of a bounce."""
    assert command_facts(words).get("verb") == verb
