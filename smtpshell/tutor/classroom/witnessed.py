"""Grades, held against receipts: what the server did not see in the exam earns nothing.

For the steps of a lesson the server's word is the last one: a step that a transcript has and no
receipt loses its point, one that a receipt has gets it, whatever the transcript says; but what
a student has been shown or has skipped stays without. The server hears no answers, so questions go
by the transcript alone. Whoever was seen and handed in nothing is graded by the receipts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from smtpshell.protocol.values import replace
from smtpshell.tutor.classroom.points import Grade, Row, empty_rows
from smtpshell.tutor.classroom.receipts import Seen
from smtpshell.tutor.lesson import Exchange, Lesson

NOT_SEEN = "the server did not see it"


def witnessed(
    grades: Sequence[Grade], seen: Seen, lessons: Mapping[str, Lesson], hint_price: float = 0.0
) -> list[Grade]:
    """Return the grades as the receipts leave them, with those who have nothing but receipts."""
    held = [_held(grade, seen, lessons, hint_price) if grade.student else grade for grade in grades]
    present = {grade.student.casefold() for grade in grades}
    return [*held, *_absent(seen.students - present, seen, lessons)]


def shown_steps(lesson: Lesson) -> set[str]:
    """Return the steps of a lesson that a server can see: those in which something is sent."""
    return {
        step.id
        for step in lesson.steps
        if any(isinstance(action, Exchange) and action.clients for action in step.actions)
    }


def _held(grade: Grade, seen: Seen, lessons: Mapping[str, Lesson], hint_price: float) -> Grade:
    rows: list[Row] = []
    problems: list[str] = []
    for name, lesson in lessons.items():
        steps = seen.of(grade.student, name, lesson.digest)
        mine = [row for row in grade.rows if row.lesson == name]
        mine = mine or (empty_rows(lesson) if steps else [])
        visible = shown_steps(lesson)
        rows += [_row(row, steps, hint_price) if row.item in visible else row for row in mine]
        unseen = [row.item for row in mine if row.points and row.item in visible - steps]
        if unseen and not steps:
            problems.append(f"{name}: there is no receipt for it")
        elif unseen:
            problems.append(f"{name}: no receipt matches {', '.join(unseen)}")
    return replace(grade, rows=tuple(rows), problems=(*grade.problems, *problems))


def _row(row: Row, steps: set[str], hint_price: float) -> Row:
    if row.item not in steps:
        return replace(row, points=0.0, reason=NOT_SEEN) if row.points else row
    if row.points or row.shown or row.skipped:
        return row
    return replace(row, points=max(0.0, 1.0 - hint_price * row.hints), reason="")


def _absent(students: Iterable[str], seen: Seen, lessons: Mapping[str, Lesson]) -> list[Grade]:
    grades = []
    for student in sorted(students):
        rows = [
            _row(row, steps, 0.0)
            for lesson in lessons.values()
            if (steps := seen.of(student, lesson.id, lesson.digest))
            for row in empty_rows(lesson)
        ]
        note = "graded by receipts alone: nothing was handed in"
        if rows:
            grades.append(Grade(student, "", tuple(rows), notes=(note,)))
    return grades
