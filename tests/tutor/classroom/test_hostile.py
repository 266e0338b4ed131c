"""A hostile submission, from the outside: changed anywhere, under any name, it harms nothing.

Every example is a good submission in which some values were replaced, dropped or added; the whole
of `grade` is run on it with all the tables that it can write.
"""

from __future__ import annotations

import contextlib
import copy
import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtpshell.cli import guarded
from smtpshell.tutor.classroom.submission import seed_of
from tests.tutor.classroom.handing_in import (
    BOB,
    CLOSING,
    OPENING,
    TEXT,
    hand_in,
    letter,
    records_of,
)

TABLES = ("out", "json-file", "junit", "moodle", "canvas", "gradescope", "exercism")

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**63, 10**400, 1e308, "", "\0", "\ud800", "\u202e", "\x1b[2J\x07"),
    *("=cmd|' /C calc'!A0", "@SUM(1)", "+1", " =1", "\uff1d1", "\t=1", "\r\n=1"),
    *("../../etc/passwd", "/etc/passwd", "connect", "clock", "+9999999d", "[hidden]", "{{me}}"),
    *("<script>", "a" * 5000, [], {}, [[[[]]]], [None] * 50, {"a": {"b": 1}}),
)
NAMES = (
    *[f"{BOB}.smtpshell.json"] * 5,
    *(
        f"{odd}_{BOB}.smtpshell.json"
        for odd in ("=cmd", "\x1b[2J", "a\n=b", "-rf", "x.zip", "\u202e")
    ),
)
FIELDS = ("kind", "step", "journal", "at", "keep", "seed", "digest", "student", "lesson", "records")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a good submission, and the lesson it belongs to."""
    place = tmp_path_factory.mktemp("hostile")
    lines = (*OPENING, "MAIL TO:<x>", "/hint", *letter("bob"), *CLOSING)
    hand_in(place / "good", BOB, records_of(place / "state", lines, seed_of(BOB)))
    (place / "varied.md").write_text(TEXT)
    (place / "in").mkdir()
    (place / "tables").mkdir()
    return place


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value inside a value."""
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    return [path, *(way for key, each in inner for way in paths(each, (*path, key)))]


def change(whole: Any, way: tuple[Any, ...], how: str, value: Any) -> None:
    """Change a document in place, where the way still leads anywhere."""
    with contextlib.suppress(KeyError, IndexError, TypeError):
        inner = whole
        for key in way[:-1]:
            inner = inner[key]
        if how == "replace":
            inner[way[-1]] = value
        elif how == "drop":
            del inner[way[-1]]
        elif isinstance(inner, list):
            inner.insert(way[-1], value)
        else:
            inner[FIELDS[len(way) % len(FIELDS)]] = value


def grade(place: Path) -> tuple[int, str]:
    """Grade with all tables, and return the status and what was printed."""
    options = [word for name in TABLES for word in (f"--{name}", str(place / "tables" / name))]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        lesson = ("--lesson", str(place / "varied.md"))
        status = guarded(["grade", str(place / "in"), *lesson, *options])
    return status, printed.getvalue()


def check_tables(folder: Path) -> None:
    """Hold every table to its form, and look for formulas and control characters in them."""
    for name in ("json-file", "gradescope", "exercism"):
        json.loads((folder / name).read_text(encoding="utf-8"))
    ET.fromstring((folder / "junit").read_text(encoding="utf-8"))
    for name in ("out", "moodle", "canvas"):
        for row in csv.reader(io.StringIO((folder / name).read_text(encoding="utf-8"))):
            for cell in row:
                assert cell.isprintable()
                assert cell.strip()[:1] not in tuple("=+-@\uff1d")


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_submission_changed_anywhere_harms_nothing(place: Path, data: st.DataObject) -> None:
    """There is a status, a line that says what is wrong, and tables that programs can read."""
    whole = json.loads((place / "good" / f"{BOB}.smtpshell.json").read_text())
    ways = [way for way in paths(whole) if way and "chain" not in way]
    for _ in range(data.draw(st.integers(1, 8))):
        change(
            whole,
            data.draw(st.sampled_from(ways)),
            data.draw(st.sampled_from(["replace", "drop", "add"])),
            copy.deepcopy(data.draw(st.sampled_from(VALUES))),
        )
    path = place / "in" / data.draw(st.sampled_from(NAMES))
    path.write_text(json.dumps(whole))
    before = sorted(place.rglob("*"))
    try:
        status, printed = grade(place)
    finally:
        path.unlink()
    assert status in (0, 1), printed
    assert printed.replace("\n", "").isprintable()
    assert printed.startswith(("1 graded, ", "0 graded, "))
    assert status == 0 or "Problem: " in printed
    assert sorted({*place.rglob("*"), path} - {*(place / "tables").iterdir()}) == [
        each for each in before if each.parent != place / "tables"
    ]
    check_tables(place / "tables")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"records": [', '"records": [' + "[" * 5000 + "]" * 5000 + ",", "nested too deeply"),
        ('"records": [', '"records": [7,', "no list of records"),
        ('"seed": ', '"seed": 1e999, "was": ', None),
        ('"seed": ', '"seed": NaN, "was": ', "not valid JSON"),
        ('"seed": ', '"seed": ' + "9" * 5000 + ', "was": ', "not valid JSON"),
        (f'"student": "{BOB}"', '"student": "../../x"', "is no student id"),
        (f'"student": "{BOB}"', '"student": "=cmd()"', "is no student id"),
        ('"lesson": "varied"', '"lesson": "/etc/passwd"', "no lesson is called '/etc/passwd'"),
        ('"lesson": "varied"', '"lesson": "varied.md\\u0000"', "no lesson is called"),
    ],
)
def test_each_trick_gets_a_line_that_names_it(
    place: Path, old: str, new: str, reason: str | None
) -> None:
    """In words, with the file."""
    text = (place / "good" / f"{BOB}.smtpshell.json").read_text()
    assert old in text
    path = place / "in" / f"{BOB}.smtpshell.json"
    path.write_text(text.replace(old, new))
    try:
        lesson = () if reason and "lesson" in reason else ("--lesson", str(place / "varied.md"))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = guarded(["grade", str(place / "in"), *lesson])
    finally:
        path.unlink()
    assert status == (0 if reason is None else 1)
    assert reason is None or f"Problem: {BOB}.smtpshell.json: " in printed.getvalue()
    assert (reason or "") in printed.getvalue()
