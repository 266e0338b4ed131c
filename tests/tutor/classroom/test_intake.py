"""Hostile files: each gets a reason, and none gets anything else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.tutor.classroom.attempts import MOST_ATTEMPTS, attempts_of
from smtpshell.tutor.classroom.intake import (
    MOST_OCTETS,
    MOST_RECORDS,
    Refused,
    parse_submission,
    read_submission,
    submissions_in,
)
from smtpshell.tutor.classroom.submission import FORMAT, Submission, to_json

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


def file_of(**changes: Any) -> bytes:
    """Return a submission with changes."""
    lesson = {"lesson": "one", "records": [], "chain": []}
    return json.dumps(
        {"format": FORMAT, "student": "017", "version": "1", "lessons": [lesson], **changes}
    ).encode()


def reason_of(octets: bytes) -> str | None:
    """Return why octets are refused; None when they are not."""
    try:
        parse_submission(octets)
    except Refused as reason:
        return str(reason)
    return None


def test_the_mark_of_an_editor_does_no_harm() -> None:
    """Some editors begin a file with a byte order mark; it is no part of the submission."""
    assert parse_submission(b"\xef\xbb\xbf" + file_of()) == parse_submission(file_of())


HOSTILE = {
    "nothing": b"",
    "no JSON": b"import os; os.system('id')",
    "a pickle": b"\x80\x04\x95\x1e\x00\x00\x00",
    "no text": b'{"format": "\xff\xfe"}',
    "a list": b"[]",
    "a number": b"1e999",
    "not a number": b'{"format": NaN}',
    "infinity": b'{"at": Infinity}',
    "a huge number": b"9" * 100_000,
    "deep": b"[" * 200_000 + b"]" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "another format": file_of(format="otter/1"),
    "no student": file_of(student=None),
    "a path for a student": file_of(student="../../etc/passwd"),
    "a zero octet in the student": file_of(student="017\0"),
    "lessons of a wrong type": file_of(lessons={"one": []}),
    "a lesson of a wrong type": file_of(lessons=["one"]),
    "no records": file_of(lessons=[{"lesson": "one"}]),
    "records of a wrong type": file_of(lessons=[{"lesson": "one", "records": [1]}]),
    "a lesson without a name": file_of(lessons=[{"lesson": 1, "records": []}]),
    "a lesson twice": file_of(lessons=[{"lesson": "one", "records": []}] * 2),
    "too many lessons": file_of(lessons=[{"lesson": str(n), "records": []} for n in range(101)]),
    "millions of records": file_of(
        lessons=[{"lesson": "one", "records": [{}] * (MOST_RECORDS + 1)}]
    ),
}


@pytest.mark.parametrize("octets", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_submission_is_refused_with_a_reason(octets: bytes) -> None:
    """A reason in words, of bearable length."""
    with pytest.raises(Refused) as refused:
        parse_submission(octets)
    assert 10 < len(str(refused.value)) < 200


@given(st.binary(max_size=300) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_no_octets_raise_anything_else(octets: bytes) -> None:
    """Whatever stands in a file, it is a submission or it is refused."""
    assert reason_of(octets) != ""


@given(st.dictionaries(st.sampled_from(["student", "lessons", "version", "format"]), ANYTHING))
def test_no_value_of_a_wrong_type_raises_anything_else(changes: dict[str, Any]) -> None:
    """The outline is right, and any part of it is something else."""
    assert reason_of(file_of(**changes)) != ""


KINDS = st.sampled_from(["begin", "place", "done", "line", "answer", "hint", "skip", "shown", "x"])
FIELDS = ["at", "step", "seed", "block", "action", "keep", "journal", "ask", "text", "line", "code"]
RECORD = st.builds(
    lambda kind, facts: {**facts, "kind": kind},
    KINDS,
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING),
)


@given(st.lists(RECORD, max_size=12))
def test_any_records_come_to_attempts(records: list[dict[str, Any]]) -> None:
    """What makes no sense is passed over, and there is an attempt for each beginning."""
    attempts = attempts_of("one", records)
    assert len(attempts) == sum(record["kind"] == "begin" for record in records)


def test_only_the_latest_attempts_are_taken() -> None:
    """A log that begins again and again is bounded."""
    records = [{"kind": "begin", "seed": number} for number in range(100)]
    attempts = attempts_of("one", records)
    assert [attempt.seed for attempt in attempts] == list(range(100))[-MOST_ATTEMPTS:]


def good(student: str = "017") -> str:
    """Return the text of an empty submission."""
    return to_json(Submission(student, ()))


@pytest.mark.parametrize(
    "name",
    [
        "017.smtpshell.json",
        "doe_12345_017.smtpshell.json",
        "017.smtpshell-1.json",
        "017.smtpshell (2).json",
    ],
)
def test_names_that_course_systems_give_are_understood(tmp_path: Path, name: str) -> None:
    """The id stands at the end of the name, whatever was put before and behind it."""
    (tmp_path / name).write_text(good())
    assert read_submission(tmp_path / name).student == "017"


@pytest.mark.parametrize("name", ["018.smtpshell.json", "x017.smtpshell.json", "grades.json"])
def test_nobody_hands_in_for_somebody_else_by_accident(tmp_path: Path, name: str) -> None:
    """A file of another name than the student's is refused."""
    (tmp_path / name).write_text(good())
    with pytest.raises(Refused, match="name"):
        read_submission(tmp_path / name)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Neither a file nor a folder that is a link leads anywhere else."""
    secret = tmp_path / "secret.smtpshell.json"
    secret.write_text(good())
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "017.smtpshell.json").symlink_to(secret)
    (folder / "more").symlink_to(tmp_path)
    (path,) = submissions_in(folder)
    with pytest.raises(Refused, match="link"):
        read_submission(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_does_not_hang_the_grader(tmp_path: Path) -> None:
    """What is no regular file is refused before anything is read."""
    path = tmp_path / "017.smtpshell.json"
    os.mkfifo(path)
    with pytest.raises(Refused, match="regular"):
        read_submission(path)


def test_a_folder_of_that_name_is_no_submission(tmp_path: Path) -> None:
    """It is not even looked at."""
    (tmp_path / "017.smtpshell.json").mkdir()
    assert list(submissions_in(tmp_path)) == []


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """A sparse file of a gigabyte takes no memory."""
    path = tmp_path / "017.smtpshell.json"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(Refused, match=f"{MOST_OCTETS >> 20} MiB"):
        read_submission(path)


def test_folders_of_students_are_looked_into(tmp_path: Path) -> None:
    """Some course systems make a folder for each student; deeper ones are left alone."""
    (tmp_path / "Ann_1").mkdir()
    (tmp_path / "Ann_1" / "017.smtpshell.json").write_text(good())
    deep = tmp_path / "a" / "b" / "c" / "d" / "e"
    deep.mkdir(parents=True)
    (deep / "018.smtpshell.json").write_text(good("018"))
    assert [path.name for path in submissions_in(tmp_path)] == ["017.smtpshell.json"]


def test_a_flood_of_files_is_bounded_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first of them are graded, and the teacher knows that there are more."""
    from smtpshell.cli import guarded
    from smtpshell.tutor.classroom import grade, intake

    for module in (grade, intake):
        monkeypatch.setattr(module, "MOST_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.smtpshell.json").write_text("{}")
    assert guarded(["grade", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("0 graded, 4 with problems")
    assert "more than 3 files" in out
