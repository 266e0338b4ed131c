"""/read and --spell: a reply one line at a time, and for the ear."""

from __future__ import annotations

import json

from tests.conversation.running import smtpshell


def said(*lines: str, options: tuple[str, ...] = ()) -> list[str]:
    """Return what a script says about lines."""
    words = [word for line in ("EHLO client.example", *lines) for word in ("-c", line)]
    run = smtpshell("--notes", "short", *options, *words)
    return [line for line in run.out.splitlines() if line.startswith("# ")] + run.err.splitlines()


def test_a_reply_is_read_one_line_at_a_time() -> None:
    """From its first line on, each /read the next, until there are no more."""
    lines = said("/read reply", "/read", "/read 10", "/read", "/read 2")
    read = [line for line in lines if "Line " in line or "begins again" in line]
    assert read == [
        "# Line 1 of 10: 250-mail.practice.example",
        "# Line 2 of 10: 250-SIZE 1048576",
        "# Line 10 of 10: 250 HELP",
        "# The reply has 10 lines. /read reply begins again.",
        "# Line 2 of 10: 250-SIZE 1048576",
    ]


def test_a_new_reply_begins_at_its_first_line() -> None:
    """/read goes on in the same reply only."""
    lines = said("/read 3", "NOOP", "/read --spell")
    assert "# Line 1 of 1: 2 5 0, 2 dot 0 dot 0, Ok" in lines


def test_what_cannot_be_read_is_told() -> None:
    """A word that is no line, in one line that says how to write it."""
    assert any("this cannot be read" in line for line in said("/read twice"))


def test_spelling_is_a_setting_and_a_flag() -> None:
    """Below each reply its last line is spelled, and base64 comes in fours."""
    lines = said("/b64 alice", options=("--spell",))
    assert "# Spelled: 2 2 0, mail.practice.example ESMTP practice" in lines
    assert "# Spelled: YWxp Y2U=" in lines
    assert "# Spelled: YWxp Y2U=" in said("/set spell on", "/b64 alice")


def test_a_line_that_was_read_is_an_object_for_machines() -> None:
    """With --json its number, of how many, and the text as it came."""
    run = smtpshell("--json", "-c", "EHLO client.example", "-c", "/read 2")
    objects = [json.loads(line) for line in run.out.splitlines()]
    assert {"line": 2, "of": 10, "text": "250-SIZE 1048576"} in objects


WORDS = ("why", "explain")


def test_why_looks_a_word_up() -> None:
    """The glossary of a lesson is one command away, whatever was refused before."""
    assert any("greylisting" in line.casefold() for line in said("/why greylisting"))
    why, explained = ([line for line in said(f"/{word} MX") if "lowest" in line] for word in WORDS)
    assert why == explained != []
