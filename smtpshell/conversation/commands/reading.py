"""/read: the last reply once more, one line at a time, for whoever listens or has little room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import SmtpshellError, Status, UsageError
from smtpshell.protocol.events import Received
from smtpshell.transcript.plain import wire_lines
from smtpshell.transcript.spelling import spelled

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk

SPELL = "--spell"
ADVICE = "Write /read reply, /read for the line after, or /read 3."


async def read(desk: Desk, argument: str) -> None:
    """Read the last reply: `/read [reply] [N] [--spell]`.

    `reply` begins with its first line, a number reads that one, and nothing the line after.
    """
    words = argument.split()
    spell = SPELL in words or bool(desk.settings["spell"])
    words = [word for word in words if word != SPELL]
    begins = words[:1] == ["reply"]
    words = words[1:] if begins else words
    if len(words) > 1 or not all(word.isdecimal() for word in words):
        raise UsageError("this cannot be read", f"/read {argument}", ADVICE)
    number, event = _last_reply(desk)
    lines = wire_lines(event)
    place, before = desk.conversation.reading
    line = 1 if begins or place != number else before + 1
    line = int(words[0]) if words else line
    if not 0 < line <= len(lines):
        desk.say(f"The reply has {_counted(len(lines))}. /read reply begins again.")
        return
    desk.conversation.reading = (number, line)
    text = spelled(lines[line - 1]) if spell else lines[line - 1]
    facts = {"line": line, "of": len(lines), "text": lines[line - 1]}
    desk.show([Row(f"Line {line} of {len(lines)}: {text}")], facts)


def _last_reply(desk: Desk) -> tuple[int, Received]:
    log = desk.conversation.log
    for index, event in reversed(tuple(enumerate(log.events, log.dropped))):
        if isinstance(event, Received):
            return index, event
    raise SmtpshellError("no reply has come yet", "/read", status=Status.USAGE)


def _counted(lines: int) -> str:
    return "one line" if lines == 1 else f"{lines} lines"
