"""`smtpshell submit`: one file, nothing sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smtpshell.cli import guarded
from smtpshell.tutor.classroom.intake import read_submission
from smtpshell.tutor.classroom.submission import Submission, Transcript, seed_of
from smtpshell.tutor.classroom.submit import played_as_another
from tests.tutor.classroom.handing_in import BOB, CAROL, OPENING, TEXT, play


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of progress of a learner who stands in an empty folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "state" / "smtpshell" / "progress"


def test_everything_that_was_played_goes_into_one_file(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is called after the student and holds all records of the log."""
    play(state, OPENING, 1)
    assert guarded(["submit", "--student", "017"]) == 0
    assert "017.smtpshell.json" in capsys.readouterr().out
    submission = read_submission(Path("017.smtpshell.json"))
    lines = (state / "varied.jsonl").read_text().splitlines()
    assert submission.student == "017"
    assert list(submission.transcripts[0].records) == [json.loads(line) for line in lines]
    assert [path.name for path in Path().iterdir()] == ["017.smtpshell.json"]


def test_the_student_may_stand_in_the_environment(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class sets the id once."""
    play(state, OPENING, 1)
    monkeypatch.setenv("SMTPSHELL_STUDENT", "018")
    assert guarded(["submit", "--out", "mine.json"]) == 0
    assert json.loads(Path("mine.json").read_text())["student"] == "018"


def test_one_lesson_may_be_chosen(state: Path) -> None:
    """A lesson is named as everywhere; one that was not played is an error."""
    play(state, OPENING, 1)
    assert guarded(["submit", "--student", "017", "--lesson", "1"]) == 3
    Path("varied.md").write_text(TEXT)
    assert guarded(["submit", "--student", "017", "--lesson", "varied.md"]) == 0


@pytest.mark.parametrize("student", [[], ["--student", "../x"], ["--student", ""]])
def test_without_a_proper_id_nothing_is_written(state: Path, student: list[str]) -> None:
    """A usage error, with its status."""
    play(state, OPENING, 1)
    assert guarded(["submit", *student]) == 2
    assert not list(Path().iterdir())


def test_with_nothing_played_there_is_nothing_to_hand_in(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said, and no file is written."""
    assert guarded(["submit", "--student", "017"]) == 3
    assert "no lesson was played" in capsys.readouterr().err
    assert not state.exists()


def test_a_password_that_is_not_published_is_not_in_the_file(state: Path) -> None:
    """Secrets were hidden before they were logged."""
    play(state, (*OPENING[:3], "AUTH PLAIN AGFsaWNlAHdyb25n", "NOOP"), 1)
    assert guarded(["submit", "--student", "017"]) == 0
    text = Path("017.smtpshell.json").read_text()
    assert "AHdyb25n" not in text
    assert "[hidden]" in text


def test_a_learner_who_forgot_the_id_is_told_before_the_teacher_is(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where the lesson would have been another one under the right id."""
    from smtpshell.tutor import library

    path = Path("01-varied.md")
    path.write_text(TEXT)
    monkeypatch.setattr(library, "lesson_paths", lambda: [path])
    transcripts = (Transcript("varied", ({"kind": "begin", "seed": seed_of(BOB)},)),)
    assert played_as_another(Submission(BOB, transcripts)) == []
    assert played_as_another(Submission(CAROL, transcripts)) == ["varied"]
    assert not state.exists()
