"""What a submission's file holds, and what its chain can tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.errors import UsageError
from smtpshell.tutor.classroom.intake import parse_submission
from smtpshell.tutor.classroom.submission import (
    NOTE,
    SEEDS,
    Submission,
    Transcript,
    broken_at,
    chain_of,
    check_student,
    seed_of,
    to_json,
)

RECORDS: tuple[dict[str, Any], ...] = (
    {"at": 1.5, "kind": "begin", "seed": 3, "digest": "d", "version": "1"},
    {"at": 2.0, "kind": "line", "step": "one", "line": "NOOP \udcff", "code": 250},
    {"at": 3.0, "kind": "done", "step": "one"},
)


def chained(records: tuple[dict[str, Any], ...]) -> Transcript:
    """Return a transcript whose chain fits."""
    return Transcript("one", records, chain_of("017", "one", records))


def test_a_file_that_is_read_is_the_one_that_was_written() -> None:
    """Records and chain survive, in ASCII, also with octets that are no text."""
    transcript = chained(RECORDS)
    text = to_json(Submission("017", (transcript,), "1.0"))
    assert text.isascii()
    assert parse_submission(text.encode()) == Submission("017", (transcript,), "1.0")


def test_the_file_says_what_it_does_not_prove() -> None:
    """Nothing pretends to prove who handed it in."""
    whole = json.loads(to_json(Submission("017", ())))
    assert whole["note"] == NOTE
    assert "neither identity nor time" in NOTE


def test_the_head_of_a_lesson_names_its_beginning() -> None:
    """Seed, digest and version stand where a teacher looks first."""
    whole = json.loads(to_json(Submission("017", (chained(RECORDS),))))
    lesson = whole["lessons"][0]
    assert (lesson["seed"], lesson["digest"], lesson["version"]) == (3, "d", "1")


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_the_chain_names_the_record_that_was_changed(number: int) -> None:
    """Any change breaks it, and the place of the change is known."""
    whole = chained(RECORDS)
    assert broken_at("017", whole) is None
    changed = [*RECORDS]
    changed[number] = {**RECORDS[number], "at": 9.0}
    assert broken_at("017", Transcript("one", tuple(changed), whole.chain)) == number + 1


def test_the_chain_belongs_to_a_student_and_a_lesson() -> None:
    """Under another name the first link is wrong; a record too few is missed."""
    whole = chained(RECORDS)
    assert broken_at("018", whole) == 1
    assert broken_at("017", Transcript("two", RECORDS, whole.chain)) == 1
    assert broken_at("017", Transcript("one", RECORDS[:2], whole.chain)) == len(RECORDS)


@pytest.mark.parametrize("name", ["017", "ann", "s.17-b_2", "A" * 64])
def test_ordinary_ids_are_taken(name: str) -> None:
    """Digits, letters and what joins them."""
    assert check_student(name) == name


@pytest.mark.parametrize(
    "name", ["", "../017", "a/b", "=1+1", "-x", ".hidden", "a b", "é", "a\n", "A" * 65, "\0", "..."]
)
def test_no_id_can_be_a_path_or_a_formula(name: str) -> None:
    """What is no plain word is refused, with advice."""
    with pytest.raises(UsageError) as refused:
        check_student(name)
    assert "student id" in str(refused.value)


@given(st.text(min_size=1))
def test_seeds_are_small_and_never_nobodys(student: str) -> None:
    """Every student has a seed of 1 and up, the same in any letter case of ASCII."""
    assert 1 <= seed_of(student) < SEEDS
    assert seed_of("") == 0
    if student.isascii():
        assert seed_of(student.upper()) == seed_of(student.lower())
