"""A lesson as it passes in time, for recordings: what is shown, when, and where the steps begin.

Nobody's clock is read. A line takes as long as a person needs to type or read it, so that the same
lesson always gives the same recording, to the last octet.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from smtpshell.protocol.values import dataclass
from smtpshell.tutor.demonstration import Teller
from smtpshell.tutor.performance import Performance, perform
from smtpshell.tutor.plainly import filled

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.tutor.lesson import Lesson, Step

KEYSTROKE = 60
"""Milliseconds that a typed character takes."""

WORD = 240
"""Milliseconds that a word takes to read; 250 words a minute is what most adults do."""

PAUSES = {"C: ": 700, "S: ": 250, "Step ": 1200, "Answer:": 2500, "Question:": 600}
"""Milliseconds before a line that begins so; others follow at once."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A line, and when it begins to appear, in milliseconds. One that is `typed` takes its time.

    With `step` above 0 it is the title of that step.
    """

    at: int
    text: str
    typed: bool = False
    step: int = 0

    @property
    def takes(self) -> int:
        """How long it takes until the next line may come, in milliseconds."""
        if self.typed:
            return KEYSTROKE * (len(self.text) - len("C: "))
        return WORD * len(self.text.split()) if not self.text.startswith("S: ") else 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """All moments of a lesson, the titles of its steps, and when it is over, in milliseconds."""

    moments: tuple[Moment, ...]
    titles: tuple[str, ...]
    end: int

    @property
    def steps(self) -> list[tuple[int, int, str]]:
        """When each step that is played begins and ends, and its title."""
        begun = [(moment.at, moment.step) for moment in self.moments if moment.step]
        ends = [at for at, _ in begun[1:]] + [self.end]
        return [
            (at, end, self.titles[step - 1]) for (at, step), end in zip(begun, ends, strict=True)
        ]


class _Recorder(Teller):
    """An audience that notes what it is told, and how long that takes."""

    def __init__(self, lesson: Lesson, settings: Settings) -> None:
        super().__init__(lesson, settings, io.StringIO())
        self.moments: list[Moment] = []
        self._step = 0
        self.now = 0

    def line(self, text: str) -> None:
        """Note one line."""
        before = next((ms for start, ms in PAUSES.items() if text.startswith(start)), 0)
        again = self.moments and self.moments[-1].text[:3] == text[:3] == "S: "
        self.now += 0 if again else before
        moment = Moment(self.now, text, typed=text.startswith("C: "), step=self._step)
        self.moments.append(moment)
        self.now += moment.takes
        self._step = 0

    def step(self, number: int, step: Step) -> None:
        """Note that a step begins."""
        self._step = number
        super().step(number, step)


async def timeline(lesson: Lesson, settings: Settings) -> tuple[Timeline, Performance]:
    """Let a lesson play itself and return what is to be seen of it, and how it went."""
    recorder = _Recorder(lesson, settings)
    recorder.begin()
    performance = await perform(lesson, audience=recorder)
    if not performance.problems:
        recorder.line("Done.")
    titles = tuple(filled(step.title, lesson.values(0)) for step in lesson.steps)
    return Timeline(tuple(recorder.moments), titles, recorder.now + PAUSES["Step "]), performance
