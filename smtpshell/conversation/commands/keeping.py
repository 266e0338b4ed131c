"""/save and /transcript: the conversation kept in a file, or shown again."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import FileError, UsageError
from smtpshell.transcript.jsonl import as_json, object_of
from smtpshell.transcript.plain import plain_lines

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.protocol.events import Event

PRIVATE = 0o600


def as_text(events: Iterable[Event], notes: str = "short") -> list[str]:
    """Return the lines of a text transcript."""
    return [line for event in events for line in plain_lines(event, notes)]


def as_objects(events: Iterable[Event], _notes: str = "short") -> list[str]:
    """Return the lines of a JSON transcript."""
    return [as_json(object_of(event)) for event in events]


FORMS: dict[str, str] = {
    ".txt": "smtpshell.conversation.commands.keeping:as_text",
    ".jsonl": "smtpshell.conversation.commands.keeping:as_objects",
    ".md": "smtpshell.tutor.recording:as_lesson",
}
"""The endings that /save knows, and the "module:function" that makes lines of events."""


def make(form: str, events: Iterable[Event]) -> list[str]:
    """Return the lines of a form, by its name in `FORMS`."""
    module, _, function = form.partition(":")
    lines: list[str] = getattr(import_module(module), function)(events)
    return lines


def write_private(path: Path, lines: Iterable[str]) -> None:
    """Write lines to a file that only its owner can read; raises `FileError`.

    An existing file is replaced whole or not at all.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(line + "\n" for line in lines)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise FileError.from_os(error, path, "write") from error


FORCE = "--force"
"""Replaces a file that is there, without asking."""


async def save(desk: Desk, argument: str) -> None:
    """Write the conversation so far to a file, secrets hidden; `/save [--force] FILE`."""
    first, _, rest = argument.partition(" ")
    forced = first == FORCE
    argument = rest.strip() if forced else argument
    if not argument:
        raise UsageError(
            "which file", "/save", "Write /save session.txt, session.jsonl or lesson.md."
        )
    path = Path(argument).expanduser()
    form = FORMS.get(path.suffix)
    if form is None:
        endings = ", ".join(FORMS)
        raise UsageError(f"cannot save as {path.suffix or path.name}", "/save", f"Use {endings}.")
    if path.is_file() and not forced and not await _may_replace(desk, path):
        return
    log = desk.conversation.log
    write_private(path, make(form, log.events))
    desk.say(f"Saved {len(log.events)} events to {path}, readable by you alone, secrets hidden.")
    if log.dropped:
        desk.say(f"The oldest {log.dropped} events were no longer held.", "warn")


async def _may_replace(desk: Desk, path: Path) -> bool:
    """Ask whether to replace a file; raises `FileError` where nobody is there to be asked."""
    if await desk.ask(f"{path} is there already. Replace it?", flag=FORCE):
        return True
    if not desk.interactive:
        raise FileError("it is there already and was not replaced", str(path), f"/save {FORCE}")
    desk.say("Not saved.")
    return False


async def transcript(desk: Desk, argument: str) -> None:
    """Show the conversation so far, or its last N events."""
    events = desk.conversation.log.events
    if argument:
        if not argument.isdecimal() or not int(argument):
            raise UsageError(
                f"{argument!r} is not a number", "/transcript", "Write /transcript 20."
            )
        events = events[-int(argument) :]
    styles = {"C": "client", "S": "server", "#": "dim"}
    rows = [Row(line, styles.get(line[:1], "")) for line in as_text(events, desk.settings.notes)]
    desk.show(
        rows or [Row("Nothing has been said yet.", "dim")],
        {"transcript": [object_of(event) for event in events]},
    )
