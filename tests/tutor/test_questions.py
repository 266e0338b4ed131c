"""Answers as they are kept: choices by number, whatever the language."""

from __future__ import annotations

import json

import pytest

from smtpshell.tutor.progress import Progress
from smtpshell.tutor.questions import by_numbers
from tests.tutor.making import made, played, wire

CHOICES = "```ask q\nWhich?\n( ) one of them\n(x) both of {{who}}\n(x) the third\n```\n"
WORD = "```ask w\nWhich word?\n= two\n```\n"
LESSON = made(wire("S: 220 *", more=CHOICES + WORD), var_who="them")
CHOICE, OTHER = LESSON.steps[0].asks


@pytest.mark.parametrize(
    ("given", "kept"),
    [("3 2", "2, 3"), ("Both of them", "2"), ("2", "2"), ("4", "4"), ("none", "none")],
)
def test_choices_are_kept_by_their_numbers(given: str, kept: str) -> None:
    """What was written in one language is graded in another; what fits nothing stays."""
    assert by_numbers(CHOICE, given, LESSON.values(0)) == kept


def test_words_are_kept_as_they_are() -> None:
    """A number that is no choice is a word like others."""
    assert by_numbers(OTHER, "2", {}) == "2"


def test_the_log_has_the_numbers(tmp_path) -> None:
    """So it is what a teacher grades."""
    log = tmp_path / "made.jsonl"
    run = played(
        LESSON, "the third, both of them", "the third", "2,3", "two", progress=Progress(log)
    )
    assert run.finished
    records = [json.loads(line) for line in log.read_text().splitlines()]
    answers = [record["text"] for record in records if record["kind"] == "answer"]
    assert answers == ["the third, both of them", "3", "2, 3", "two"]
