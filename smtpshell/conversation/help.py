"""Help, drawn from the tables: verbs, local commands and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.keys import KEYS
from smtpshell.conversation.local import GROUPS, LOCAL
from smtpshell.conversation.report import Report, Row
from smtpshell.protocol.commands import PARAMETERS, VERBS
from smtpshell.protocol.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


FIRST = ("EHLO", "MAIL", "RCPT", "DATA", "RSET", "QUIT")
"""The verbs of a session, in their order."""


def help_on(topic: str) -> Report:
    """Return the help on a topic: "" for the overview, a verb, a /command, a key, or a page.

    Raises `UsageError` when there is no such topic.
    """
    topic = topic.strip()
    if not topic:
        return overview()
    if topic.lower() in PAGES:
        return PAGES[topic.lower()]()
    name = topic.lower().removeprefix("/")
    if topic.startswith("/") or (name in LOCAL and topic.upper() not in VERBS):
        return _local(name)
    if topic.upper() in VERBS:
        return _verb(topic.upper())
    for key in KEYS:
        if key.shown.lower() == topic.lower():
            return [Row(key.summary, label=key.shown)]
    raise UsageError(
        f"there is no help on {topic!r}",
        "/help",
        "Name a verb, a /command or a key; /help lists them.",
    )


def overview() -> Report:
    """Return the one page that a new user needs: what there is, and where to read on."""
    rows: Report = [
        Row(
            "What you type goes to the server as it is. A / begins a command of the program.",
            "prose",
        ),
        Row(""),
        Row("SMTP, in the order of a session", "title"),
    ]
    rows += [
        Row(VERBS[name].summary, label=VERBS[name].syntax.removesuffix(" [parameters]"), indent=1)
        for name in FIRST
    ]
    more = " ".join(name for name, verb in VERBS.items() if not verb.obsolete and name not in FIRST)
    rows += [Row(more, label="more", indent=1), Row(""), Row("Commands of the program", "title")]
    rows += [
        Row(
            " ".join(f"/{row.name}" for row in LOCAL.values() if row.group == group),
            label=heading,
            indent=1,
        )
        for group, heading in GROUPS.items()
    ]
    return [
        *rows,
        Row(" ".join(key.shown for key in KEYS), label="Keys", indent=1),
        Row(""),
        Row("Read on", "title"),
        Row("every command with its arguments", label="/help commands", indent=1),
        Row("one command, such as /help /auth", label="/help /COMMAND", indent=1),
        Row(
            "a verb's syntax, parameters and replies; F1 while typing it",
            label="/help VERB",
            indent=1,
        ),
        Row("what the keys do", label="/help keys", indent=1),
        Row("what a reply code or a word of the field means", label="/explain WORD", indent=1),
    ]


def commands() -> Report:
    """Return every local command with its arguments, under its heading."""
    rows: Report = []
    for group, heading in GROUPS.items():
        rows += [Row("")] if rows else []
        rows.append(Row(heading, "title"))
        rows += [
            Row(command.summary, label=f"/{command.name} {command.syntax}".strip(), indent=1)
            for command in LOCAL.values()
            if command.group == group
        ]
    return rows


def keys() -> Report:
    """Return the keys."""
    rows: Report = [Row("Keys", "title")]
    return rows + [Row(key.summary, label=key.shown, indent=1) for key in KEYS]


def _local(name: str) -> Report:
    command = LOCAL.get(name)
    if command is None:
        raise UsageError(f"there is no /{name}", "/help", "/help lists all commands.")
    return [
        Row(f"/{command.name} {command.syntax}".strip(), "code"),
        Row(command.summary, indent=1),
    ]


def _verb(name: str) -> Report:
    verb = VERBS[name]
    rows: Report = [Row(verb.syntax, "code"), Row(verb.summary, indent=1)]
    states = ", ".join(sorted(verb.states)).lower()
    facts = [
        ("see", verb.section),
        ("state", states),
        ("needs", f"the EHLO keyword {verb.keyword}" if verb.keyword else ""),
        ("replies", " ".join(str(code) for code in verb.codes)),
        ("secret", "its arguments are never shown or kept" if verb.secret else ""),
        ("obsolete", "kept for old servers" if verb.obsolete else ""),
    ]
    rows += [Row(text, label=label, indent=1) for label, text in facts if text]
    parameters = [row for (owner, _), row in PARAMETERS.items() if owner == name]
    if parameters:
        rows.append(Row("Parameters", "title", indent=1))
        rows += [
            Row(f"{row.summary} ({row.section})", label=row.syntax, indent=2) for row in parameters
        ]
    return rows


PAGES: dict[str, Callable[[], Report]] = {"commands": commands, "keys": keys}
"""Pages of help that are no verb's and no command's, by name."""
