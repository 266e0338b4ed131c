"""What a teacher is told of a class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.cli import guarded
from smtpshell.tutor.classroom.watching import Watch
from tests.tutor.classroom.test_intake import ANYTHING


def turn(
    student: str, at: float, step: int, verdict: str = "right", line: str = "NOOP"
) -> dict[str, Any]:
    """Return a record of a turn."""
    facts = {"at": at, "student": student, "event": "turn"}
    return {**facts, "step": step, "verdict": verdict, "line": line}


def watched(*records: dict[str, Any]) -> Watch:
    """Return a watch of a lesson of five steps that has seen these records."""
    watch = Watch()
    watch.note({"at": 0.0, "event": "opened", "steps": 5})
    for record in records:
        watch.note(record)
    return watch


def test_the_summary_counts_students_by_step() -> None:
    """Where everybody is, who is stuck, and what goes wrong most often."""
    watch = watched(
        *({"at": 0.0, "student": student, "event": "connected"} for student in "abc"),
        turn("a", 400.0, 3),
        turn("b", 10.0, 3),
        turn("b", 350.0, 3, "wrong", "MAIL TO:<x>"),
        turn("c", 355.0, 1, "wrong", "MAIL  TO:<y>"),
        turn("d", 360.0, 6),
    )
    assert watch.summary(401.0) == (
        "1 student on step 1; 2 students on step 3; 1 student done; 2 stuck more than 5 minutes; "
        "commonest wrong line: MAIL TO: (2 students)."
    )


def test_who_is_stuck_is_told_once() -> None:
    """And again only when the student had moved in between."""
    watch = watched({"at": 0.0, "student": "a", "event": "connected"})
    assert watch.newly_stuck(299.0) == []
    assert watch.newly_stuck(301.0) == ["a: stuck on step 1."]
    assert watch.newly_stuck(302.0) == []
    watch.note(turn("a", 310.0, 2))
    assert watch.newly_stuck(700.0) == ["a: stuck on step 2."]


def test_nobody_gets_stuck_in_a_pause() -> None:
    """The time of a pause counts for nobody."""
    watch = watched(
        {"at": 0.0, "student": "a", "event": "connected"},
        {"at": 100.0, "student": "", "event": "paused", "on": True},
    )
    assert watch.newly_stuck(1000.0) == []
    assert watch.note({"at": 1000.0, "student": "", "event": "paused", "on": False})
    assert watch.newly_stuck(1190.0) == []
    assert watch.newly_stuck(1210.0) == ["a: stuck on step 1."]


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"event": "stranger", "text": "s999"}, "s999"),
        ({"event": "stranger", "text": ""}, "whose world"),
        ({"event": "said", "text": "look"}, "Teacher: look"),
        ({"event": "demo", "text": "C: QUIT"}, "Demo: C: QUIT"),
    ],
)
def test_what_concerns_the_whole_class_is_told(facts: dict[str, Any], told: str) -> None:
    """It belongs to no student, and counts for none."""
    watch = watched()
    assert told in watch.note({"at": 1.0, "student": "", **facts})
    assert watch.summary(1.0) == "Nobody has connected yet."


def test_the_end_of_a_lesson_is_worth_a_line() -> None:
    """A step further is not; the end is."""
    watch = watched()
    assert watch.note(turn("a", 1.0, 2)) == ""
    assert watch.note(turn("a", 2.0, 6)) == "a: done."
    assert watch.newly_stuck(1000.0) == []


def test_wrong_lines_grow_old() -> None:
    """What went wrong a quarter of an hour ago is not the commonest mistake now."""
    watch = watched(turn("a", 0.0, 1, "wrong", "HELLO"))
    assert "HELLO" in watch.summary(10.0)
    assert "HELLO" not in watch.summary(1000.0)


@given(
    st.lists(st.dictionaries(st.sampled_from(["at", "student", "event", "step", "line"]), ANYTHING))
)
def test_no_record_upsets_a_watch(records: list[dict[str, Any]]) -> None:
    """A damaged log is passed over."""
    watch = Watch()
    for record in records:
        assert isinstance(watch.note(record), str)
    assert watch.summary(10.0).endswith(".")


def test_once_reads_a_log_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Damaged lines, half lines and control characters do no harm."""
    path = tmp_path / "log"
    opened = json.dumps({"at": 0.0, "event": "opened", "steps": 5})
    wrong = json.dumps(turn("a", 9e9, 2, "wrong", "\x1b[2J"))
    path.write_text(f'{opened}\nnonsense\n{wrong}\n{{"half": ')
    assert guarded(["classroom", "watch", "--log", str(path), "--once"]) == 0
    out = capsys.readouterr().out
    assert "1 student on step 2" in out
    assert "\x1b" not in out


def test_a_log_that_is_not_there_is_told() -> None:
    """Status 3, the environment."""
    assert guarded(["classroom", "watch", "--log", "/nonexistent/log", "--once"]) == 3
