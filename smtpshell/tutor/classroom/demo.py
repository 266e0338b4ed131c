"""A demonstration: the lesson's own solution, shown to the class line by line.

It is performed for real, on a practice world of its own, before the first line is shown; the pace
is that of people who read. Whoever watches the class sees each line as it comes, and students see
all lines so far with HELP DEMO.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from smtpshell.protocol.errors import UsageError
from smtpshell.transcript.plain import plain_lines
from smtpshell.tutor.performance import perform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtpshell.protocol.events import Event
    from smtpshell.tutor.classroom.room import Room
    from smtpshell.tutor.lesson import Ask, Lesson, Prose, Step

PACE = 2.0
"""Seconds between two lines."""

SLOWEST = 60.0


class _Script:
    """The audience of a performance: keeps what is worth showing."""

    def __init__(self, lesson: Lesson) -> None:
        self._lesson = lesson
        self.lines: list[str] = []

    def step(self, number: int, step: Step) -> None:
        """Keep the title of a step."""
        self.lines.append(f"# Step {number} of {len(self._lesson.steps)}: {step.title}")

    def prose(self, prose: Prose, values: Mapping[str, str]) -> None:
        """Leave prose out; the teacher talks."""

    def event(self, event: Event) -> None:
        """Keep what goes over the wire."""
        self.lines += plain_lines(event, "off", timing=False)

    def note(self, text: str) -> None:
        """Keep what the lesson itself does."""
        self.lines.append(f"# {text}")

    def ask(self, ask: Ask, values: Mapping[str, str]) -> None:
        """Leave questions out; they are the students'."""


class Demo:
    """Plays a room's lesson; None where there is only a scenario."""

    def __init__(self, room: Room, lesson: Lesson | None) -> None:
        self._room = room
        self._lesson = lesson
        self._playing: asyncio.Task[None] | None = None

    @property
    def playing(self) -> bool:
        """Whether a demonstration is under way."""
        return self._playing is not None and not self._playing.done()

    def start(self, pace: float = 0.0) -> int:
        """Begin, from the beginning; return the number of steps. Raises `UsageError`."""
        if self._lesson is None:
            raise UsageError("this class has a scenario and no lesson: there is nothing to show")
        if not 0 <= pace <= SLOWEST:
            raise UsageError(f"a line every 0 to {SLOWEST:.0f} seconds")
        self.stop()
        self._room.demonstrated.clear()
        self._playing = asyncio.create_task(self._play(self._lesson, pace or PACE))
        return len(self._lesson.steps)

    def stop(self) -> bool:
        """Stop; tell whether anything was under way."""
        was = self.playing
        if self._playing is not None:
            self._playing.cancel()
        return was

    async def _play(self, lesson: Lesson, pace: float) -> None:
        script = _Script(lesson)
        performance = await perform(lesson, audience=script)
        script.lines += [f"# It broke off: {each.text}" for each in performance.problems]
        for line in script.lines:
            self._room.show(line)
            await asyncio.sleep(pace)
        self._room.show("# The demonstration is over.")
