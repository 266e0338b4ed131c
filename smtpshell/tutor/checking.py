"""`smtpshell lesson check`: proves lessons and tells what is wrong as file:line: message."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.options import Parser
from smtpshell.protocol.values import dataclass
from smtpshell.tutor import library
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.reader import LessonError, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtpshell.conversation.settings import Settings

GOOD, WRONG, SYNTAX = 0, 1, 2


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
    shipped = shipped_lessons()
    reports: list[Report] = []
    for path in paths:
        report = asyncio.run(check_file(path, shipped))
        _tell(report, settings, json=options.json or settings.json)
        reports.append(report)
    if options.junit:
        from smtpshell.tutor.junit import write

        cases = [(report.name, report.path, report.problems) for report in reports]
        write(Path(options.junit), "lesson check", cases)
    if any(report.unread for report in reports):
        return SYNTAX
    return GOOD if all(report.ok for report in reports) else WRONG


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


async def check_file(path: Path, shipped: Mapping[str, Lesson]) -> Report:
    """Prove the lesson of one file; `shipped` are the lessons that it may need."""
    from smtpshell.practice.scenario_file import ScenarioError
    from smtpshell.tutor.proof import prove

    try:
        lesson = read_file(path)
    except LessonError as error:
        return Report(path.stem, str(path), tuple(error.complaints), unread=True)
    text = path.read_text(encoding="utf-8")
    try:
        problems = await prove(lesson, text, shipped)
    except ScenarioError as error:
        return Report(lesson.id, str(path), (f"{path}:1: {error}",))
    told = tuple(f"{path}:{problem.line}: {problem.text}" for problem in problems)
    return Report(lesson.id, str(path), told)


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
