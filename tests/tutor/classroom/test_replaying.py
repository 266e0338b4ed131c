"""Transcripts are done again, and only what passes then counts."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from smtpshell.protocol.secrets import HIDDEN
from smtpshell.tutor.classroom.submission import seed_of
from tests.tutor.classroom.handing_in import (
    BOB,
    CAROL,
    CLOSING,
    ITEMS,
    OPENING,
    graded,
    hand_in,
    letter,
    played_and_graded,
    points,
    records_of,
    solution,
)

ALL = dict.fromkeys(ITEMS, 1.0)
NONE = dict.fromkeys(ITEMS, 0.0)


@pytest.mark.parametrize(("student", "variant"), [(BOB, "bob"), (CAROL, "carol")])
def test_an_honest_transcript_earns_every_point(tmp_path: Path, student: str, variant: str) -> None:
    """Encryption, a published login, a letter, questions: all of it can be done again."""
    grade = played_and_graded(tmp_path, student, solution(variant))
    assert points(grade) == ALL
    assert not grade.problems
    assert not grade.notes
    assert grade.answers == {"varied": {"goodbye/words": "out of politeness"}}


def test_a_copied_transcript_fails_where_the_lesson_varies(tmp_path: Path) -> None:
    """With Bob's lines under Carol's name the envelope is wrong, and its end is not reached."""
    records = records_of(tmp_path / "state", solution("bob"), seed_of(BOB))
    hand_in(tmp_path / "in", CAROL, records)
    (grade,) = graded(tmp_path / "in")
    assert points(grade) == {**NONE, "hello": 1.0, "hello/ready": 1.0}
    assert any("seed of somebody else" in note for note in grade.notes)
    (trusting,) = graded(tmp_path / "in", any_seed=True)
    assert points(trusting) == ALL


def test_a_forged_verdict_earns_nothing(tmp_path: Path) -> None:
    """A log that says right and done everywhere, over wrong lines, is worth its lines."""
    records = records_of(tmp_path / "state", ["EHLO client.example", "NOOP"], seed_of(BOB))
    for record in records:
        if record["kind"] == "line":
            record["verdict"] = "right"
    for step in ("hello", "envelope", "goodbye"):
        records.append({"at": 1.0, "kind": "done", "step": step})
    claim = {"at": 1.0, "kind": "answer", "step": "hello", "ask": "ready", "text": "?"}
    records.append({**claim, "right": True})
    records.append({"at": 1.0, "kind": "done", "step": "", "keep": 0, "journal": []})
    hand_in(tmp_path / "in", BOB, records)
    assert points(graded(tmp_path / "in")[0]) == NONE


def test_forged_captures_and_places_lead_nowhere(tmp_path: Path) -> None:
    """A place is where the player is, not where the log says; values are found, not believed."""
    records = records_of(tmp_path / "state", ["EHLO client.example"], seed_of(BOB))
    place: dict[str, Any] = {"at": 2.0, "kind": "place", "step": "goodbye", "block": 2}
    records.append({**place, "action": 0, "keep": 0, "journal": [], "values": {"you": "x"}})
    records.append(
        {**place, "action": 0, "keep": 0, "journal": [["connect", ""], ["send", "QUIT\r\n"]]}
    )
    hand_in(tmp_path / "in", BOB, records)
    assert points(graded(tmp_path / "in")[0]) == NONE


def test_mistakes_undone_cost_nothing(tmp_path: Path) -> None:
    """Wrong lines, /undo, /reset and a second try lead to the same points."""
    lines = (
        *OPENING,
        "MAIL FROM:<ann@elsewhere.example>",
        "/undo",
        "MAIL FROM:<alice@practice.example>",
        "RCPT TO:<carol@practice.example>",
        "/reset",
        *letter("bob"),
        *CLOSING,
    )
    grade = played_and_graded(tmp_path, BOB, lines)
    assert points(grade) == ALL
    wrong = {line for row in grade.rows for line in row.wrong}
    assert "RCPT TO:<carol@practice.example>" in wrong


def test_going_back_over_a_question_keeps_what_was_earned(tmp_path: Path) -> None:
    """Undo past an answer, then go on again."""
    lines = (*OPENING[:-1], "250", "220", "/undo", "220", *letter("bob"), *CLOSING)
    assert points(played_and_graded(tmp_path, BOB, lines)) == ALL


def test_a_skipped_step_is_worth_nothing_and_the_rest_its_points(tmp_path: Path) -> None:
    """Skips are recorded, and the steps behind them can still be earned."""
    grade = played_and_graded(tmp_path, BOB, (*OPENING, "/skip", *CLOSING))
    assert points(grade) == {**ALL, "envelope": 0.0}
    skipped = {row.item for row in grade.rows if row.skipped}
    assert skipped == {"envelope"}


def test_an_answer_that_was_shown_is_worth_nothing(tmp_path: Path) -> None:
    """Showing the answer of a question costs that question alone."""
    lines = (*OPENING[:-1], "/show", "220", *letter("bob"), *CLOSING)
    grade = played_and_graded(tmp_path, BOB, lines)
    assert points(grade) == {**ALL, "hello/ready": 0.0}
    assert [row.item for row in grade.rows if row.shown] == ["hello/ready"]


def test_a_hint_costs_what_the_teacher_says(tmp_path: Path) -> None:
    """Nothing by default, a quarter of a point where that is its price."""
    grade = played_and_graded(tmp_path, BOB, ("/hint", *solution("bob")))
    assert points(grade) == ALL
    (dearer,) = graded(tmp_path / "in", hint_price=0.25)
    assert points(dearer) == {**ALL, "hello": 0.75}


def test_free_play_counts_for_nothing(tmp_path: Path) -> None:
    """What is done between /play and /back is not in the way of what follows."""
    lines = (*OPENING, "/play", "MAIL FROM:<>", "RSET", "QUIT", "/back", *letter("bob"), *CLOSING)
    assert points(played_and_graded(tmp_path, BOB, lines)) == ALL


def test_a_lesson_resumed_on_another_day_is_one_transcript(tmp_path: Path) -> None:
    """What was typed behind the last place, and lost on leaving, is not missed."""
    records_of(tmp_path / "state", (*OPENING, "NOOP"), seed_of(BOB))
    records = records_of(tmp_path / "state", (*letter("bob"), *CLOSING), seed_of(BOB))
    hand_in(tmp_path / "in", BOB, records)
    (grade,) = graded(tmp_path / "in")
    assert points(grade) == ALL


def test_the_best_attempt_counts(tmp_path: Path) -> None:
    """A second start that is given up takes nothing away."""
    records = records_of(tmp_path / "state", solution("bob"), seed_of(BOB))
    records += copy.deepcopy(records[:3])
    hand_in(tmp_path / "in", BOB, records)
    assert points(graded(tmp_path / "in")[0]) == ALL


def test_a_login_that_is_hidden_fails(tmp_path: Path) -> None:
    """Credentials that are not the published ones are not in the log, and earn nothing."""
    lines = (*OPENING[:3], "AUTH PLAIN AGFsaWNlAHdyb25n", "/undo")
    records = records_of(tmp_path / "state", (*lines, *solution("bob")[3:]), seed_of(BOB))
    assert "AHdyb25n" not in repr(records)
    hand_in(tmp_path / "in", BOB, records)
    assert points(graded(tmp_path / "in")[0]) == ALL
    for record in records:
        for entry in record.get("journal", []):
            if entry[1].startswith("AUTH"):
                entry[1] = f"AUTH PLAIN {HIDDEN}\r\n"
    hand_in(tmp_path / "in", BOB, records)
    assert points(graded(tmp_path / "in")[0])["hello"] == 0.0


def test_a_record_that_is_missing_is_noticed(tmp_path: Path) -> None:
    """Without the beginning of the journal nothing can be done again, and the grader says so."""
    records = records_of(tmp_path / "state", solution("bob"), seed_of(BOB))
    places = [number for number, each in enumerate(records) if each["kind"] == "place"]
    del records[places[2]]
    hand_in(tmp_path / "in", BOB, records)
    (grade,) = graded(tmp_path / "in")
    assert grade.points < len(ITEMS)
    assert any("missing" in problem for problem in grade.problems)
