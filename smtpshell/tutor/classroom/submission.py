"""A submission: what a learner hands in, one JSON file for all lessons.

The logs of a learner's lessons are the evidence, and the grader does them again; so nothing in a
submission has to be believed, and nothing in it is more than text. The chain beside the records
(each link is a digest of the link before and the record) shows a file that was damaged or edited by
accident, and where. It proves neither who wrote the records nor when: whoever can read this file
can forge it, and a forged transcript that passes is a correct solution.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from zlib import crc32

from smtpshell import __version__
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.values import dataclass

FORMAT = "smtpshell-submission/1"
SUFFIX = ".smtpshell.json"
NOTE = "The chain shows damage and accidental edits. It proves neither identity nor time."
LINK_DIGITS = 16
"""Hexadecimal digits of a link; enough against accidents, which is all that it is for."""

SEEDS = 1_000_000
"""Seeds of learners lie below this number."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Transcript:
    """The records of one lesson's log, with their chain."""

    lesson: str
    records: tuple[Record, ...]
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """All that one learner hands in."""

    student: str
    transcripts: tuple[Transcript, ...]
    version: str = __version__


def check_student(name: str) -> str:
    """Return a student's id if it can be one; raises `UsageError`.

    An id is 1 to 64 letters, digits, dots, dashes and underlines of ASCII, and begins with a letter
    or digit. So it is a safe file name, and no spreadsheet takes it for a formula.
    """
    plain = name.replace(".", "").replace("-", "").replace("_", "")
    if 0 < len(name) <= 64 and name.isascii() and plain.isalnum() and name[0].isalnum():
        return name
    raise UsageError(
        f"{name[:80]!r} is no student id",
        next="Use 1 to 64 letters, digits, dots, dashes and underlines, as in 017.",
    )


def seed_of(student: str) -> int:
    """Return the seed with which a student plays; 0, and that for nobody else, without an id.

    Letter case counts for nothing, so that nobody is lost by it.
    """
    if not student:
        return 0
    return crc32(student.casefold().encode()) % (SEEDS - 1) + 1


def chain_of(student: str, lesson: str, records: Iterable[Record]) -> tuple[str, ...]:
    """Return the links of a transcript's chain, one for each record."""
    links: list[str] = []
    link = sha256(f"{FORMAT}\n{student}\n{lesson}".encode("utf-8", "surrogatepass")).hexdigest()
    for record in records:
        text = json.dumps(record, sort_keys=True, separators=(",", ":"))
        link = sha256(f"{link}\n{text}".encode()).hexdigest()[:LINK_DIGITS]
        links.append(link)
    return tuple(links)


def broken_at(student: str, transcript: Transcript) -> int | None:
    """Return the number, from 1, of the first record that does not fit the chain, if one does not.

    A record too many or too few at the end counts as the one behind the shorter of the two.
    """
    expected = chain_of(student, transcript.lesson, transcript.records)
    for number, (link, found) in enumerate(zip(expected, transcript.chain, strict=False), 1):
        if link != found:
            return number
    if len(expected) != len(transcript.chain):
        return min(len(expected), len(transcript.chain)) + 1
    return None


def begin_of(records: Sequence[Record]) -> Record:
    """Return the latest record that begins a lesson, an empty one if there is none."""
    return next((each for each in reversed(records) if each.get("kind") == "begin"), {})


def to_json(submission: Submission) -> str:
    """Return the text of a submission's file: ASCII, one record on a line, so that it can be read.

    >>> to_json(Submission("017", (), "1.0")).splitlines()[1]
    '"format": "smtpshell-submission/1",'
    """
    head = {
        "format": FORMAT,
        "student": submission.student,
        "version": submission.version,
        "note": NOTE,
    }
    lines = [f"{json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    lessons = [_lesson_json(submission.student, each) for each in submission.transcripts]
    return "\n".join(["{", *lines, '"lessons": [', ",\n".join(lessons), "]}", ""])


def _lesson_json(student: str, transcript: Transcript) -> str:
    begin = begin_of(transcript.records)
    known = {name: begin.get(name) for name in ("digest", "seed", "version")}
    head = {"lesson": transcript.lesson, **known}
    lines = [f"{json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    chain = chain_of(student, transcript.lesson, transcript.records)
    records = ",\n".join(json.dumps(each, separators=(",", ":")) for each in transcript.records)
    links = json.dumps(list(chain), separators=(",", ":"))
    return "\n".join(["{", *lines, f'"chain": {links},', '"records": [', records, "]}"])
