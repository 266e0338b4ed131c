"""Submissions read without trust.

A file comes from a learner's machine and may be anything. It is read only if it is a regular file
of a bearable size, as JSON and never as code; every name in it is compared with known ones and
never made into a path; and what has a wrong type or size is refused with a reason, or passed over.
Nothing here raises anything but `Refused`.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from smtpshell.protocol.errors import UsageError
from smtpshell.tutor.classroom.submission import FORMAT, Submission, Transcript, check_student

MOST_OCTETS = 4 << 20
"""The size of a file; the transcripts of a whole course, mistakes included, take a quarter."""

MOST_LESSONS = 100
MOST_RECORDS = 20_000
MOST_FILES = 5_000
DEEPEST_FOLDER = 3
"""Folders below the one that is graded: some course systems make one for each student."""

_NAME = r"(?P<stem>.+)\.smtpshell(?:-[0-9]+)?(?: ?\([0-9]+\))?\.json"
"""The file name that `submit` chooses, and what browsers and course systems make of it."""


class Refused(Exception):
    """A submission that cannot be graded; the text says why, in words for a teacher."""


def submissions_in(folder: Path) -> Iterator[Path]:
    """Yield what may be submissions, in the order of their names; links are not followed."""
    return files_in(folder, (".json",))


def files_in(folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files of a folder with one of these endings, as `submissions_in` does."""
    count = 0
    for place, folders, names in os.walk(folder, followlinks=False):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(folders) if depth < DEEPEST_FOLDER else []
        for name in sorted(names):
            if name.endswith(endings) and not name.startswith("."):
                count += 1
                if count > MOST_FILES:
                    return
                yield Path(place) / name


def read_submission(path: Path) -> Submission:
    """Read a file; raises `Refused`."""
    submission = parse_submission(octets_of(path))
    match = re.fullmatch(_NAME, path.name, re.DOTALL)
    if match is None:
        raise Refused("the name of the file does not end in .smtpshell.json")
    stem, student = match["stem"].casefold(), submission.student.casefold()
    if stem != student and not stem.endswith(f"_{student}"):
        raise Refused(f"the file is named after somebody else than {submission.student}")
    return submission


def octets_of(path: Path, most: int = MOST_OCTETS) -> bytes:
    """Return what a regular file holds, if that is not too much; raises `Refused`."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if path.is_symlink():
            raise Refused("it is a symbolic link")
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise Refused("it is no regular file")
            octets = file.read(most + 1)
    except OSError as error:
        raise Refused(f"it cannot be read: {(error.strerror or 'unknown').lower()}") from error
    if len(octets) > most:
        raise Refused(f"the file is larger than {most >> 20} MiB")
    return octets


def parse_submission(octets: bytes) -> Submission:
    """Make a submission of the octets of a file; raises `Refused`."""
    whole = _object(_parsed(octets), "the file")
    if whole.get("format") != FORMAT:
        raise Refused(f"it is no submission of the format {FORMAT}")
    student = _student(whole.get("student"))
    lessons = whole.get("lessons")
    if not isinstance(lessons, list):
        raise Refused("there is no list of lessons in it")
    if len(lessons) > MOST_LESSONS:
        raise Refused(f"there are more than {MOST_LESSONS} lessons in it")
    transcripts = tuple(_transcript(_object(each, "a lesson")) for each in lessons)
    names = [each.lesson for each in transcripts]
    if len(set(names)) < len(names):
        raise Refused("a lesson stands twice in it")
    version = whole.get("version")
    return Submission(student, transcripts, version if isinstance(version, str) else "")


def _parsed(octets: bytes) -> Any:  # noqa: ANN401 - whatever the JSON holds
    try:
        return json.loads(octets.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise Refused("it is not UTF-8 text") from None
    except RecursionError:
        raise Refused("it is nested too deeply") from None
    except ValueError as error:
        where = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(f"it is not valid JSON{where}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(f"{what} is no JSON object")
    return value


def _student(name: object) -> str:
    if not isinstance(name, str):
        raise Refused("the student's id is missing")
    try:
        return check_student(name)
    except UsageError as error:
        raise Refused(error.what) from None


def _transcript(lesson: dict[str, Any]) -> Transcript:
    name, records, chain = lesson.get("lesson"), lesson.get("records"), lesson.get("chain")
    if not isinstance(name, str) or len(name) > 100:
        raise Refused("a lesson has no proper name")
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise Refused("a lesson has no list of records")
    if len(records) > MOST_RECORDS:
        raise Refused(f"a lesson has more than {MOST_RECORDS} records")
    links = [str(each) for each in chain] if isinstance(chain, list) else []
    return Transcript(name, tuple(records), tuple(links))
