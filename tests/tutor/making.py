"""Lessons made for a test, and learners who type lines into them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

from smtpshell.conversation.settings import Settings
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.library import load
from smtpshell.tutor.performance import Performance, perform
from smtpshell.tutor.progress import Progress
from smtpshell.tutor.reader import read_lesson
from smtpshell.tutor.unattended import play_lines

FIRST = "helo-to-quit"

GREETING = """\
## Hello {#hello}

Say hello.

```smtp
S: 220 *
C: HELO client.example
S: 250 *
```

```hint
1. Four letters.
```

```teacher
Wait for the digits.
```
"""


def lesson_text(body: str, **front: str) -> str:
    """Return the text of a lesson with the given steps; keyword `var_x` stands for `var.x`."""
    given = {
        "id": "made",
        "title": "Made for a test",
        "format": "smtpshell-lesson/1",
        "scenario": "plain",
        "minutes": "1",
        "teaches": "testing",
    }
    for key, value in front.items():
        given[key.replace("_", ".", 1) if key.startswith(("var_", "vary_")) else key] = value
    head = "".join(f"{key}: {value}\n" for key, value in given.items())
    return f"---\n{head}---\n\n{body}"


def made(body: str, **front: str) -> Lesson:
    """Return a lesson with the given steps."""
    return read_lesson(lesson_text(body, **front), "made.md")


def wire(*lines: str, step: str = "one", more: str = "") -> str:
    """Return a step with one wire fence of the given lines, and more behind it."""
    fence = "\n".join(lines)
    return f"## {step.title()} {{#{step}}}\n\n```smtp\n{fence}\n```\n\n{more}\n"


def performed(lesson: Lesson, **options: object) -> Performance:
    """Perform a lesson."""
    return asyncio.run(perform(lesson, **options))  # type: ignore[arg-type] # as the test says


class Played:
    """What a learner's lines led to: everything said and sent, and whether the end was reached."""

    def __init__(self, status: int, out: str, errors: str) -> None:
        self.finished = status == 0
        self.out = out
        self.errors = errors
        self.lines = out.splitlines()

    def said(self, *roles: str) -> list[str]:
        """Return the lines that begin with one of the roles."""
        return [line for line in self.lines if line.startswith(roles)]

    @property
    def verdicts(self) -> list[str]:
        """The verdicts, in order."""
        return [line.split(".")[0] for line in self.said("Correct", "Not yet")]


def played(
    lesson: Lesson | str,
    *lines: str,
    progress: Progress | None = None,
    timing: str = "on",
    seed: int = 0,
) -> Played:
    """Play a lesson with a learner's lines; nothing is kept unless a progress is given."""
    chosen = load(lesson) if isinstance(lesson, str) else lesson
    settings = Settings()
    settings.set("timeout", "10")
    settings.set("timing", timing)
    out, errors = io.StringIO(), io.StringIO()

    async def given() -> AsyncIterator[str]:
        for line in lines:
            yield line

    status = asyncio.run(
        play_lines(
            chosen,
            settings,
            given(),
            out=out,
            errors=errors,
            progress=progress or Progress(None),
            seed=seed,
        )
    )
    return Played(status, out.getvalue(), errors.getvalue())
