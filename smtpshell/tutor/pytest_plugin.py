"""Lesson files as tests of pytest: proven, or held against a real server.

    pytest --smtpshell-lessons lessons/             as `smtpshell lesson check` does
    pytest --smtpshell-target mail.example.com ...  as `smtpshell lesson replay` does

pytest loads this module wherever smtpshell is installed, so it collects nothing without one of
these options and imports no other room before it runs a test. A lesson file is one that ends in
`.md` and whose front matter says `format: smtpshell-lesson/...`; other Markdown is left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

SUFFIX = ".md"
FORMAT = "format: smtpshell-lesson/"
HEAD = 4096
"""Characters at a file's head in which its front matter is looked for."""


class LessonWrong(Exception):
    """A lesson, or a server that was held to it, is wrong; the message tells each fault."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, none of which changes anything unless it is given."""
    group = parser.getgroup("smtpshell", "lessons of smtpshell")
    group.addoption(
        "--smtpshell-lessons", action="store_true", help="collect lesson files and prove them"
    )
    group.addoption(
        "--smtpshell-target",
        metavar="TARGET",
        help="collect lesson files and replay those with 'replay: any' at this server",
    )
    group.addoption(
        "--smtpshell-send",
        action="store_true",
        help="with --smtpshell-target: do not stop before the message",
    )
    group.addoption(
        "--smtpshell-set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="with --smtpshell-target: another value for var.NAME",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a lesson file, where an option asks for it."""
    options = parent.config.option
    if not (options.smtpshell_lessons or options.smtpshell_target):
        return None
    if file_path.suffix != SUFFIX or not is_lesson(file_path):
        return None
    return LessonFile.from_parent(parent, path=file_path)


def is_lesson(path: Path) -> bool:
    """Tell whether a file's front matter says that it is a lesson, of whatever version."""
    with path.open(encoding="utf-8", errors="replace") as file:
        head = file.read(HEAD)
    front, _, _ = head.removeprefix("---\n").partition("\n---\n")
    return head.startswith("---\n") and any(line.startswith(FORMAT) for line in front.split("\n"))


class LessonFile(pytest.File):
    """One lesson file, with a test for each option that was given."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the tests of the lesson."""
        if self.config.option.smtpshell_lessons:
            yield Proof.from_parent(self, name="check")
        if self.config.option.smtpshell_target:
            yield Replay.from_parent(self, name="replay")


class LessonItem(pytest.Item):
    """One test of a lesson; what is wrong is told without a traceback of this program."""

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: str | None = None,
    ) -> str:
        """Return the faults of the lesson, or how an unforeseen error came about."""
        from smtpshell.protocol.errors import SmtpshellError

        if isinstance(excinfo.value, (LessonWrong, SmtpshellError)):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the file and the name of the test, for the report's headings."""
        return self.path, None, f"{self.path.name}: {self.name}"


class Proof(LessonItem):
    """The lesson is proven as `smtpshell lesson check` does it."""

    def runtest(self) -> None:
        """Prove the lesson; raises `LessonWrong`."""
        from smtpshell.tutor.checking import check_file, shipped_lessons

        report = asyncio.run(check_file(self.path, shipped_lessons()))
        if not report.ok:
            raise LessonWrong("\n".join(report.problems))


class Replay(LessonItem):
    """The lesson is replayed at the server as `smtpshell lesson replay` does it."""

    def runtest(self) -> None:
        """Replay the lesson; raises `LessonWrong`, or `SmtpshellError` where nobody answers."""
        from smtpshell.conversation.settings import Settings
        from smtpshell.tutor.library import original_of
        from smtpshell.tutor.reader import read_file
        from smtpshell.tutor.replay import Terms
        from smtpshell.tutor.replaying import pairs, replay_at

        options = self.config.option
        if original_of(self.path) is not None:
            pytest.skip("it is a translation: what is sent is that of its lesson")
        lesson = read_file(self.path)
        if lesson.replay != "any":
            pytest.skip("it is for the practice server only: it does not say 'replay: any'")
        values = lesson.values(0) | pairs(options.smtpshell_set, "--smtpshell-set")
        terms = Terms(send=options.smtpshell_send)
        results, answered = asyncio.run(
            replay_at(lesson, options.smtpshell_target, values, terms, Settings(), unverified=False)
        )
        skipped = [f"{each.what}: {each.problem}" for each in results if each.ok is None]
        if skipped:
            self.add_report_section("call", "skipped in the replay", "\n".join(skipped))
        if not answered:
            raise LessonWrong(f"{options.smtpshell_target} did not answer to the end")
        wrong = [each for each in results if each.ok is False]
        if wrong:
            raise LessonWrong(
                "\n".join(f"{self.path}:{each.line}: {each.what}: {each.problem}" for each in wrong)
            )
