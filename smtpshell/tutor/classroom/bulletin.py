"""What a teacher says to a class that is connected, in a way that is honest to SMTP.

A server speaks when it is asked (RFC 5321 section 2.1): a line that nobody asked for would be taken
for the reply to the next command. So what the teacher says waits for the next reply, as one more
line of it; any reply may have several (section 4.2.1), but not every one may have this: in the
reply to EHLO each line is a keyword, and 334 and 354 begin something. A pause is a reply too:
whatever would do something is put off with 450, and the session stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from smtpshell.practice.steward import Steward
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.values import replace
from smtpshell.tutor.classroom.keys import EVERYBODY
from smtpshell.tutor.classroom.topics import topic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smtpshell.practice.dialogue import Dialogue
    from smtpshell.protocol.events import Received
    from smtpshell.protocol.replies import Reply
    from smtpshell.protocol.serverside import Request, Verdict
    from smtpshell.tutor.classroom.room import Room

LONGEST = 400
"""Characters of one thing said: what a reply line of 512 octets holds (RFC 5321 4.5.3.1.5)."""

MOST_WAITING = 3
TEACHER = "Teacher: "
PAUSED = "450 4.3.2 Service paused: the class goes on when the teacher says so"
WHOSE = f"550 5.7.1 Whose world is this? First say EHLO {EVERYBODY}, with your ID"
NOBODY = "550 5.7.1 Access denied: nobody in this class is "

_DURING_PAUSE = frozenset({"NOOP", "HELP", "RSET", "QUIT"})
_NO_ROOM = frozenset({"EHLO", "LHLO", "AUTH", "STARTTLS", "BDAT", "XCLIENT"})


def check_text(text: str) -> str:
    """Return what a teacher wants to say as one line; raises `UsageError` where it cannot be said.

    Replies are printable ASCII (RFC 5321 section 4.2).
    """
    line = " ".join(text.split())
    strange = next((each for each in line if not " " <= each <= "~"), "")
    if strange:
        raise UsageError(
            f"a reply of SMTP cannot hold {strange!a}",
            "classroom say",
            "Write it in ASCII letters.",
        )
    if not 0 < len(line) <= LONGEST:
        raise UsageError(f"say 1 to {LONGEST} characters", "classroom say")
    return line


class Bulletin:
    """What the whole class is told: whether it is paused, and what was said last."""

    def __init__(self) -> None:
        self.paused = False
        self.said = ""
        self._waiting: WeakKeyDictionary[Dialogue, list[str]] = WeakKeyDictionary()

    def say(self, text: str, dialogues: Iterable[Dialogue]) -> int:
        """Have a text wait for the next replies of these dialogues; return how many they are."""
        self.said = text
        count = 0
        for dialogue in dialogues:
            waiting = self._waiting.setdefault(dialogue, [])
            waiting.append(text)
            del waiting[:-MOST_WAITING]
            count += 1
        return count

    def take(self, dialogue: Dialogue) -> list[str]:
        """Return what waits for a dialogue; it waits no more."""
        return self._waiting.pop(dialogue, [])


class ClassSteward(Steward):
    """The steward of every world of a class."""

    def __init__(self, room: Room, student: str = "") -> None:
        self._room = room
        self._student = student

    async def meet(self, dialogue: Dialogue, request: Request, verdict: Verdict) -> Verdict | None:
        """Put everything off while the class is paused; answer what only a class asks."""
        verb = request.command.verb if request.kind == "command" else ""
        if self._room.bulletin.paused and verb not in _DURING_PAUSE:
            return dialogue.side.say_lines("paused", (PAUSED,)) if not verdict.close else None
        if verb == "HELP":
            lines = await topic(self._room, self._student, request.command.argument)
            if lines:
                return dialogue.side.say_lines("help", lines)
        return None

    def amend(self, dialogue: Dialogue, request: Request, reply: Reply) -> Reply:
        """Return the reply with what the teacher said, where it has room for that."""
        verb = request.command.verb
        fits = request.kind in ("command", "end") and verb not in _NO_ROOM
        if not fits or reply.raw or not (reply.family == 2 or reply.is_refusal):
            return reply
        head = f"{reply.enhanced} " if reply.enhanced else ""
        said = (f"{head}{TEACHER}{text}" for text in self._room.bulletin.take(dialogue))
        return replace(reply, lines=(*reply.lines, *said))


def is_of_class(event: Received) -> bool:
    """Tell whether a reply is the class's own (a pause, a key that nobody has) and no lesson's."""
    first = event.reply.lines[0] if event.reply.lines else ""
    words = first.removeprefix(f"{event.reply.enhanced} ")
    return words.startswith(tuple(text.split(" ", 2)[2] for text in (PAUSED, WHOSE, NOBODY)))


def without_teacher(event: Received) -> Received:
    """Return a reply as it would be if the teacher had said nothing."""
    reply = event.reply
    head = f"{reply.enhanced or ''} {TEACHER}".lstrip()
    lines = tuple(line for line in reply.lines if not line.startswith(head))
    if len(lines) == len(reply.lines):
        return event
    return replace(event, reply=replace(reply, lines=lines))
