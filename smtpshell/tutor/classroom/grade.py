"""`smtpshell grade`: do every submission again, and write what it is worth.

    smtpshell grade FOLDER [--roster roster.csv] [--out grades.csv] [--json-file FILE]
                    [--junit FILE] [--moodle FILE] [--canvas FILE] [--gradescope FILE]
                    [--exercism FILE] [--receipts FILE|FOLDER] [--pass PERCENT]

Exit status: 0 all were graded, 1 some submissions were bad or not enough, 2 usage, 3 environment.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import FileError, SmtpshellError, UsageError
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import replace
from smtpshell.tutor.classroom import gradebooks, reports
from smtpshell.tutor.classroom.intake import MOST_FILES, Refused, read_submission, submissions_in
from smtpshell.tutor.classroom.points import SUBMISSION_SECONDS, Grade, Terms, best, empty_rows
from smtpshell.tutor.classroom.points import grade as grade_submission
from smtpshell.tutor.classroom.receipts import Seen, load_key, receipts_in
from smtpshell.tutor.classroom.replaying import Canonicals
from smtpshell.tutor.classroom.roster import read_roster
from smtpshell.tutor.classroom.witnessed import witnessed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from types import FrameType

    from smtpshell.conversation.settings import Settings
    from smtpshell.tutor.classroom.roster import Person
    from smtpshell.tutor.lesson import Lesson

GOOD, BAD, USAGE, ENVIRONMENT = 0, 1, 2, 3

REPEATED = 0.5
"""Seconds between interruptions; the first may hit a task whose end nobody waits for."""

OUTPUTS = ("out", "json_file", "junit", "moodle", "canvas", "gradescope", "exercism")

NOTHING = "nothing was handed in"

GRACE = 10.0
"""Seconds beyond the time of a submission after which even a busy grader is interrupted."""


def build_parser() -> Parser:
    """Return the parser of `grade`."""
    parser = Parser(
        prog="smtpshell grade",
        description="Do every transcript in a folder again, on a fresh practice world with the "
        "student's seed, and write the points. What a transcript says of itself earns nothing.",
        epilog="--receipts holds the transcripts against what classroom serve --receipts signed,\n"
        "and tells which have none or do not match. A receipt proves that this server saw\n"
        "somebody under this student's domain or at this student's port do these steps, when it\n"
        "says so. It does not prove who sat there. The key stays in this user's state folder.\n\n"
        "Exit status: 0 all were graded, 1 some submissions were bad or did not --pass, 2 usage,\n"
        "3 environment. Where nothing was handed in, nothing did --pass.\n"
        "With --json one object for each student is printed.",
        allow_abbrev=False,
    )
    parser.add_argument("folder", metavar="FOLDER", help="where the submissions lie")
    parser.add_argument("--roster", metavar="FILE", help="CSV with student, and name, email")
    parser.add_argument(
        "--lesson",
        metavar="NAME|FILE",
        action="append",
        help="only this lesson counts; may be repeated, a file is a lesson of your own",
    )
    parser.add_argument(
        "--pass",
        dest="needed",
        metavar="PERCENT",
        type=float,
        default=0.0,
        help="end with 1 unless everybody has so much of the points, as GitHub Classroom asks",
    )
    parser.add_argument("--hint-price", metavar="N", type=float, default=0.0, help="points a hint")
    parser.add_argument(
        "--receipts",
        metavar="FILE|FOLDER",
        help="only steps count that the teacher's server saw and signed; see below",
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        help="no receipts from before, such as 2026-11-22T09:00, by the local clock",
    )
    parser.add_argument(
        "--any-seed", action="store_true", help="take the seed that a transcript names"
    )
    out = parser.add_argument_group("files to write")
    out.add_argument("--out", metavar="FILE", help="CSV, a line for each step and question")
    out.add_argument("--json-file", metavar="FILE", help="everything, as JSON")
    out.add_argument("--junit", metavar="FILE", help="JUnit, a case for each step and question")
    out.add_argument("--moodle", metavar="FILE", help="CSV for Moodle's grade import")
    out.add_argument("--canvas", metavar="FILE", help="CSV for Canvas's gradebook import")
    out.add_argument("--gradescope", metavar="FILE", help="results.json, for one submission")
    out.add_argument(
        "--exercism", metavar="FILE", help="results.json of Exercism's form, for one submission"
    )
    return parser


def main(words: list[str], settings: Settings) -> int:
    """Grade a folder; returns the exit status."""
    try:
        return _main(words, settings)
    except UsageError as error:
        raise UsageError(error.what, error.where, error.next, status=USAGE) from error
    except FileError as error:
        raise SmtpshellError(error.what, error.where, error.next, status=ENVIRONMENT) from error


def _main(words: list[str], settings: Settings) -> int:
    options = build_parser().parse_args(words)
    folder = Path(options.folder)
    if not folder.is_dir():
        raise UsageError("it is no folder", str(folder), "Name the folder of the submissions.")
    if not 0 <= options.hint_price <= 1:
        raise UsageError("a hint costs 0 to 1 points", "--hint-price")
    if not 0 <= options.needed <= 100:
        raise UsageError("all there is are 100 percent", "--pass")
    people = read_roster(options.roster) if options.roster else {}
    lessons = lessons_by_id(options.lesson or ())
    terms = Terms(lessons, options.hint_price, options.any_seed)
    seen = _seen(options)
    own = {Path(path).absolute() for name in OUTPUTS if (path := getattr(options, name))}
    grades = grade_folder(folder, terms, people, only=bool(options.lesson), besides=own)
    if seen is not None:
        grades = witnessed(grades, seen, lessons, options.hint_price)
    for name in ("gradescope", "exercism"):
        if getattr(options, name) and len(grades) != 1:
            raise UsageError(
                f"{name.title()} takes one submission, and there are {len(grades)}", f"--{name}"
            )
    handed_in = {grade.student.casefold() for grade in grades}
    absent = [each.student for key, each in people.items() if key not in handed_in]
    missing = [Grade(student, "", problems=(NOTHING,)) for student in absent]
    _write(options, grades, missing, lessons, people)
    _tell(grades, missing, lessons, settings)
    if seen is not None:
        _tell_receipts(seen, settings)
    failed = [each for each in (*grades, *missing) if not passes(each, options.needed)]
    unproven = options.needed and not grades
    return BAD if failed or unproven or any(grade.problems for grade in grades) else GOOD


def _seen(options: argparse.Namespace) -> Seen | None:
    if not options.receipts:
        return None
    try:
        since = datetime.fromisoformat(options.since).timestamp() if options.since else 0.0
    except (ValueError, OverflowError, OSError):
        example = "Write 2026-11-22T09:00."
        raise UsageError(f"{options.since!r} is no time", "--since", example) from None
    return receipts_in(Path(options.receipts), load_key(), since)


def passes(grade: Grade, needed: float) -> bool:
    """Tell whether a grade has so many percent of its points; none are enough for nothing done."""
    return grade.points >= needed / 100 * len(grade.rows) and bool(grade.rows or not needed)


def lessons_by_id(names: Sequence[str]) -> dict[str, Lesson]:
    """Return the named lessons, or all that are shipped, by id."""
    from smtpshell.tutor import library
    from smtpshell.tutor.reader import read_file

    paths = [library.find(name) for name in names] or library.lesson_paths()
    return {lesson.id: lesson for lesson in map(read_file, paths)}


def grade_folder(
    folder: Path,
    terms: Terms,
    people: Mapping[str, Person] | None = None,
    *,
    only: bool = False,
    besides: Collection[Path] = (),
) -> list[Grade]:
    """Grade all submissions of a folder, in the order of their names; nothing is raised.

    With `people` only they are graded. With `only`, lessons beyond those of the terms are no
    problem, and each of the terms' lessons is worth something. Files `besides` the submissions,
    such as the grades of an earlier run, are passed over.
    """
    canonicals = Canonicals()
    paths = [path for path in submissions_in(folder) if path.absolute() not in besides]
    grades = [_graded(path, folder, terms, people or {}, canonicals) for path in paths]
    if len(paths) >= MOST_FILES:
        problem = f"there are more than {MOST_FILES} files; these are the first"
        grades.append(Grade("", str(folder), problems=(problem,)))
    if only:
        grades = [_only(grade, terms.lessons) for grade in grades]
    return _merged(grades)


def _graded(
    path: Path,
    folder: Path,
    terms: Terms,
    people: Mapping[str, Person],
    canonicals: Canonicals,
) -> Grade:
    name = str(path.relative_to(folder))
    try:
        submission = read_submission(path)
        _find(submission.student, people)
        with _interrupted_after(SUBMISSION_SECONDS + GRACE):
            return asyncio.run(grade_submission(submission, name, terms, canonicals))
    except Refused as reason:
        return Grade("", name, problems=(str(reason),))
    except _OutOfTime:
        return Grade("", name, problems=("it keeps the grader busy for too long",))
    except MemoryError:
        return Grade("", name, problems=("it takes too much memory",))
    except Exception as error:  # noqa: BLE001 - whatever a forged file leads to, the others are graded
        return Grade("", name, problems=(f"it cannot be graded ({type(error).__name__})",))


def _find(student: str, people: Mapping[str, Person]) -> None:
    if people and student.casefold() not in people:
        raise Refused(f"{student} does not stand on the roster")


class _OutOfTime(BaseException):
    """Raised wherever the grader is, by a signal; nothing on the way may take it for its own."""


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Interrupt even code that never waits, where the system can; raises `_OutOfTime`."""
    usable = hasattr(signal, "setitimer")
    if not usable or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, REPEATED)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _only(grade: Grade, lessons: Mapping[str, Lesson]) -> Grade:
    if not grade.student:
        return grade
    played = {row.lesson for row in grade.rows}
    missing = [
        row for name, each in lessons.items() if name not in played for row in empty_rows(each)
    ]
    problems = tuple(each for each in grade.problems if not each.startswith("no lesson is called"))
    return replace(grade, rows=(*grade.rows, *missing), problems=problems)


def _merged(grades: Sequence[Grade]) -> list[Grade]:
    """Put the files of one student together, the better row counting; a teacher is told."""
    merged: dict[str, Grade] = {}
    for number, grade in enumerate(grades):
        key = grade.student.casefold() or f"/{number}"
        merged[key] = _together(merged[key], grade) if key in merged else grade
    return list(merged.values())


def _together(one: Grade, other: Grade) -> Grade:
    lessons = dict.fromkeys(row.lesson for row in (*one.rows, *other.rows))
    rows = [
        row
        for name in lessons
        for row in best(
            [each for each in one.rows if each.lesson == name],
            [each for each in other.rows if each.lesson == name],
        )
    ]
    problem = f"a second file of {one.student}: {other.file}; the better points count"
    return replace(
        one,
        rows=tuple(rows),
        problems=(*one.problems, *other.problems, problem),
        notes=(*one.notes, *other.notes),
        answers={**other.answers, **one.answers},
    )


# --- what is written ----------------------------------------------------------------------------


def _write(
    options: argparse.Namespace,
    grades: Sequence[Grade],
    missing: Sequence[Grade],
    lessons: Mapping[str, Lesson],
    people: Mapping[str, Person],
) -> None:
    from smtpshell.tutor import junit

    texts: dict[str, Callable[[], str]] = {
        "out": lambda: reports.grades_csv([*grades, *missing]),
        "json_file": lambda: reports.grades_json([*grades, *missing], reports.mistakes_in(grades)),
        "moodle": lambda: gradebooks.moodle_csv(grades, lessons, people),
        "canvas": lambda: gradebooks.canvas_csv(grades, lessons, people),
        "gradescope": lambda: gradebooks.gradescope_json(grades[0]),
        "exercism": lambda: gradebooks.exercism_json(grades[0], lessons),
    }
    for name, text in texts.items():
        if path := getattr(options, name):
            try:
                Path(path).write_text(text(), encoding="utf-8")
            except OSError as error:
                raise FileError.from_os(error, path, "write") from error
    if options.junit:
        ran, skipped = reports.cases_of([*grades, *missing])
        junit.write(Path(options.junit), "grade", ran, skipped)


def _tell(
    grades: Sequence[Grade],
    missing: Sequence[Grade],
    lessons: Mapping[str, Lesson],
    settings: Settings,
) -> None:
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        for grade in (*grades, *missing):
            print(as_json(reports.facts_of(grade)))
        return
    absent = [grade.student for grade in missing]
    for line in reports.words(grades, absent, lessons, ascii_only=settings.plain):
        print(line)


def _tell_receipts(seen: Seen, settings: Settings) -> None:
    """Tell which files held something else than receipts of this server."""
    if settings.json:
        return
    count = len(seen.students)
    print(f"Receipts: the server saw {count} student{'' if count == 1 else 's'}.")
    for name, count in seen.bad.items():
        noun = "receipt that is" if count == 1 else "receipts that are"
        print(visible(f"Receipts: {name} has {count} {noun} none of this server's."))
    for name, reason in seen.refused.items():
        print(visible(f"Receipts: {name}: {reason}."))
