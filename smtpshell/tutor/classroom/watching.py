"""What a teacher wants to know of a class: plain lines, each worth an eye.

    09:14:03 017: done.
    09:15:30 12 students on step 3; 2 on step 4; 4 stuck more than 5 minutes; commonest wrong
             line: MAIL TO: (7 students).

A watch is fed the records that a classroom server writes to its log, by the server itself or by
`classroom watch` in another terminal.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import FileError
from smtpshell.protocol.text import visible
from smtpshell.tutor.classroom.asking import overhear

if TYPE_CHECKING:
    import argparse

    from smtpshell.conversation.settings import Settings

STUCK = 300.0
"""Seconds without progress after which a student is stuck."""

RECENT = 600.0
"""Seconds for which a wrong line counts among the commonest."""

MOST_WRONG = 5_000
LINE_SHOWN = 60


class Watch:
    """What is known of a class, from the records of its server in order."""

    def __init__(self) -> None:
        self.last_step = 0
        self._steps: dict[str, int] = {}
        self._moved: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        self._told: set[str] = set()
        self._wrong: list[tuple[float, str, str]] = []
        self._paused: float | None = None

    def note(self, record: Mapping[str, Any]) -> str:
        """Take in a record; return a line for the teacher, "" when it is not worth one."""
        at, student = record.get("at"), record.get("student")
        if record.get("event") == "opened" and isinstance(record.get("steps"), int):
            self.last_step = record["steps"]
        if not isinstance(at, (int, float)) or not isinstance(student, str):
            return ""
        if not student:
            return self._of_class(float(at), record)
        self._seen[student] = float(at)
        match record.get("event"):
            case "connected" if student not in self._steps:
                self._steps[student] = 1
                self._moved[student] = float(at)
            case "turn":
                return self._turn(float(at), student, record)
            case "reset":
                self._steps[student] = 1
                self._moved[student] = float(at)
                return f"{student}: begins again."
            case "limit":
                return f"{student}: {record.get('text', '')}."
        return ""

    def _of_class(self, at: float, record: Mapping[str, Any]) -> str:
        """Take in what concerns no single student."""
        text = str(record.get("text", ""))
        match record.get("event"):
            case "stranger" if text:
                return f"Somebody says {text}, and nobody in this class is that."
            case "stranger":
                return "Somebody wrote to a recipient without saying whose world it is."
            case "trouble":
                return f"Trouble: {text}."
            case "said":
                return f"Teacher: {text}"
            case "demo":
                return f"Demo: {text}"
            case "paused" if record.get("on"):
                self._paused = at
                return "The class is paused."
            case "paused":
                lost = at - self._paused if self._paused is not None else 0.0
                self._moved = {student: moved + lost for student, moved in self._moved.items()}
                self._paused = None
                return "The class goes on."
        return ""

    def _turn(self, at: float, student: str, record: Mapping[str, Any]) -> str:
        step, line = record.get("step"), record.get("line")
        if record.get("verdict") == "wrong" and isinstance(line, str):
            self._wrong.append((at, student, line))
            del self._wrong[:-MOST_WRONG]
        elif record.get("verdict") == "right":
            self._moved[student] = at
            self._told.discard(student)
        if isinstance(step, int) and step != self._steps.get(student):
            self._steps[student] = step
            if self.last_step and step > self.last_step:
                return f"{student}: done."
        return ""

    def newly_stuck(self, now: float) -> list[str]:
        """Return lines on those who are stuck and were not told of yet."""
        new = [student for student in self._stuck(now) if student not in self._told]
        self._told.update(new)
        return [f"{student}: stuck on step {self._steps[student]}." for student in new]

    def _stuck(self, now: float) -> list[str]:
        now = now if self._paused is None else self._paused
        return [
            student
            for student, step in sorted(self._steps.items())
            if not self._is_done(step) and now - self._moved.get(student, now) > STUCK
        ]

    def _is_done(self, step: int) -> bool:
        return bool(self.last_step) and step > self.last_step

    def summary(self, now: float) -> str:
        """Return where everybody is, in one line."""
        if not self._steps:
            return "Nobody has connected yet."
        if not self.last_step:
            parts = [f"{_students(len(self._steps))} connected so far"]
        else:
            counts = Counter(self._steps.values())
            parts = [
                f"{_students(counts[step])} {'done' if self._is_done(step) else f'on step {step}'}"
                for step in sorted(counts)
            ]
        if stuck := len(self._stuck(now)) if self.last_step else 0:
            parts.append(f"{stuck} stuck more than {STUCK / 60:.0f} minutes")
        if wrong := self._commonest(now):
            parts.append(f"commonest wrong line: {wrong}")
        return f"{'; '.join(parts)}."

    def _commonest(self, now: float) -> str:
        """Return the wrong line that the most students typed lately, and how many did."""
        pairs = {(_folded(line), who) for at, who, line in self._wrong if now - at <= RECENT}
        if not pairs:
            return ""
        counts = Counter(line for line, _ in pairs)
        line, count = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return f"{visible(line)} ({_students(count)})"


def _folded(line: str) -> str:
    """Return what is wrong with a line: all of it, or what stands where an address should follow.

    >>> _folded("MAIL  TO:<bob@practice.example>"), _folded("RCPT TO:<bob>")
    ('MAIL TO:', 'RCPT TO:<bob>')
    """
    words = " ".join(line.split())
    head = words.partition("<")[0].rstrip()
    right = head.upper().replace(" ", "") in ("MAILFROM:", "RCPTTO:")
    return (words if right or not head.endswith(":") else head)[:LINE_SHOWN]


def _students(count: int) -> str:
    return f"{count} student{'' if count == 1 else 's'}"


def clock_of(at: float) -> str:
    """Return the time of day of a moment, as a teacher's watch shows it."""
    return time.strftime("%H:%M:%S", time.localtime(at))


# --- the command --------------------------------------------------------------------------------


def build_parser() -> Parser:
    """Return the parser of `classroom watch`."""
    parser = Parser(
        prog="smtpshell classroom watch",
        description="Tell what a class does: what the server that runs here tells, or its log.",
        allow_abbrev=False,
    )
    parser.add_argument("--log", metavar="FILE", help="read the server's --log FILE instead")
    parser.add_argument("--once", action="store_true", help="tell where everybody is, and end")
    parser.add_argument(
        "--every", metavar="SECONDS", type=float, default=30.0, help="how often to sum up a log"
    )
    return parser


def main(words: list[str], settings: Settings) -> int:
    """Watch until interrupted, or tell once; returns the exit status."""
    options = build_parser().parse_args(words)
    if options.log is None:
        return asyncio.run(_overhear(settings, once=options.once))
    try:
        return _follow(options, settings)
    except OSError as error:
        raise FileError.from_os(error, options.log, "read") from error


async def _overhear(settings: Settings, *, once: bool) -> int:
    async for line in overhear():
        _print(line, settings)
        if once:
            return 0
    _print("The server has ended.", settings)
    return 0


def _follow(options: argparse.Namespace, settings: Settings) -> int:
    watch = Watch()
    said, due = "", 0.0
    with Path(options.log).open(encoding="utf-8", errors="replace") as file:
        while True:
            for line in _new_lines(file):
                told = _take(watch, line)
                if told and not options.once:
                    _tell(told, settings)
            now = time.time()
            if now >= due:
                due = now + max(1.0, options.every)
                for line in watch.newly_stuck(now) if not options.once else []:
                    _tell(line, settings)
                summary = watch.summary(now)
                if summary != said:
                    _tell(summary, settings)
                said = summary
            if options.once:
                return 0
            time.sleep(0.5)


def _new_lines(file: Any) -> Iterator[str]:  # noqa: ANN401 - a text file that can be searched
    """Yield the whole lines that were added; half a line is left for the next time."""
    while True:
        place = file.tell()
        line = file.readline()
        if not line.endswith("\n"):
            file.seek(place)
            return
        yield line


def _take(watch: Watch, line: str) -> str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return watch.note(record) if isinstance(record, dict) else ""


def _tell(text: str, settings: Settings) -> None:
    _print(f"{clock_of(time.time())} {text}", settings)


def _print(text: str, settings: Settings) -> None:
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        print(as_json({"event": "note", "text": text}), flush=True)
    else:
        print(visible(text, ascii_only=settings.plain), flush=True)
