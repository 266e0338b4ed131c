"""`smtpshell lesson check`: proves lessons and tells what is wrong as file:line: message."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.options import Parser, window_width
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass
from smtpshell.tutor import library
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.reader import LessonError, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtpshell.conversation.settings import Settings

GOOD, WRONG, SYNTAX = 0, 1, 2
AT_ONCE = 4
"""Lessons that are proven at the same time."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found out about one file; `problems` are lines of the form file:line: message.

    With `unread` the file is not even a lesson.
    """

    name: str
    path: str
    problems: tuple[str, ...]
    unread: bool = False

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return not self.problems


def main(words: list[str], settings: Settings) -> int:
    """Prove the named lessons, or all that are shipped, and return the exit status."""
    parser = Parser(prog="smtpshell lesson check", description="Prove lessons.")
    parser.add_argument(
        "lessons", nargs="*", metavar="NAME|FILE", help="all, unless some are named"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object for each lesson")
    parser.add_argument("--junit", metavar="FILE", help="write a JUnit report too")
    options = parser.parse_args(words)
    paths = [library.find(name) for name in options.lessons] or library.lesson_paths()
    json = options.json or settings.json
    reports = asyncio.run(_check_all(paths, settings, json=json))
    if options.junit:
        from smtpshell.tutor.junit import write

        cases = [(report.name, report.path, report.problems) for report in reports]
        write(Path(options.junit), "lesson check", cases)
    if any(report.unread for report in reports):
        return SYNTAX
    return GOOD if all(report.ok for report in reports) else WRONG


async def _check_all(paths: list[Path], settings: Settings, *, json: bool) -> list[Report]:
    """Prove lessons, some at a time, and tell of each in turn.

    Much of a proof is waiting, for servers that say nothing or hang up; others use that time.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    known = shipped_lessons()

    async def check(path: Path) -> Report:
        async with gate:
            return await check_file(path, known)

    checks = [asyncio.ensure_future(check(path)) for path in paths]
    reports: list[Report] = []
    for number, (path, done) in enumerate(zip(paths, checks, strict=True), 1):
        with _progress(f"Proving {number} of {len(paths)}: {path.stem}", settings):
            report = await done
        _tell(report, settings, json=json)
        reports.append(report)
    return reports


@contextmanager
def _progress(text: str, settings: Settings) -> Iterator[None]:
    """Show what is waited for on a terminal, where that is no noise, and take it away again."""
    screen = sys.stderr
    if settings.plain or settings.quiet or settings.json or not screen.isatty():
        yield
        return
    shown = visible(text)[: window_width() - 1]
    screen.write(f"\r{shown}")
    screen.flush()
    try:
        yield
    finally:
        screen.write(f"\r{' ' * len(shown)}\r")
        screen.flush()


def shipped_lessons() -> Mapping[str, Lesson]:
    """Return the lessons that can be read of those that are shipped, by id."""
    found: dict[str, Lesson] = {}
    for path in library.lesson_paths():
        try:
            lesson = read_file(path)
        except LessonError:
            continue
        found[lesson.id] = lesson
    return found


def neighbours(path: Path) -> Mapping[str, Lesson]:
    """Return the lessons that can be read of those in the same folder, by id."""
    found: dict[str, Lesson] = {}
    for other in sorted(path.parent.glob(f"*{library.SUFFIX}")):
        if other == path or library.original_of(other) is not None:
            continue
        if library.front_value(other, "format"):
            try:
                lesson = read_file(other)
            except LessonError:
                continue
            found.setdefault(lesson.id, lesson)
    return found


async def check_file(path: Path, shipped: Mapping[str, Lesson]) -> Report:
    """Prove the lesson of one file; it may need those that are `shipped`, and those beside it.

    A translation is proven by being equal to the lesson beside it in all but words.
    """
    from smtpshell.practice.scenario_file import ScenarioError
    from smtpshell.protocol.errors import FileError
    from smtpshell.tutor.proof import prove
    from smtpshell.tutor.style import front_line

    try:
        lesson = read_file(path)
    except LessonError as error:
        return Report(path.stem, str(path), tuple(error.complaints), unread=True)
    text = path.read_text(encoding="utf-8")
    original = library.original_of(path)
    if original is not None:
        return _check_translation(lesson, path, original)
    try:
        others = {**neighbours(path), **shipped} if lesson.needs else shipped
        problems = await prove(lesson, text, others)
    except (ScenarioError, FileError) as error:
        line = front_line(text, "scenario")
        return Report(lesson.id, str(path), (f"{path}:{line}: {error}",))
    told = tuple(f"{path}:{problem.line}: {problem.text}" for problem in problems)
    return Report(lesson.id, str(path), told)


def _check_translation(lesson: Lesson, path: Path, original: Path) -> Report:
    from smtpshell.tutor.proof import translation_problems

    try:
        problems = [*translation_problems(read_file(original), lesson)]
    except LessonError as error:
        return Report(path.stem, str(path), tuple(error.complaints), unread=True)
    told = tuple(f"{path}:{problem.line}: {problem.text}" for problem in problems)
    return Report(f"{lesson.id} ({lesson.language})", str(path), told)


def _tell(report: Report, settings: Settings, *, json: bool) -> None:
    if json:
        from smtpshell.transcript.jsonl import as_json

        facts = {"lesson": report.name, "ok": report.ok, "problems": list(report.problems)}
        print(as_json(facts), flush=True)
        return
    for problem in report.problems:
        print(problem, flush=True)
    if report.ok and not settings.quiet:
        print(f"{report.name}: good", flush=True)
