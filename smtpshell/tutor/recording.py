"""A live session becomes the skeleton of a lesson: its wire lines in steps, with gaps to fill.

What was sent becomes the canonical solution and what was answered the pattern, so that the skeleton
is a lesson that works on the same scenario. What would be another thing the next time (queue ids,
challenges) becomes a capture, and a secret becomes a variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from smtpshell.protocol.events import Closed, Connected, Event, Received, Sent
from smtpshell.protocol.secrets import HIDDEN
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass, field
from smtpshell.tutor.lesson import FORMAT

STEPS: dict[str, tuple[str, str]] = {
    "": ("The server speaks first", "greeting"),
    "HELO": ("Say hello", "hello"),
    "EHLO": ("Say hello", "hello"),
    "LHLO": ("Say hello", "hello"),
    "STARTTLS": ("Encrypt", "encryption"),
    "AUTH": ("Log in", "login"),
    "MAIL": ("Write the envelope", "envelope"),
    "DATA": ("Write the letter", "letter"),
    "BDAT": ("Write the letter", "letter"),
    "QUIT": ("Say goodbye", "goodbye"),
}
"""The verbs with which a new step begins, its title and its id."""

_QUEUED = re.compile(r"(?P<before>\bqueued as |\bid[ =]<?)(?P<word>[0-9A-Za-z.-]{6,})")


@dataclass(frozen=True, slots=True)
class Piece:
    """One step of a skeleton: what it is called, and its wire lines."""

    title: str
    id: str
    lines: list[str] = field(default_factory=list)


def as_lesson(events: Iterable[Event], _notes: str = "") -> list[str]:
    """Return the lines of a lesson file made from a conversation."""
    recorder = _Recorder()
    for event in events:
        recorder.take(event)
    return recorder.lesson()


def _exact(event: Sent) -> str:
    """Return a line with escapes, its end too where it is not the CRLF that is understood."""
    implied = event.kind != "octets" and event.ending == "\r\n"
    whole = event.line if implied else event.line + event.ending
    return visible(whole.replace("\\", "\\\\"))


class _Recorder:
    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._names = 0
        self._secrets = 0
        self._free = False
        self._scenario = "plain"

    def take(self, event: Event) -> None:
        match event:
            case Connected() if self._pieces:
                self._line("@connect")
            case Sent():
                self._sent(event)
            case Received() if not event.unasked:
                self._received(event)
            case Closed(clean=True) if self._pieces:
                self._line("S: <closed>")

    def _step(self, verb: str) -> None:
        title, name = STEPS[verb]
        taken = sum(piece.id.rstrip("-0123456789") == name for piece in self._pieces)
        self._pieces.append(Piece(title, f"{name}-{taken + 1}" if taken else name))

    def _line(self, line: str) -> None:
        if not self._pieces:
            self._step("")
        self._pieces[-1].lines.append(line.rstrip())

    def _sent(self, event: Sent) -> None:
        plain = visible(event.line) == event.line and event.ending == "\r\n"
        exact = not plain or event.kind in ("answer", "octets")
        text = _exact(event) if exact else event.line
        text = text.replace("{{", "{{{{")
        if event.kind == "command" and event.verb in STEPS:
            now = self._pieces[-1].title if self._pieces else ""
            if STEPS[event.verb][0] != now:
                self._step(event.verb)
        if event.kind == "data":
            self._line(f"C~ {text}")
            return
        if HIDDEN in text:
            self._secrets += 1
            text = text.replace(HIDDEN, f"{{{{secret{self._secrets}}}}}")
        self._line(f"C= {text}" if exact else f"C: {text}")

    def _received(self, event: Received) -> None:
        reply = event.reply
        code = reply.code or 0
        last = len(reply.lines) - 1
        for number, raw in enumerate(reply.lines):
            text = visible(raw).replace("*", r"\*").replace("{{", "*")
            if code == 334 and text:
                self._names += 1
                text = f"{{{{challenge{self._names}}}}}"
            self._line(f"S: {code}{'-' if number < last else ' '}{self._captured(text)}")

    def _captured(self, text: str) -> str:
        if not _QUEUED.search(text):
            return text
        self._names += 1
        return _QUEUED.sub(rf"\g<before>{{{{id{self._names}}}}}", text, count=1)

    def lesson(self) -> list[str]:
        lines = [
            "---",
            "id: recorded",
            "title: A recorded session",
            f"format: {FORMAT}",
            f"scenario: {self._scenario}",
            "minutes: 10",
            "level: 1",
            "teaches:",
            *(f"var.secret{number}: fill-in" for number in range(1, self._secrets + 1)),
            "---",
            "",
            "# A recorded session",
            "",
            "Say here what the lesson is about.",
            "",
        ]
        for piece in self._pieces:
            lines += [f"## {piece.title} {{#{piece.id}}}", "", "Say what is to be done, and why."]
            lines += ["", "```smtp", *piece.lines, "```", ""]
            if any(line.startswith(("C:", "C=", "C~")) for line in piece.lines):
                lines += ["```hint", "1. Help without giving the answer away.", "```", ""]
        lines += ["```teacher", "What to ask the class, and what goes wrong.", "```"]
        return lines
