"""`smtpshell lesson accept`: the server's words are taken over into a lesson, and nothing else.

The canonical solution is played, and every alternative of it. Where a reply has the lesson's code
and other words, the lines of the file that hold those words are written anew; every other octet of
the file stays. Where a code differs the lesson is wrong, or the server, and nothing is changed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from difflib import unified_diff
from typing import TYPE_CHECKING

from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass, field, replace
from smtpshell.tutor.authoring.rewording import Unlike, reword
from smtpshell.tutor.authoring.writing import read_octets, replace_whole
from smtpshell.tutor.patterns import Match, captured, match_reply
from smtpshell.tutor.performance import Problem, perform
from smtpshell.tutor.proof import exchanges_of
from smtpshell.tutor.reader import decoded, read_lesson

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.events import Received
    from smtpshell.tutor.lesson import Expected, Lesson

GOOD, WRONG = 0, 1
HEAD = len("S: 250 ")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the server's words come to: new texts by line of the file, and what is left to do.

    With `problems` the lesson does not work, and nothing should be changed.
    """

    changes: Mapping[int, str] = field(default_factory=dict)
    left: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Ear:
    """Compares replies by their codes, and notes where the words are others."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.changes: dict[int, str] = {}
        self.left: dict[int, str] = {}

    def compare(self, expected: Expected, received: Received, values: Mapping[str, str]) -> Match:
        """Compare a reply with what was expected; other words are no difference."""
        verb = received.command or ""
        match = match_reply(expected, received.reply, values, verb)
        if match:
            return match
        try:
            new = reword(expected, received.reply, values, verb)
        except Unlike as error:
            return Match(problem=str(error))
        places = reply_lines(self._lines, expected)
        for number, place in enumerate(places):
            if number in new.left:
                self.left.setdefault(place, new.left[number])
            elif new.patterns[number] != expected.patterns[number]:
                self._change(place, new.patterns[number])
        again = replace(expected, patterns=new.patterns)
        whole = match_reply(again, received.reply, values, verb)
        return Match(whole.captures if whole else captured(again, received.reply, values))

    def _change(self, place: int, text: str) -> None:
        if self.changes.setdefault(place, text) != text:
            self.left[place] = "two ways through the lesson meet two texts here"


def reply_lines(lines: list[str], expected: Expected) -> list[int]:
    """Return the numbers of the lines of a file, from 1, that hold the patterns of a reply."""
    found = [
        number
        for number in range(expected.line, len(lines) + 1)
        if lines[number - 1].startswith("S: ") and lines[number - 1][3:6].isdigit()
    ]
    return found[: len(expected.patterns)]


async def acceptance(lesson: Lesson, text: str, step: str = "") -> Acceptance:
    """Return how the words of a lesson, or of one step, should be; `text` is that of its file."""
    ear = _Ear(text.split("\n"))
    first, last = _span(lesson, step)
    problems = list((await perform(lesson, comparison=ear.compare)).problems)
    for exchange in exchanges_of(lesson) if not problems else ():
        for number in range(1, len(exchange.alternatives) + 1):
            result = await perform(lesson, choices={exchange.line: number}, comparison=ear.compare)
            problems += result.problems
    left = [Problem(line, why) for line, why in sorted(ear.left.items())]
    return Acceptance(
        {line: new for line, new in ear.changes.items() if first <= line <= last},
        tuple(each for each in left if first <= each.line <= last),
        tuple(each for each in dict.fromkeys(problems) if each.line <= last),
    )


def _span(lesson: Lesson, step: str) -> tuple[int, int]:
    if not step:
        return 1, sys.maxsize
    names = [each.id for each in lesson.steps]
    if step not in names:
        raise UsageError(f"no step is called {step!r}", lesson.path, f"Say {', '.join(names)}.")
    at = names.index(step)
    end = lesson.steps[at + 1].line - 1 if at + 1 < len(names) else sys.maxsize
    return lesson.steps[at].line, end


def rewritten(octets: bytes, changes: Mapping[int, str]) -> bytes:
    """Return a file with new texts of replies in the given lines, all else as it was."""
    lines = octets.split(b"\n")
    for number, new in changes.items():
        old = lines[number - 1]
        end = old[len(old.rstrip()) :]
        lines[number - 1] = old[:HEAD] + new.encode("utf-8", "surrogateescape") + end
    return b"\n".join(lines)


# --- the command ---------------------------------------------------------------------------------


def main(words: list[str], settings: Settings) -> int:
    """Do what `smtpshell lesson accept` says and return the exit status."""
    from smtpshell.tutor.library import find

    parser = Parser(
        prog="smtpshell lesson accept",
        description="Take the practice server's words over into a lesson: literal text of replies, "
        "never codes, patterns or lines of the client.",
    )
    parser.add_argument("lesson", metavar="NAME|FILE")
    parser.add_argument("--step", default="", metavar="ID", help="this step alone")
    parser.add_argument("--dry-run", action="store_true", help="show the changes, write nothing")
    options = parser.parse_args(words)
    path = find(options.lesson)
    octets = read_octets(path)
    text = decoded(octets, path)
    lesson = read_lesson(text, str(path))
    found = asyncio.run(acceptance(lesson, text, options.step))
    for each in (*found.problems, *found.left):
        print(visible(f"smtpshell: {path}:{each.line}: {each.text}"), file=sys.stderr)
    changes = {} if found.problems else found.changes
    new = rewritten(octets, changes)
    written = bool(changes) and not options.dry_run
    if written:
        replace_whole(path, new)
    _tell(lesson, found, octets, new, settings, written=written)
    return WRONG if found.problems or found.left else GOOD


def _tell(
    lesson: Lesson,
    found: Acceptance,
    old: bytes,
    new: bytes,
    settings: Settings,
    *,
    written: bool,
) -> None:
    before, after = (each.decode("utf-8").split("\n") for each in (old, new))
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        changed = [
            {"line": number, "before": before[number - 1], "after": after[number - 1]}
            for number in sorted(found.changes)
            if before != after
        ]
        left = [f"{lesson.path}:{each.line}: {each.text}" for each in found.left]
        problems = [f"{lesson.path}:{each.line}: {each.text}" for each in found.problems]
        facts = {"lesson": lesson.id, "changed": changed, "left": left, "problems": problems}
        print(as_json({**facts, "written": written}))
        return
    for line in unified_diff(before, after, lesson.path, lesson.path, n=1, lineterm=""):
        print(visible(line, ascii_only=settings.plain))
    if not settings.quiet:
        print(_summary(lesson, found, written=written))


def _summary(lesson: Lesson, found: Acceptance, *, written: bool) -> str:
    if found.problems:
        return f"{lesson.id}: refused, nothing was changed. The lesson itself has to be mended."
    if not found.changes:
        return f"{lesson.id}: nothing to accept"
    lines = _counted(found.changes)
    if not written:
        return f"{lesson.id}: {lines} would change; without --dry-run they do"
    return f"Wrote {lesson.path}: {lines} changed"


def _counted(changes: Iterable[int]) -> str:
    count = len(list(changes))
    return f"{count} line{'' if count == 1 else 's'}"
