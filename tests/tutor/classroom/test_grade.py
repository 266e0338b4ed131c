"""`smtpshell grade` from the outside: files, tables and exit statuses."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtpshell.cli import guarded
from smtpshell.tutor.classroom.points import Grade
from smtpshell.tutor.classroom.reports import COLUMNS
from smtpshell.tutor.classroom.submission import Submission, seed_of
from tests.tutor.classroom.handing_in import (
    BOB,
    CAROL,
    CLOSING,
    ITEMS,
    OPENING,
    TEXT,
    graded,
    hand_in,
    letter,
    points,
    read_json,
    records_of,
    solution,
)
from tests.tutor.classroom.test_intake import RECORD


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """Return a folder with a class of two: Bob's is right, Carol's is Bob's; and one bad file."""
    lines = (*OPENING, "MAIL TO:<bob>", *letter("bob"), *CLOSING)
    records = records_of(tmp_path / "state", lines, seed_of(BOB))
    hand_in(tmp_path / "in", BOB, records)
    hand_in(tmp_path / "in", CAROL, records)
    (tmp_path / "in" / "bad.smtpshell.json").write_bytes(b"\0\x1b[2J")
    (tmp_path / "varied.md").write_text(TEXT)
    roster = f"student,name,email\n{BOB},=Bob,bob@practice.example\n{CAROL},Carol,\n999,Eve,\n"
    (tmp_path / "roster.csv").write_text(roster)
    return tmp_path


def run(room: Path, *options: str) -> int:
    """Grade the folder of a room."""
    lesson = ("--lesson", str(room / "varied.md"))
    return guarded(["grade", str(room / "in"), *lesson, *options])


def test_every_item_is_a_line_and_every_problem_too(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The CSV has the columns of the contract; what is bad does not stop the rest."""
    roster = ("--roster", str(room / "roster.csv"))
    assert run(room, "--out", str(room / "g.csv"), *roster) == 1
    with (room / "g.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    bob = [row for row in rows if row["student"] == BOB]
    assert [row["step"] for row in bob] == ITEMS
    assert {row["points"] for row in bob} == {"1"}
    assert [row["points"] for row in rows if row["student"] == CAROL] == ["1", "1", "0", "0"]
    reasons = [row["reason"] for row in rows if not row["step"]]
    assert any("not valid JSON" in reason for reason in reasons)
    assert any("nothing was handed in" in reason for reason in reasons)
    out = capsys.readouterr().out
    assert f"{BOB}: 4 of 4 points." in out
    assert "Not handed in: 999." in out
    assert "2 times: MAIL TO:<bob>" in out
    assert "\x1b" not in out


def test_the_other_tables_have_the_shapes_that_programs_want(room: Path) -> None:
    """JSON, JUnit, Moodle and Canvas, all in one run."""
    names = ("json-file", "junit", "moodle", "canvas")
    options = [word for name in names for word in (f"--{name}", str(room / name))]
    assert run(room, *options, "--roster", str(room / "roster.csv")) == 1
    whole = read_json(room / "json-file")
    assert [each["student"] for each in whole["students"] if each["steps"]] == sorted([BOB, CAROL])
    assert whole["mistakes"][0]["step"] == "envelope"
    suite = ET.fromstring((room / "junit").read_text())
    assert (suite.get("tests"), suite.get("failures")) == ("10", "4")
    moodle = list(csv.reader((room / "moodle").read_text().splitlines()))
    assert moodle[0] == ["ID number", "Email address", "A lesson that varies", "Total"]
    assert [BOB, "bob@practice.example", "4", "4"] in moodle
    canvas = list(csv.reader((room / "canvas").read_text().splitlines()))
    assert canvas[1][0] == "Points Possible"
    assert canvas[1][-1] == "4"
    assert "'=Bob" in [row[0] for row in canvas]


def test_gradescope_takes_one_submission(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With several it is a usage error; with one it is results.json."""
    assert run(room, "--gradescope", str(room / "results.json")) == 2
    assert "Gradescope" in capsys.readouterr().err
    for name in ("bad", CAROL):
        (room / "in" / f"{name}.smtpshell.json").unlink()
    assert run(room, "--gradescope", str(room / "results.json")) == 0
    results = read_json(room / "results.json")
    assert results["score"] == 4
    assert [test["max_score"] for test in results["tests"]] == [1, 1, 1, 1]


def test_exercism_names_each_step_by_its_id(room: Path) -> None:
    """One test for each item, the lines that went wrong as its output, and never the answer."""
    for name in ("bad", CAROL):
        (room / "in" / f"{name}.smtpshell.json").unlink()
    assert run(room, "--exercism", str(room / "results.json")) == 0
    results = read_json(room / "results.json")
    assert (results["version"], results["status"], results["message"]) == (2, "pass", None)
    assert [test["test_code"] for test in results["tests"]] == [f"varied/{item}" for item in ITEMS]
    assert results["tests"][2]["output"] == "MAIL TO:<bob>"
    assert results["tests"][0]["name"] == "A lesson that varies: Hello"


def test_open_answers_come_into_the_booklet(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each under its question, with the student's id, and as text, whatever was typed."""
    out, booklet = room / "grades.json", ["lesson", "guide", str(room / "varied.md")]
    lines = (*OPENING, *letter("bob"), "<b>*courtesy*\x1b[2J", "QUIT")
    hand_in(room / "in", BOB, records_of(room / "again", lines, seed_of(BOB)))
    run(room, "--json-file", str(out))
    capsys.readouterr()
    assert guarded([*booklet, "--answers", str(out)]) == 0
    printed = capsys.readouterr().out
    assert f"- {BOB} (1 word):\n\n      <b>*courtesy*" in printed
    assert "\x1b" not in printed
    assert guarded([*booklet, "--answers", str(room / "roster.csv")]) == 2
    assert guarded([*booklet, "--answers", str(room / "nothing")]) in (3, 10)
    out.write_text('{"format": "smtpshell-grades/1", "students": [1, {"answers": [{}, 2]}]}')
    assert guarded([*booklet, "--answers", str(out)]) == 0


def test_pass_is_what_a_command_grader_asks(room: Path) -> None:
    """Full points end with 0, too few with 1, and so does an empty submission."""
    for name in ("bad", CAROL):
        (room / "in" / f"{name}.smtpshell.json").unlink()
    assert run(room, "--pass", "100") == 0
    (room / "in" / f"{BOB}.smtpshell.json").unlink()
    hand_in(room / "in", BOB, records_of(room / "again", (*OPENING, "/skip"), seed_of(BOB)))
    assert run(room, "--pass", "50") == 0
    assert run(room, "--pass", "51") == 1
    hand_in(room / "in", BOB, [])
    assert run(room, "--pass", "1") == 1
    assert run(room, "--pass", "101") == 2


def test_who_hands_nothing_in_does_not_pass(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody on the roster without a file is in every report, and fails where points count."""
    for name in ("bad", CAROL):
        (room / "in" / f"{name}.smtpshell.json").unlink()
    (room / "roster.csv").write_text(f"student\n{BOB}\n999\n")
    roster = ("--roster", str(room / "roster.csv"))
    assert run(room, *roster, "--json-file", str(room / "all.json")) == 0
    students = {each["student"]: each for each in read_json(room / "all.json")["students"]}
    assert students["999"]["problems"] == ["nothing was handed in"]
    assert "Not handed in: 999." in capsys.readouterr().out
    assert run(room, *roster, "--pass", "50") == 1


def test_json_prints_an_object_for_each_student(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One ASCII line each, the bad file included."""
    assert run(room, "--json") == 1
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(each["student"] for each in objects) == sorted(["", BOB, CAROL])


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["grade"], 2),
        (["grade", "/nonexistent"], 2),
        (["grade", ".", "--hint-price", "7"], 2),
        (["grade", ".", "--lesson", "no-such-lesson"], 2),
        (["grade", ".", "--roster", "/nonexistent.csv"], 3),
    ],
)
def test_usage_and_environment_have_their_statuses(words: list[str], status: int) -> None:
    """2 for what makes no sense, 3 for files that cannot be read."""
    assert guarded(words) == status


def test_grades_in_the_folder_are_no_submission(room: Path) -> None:
    """What an earlier run wrote beside the submissions is written anew, and not graded."""
    for name in ("bad", CAROL):
        (room / "in" / f"{name}.smtpshell.json").unlink()
    for _ in range(2):
        assert run(room, "--json-file", str(room / "in" / "all.json")) == 0


def test_an_empty_folder_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was handed in, nothing is bad; but nothing has passed either."""
    assert guarded(["grade", str(tmp_path)]) == 0
    assert "no file called ID.smtpshell.json" in capsys.readouterr().out
    assert guarded(["grade", str(tmp_path), "--pass", "1"]) == 1
    assert "0 graded" in capsys.readouterr().out


def test_two_files_of_one_student_are_told_and_the_better_counts(tmp_path: Path) -> None:
    """Whoever hands in under another's name cannot take anything away."""
    hand_in(tmp_path, BOB, records_of(tmp_path / "state", solution("bob"), seed_of(BOB)))
    text = (tmp_path / f"{BOB}.smtpshell.json").read_text()
    (tmp_path / f"again_{BOB}.smtpshell.json").write_text(text)
    hand_in(tmp_path, BOB, [])
    (grade,) = graded(tmp_path)
    assert grade.points == len(ITEMS)
    assert "a second file" in " ".join(grade.problems)


def forged(journal: list[list[str]]) -> list[dict[str, Any]]:
    """Return the records of a log with one place and such a journal."""
    begin = {"at": 1.0, "kind": "begin", "lesson": "varied", "seed": seed_of(BOB), "digest": ""}
    place = {"at": 2.0, "kind": "place", "step": "hello", "block": 0, "action": 1, "keep": 0}
    return [begin, {**place, "journal": [["connect", ""], *journal]}]


@pytest.mark.parametrize(
    "journal",
    [
        [["clock", "+9999999999999d"]],
        [["clock", "soon"]],
        [["connect", "/etc/passwd"]],
        [["connect", "192.0.2.1:25"]],
        [["send", "X" * 200_000]],
        [["send", "NOOP\r\n" * 300]],
        [["send", "\0\x1b[2J\ud800\udcff\r\n"]],
        [["send", "EHLO x\r\nSTARTTLS\r\nEHLO x\r\n"]],
        [["send", "EHLO client.example\r\n"], ["send", "BDAT 4000000000\r\n"]],
        [["close", ""], ["close", ""], ["send", "NOOP\r\n"]],
        [["connect", ""]] * 200,
        [["send", "/mailbox bob\r\n"], ["send", "!id\r\n"], ["send", "$(id)\r\n"]],
    ],
    ids=lambda journal: f"{journal[0][0]}-{journal[0][1][:12]!a}"[:30],
)
def test_a_forged_journal_is_only_octets_for_the_practice_server(
    tmp_path: Path, journal: list[list[str]]
) -> None:
    """Nothing is run or read, nothing hangs, nothing is earned."""
    hand_in(tmp_path, BOB, forged(journal))
    before = sorted(tmp_path.iterdir())
    (grade,) = graded(tmp_path, seconds=5.0)
    assert grade.points == 0
    assert sorted(tmp_path.iterdir()) == before


def test_a_transcript_that_takes_too_long_ends(tmp_path: Path) -> None:
    """The time of an attempt is bounded, and what was earned until then is kept."""
    hand_in(tmp_path, CAROL, forged([["connect", ""]] * 1_500))
    (grade,) = graded(tmp_path, seconds=0.05)
    assert "takes longer" in " ".join(grade.problems)
    assert points(grade) == dict.fromkeys(ITEMS, 0.0)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RECORD, max_size=8))
def test_no_records_crash_the_grader(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """Whatever stands in a log that begins well, there is a grade."""
    begin = {"at": 1.0, "kind": "begin", "seed": seed_of(BOB), "digest": ""}
    hand_in(tmp_path, BOB, [begin, *records])
    (grade,) = graded(tmp_path, seconds=5.0)
    assert grade.student == BOB
    assert len(grade.rows) == len(ITEMS)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
@pytest.mark.parametrize("elsewhere", [False, True])
def test_even_code_that_never_waits_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bool
) -> None:
    """Where a loop hangs in the grader itself, or in a task beside it, the others are graded."""
    from smtpshell.tutor.classroom import grade as module
    from smtpshell.tutor.classroom import points as points_of

    real = points_of.grade

    async def spin() -> None:
        while True:
            pass

    async def hang(submission: Submission, *rest: Any) -> Grade:
        if submission.student != CAROL:
            return await real(submission, *rest)
        if elsewhere:
            task = asyncio.create_task(spin())
            await asyncio.wait([task])
            assert task.exception() is not None
        await spin()
        raise AssertionError("nothing ends a loop like that")

    monkeypatch.setattr(module, "grade_submission", hang)
    monkeypatch.setattr(module, "SUBMISSION_SECONDS", 0.0)
    monkeypatch.setattr(module, "GRACE", 1.0)
    monkeypatch.setattr(module, "REPEATED", 0.1)
    hand_in(tmp_path, CAROL, [])
    hand_in(tmp_path, BOB, [])
    by_file = {grade.file: grade for grade in graded(tmp_path)}
    assert "busy" in " ".join(by_file[f"{CAROL}.smtpshell.json"].problems)
    assert by_file[f"{BOB}.smtpshell.json"].student == BOB
