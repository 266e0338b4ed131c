"""What a submission is worth: a point for each step and each question, the best attempt counting.

Points come from re-execution alone. What a log claims beside (hints, the answer shown, times, wrong
lines) can lower them, or is told to the teacher; it can never raise them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smtpshell.protocol.values import dataclass, field
from smtpshell.tutor.classroom.attempts import Attempt, Tally, attempts_of
from smtpshell.tutor.classroom.replaying import (
    SECONDS,
    Canonicals,
    Outcome,
    replay,
)
from smtpshell.tutor.classroom.submission import Submission, Transcript, broken_at, seed_of
from smtpshell.tutor.economy import items_of, worth
from smtpshell.tutor.lesson import Lesson

SUBMISSION_SECONDS = 120.0
"""Seconds by the wall that one file may take."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How is graded: the lessons that are known, by id, and what a hint costs, in points.

    With `any_seed` a transcript is done again with the seed that it names, not with the student's
    own; then one that was copied passes.
    """

    lessons: Mapping[str, Lesson]
    hint_price: float = 0.0
    any_seed: bool = False
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class Row:
    """The grade of one item, the id of a step or `step/question`. `reason` says why it got 0."""

    lesson: str
    item: str
    points: float = 0.0
    attempts: int = 0
    hints: int = 0
    shown: bool = False
    skipped: bool = False
    active: float = 0.0
    first: float | None = None
    last: float | None = None
    reason: str = "not done"
    wrong: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        """The step that it belongs to."""
        return self.item.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Grade:
    """What one file is worth.

    `problems` are reasons why it, or a lesson in it, could not be graded; `notes` are what a
    teacher may want to look at; `answers` are those to open questions, by lesson, then by item.
    """

    student: str
    file: str
    rows: tuple[Row, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """All points together."""
        return sum(row.points for row in self.rows)


async def grade(submission: Submission, file: str, terms: Terms, canonicals: Canonicals) -> Grade:
    """Grade all lessons of a submission."""
    from time import monotonic

    rows: list[Row] = []
    problems: list[str] = []
    notes: list[str] = []
    answers: dict[str, Mapping[str, str]] = {}
    until = monotonic() + SUBMISSION_SECONDS
    for transcript in submission.transcripts:
        lesson = terms.lessons.get(transcript.lesson)
        if lesson is None:
            problems.append(f"no lesson is called {transcript.lesson[:80]!r}")
            continue
        notes += _notes(submission.student, transcript, lesson, terms)
        graded: list[Row] = []
        for attempt in attempts_of(lesson.id, transcript.records):
            seconds = min(terms.seconds, until - monotonic())
            if seconds <= 0:
                problems.append(f"{lesson.id}: no time was left for it")
                break
            seed = attempt.seed if terms.any_seed else seed_of(submission.student)
            outcome = await replay(lesson, attempt, seed, canonicals, seconds=seconds)
            if outcome.problem:
                problems.append(f"{lesson.id}: {outcome.problem}")
            answers[lesson.id] = {**answers.get(lesson.id, {}), **outcome.answers}
            graded = best(graded, rows_of(lesson, attempt, outcome, terms.hint_price))
        rows += graded or empty_rows(lesson)
    return Grade(submission.student, file, tuple(rows), tuple(problems), tuple(notes), answers)


def _notes(student: str, transcript: Transcript, lesson: Lesson, terms: Terms) -> list[str]:
    notes = []
    try:
        broken = broken_at(student, transcript)
    except (RecursionError, ValueError):
        broken = 1
    if broken is not None:
        notes.append(f"{lesson.id}: the chain breaks at record {broken}: damaged or edited")
    attempts = attempts_of(lesson.id, transcript.records)
    strange = any(attempt.seed != seed_of(student) for attempt in attempts)
    if strange and lesson.varies and not terms.any_seed:
        notes.append(
            f"{lesson.id}: played with the seed of somebody else, or without a student's id"
        )
    if any(attempt.digest != lesson.digest for attempt in attempts):
        notes.append(f"{lesson.id}: played with another version of the lesson")
    if any(attempt.dropped for attempt in attempts):
        notes.append(f"{lesson.id}: records that make no sense were passed over")
    return notes


def items_in_order(lesson: Lesson) -> list[str]:
    """Return all items of a lesson that points are given for, in the order of its steps."""
    return [item for step in lesson.steps for item in sorted(items_of(step))]


def empty_rows(lesson: Lesson) -> list[Row]:
    """Return the rows of somebody who has not played a lesson."""
    return [Row(lesson.id, item) for item in items_in_order(lesson)]


def rows_of(lesson: Lesson, attempt: Attempt, outcome: Outcome, price: float) -> list[Row]:
    """Return the grades of one attempt."""
    rows = []
    for item in items_in_order(lesson):
        tally = attempt.tallies.get(item, Tally())
        hints = outcome.hints.get(item, 0)
        shown, skipped = item in outcome.shown, item in outcome.skipped
        earned = item in outcome.done and not shown and not skipped
        used = max(tally.commands, outcome.account.used.get(item, 0))
        tries = max(tally.attempts, outcome.account.tries.get(item, 0))
        earns = worth(lesson, item, lesson.values(0), used=used, tries=tries)
        reason = "skipped" if skipped else "the answer was shown" if shown else "not done"
        rows.append(
            Row(
                lesson=lesson.id,
                item=item,
                points=max(0.0, earns - price * hints) if earned else 0.0,
                attempts=tally.attempts,
                hints=hints,
                shown=shown,
                skipped=skipped,
                active=tally.active,
                first=tally.first,
                last=tally.last,
                reason="" if earned else reason,
                wrong=tuple(tally.wrong),
            )
        )
    return rows


def best(one: Sequence[Row], other: Sequence[Row]) -> list[Row]:
    """Return the better row of each item of one lesson, with the work of both attempts."""
    if not one or not other:
        return list(one or other)
    return [_both(left, right) for left, right in zip(one, other, strict=True)]


def _both(left: Row, right: Row) -> Row:
    from smtpshell.protocol.values import replace

    better = right if right.points > left.points else left
    moments = [each for each in (left.first, right.first) if each is not None]
    latest = [each for each in (left.last, right.last) if each is not None]
    return replace(
        better,
        attempts=left.attempts + right.attempts,
        active=left.active + right.active,
        first=min(moments, default=None),
        last=max(latest, default=None),
        wrong=left.wrong + right.wrong,
    )


def possible(lesson: Lesson) -> int:
    """Return the points that a lesson can give."""
    return len(items_in_order(lesson))
