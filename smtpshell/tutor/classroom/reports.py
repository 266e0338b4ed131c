"""Grades as tables: CSV for spreadsheets, JSON for programs, JUnit for CI, words for teachers."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smtpshell.protocol.errors import FileError, UsageError
from smtpshell.protocol.text import visible
from smtpshell.tutor.classroom.points import Grade, Row
from smtpshell.tutor.junit import Case
from smtpshell.tutor.lesson import Lesson

FORMAT = "smtpshell-grades/1"

COLUMNS = (
    *("student", "lesson", "step", "points", "attempts", "hints", "shown", "skipped"),
    *("active minutes", "first", "last", "reason"),
)
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""How a formula begins, in the wide characters of East Asian spreadsheets too."""

SHOWN_STEPS = 10
SHOWN_LINES = 3


def cell(text: str) -> str:
    """Return text as a spreadsheet may hold it: printable, and never a formula.

    >>> cell("=cmd")
    "'=cmd"
    """
    printable = visible(text)
    return f"'{printable}" if printable.lstrip()[:1] in _FORMULA else printable


def moment(seconds: float | None) -> str:
    """Return a time as ISO 8601 in UTC, "" where there is none."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_csv(table: Iterable[Sequence[str]]) -> str:
    """Return rows of text as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(table)
    return out.getvalue()


def grades_csv(grades: Iterable[Grade]) -> str:
    """Return one line for each item of each student, and one for each file with a problem."""
    return as_csv([COLUMNS, *_lines(grades)])


def _lines(grades: Iterable[Grade]) -> Iterator[tuple[str, ...]]:
    for grade in grades:
        for row in grade.rows:
            yield (
                cell(grade.student),
                row.lesson,
                row.item,
                f"{row.points:g}",
                str(row.attempts),
                str(row.hints),
                _yes(row.shown),
                _yes(row.skipped),
                f"{row.active / 60:.1f}",
                moment(row.first),
                moment(row.last),
                row.reason,
            )
        for problem in grade.problems:
            blank = ("",) * (len(COLUMNS) - 2)
            yield (cell(grade.student or grade.file), *blank, cell(_about(grade, problem)))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _about(grade: Grade, problem: str) -> str:
    return f"{grade.file}: {problem}" if grade.file else problem


def facts_of(grade: Grade) -> dict[str, Any]:
    """Return a grade as an object for JSON."""
    return {
        "student": grade.student,
        "file": grade.file,
        "points": grade.points,
        "of": len(grade.rows),
        "problems": list(grade.problems),
        "notes": list(grade.notes),
        "steps": [_step_facts(row) for row in grade.rows],
        "answers": [
            {"lesson": lesson, "step": item, "text": text}
            for lesson, texts in grade.answers.items()
            for item, text in texts.items()
        ],
    }


def _step_facts(row: Row) -> dict[str, Any]:
    return {
        "lesson": row.lesson,
        "step": row.item,
        "points": row.points,
        "attempts": row.attempts,
        "hints": row.hints,
        "shown": row.shown,
        "skipped": row.skipped,
        "active_minutes": round(row.active / 60, 1),
        "first": moment(row.first) or None,
        "last": moment(row.last) or None,
        "reason": row.reason or None,
    }


def grades_json(grades: Sequence[Grade], mistakes: Sequence[Mistakes]) -> str:
    """Return everything as one JSON document."""
    import json

    from smtpshell.transcript.jsonl import as_json

    whole = {
        "format": FORMAT,
        "students": [facts_of(grade) for grade in grades],
        "mistakes": [each.facts() for each in mistakes],
    }
    return json.dumps(json.loads(as_json(whole)), indent=1) + "\n"


def cases_of(grades: Iterable[Grade]) -> tuple[list[Case], list[Case]]:
    """Return test cases for a JUnit report: those that ran, and those that were skipped."""
    ran: list[Case] = []
    skipped: list[Case] = []
    for grade in grades:
        for row in grade.rows:
            group = f"{grade.student}.{row.lesson}"
            problems = (row.reason,) if row.reason else ()
            (skipped if row.skipped else ran).append((row.item, group, problems))
        if grade.problems:
            ran.append(("submission", grade.student or grade.file, grade.problems))
    return ran, skipped


def read_answers(path: Path) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """Return the answers to open questions in a file that `grades_json` wrote.

    They go by lesson, then by item: pairs of a student's id and a text. What makes no sense is
    passed over. Raises `UsageError` for another kind of file, `FileError` when it cannot be read.
    """
    import json

    try:
        whole = json.loads(path.read_bytes())
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error
    except (ValueError, RecursionError):
        whole = None
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise UsageError("it holds no grades", str(path), "Name what grade --json-file wrote.")
    answers: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for student in _objects(whole.get("students")):
        for each in _objects(student.get("answers")):
            lesson, item, text = (str(each.get(name, "")) for name in ("lesson", "step", "text"))
            who = visible(str(student.get("student", "")))
            answers.setdefault(lesson, {}).setdefault(item, []).append((who, text))
    return answers


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


# --- the commonest mistakes ---------------------------------------------------------------------


class Mistakes:
    """What went wrong in one step or question: how many students, which lines how often."""

    def __init__(self, lesson: str, item: str) -> None:
        self.lesson = lesson
        self.item = item
        self.students: set[str] = set()
        self.lines: Counter[str] = Counter()

    def commonest(self, number: int = SHOWN_LINES) -> list[tuple[str, int]]:
        """Return the commonest wrong lines with their numbers."""
        return sorted(self.lines.items(), key=lambda pair: (-pair[1], pair[0]))[:number]

    def facts(self) -> dict[str, Any]:
        """Return it as an object for JSON."""
        return {
            "lesson": self.lesson,
            "step": self.item,
            "students": len(self.students),
            "wrong": self.lines.total(),
            "lines": [{"line": line, "count": count} for line, count in self.commonest(10)],
        }


def mistakes_in(grades: Iterable[Grade]) -> list[Mistakes]:
    """Return where the most students went wrong, first.

    Lines that differ only in case and spaces are counted together. A student counts once for each
    line, however often it was tried.
    """
    found: dict[tuple[str, str], Mistakes] = {}
    for grade in grades:
        for row in grade.rows:
            for line in {" ".join(each.split()).casefold(): each for each in row.wrong}.values():
                key = row.lesson, row.item
                mistakes = found.setdefault(key, Mistakes(*key))
                mistakes.students.add(grade.student)
                mistakes.lines[_usual(mistakes.lines, line)] += 1
    return sorted(found.values(), key=lambda each: (-len(each.students), each.lesson, each.item))


def _usual(lines: Mapping[str, int], line: str) -> str:
    folded = " ".join(line.split()).casefold()
    return next((each for each in lines if " ".join(each.split()).casefold() == folded), line)


def words(
    grades: Sequence[Grade],
    absent: Sequence[str],
    lessons: Mapping[str, Lesson],
    *,
    ascii_only: bool = False,
) -> Iterator[str]:
    """Yield the report for a teacher, line by line."""
    for line in _words(grades, absent, lessons):
        yield visible(line, ascii_only=ascii_only)


def _words(
    grades: Sequence[Grade], absent: Sequence[str], lessons: Mapping[str, Lesson]
) -> Iterator[str]:
    good = [grade for grade in grades if grade.rows]
    bad = [grade for grade in grades if grade.problems]
    yield f"{len(good)} graded, {len(bad)} with problems, {len(absent)} not handed in."
    for grade in good:
        yield f"{grade.student}: {grade.points:g} of {len(grade.rows)} points."
    for grade in bad:
        for problem in grade.problems:
            yield f"Problem: {grade.file}: {problem}."
    for grade in grades:
        for note in grade.notes:
            yield f"Note: {grade.student}: {note}."
    if not grades:
        yield "Note: no file called ID.smtpshell.json lies in the folder."
    if absent:
        yield f"Not handed in: {', '.join(absent)}."
    for each in mistakes_in(good)[:SHOWN_STEPS]:
        title = _title(lessons.get(each.lesson), each.item)
        yield f"Mistakes: {each.lesson}, {title}: {_count(len(each.students), 'student')}."
        for line, count in each.commonest():
            yield f"  {_count(count, 'time')}: {line}"


def _title(lesson: Lesson | None, item: str) -> str:
    step, _, ask = item.partition("/")
    if lesson is None:
        return item
    numbers = [each.id for each in lesson.steps]
    place = f"step {numbers.index(step) + 1} ({step})" if step in numbers else step
    return f"{place}, question {ask}" if ask else place


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
