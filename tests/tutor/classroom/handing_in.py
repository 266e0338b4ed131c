"""A class for tests: a lesson that varies, learners who play it, and what they hand in."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from smtpshell.tutor.classroom.grade import grade_folder
from smtpshell.tutor.classroom.points import Grade, Terms
from smtpshell.tutor.classroom.submission import (
    SUFFIX,
    Submission,
    Transcript,
    seed_of,
    to_json,
)
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.performance import practice_settings
from smtpshell.tutor.progress import Progress, read_records
from smtpshell.tutor.reader import read_lesson
from smtpshell.tutor.unattended import play_lines

TEXT = """\
---
id: varied
title: A lesson that varies
format: smtpshell-lesson/1
scenario: submission
minutes: 5
level: 1
teaches: testing
var.user: alice
var.password: correct horse
vary.you: bob@practice.example, carol@practice.example
---

## Hello {#hello}

```smtp
S: 220 *
C: EHLO client.example
S: 250-*
S: ...
C: STARTTLS
S: 220 *
S: <tls>
C: EHLO client.example
S: 250-*
S: ...
C: AUTH PLAIN {{plain(user, password)}}
S: 235 *
```

```ask ready
Which digits stood first?
= 220
! 250 : Later.
```

```hint
1. Four letters.
```

## Envelope {#envelope}

Write to {{you}}.

```smtp
C: MAIL FROM:<alice@practice.example>
S: 250 *
C: RCPT TO:<{{you}}>
S: 250 *
C: DATA
S: 354 *
C~ Subject: hello
C~
C~ A text.
C: .
S: 250 *
```

```check
delivered {{you}} count == 1
```

## Goodbye {#goodbye}

```ask words
Why did you say goodbye?
~ 2 words
```

```smtp
C: QUIT
S: 221 *
S: <closed>
```
"""

LESSON = read_lesson(TEXT, "varied.md")
ITEMS = ["hello", "hello/ready", "envelope", "goodbye"]

LOGIN = "AUTH PLAIN AGFsaWNlAGNvcnJlY3QgaG9yc2U="
OPENING = ("EHLO client.example", "STARTTLS", "EHLO client.example", LOGIN, "220")
CLOSING = ("out of politeness", "QUIT")


def student_with(variant: str) -> str:
    """Return the id of a student whose variant of the lesson names this recipient."""
    return next(
        student
        for student in map("{:03}".format, range(1, 100))
        if LESSON.values(seed_of(student))["you"].startswith(variant)
    )


BOB, CAROL = student_with("bob"), student_with("carol")


def solution(variant: str) -> tuple[str, ...]:
    """Return the lines of a learner who makes no mistake."""
    return (*OPENING, *letter(variant), *CLOSING)


def letter(variant: str) -> tuple[str, ...]:
    """Return the lines of the second step."""
    return (
        "MAIL FROM:<alice@practice.example>",
        f"RCPT TO:<{variant}@practice.example>",
        "DATA",
        "Subject: hello",
        "",
        "A text.",
        ".",
    )


def play(folder: Path, lines: Sequence[str], seed: int, lesson: Lesson = LESSON) -> Progress:
    """Play a lesson with a learner's lines, and return the log, which may exist already."""
    progress = Progress(folder / f"{lesson.id}.jsonl")

    async def given() -> AsyncIterator[str]:
        for line in lines:
            yield line

    nothing = io.StringIO()
    asyncio.run(
        play_lines(
            lesson,
            practice_settings(),
            given(),
            out=nothing,
            errors=nothing,
            progress=progress,
            seed=seed,
        )
    )
    return progress


def records_of(folder: Path, lines: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """Play the lesson and return the records of the log."""
    play(folder, lines, seed)
    return [dict(each) for each in read_records(folder / f"{LESSON.id}.jsonl")]


def hand_in(folder: Path, student: str, records: Sequence[Mapping[str, Any]]) -> Path:
    """Write a submission with these records."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{student}{SUFFIX}"
    transcript = Transcript(LESSON.id, tuple(records))
    path.write_text(to_json(Submission(student, (transcript,))), encoding="ascii")
    return path


def terms(**options: Any) -> Terms:
    """Return how the lesson is graded."""
    return Terms({LESSON.id: LESSON}, **options)


def graded(folder: Path, **options: Any) -> list[Grade]:
    """Grade a folder."""
    return grade_folder(folder, terms(**options))


def points(grade: Grade) -> dict[str, float]:
    """Return the points of a grade by item."""
    return {row.item: row.points for row in grade.rows}


def played_and_graded(
    folder: Path,
    student: str,
    lines: Sequence[str],
    **options: Any,
) -> Grade:
    """Return the grade of a student who types these lines with the seed that is hers."""
    records = records_of(folder / "state", lines, seed_of(student))
    hand_in(folder / "in", student, records)
    return graded(folder / "in", **options)[0]


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
