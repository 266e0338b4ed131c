"""A teacher's roster: a CSV file with a student on each line, as spreadsheets save it.

    student,name,email
    017,Bob Example,bob@school.example

Spreadsheets separate the columns by commas, by semicolons where the comma is for decimals, or by
tabs, and their "Unicode text" is UTF-16; all of them are read.
"""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Mapping
from pathlib import Path

from smtpshell.protocol.errors import FileError, UsageError
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass

MOST_STUDENTS = 5_000
SEPARATORS = ",;\t"

_ID_COLUMNS = ("student", "id", "id number", "sis user id")
_NAME_COLUMNS = ("name", "full name", "student name")
_EMAIL_COLUMNS = ("email", "email address", "e-mail")
_HEAD_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Person:
    """One line of a roster."""

    student: str
    name: str = ""
    email: str = ""


def read_roster(path: str) -> dict[str, Person]:
    """Read a roster, with a column `student` (or `id`) and maybe `name` and `email`.

    The keys are the ids, casefolded. Raises `FileError` or `UsageError`, the latter also where two
    persons have the same id.
    """
    text = _text(path)
    head = text.partition("\n")[0].strip()
    separator = max(SEPARATORS, key=head.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise UsageError(f"it is no CSV file: {error}", path) from error
    people: dict[str, Person] = {}
    for row in rows:
        person = _person(row)
        if not person.student:
            continue
        if people.setdefault(person.student.casefold(), person) != person:
            advice = "Give each student an id of its own."
            raise UsageError(f"two students are called {visible(person.student)}", path, advice)
    if not people:
        first = f"Its first line is {visible(head)[:_HEAD_SHOWN]}" if head else "It is empty"
        advice = f"{first}; it should name a column student."
        raise UsageError("no student stands in it", path, advice)
    if len(people) > MOST_STUDENTS:
        raise UsageError(f"more than {MOST_STUDENTS} students stand in it", path)
    return people


def _text(path: str) -> str:
    try:
        octets = Path(path).read_bytes()
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error
    wide = octets.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    try:
        return octets.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        advice = 'Save it as "CSV UTF-8".'
        raise UsageError("it is no text in UTF-8", path, advice) from error


def _person(row: Mapping[str | None, object]) -> Person:
    facts = {str(name).strip().casefold(): str(value or "").strip() for name, value in row.items()}
    return Person(
        _first(facts, _ID_COLUMNS), _first(facts, _NAME_COLUMNS), _first(facts, _EMAIL_COLUMNS)
    )


def _first(facts: Mapping[str, str], names: Iterable[str]) -> str:
    return next((facts[name] for name in names if facts.get(name)), "")
