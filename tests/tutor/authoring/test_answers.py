"""Answers to open questions: gathered from submissions, and harmless whatever is in them."""

from __future__ import annotations

import json

from smtpshell.tutor.authoring.answers import answer_lines, gathered
from smtpshell.tutor.classroom.submission import Submission, Transcript, to_json
from tests.conversation.running import smtpshell
from tests.tutor.making import lesson_text, wire

ASK = "```ask why\nWhy?\n~ 20 words\n```\n\n```ask which\nWhich?\n= 220\n```\n"
TEXT = lesson_text(wire("S: 220 *", more=ASK))


def answer(text: object, at: float = 1.0, ask: str = "why", right: object = None) -> dict:
    """Return a record of an answer."""
    return {"kind": "answer", "step": "one", "ask": ask, "text": text, "right": right, "at": at}


def submission(student: str, *records: dict) -> Submission:
    """Return what a student hands in."""
    return Submission(student, (Transcript("made", ({"kind": "begin", "at": 0.0}, *records)),))


def test_each_student_has_one_answer_the_last() -> None:
    """Of several attempts and files the latest counts; graded answers are not gathered."""
    found = gathered(
        [
            submission("002", answer("two")),
            submission("001", answer("new", 9.0), answer("old", 3.0)),
            submission("001", answer("older", 2.0), answer("220", 9.9, "which", right=True)),
        ]
    )
    assert found == {"made": {"one/why": [("001", "new"), ("002", "two")]}}


def test_what_makes_no_sense_is_passed_over() -> None:
    """Records are a stranger's JSON: any type may stand anywhere."""
    odd = [answer(text, at=at) for text, at in ((1, 1.0), ([], 1.0), ("  ", 1.0))]
    odd.append({"kind": "answer", "step": {}, "ask": None, "text": "x", "right": None})
    odd.append(answer("x" * 5000, at="soon"))  # type: ignore[arg-type] # that is the point
    ((student, text),) = gathered([submission("001", *odd)])["made"]["one/why"]
    assert (student, len(text)) == ("001", 2000)


def test_what_is_alike_is_marked_and_nothing_is_drawn() -> None:
    """Copies show; marks of Markdown, pictures, escapes and new lines stay text."""
    hostile = "![x](http://tracker.example/) <script>\x1b[2J\n# Heading"
    lines = list(answer_lines([("001", hostile), ("002", "Because."), ("003", "because. ")]))
    assert "- 002 (1 word):" in lines
    assert "- 003 (1 word, the same as 002):" in lines
    drawn = [line for line in lines if line and not line.startswith(("- 00", "      "))]
    assert drawn == []
    assert "\x1b" not in "".join(lines)


def test_a_folder_of_submissions_comes_into_the_booklet(tmp_path) -> None:
    """Under its question; a file that cannot be read is told, and the rest is printed."""
    lesson, folder = tmp_path / "made.md", tmp_path / "in"
    lesson.write_text(TEXT, encoding="utf-8")
    folder.mkdir()
    for student, text in (("001", "So that it is polite."), ("002", "No idea.")):
        handed = to_json(submission(student, answer(text)))
        (folder / f"{student}.smtpshell.json").write_text(handed, encoding="utf-8")
    run = smtpshell("lesson", "guide", str(lesson), "--answers", str(folder))
    assert run.status == 0, run.err
    assert "- 001 (5 words):\n\n      So that it is polite.\n" in run.out
    (folder / "bad.smtpshell.json").write_text(json.dumps([]), encoding="utf-8")
    run = smtpshell("lesson", "guide", str(lesson), "--answers", str(folder))
    assert (run.status, "bad.smtpshell.json" in run.err) == (1, True)
    assert "No idea." in run.out
