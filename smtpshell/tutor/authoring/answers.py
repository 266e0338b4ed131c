"""The answers of a class to open questions, for a teacher to mark by hand.

What learners wrote comes from their machines and may be anything. It is read without trust, made
printable, and set as indented text, in which Markdown sees no marks, links or pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, TypeAlias

from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from smtpshell.tutor.classroom.submission import Submission

COLUMNS = 66
LONGEST = 2000
"""Characters of an answer; the player keeps no more either."""

Answers: TypeAlias = Mapping[str, Sequence[tuple[str, str]]]
"""The answers to the questions of a lesson: by `step/question`, a student's id and a text each."""


def read_answers(place: Path) -> tuple[dict[str, Answers], list[str]]:
    """Return the answers of a class by lesson, and what could not be read.

    `place` is a folder of submissions, or the file that `grade --json-file` wrote. Raises
    `UsageError` and `FileError`.
    """
    from smtpshell.tutor.classroom import reports
    from smtpshell.tutor.classroom.intake import Refused, read_submission, submissions_in

    if not place.is_dir():
        return {**reports.read_answers(place)}, []
    submissions: list[Submission] = []
    refused: list[str] = []
    for path in submissions_in(place):
        try:
            submissions.append(read_submission(path))
        except Refused as error:
            refused.append(visible(f"{path}: {error}"))
    return {**gathered(submissions)}, refused


def gathered(submissions: Iterable[Submission]) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """Return the last answer of each student to each question, by lesson and `step/question`."""
    latest: dict[tuple[str, str, str], tuple[float, str]] = {}
    for submission in submissions:
        for transcript in submission.transcripts:
            for item, at, text in _written(transcript.records):
                key = (transcript.lesson, item, submission.student)
                if at >= latest.get(key, (at, ""))[0]:
                    latest[key] = (at, text)
    found: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for (lesson, item, student), (_, text) in sorted(latest.items()):
        found.setdefault(lesson, {}).setdefault(item, []).append((student, text))
    return found


def _written(records: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, float, str]]:
    for record in records:
        facts = [record.get(name) for name in ("step", "ask", "text")]
        if record.get("kind") != "answer" or record.get("right") is not None:
            continue
        step, ask, text = (fact if isinstance(fact, str) else "" for fact in facts)
        at = record.get("at")
        moment = float(at) if isinstance(at, int | float) and abs(at) < 1e12 else 0.0
        if step and ask and text.strip():
            yield f"{step}/{ask}", moment, text[:LONGEST].strip()


def answer_lines(answers: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the answers to one question as items of a Markdown list, those alike marked so."""
    seen: dict[str, str] = {}
    for student, text in answers:
        folded = " ".join(text.casefold().split())
        count = len(folded.split())
        words = f"{count} word{'' if count == 1 else 's'}"
        same = f", the same as {seen[folded]}" if folded in seen else ""
        seen.setdefault(folded, student)
        yield from (f"- {visible(student)} ({words}{same}):", "")
        yield from (f"      {line}" for line in wrap(visible(text), COLUMNS))
        yield ""
