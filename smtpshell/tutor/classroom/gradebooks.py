"""What course systems import: Moodle, Canvas, Gradescope, and what reads Exercism's results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from smtpshell.protocol.text import visible
from smtpshell.tutor.classroom.points import Grade, possible
from smtpshell.tutor.classroom.reports import as_csv, cell
from smtpshell.tutor.classroom.roster import Person
from smtpshell.tutor.lesson import Lesson

MOST_OUTPUT = 500


def _by_lesson(grade: Grade) -> dict[str, float]:
    points: dict[str, float] = {}
    for row in grade.rows:
        points[row.lesson] = points.get(row.lesson, 0.0) + row.points
    return points


def _played(grades: Iterable[Grade], lessons: Mapping[str, Lesson]) -> list[Lesson]:
    played = {row.lesson for grade in grades for row in grade.rows}
    return [lesson for name, lesson in lessons.items() if name in played]


def moodle_csv(
    grades: Sequence[Grade], lessons: Mapping[str, Lesson], people: Mapping[str, Person]
) -> str:
    """Return a table for Moodle's grade import, with one column for each lesson."""
    played = _played(grades, lessons)
    head = ["ID number", "Email address", *(cell(each.title) for each in played), "Total"]
    table = [head]
    for grade in grades:
        if not grade.rows:
            continue
        person = people.get(grade.student.casefold(), Person(grade.student))
        points = _by_lesson(grade)
        marks = [f"{points.get(each.id, 0.0):g}" for each in played]
        table.append([cell(person.student), cell(person.email), *marks, f"{grade.points:g}"])
    return as_csv(table)


def canvas_csv(
    grades: Sequence[Grade], lessons: Mapping[str, Lesson], people: Mapping[str, Person]
) -> str:
    """Return a table for Canvas's gradebook import, the points possible in its second line."""
    played = _played(grades, lessons)
    table = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        + [cell(each.title) for each in played],
        ["Points Possible", "", "", "", "", *(str(possible(each)) for each in played)],
    ]
    for grade in grades:
        if not grade.rows:
            continue
        person = people.get(grade.student.casefold(), Person(grade.student))
        points = _by_lesson(grade)
        marks = [f"{points.get(each.id, 0.0):g}" for each in played]
        table.append(
            [cell(person.name or person.student), "", cell(person.student), "", "", *marks]
        )
    return as_csv(table)


def exercism_json(grade: Grade, lessons: Mapping[str, Lesson]) -> str:
    """Return results as a test runner of Exercism writes them, version 2, for one submission.

    A test is a step or a question; its `test_code` is the ids of lesson and step, never the answer.
    """
    tests = [
        {
            "name": f"{lessons[row.lesson].title}: {lessons[row.lesson].step(row.step).title}",
            "test_code": f"{row.lesson}/{row.item}",
            "status": "pass" if row.points else "fail",
            "message": row.reason or None,
            "output": visible("; ".join(row.wrong))[:MOST_OUTPUT] or None,
        }
        for row in grade.rows
    ]
    failed = any(test["status"] == "fail" for test in tests)
    status = "error" if not tests else "fail" if failed else "pass"
    remarks = visible(" ".join(f"{each}." for each in (*grade.problems, *grade.notes)))
    whole = {"version": 2, "status": status, "message": remarks or None, "tests": tests}
    return json.dumps(whole, indent=1) + "\n"


def gradescope_json(grade: Grade) -> str:
    """Return `results.json` of a Gradescope autograder, which grades one submission at a time."""
    tests: list[dict[str, Any]] = [
        {
            "name": f"{row.lesson}: {row.item}",
            "score": row.points,
            "max_score": 1,
            "status": "passed" if row.points else "failed",
            "output": row.reason,
        }
        for row in grade.rows
    ]
    remarks = visible(" ".join(f"{each}." for each in (*grade.problems, *grade.notes)))
    whole = {"score": grade.points, "output": remarks, "tests": tests}
    return json.dumps(whole, indent=1) + "\n"
