"""`smtpshell submit`: pack the logs of one's lessons into one file, to be handed in.

    smtpshell submit [--student 017] [--lesson NAME ...] [--out FILE]

Nothing is sent anywhere. Exit status: 0 written, 2 usage, 3 nothing to hand in or no file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import FileError, SmtpshellError, UsageError
from smtpshell.tutor.classroom.intake import MOST_OCTETS
from smtpshell.tutor.classroom.submission import (
    SUFFIX,
    Submission,
    Transcript,
    begin_of,
    check_student,
    seed_of,
    to_json,
)
from smtpshell.tutor.progress import SUFFIX as LOG_SUFFIX
from smtpshell.tutor.progress import folder, read_records

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings

GOOD, USAGE, ENVIRONMENT = 0, 2, 3


def build_parser() -> Parser:
    """Return the parser of `submit`."""
    parser = Parser(
        prog="smtpshell submit",
        description="Write one file with the transcripts of your lessons. Nothing is sent.",
        epilog="Look into the file before you hand it in: it is plain text, and passwords that "
        "are not the published practice ones are hidden in it.",
        allow_abbrev=False,
    )
    parser.add_argument("--student", metavar="ID", help="your id in class, such as 017")
    parser.add_argument(
        "--lesson", metavar="NAME", action="append", help="only this lesson; may be repeated"
    )
    parser.add_argument("--out", metavar="FILE", help=f"where to write; ID{SUFFIX} by default")
    return parser


def main(words: list[str], settings: Settings) -> int:
    """Write the submission and tell where it is; returns the exit status."""
    try:
        return _submit(words, settings)
    except UsageError as error:
        raise UsageError(error.what, error.where, error.next, status=USAGE) from error
    except FileError as error:
        raise SmtpshellError(error.what, error.where, error.next, status=ENVIRONMENT) from error


def _submit(words: list[str], settings: Settings) -> int:
    options = build_parser().parse_args(words)
    student = options.student or settings.told("student")
    if not student:
        raise UsageError("the id of the student is missing", "submit", "Add --student and your id.")
    submission = Submission(check_student(student), collect(options.lesson or ()))
    if not submission.transcripts:
        raise SmtpshellError(
            "no lesson was played yet",
            str(folder()),
            "smtpshell lesson list shows them.",
            status=ENVIRONMENT,
        )
    text = to_json(submission)
    if len(text) > MOST_OCTETS:
        raise SmtpshellError(
            f"the submission would be larger than {MOST_OCTETS >> 20} MiB",
            next="Hand in some lessons at a time with --lesson NAME.",
            status=ENVIRONMENT,
        )
    path = Path(options.out or f"{student}{SUFFIX}")
    _write(path, text)
    _tell(submission, path, settings)
    return GOOD


def collect(
    lessons: list[str] | tuple[str, ...] = (), place: Path | None = None
) -> tuple[Transcript, ...]:
    """Return the transcripts of the named lessons, or of all that were played.

    Raises `SmtpshellError` for a lesson that nobody knows or that was not played.
    """
    logs = {path.stem: path for path in sorted((place or folder()).glob(f"*{LOG_SUFFIX}"))}
    wanted = list(logs)
    if lessons:
        from smtpshell.tutor.library import load

        wanted = list(dict.fromkeys(load(name).id for name in lessons))
    transcripts = []
    for name in wanted:
        records = tuple(read_records(logs[name])) if name in logs else ()
        if not records:
            raise SmtpshellError("this lesson was not played yet", name, status=ENVIRONMENT)
        transcripts.append(Transcript(name, records))
    return tuple(transcripts)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="ascii")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise FileError.from_os(error, path, "write") from error


def _tell(submission: Submission, path: Path, settings: Settings) -> None:
    counts = {each.lesson: len(each.records) for each in submission.transcripts}
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        facts = {"student": submission.student, "file": str(path), "lessons": list(counts)}
        print(as_json(facts))
        return
    print(f"Wrote {path}: {', '.join(counts)}. Hand in this file.")
    for name in played_as_another(submission):
        print(
            f"Note: {name} was played under another id, and varies by it. Put student = "
            f'"{submission.student}" into config.toml, or set SMTPSHELL_STUDENT, and play it again.'
        )


def played_as_another(submission: Submission) -> list[str]:
    """Return the lessons whose latest attempt has other variants than the student's own."""
    from smtpshell.tutor.library import lesson_paths
    from smtpshell.tutor.reader import read_file

    seed = seed_of(submission.student)
    others = {
        each.lesson: other
        for each in submission.transcripts
        if isinstance(other := begin_of(each.records).get("seed"), int) and other != seed
    }
    lessons = {lesson.id: lesson for lesson in map(read_file, lesson_paths() if others else ())}
    return [name for name in others if name in lessons and lessons[name].varies]
