"""Local commands: one table, each row true."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from smtpshell.conversation import local
from smtpshell.conversation.help import help_on
from smtpshell.conversation.keys import KEYS
from smtpshell.conversation.local import GROUPS, LOCAL
from smtpshell.protocol.commands import VERBS
from smtpshell.protocol.errors import UsageError
from tests.conversation.running import in_process


@pytest.mark.parametrize("row", LOCAL.values(), ids=lambda row: row.name)
def test_every_row_has_a_handler_a_group_and_help(row) -> None:
    """Each handler can be loaded and is a coroutine function of (desk, argument)."""
    assert row.group in GROUPS
    assert row.summary
    handler = row.load()
    assert inspect.iscoroutinefunction(handler)
    assert len(inspect.signature(handler).parameters) == 2
    assert help_on(f"/{row.name}")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb) -> None:
    """Help on a verb shows its syntax and its section."""
    rows = help_on(verb.lower())
    assert rows[0].text == VERBS[verb].syntax
    assert any(VERBS[verb].section in row.text for row in rows)


def test_the_overview_names_every_command_and_key() -> None:
    """Nothing that exists is missing from /help."""
    said = " ".join(f"{row.label} {row.text}" for row in help_on(""))
    assert all(f"/{name}" in said for name in LOCAL)
    assert all(key.shown in said for key in KEYS)


def test_the_page_of_commands_gives_their_arguments() -> None:
    """/help commands has the syntax and the summary of each command."""
    said = {row.label: row.text for row in help_on("commands")}
    for row in LOCAL.values():
        assert said[f"/{row.name} {row.syntax}".strip()] == row.summary


@pytest.mark.parametrize(
    ("line", "is_local"),
    [
        ("/help", True),
        ("?", True),
        (" ? ", True),
        (r"\?", True),
        ("//x", False),
        ("HELP", False),
        ("", False),
        ("? x", False),
        (" /help", False),
    ],
)
def test_what_is_local(line, is_local) -> None:
    """A slash, or a question mark alone, is local; a double slash is not."""
    assert local.is_local(line) is is_local


def test_a_unique_beginning_is_enough_and_typing_errors_get_advice() -> None:
    """/stat runs /status; /hlep suggests /help."""
    assert local.find("stat").name == "status"
    with pytest.raises(UsageError, match="/help"):
        local.find("hlep")


def test_a_wrong_argument_without_advice_gets_the_help() -> None:
    """What makes no sense as an argument leads to the command's help, if to nothing better."""
    with pytest.raises(UsageError, match="/help /status"):
        asyncio.run(local.run(None, "/status x"))  # type: ignore[arg-type]  # no desk is reached


@pytest.mark.parametrize(
    "line",
    [
        "/connect a b",
        "/close x",
        "/status x",
        "/quit x",
        "/data",
        "/raw",
        "/save",
        "/transcript x",
        "/explain",
        "/set nothing",
        "/notes loud",
        "/help nothing",
        "/mailbox zed",
        "/rule x",
        "/bdat",
        "/pipeline NOOP",
        "/xclient",
        "/xforward X",
        "/why",
        "/cert",
        "/starttls x",
        "/provider x",
    ],
)
def test_wrong_arguments_are_one_line_and_lose_nothing(line) -> None:
    """A usage error is told in one line, and the session goes on."""
    run = in_process("practice", line, "NOOP")
    assert len(run.err.splitlines()) == 1, run.err
    assert "C: NOOP" in run.wire
    assert run.status == 1


def test_the_mailbox_can_be_read_back() -> None:
    """A delivered message shows its envelope, which the header may contradict."""
    run = in_process(
        "practice",
        *("EHLO client.example", "MAIL FROM:<ann@client.example>"),
        *("RCPT TO:<bob@practice.example>", "DATA", "To: carol@practice.example", "", "hello", "."),
        *("/mailbox", "/mailbox bob", "/mailbox carol"),
    )
    assert any(line.split()[1:4] == ["bob@practice.example", "1", "message"] for line in run.lines)
    assert "# To: carol@practice.example" in run.lines
    assert any("<bob@practice.example>" in line for line in run.lines if "envelope to" in line)
    assert any("carol@practice.example is empty" in line for line in run.lines)


def test_why_explains_the_last_refusal_and_runs_its_checks() -> None:
    """/why ranks causes, /why N runs the command of one."""
    lines = ("EHLO client.example", "MAIL FROM:<>", "RCPT TO:<zoe@elsewhere.example>")
    run = in_process("practice", *lines, "/why", "/why 1")
    assert any("Likely causes" in line for line in run.lines)
    assert any(line.startswith("# Running: ") for line in run.lines)


@pytest.mark.parametrize("text", ["550", "5.1.1", "envelope", "STARTTLS", "554 5.7.1 Relay denied"])
def test_explain_knows_codes_words_and_replies(text) -> None:
    """/explain says something of each kind."""
    run = in_process("practice", f"/explain {text}", quiet=True)
    assert sum(line.startswith("# ") for line in run.lines) >= 2
    assert run.status == 0
