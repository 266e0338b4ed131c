"""A lesson that plays itself: prose, questions with their answers, and the conversation."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TextIO

from smtpshell.conversation.report import Row
from smtpshell.protocol.events import Connected
from smtpshell.protocol.text import visible
from smtpshell.transcript.plain import plain_lines
from smtpshell.tutor.performance import perform
from smtpshell.tutor.plainly import filled, prose_rows, spoken

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.events import Event
    from smtpshell.tutor.lesson import Ask, Lesson, Prose, Step


_TOOK = re.compile(r" \(<?\d+ ms\)| after <?\d+ ms")
"""How it is told how long something took, which is another time each time."""


class Teller:
    """Writes a performance as plain lines."""

    def __init__(self, lesson: Lesson, settings: Settings, out: TextIO) -> None:
        self._lesson = lesson
        self._settings = settings
        self._out = out
        self._plain = settings.plain or (lesson.language == "en" and not out.isatty())

    def line(self, text: str) -> None:
        """Write one line."""
        self._out.write(visible(text, ascii_only=self._plain) + "\n")

    def rows(self, rows: Iterable[Row]) -> None:
        """Write rows."""
        for text in spoken(rows):
            self.line(text)

    def begin(self) -> None:
        """Tell which lesson it is, and its preface."""
        self.line(f"Lesson: {self._lesson.title}")
        self.rows(prose_rows(_without_title(self._lesson.prose), self._lesson.values(0)))

    def step(self, number: int, step: Step) -> None:
        """Tell that a step begins."""
        title = filled(step.title, self._lesson.values(0))
        self.line(f"Step {number} of {len(self._lesson.steps)}: {title}")

    def prose(self, prose: Prose, values: Mapping[str, str]) -> None:
        """Tell a piece of prose."""
        self.rows(prose_rows(prose.lines, values))

    def event(self, event: Event) -> None:
        """Tell an event."""
        notes = "off" if self._settings.quiet else self._settings.notes
        for line in same_lines(event, notes, ascii_only=self._plain):
            self.line(line)

    def note(self, text: str) -> None:
        """Tell what the lesson itself does."""
        self.line(f"Note: {steady(text)}")

    def ask(self, ask: Ask, values: Mapping[str, str]) -> None:
        """Tell a question and its answer."""
        self.line(f"Question: {filled(' '.join(ask.question), values)}")
        right = [filled(answer.text, values) for answer in ask.answers if answer.kind in "=x"]
        self.line(f"Answer: {'; '.join(right) or 'in your own words'}")


def steady(text: str) -> str:
    """Return what is told of something without how long it took."""
    return _TOOK.sub("", text)


def same_lines(event: Event, notes: str, *, ascii_only: bool = False) -> list[str]:
    """Return the lines of an event that are the same each time: without port and time."""
    lines = plain_lines(event, notes, timing=False, ascii_only=ascii_only)
    if isinstance(event, Connected):
        return [line.replace(f", {event.address} port {event.port}", "") for line in lines]
    return [line if line.startswith(("C:", "S:")) else steady(line) for line in lines]


def _without_title(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line for line in lines if not line.startswith("# "))


async def demonstrate(lesson: Lesson, settings: Settings, out: TextIO | None = None) -> int:
    """Let a lesson play itself; return 1 when its solution does not work, 0 when it does."""
    teller = Teller(lesson, settings, out or sys.stdout)
    teller.begin()
    performance = await perform(lesson, audience=teller)
    for problem in performance.problems:
        print(f"smtpshell: {lesson.path}:{problem.line}: {problem.text}", file=sys.stderr)
    if not performance.problems:
        teller.line("Done.")
    return 1 if performance.problems else 0
