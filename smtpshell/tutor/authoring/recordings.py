"""Recordings of a lesson: asciicasts, captions, and tapes for vhs.

asciicast   newline-delimited JSON; version 2 has times since the start, version 3 since the event
            before (docs.asciinema.org/manual/asciicast). A marker stands where each step begins.
SRT         a caption for each step, its title, for as long as the step lasts
tape        what vhs types into a terminal and films; it plays the lesson for real
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from smtpshell.protocol.values import dataclass
from smtpshell.tutor.authoring.timeline import KEYSTROKE, WORD, Moment, Timeline
from smtpshell.tutor.functions import TemplateError
from smtpshell.tutor.lesson import Ask, Exchange, Prose, Smtp, Tool
from smtpshell.tutor.meaning import shown
from smtpshell.tutor.plainly import filled
from smtpshell.tutor.questions import solution

if TYPE_CHECKING:
    from smtpshell.tutor.lesson import Lesson
    from smtpshell.tutor.performance import Performance

Event = tuple[int, str, str]
"""Milliseconds since the start, the code of the event, and its data."""

TERMINAL = "xterm-256color"
BOLD, NORMAL = "\x1b[1m", "\x1b[0m"


# --- asciicast -----------------------------------------------------------------------------------


def cast(timeline: Timeline, title: str, *, version: int, columns: int, rows: int) -> str:
    """Return a lesson as an asciicast of version 2 or 3, for a terminal of that size."""
    size: dict[str, object] = {"width": columns, "height": rows, "title": title}
    size["env"] = {"TERM": TERMINAL}
    if version == 3:
        size = {"term": {"cols": columns, "rows": rows, "type": TERMINAL}, "title": title}
    lines = [json.dumps({"version": version, **size})]
    before = 0
    for at, code, data in _events(timeline, columns):
        lines.append(json.dumps([(at - before if version == 3 else at) / 1000, code, data]))
        before = at
    return "".join(f"{line}\n" for line in lines)


def _events(timeline: Timeline, columns: int) -> Iterator[Event]:
    for moment in timeline.moments:
        if moment.step:
            yield moment.at, "m", timeline.titles[moment.step - 1]
        yield from _shown(moment, columns)
    yield timeline.end, "o", ""


def _shown(moment: Moment, columns: int) -> Iterator[Event]:
    if moment.typed:
        yield moment.at, "o", moment.text[:3]
        for number, character in enumerate(moment.text[3:], 1):
            yield moment.at + KEYSTROKE * number, "o", character
        yield moment.at + moment.takes, "o", "\r\n"
        return
    lines = wrap(moment.text, columns, replace_whitespace=False, drop_whitespace=True) or [""]
    if moment.text.startswith(("S: ", "# ")):
        lines = [moment.text]  # as it came; the terminal folds it
    if moment.step or moment.text.startswith("Lesson: "):
        lines = [f"{BOLD}{line}{NORMAL}" for line in lines]
    blank = "\r\n" if moment.step else ""
    yield moment.at, "o", blank + "".join(f"{line}\r\n" for line in lines)


# --- captions ------------------------------------------------------------------------------------


def captions(timeline: Timeline) -> str:
    """Return the titles of the steps as SRT captions."""
    cues = [
        f"{number}\n{_clock(begin)} --> {_clock(end)}\n{title}\n"
        for number, (begin, end, title) in enumerate(timeline.steps, 1)
    ]
    return "\n".join(cues)


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{rest:03}"


# --- tapes ---------------------------------------------------------------------------------------

_TAPE = """\
# {title}
# Made by smtpshell lesson render {name} --to vhs. vhs plays the lesson and films it.

Output {id}.gif
Require smtpshell
Set Shell bash
Set FontSize 20
Set Width 1200
Set Height 800
Set TypingSpeed {keystroke}ms

Hide
Type "export XDG_STATE_HOME=$(mktemp -d); clear"
Enter
Show

{start}
Enter
Sleep 4s
"""
QUOTES = ('"', "'", "`")
"""What a string of a tape may stand in; nothing can be escaped in it."""


def tape(lesson: Lesson, performance: Performance, name: str) -> str:
    """Return a tape for vhs that plays a lesson as its canonical solution does.

    `name` is what the lesson is called by on the command line.
    """
    start = " ".join(_typed(f"smtpshell lesson {name}"))
    head = {"title": lesson.title, "id": lesson.id, "name": name}
    lines = [_TAPE.format(**head, keystroke=KEYSTROKE, start=start)]
    titles = [filled(step.title, lesson.values(0)) for step in lesson.form(0).steps]
    step = 0
    for keys in typed(lesson, performance):
        while step < keys.step:
            step += 1
            lines.append(f"\n# Step {step}: {titles[step - 1]}\n")
        lines.append(f"Sleep {keys.after}ms\n" if keys.after else "")
        lines += [f"{command}\n" for command in (*_typed(keys.line), "Enter", "Sleep 1s")]
    return "".join([*lines, "\nSleep 4s\n"])


@dataclass(frozen=True, slots=True)
class Keys:
    """A line that is typed in a step, by its number, after so many milliseconds of reading."""

    step: int
    after: int
    line: str


def typed(lesson: Lesson, performance: Performance) -> Iterator[Keys]:
    """Yield all that a learner types who does what the canonical solution did."""
    values = lesson.values(0)
    for number, step in enumerate(lesson.form(0).steps, 1):
        words = 0
        for block in step.blocks:
            lines: list[str] = []
            if isinstance(block, Prose):
                words += sum(len(line.split()) for line in block.lines)
            elif isinstance(block, Ask):
                words += sum(len(line.split()) for line in block.question)
                lines = [solution(block, values)]
            elif isinstance(block, Smtp):
                lines = list(_wire_lines(block, performance))
                marks = [performance.marks.get(action.line) for action in block.actions]
                values = next((dict(mark.values) for mark in reversed(marks) if mark), values)
                if None in marks:
                    break
            for line in lines:
                yield Keys(number, WORD * words, line)
                words = 0


def _wire_lines(block: Smtp, performance: Performance) -> Iterator[str]:
    for action in block.actions:
        mark = performance.marks.get(action.line)
        if mark is None:
            return
        if isinstance(action, Tool):
            yield f"/{filled(action.command, mark.values).removeprefix('/')}"
        elif isinstance(action, Exchange):
            try:
                yield from (shown(client, mark.values) for client in action.clients)
            except TemplateError as error:
                yield str(error)


def _typed(text: str) -> list[str]:
    """Return the commands of a tape that type a text."""
    if not text:
        return []
    quote = next((quote for quote in QUOTES if quote not in text), "")
    if quote:
        return [f"Type {quote}{text}{quote}"]
    at = max(text.find(quote) for quote in QUOTES)
    return [*_typed(text[:at]), *_typed(text[at:])]
