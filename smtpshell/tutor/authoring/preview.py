"""`smtpshell lesson preview`: a lesson, or one step of it, as a learner meets it.

What the learner sees and may come to hear is printed without a server: texts, what is wanted,
hints, questions, feedback. Where there is a terminal, `--step` also opens the shell at that step,
with the world as the canonical solution leaves it there; nothing of that is kept.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

from smtpshell.conversation.options import Parser, window_width
from smtpshell.protocol.errors import SmtpshellError, UsageError
from smtpshell.protocol.text import visible
from smtpshell.tutor.checks import in_words
from smtpshell.tutor.lesson import (
    EVENTS,
    Action,
    Ask,
    Block,
    Check,
    Directive,
    Exchange,
    Expected,
    Feedback,
    Hint,
    Prose,
    Reaction,
    Smtp,
    Teacher,
    Tool,
)
from smtpshell.tutor.plainly import filled, prose_rows, spoken
from smtpshell.tutor.progress import Place, Progress, State
from smtpshell.tutor.questions import question_rows, solution

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.tutor.lesson import Lesson, Step
    from smtpshell.tutor.lessons import Interact

GOOD, WRONG = 0, 1
Values = Mapping[str, str]


def main(words: list[str], settings: Settings, interact: Interact | None = None) -> int:
    """Do what `smtpshell lesson preview` says and return the exit status."""
    from smtpshell.tutor.library import load

    parser = Parser(
        prog="smtpshell lesson preview",
        description="Show a lesson, or one step, as a learner meets it, with all that may be said. "
        "With --step on a terminal you then play from that step on; nothing is kept.",
    )
    parser.add_argument("lesson", metavar="NAME|FILE")
    parser.add_argument("--step", default="", metavar="ID", help="this step alone")
    parser.add_argument("--teacher", action="store_true", help="show the teacher's notes too")
    parser.add_argument("--lang", default="", metavar="de", help="a translation")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--play", action="store_true", help="play, with lines from standard input")
    either.add_argument("--text", action="store_true", help="do not play on a terminal either")
    options = parser.parse_args(words)
    lesson = load(options.lesson, options.lang).form(0)
    names = [step.id for step in lesson.steps]
    if options.step and options.step not in names:
        raise UsageError(
            f"no step is called {options.step!r}", lesson.path, f"Say {', '.join(names)}."
        )
    terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    playing = options.play or (bool(options.step) and terminal and not options.text)
    if not options.play:
        _show(lesson, options.step, settings, teacher=options.teacher)
    if not playing:
        return GOOD
    if not settings.quiet:
        print("\nNote: From here on you play it. Nothing of that is kept.")
    return _play(lesson, options.step or names[0], settings, interact if terminal else None)


# --- showing -------------------------------------------------------------------------------------


def _show(lesson: Lesson, chosen: str, settings: Settings, *, teacher: bool) -> None:
    values = lesson.values(0)
    width = window_width() if sys.stdout.isatty() else 0
    steps = [
        (number, step) for number, step in enumerate(lesson.steps, 1) if chosen in ("", step.id)
    ]
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        for number, step in steps:
            facts = {"lesson": lesson.id, "step": step.id, "number": number}
            lines = list(step_lines(step, values, teacher=teacher))
            print(as_json({**facts, "title": filled(step.title, values), "lines": lines}))
        return
    preface = [line for line in lesson.prose if not line.startswith("# ")]
    lines = [f"Lesson: {lesson.title}", *spoken(prose_rows(preface, values))] if not chosen else []
    for number, step in steps:
        title = filled(step.title, values)
        lines += ["", f"Step {number} of {len(lesson.steps)}: {title}"]
        lines += step_lines(step, values, teacher=teacher)
    for line in lines[1:] if chosen else lines:
        shown = visible(line, ascii_only=settings.plain)
        for piece in (wrap(shown, width, subsequent_indent="  ") if width else []) or [shown]:
            print(piece)


def step_lines(step: Step, values: Values, *, teacher: bool = False) -> Iterator[str]:
    """Yield all that a learner sees or may come to hear in a step, each line with its role."""
    hints = len(step.hints)
    heard = 0
    for block in step.blocks:
        if isinstance(block, Hint):
            for text in block.texts:
                heard += 1
                yield f"Hint {heard} of {hints}: {filled(text, values)}"
        elif not isinstance(block, Teacher) or teacher:
            yield from _block_lines(block, values)


def _block_lines(block: Block, values: Values) -> Iterator[str]:
    match block:
        case Prose():
            yield from spoken(prose_rows(block.lines, values))
        case Smtp():
            for action in block.actions:
                yield from _action_lines(action, values)
        case Feedback():
            for rule in block.rules:
                glob, said = filled(rule.glob, values), filled(rule.text, values)
                yield f"Note: to {rule.side}: {glob} it says: Not yet. {said}"
        case Check():
            for condition in block.conditions:
                wanted = filled(in_words(condition), values)
                said = f" Else it says: Not yet. {condition.message}" if condition.message else ""
                yield f"Note: it checks that {wanted}.{filled(said, values)}"
        case Ask():
            yield from spoken(question_rows(block, values))
            yield f"Answer: {solution(block, values)}"
            for answer in block.answers:
                if answer.says:
                    text = filled(f"{answer.text} it says: {answer.says}", values)
                    yield f"Note: to {text}"
        case Teacher():
            yield from (f"Teacher: {line}" for line in block.lines if line.strip())


def _action_lines(action: Action, values: Values) -> Iterator[str]:
    match action:
        case Tool():
            yield f"Note: wanted is the command /{filled(action.command, values).lstrip('/')}"
        case Directive():
            yield f"Note: the lesson does @{action.name} {filled(action.argument, values)}".rstrip()
        case Exchange():
            for client in action.clients:
                free = " (or anything that the server answers so)" if client.kind == "~" else ""
                yield f"C: {filled(client.text, values)}{free}"
            yield from _reactions(action.reactions, values)
            for other in action.alternatives:
                lines = ", ".join(filled(client.text, values) for client in other.clients)
                yield f"Note: another way is {lines}"


def _reactions(reactions: tuple[Reaction, ...], values: Values) -> Iterator[str]:
    for each in reactions:
        if not isinstance(each, Expected):
            assert each.name in EVENTS
            yield f"S: <{each.name}>"
            continue
        for number, pattern in enumerate(each.patterns, 1):
            more = each.open or number < len(each.patterns)
            yield f"S: {each.code}{'-' if more else ' '}{filled(pattern, values)}"
        if each.open:
            yield "S: ..."


# --- playing from a step on ----------------------------------------------------------------------


class _Arrival(Progress):
    """The progress of a learner who has just arrived somewhere; nothing more is kept of it."""

    def __init__(self, state: State) -> None:
        super().__init__(None)
        self._state = state

    def state(self) -> State:
        """Return where the learner is."""
        return self._state


async def arrival(lesson: Lesson, name: str) -> State:
    """Return the state of a learner who did all before a step as the canonical solution does.

    Raises `SmtpshellError`, status 1, where that solution does not get there.
    """
    from smtpshell.tutor.performance import perform

    performance = await perform(lesson)
    before = lesson.steps[: [step.id for step in lesson.steps].index(name)]
    end = lesson.step(name).line
    for problem in performance.problems:
        if problem.line < end:
            raise SmtpshellError(
                f"the lesson's own solution fails there: {problem.text}",
                f"{lesson.path}:{problem.line}",
                status=WRONG,
            )
    marks = [performance.marks.get(action.line) for step in before for action in step.actions]
    done = next((mark for mark in reversed(marks) if mark is not None), None)
    if done is None:
        return State()
    place = Place(name, 0, 0, done.journal, done.values)
    return State(begun=True, digest=lesson.digest, places=(place,))


def _play(lesson: Lesson, name: str, settings: Settings, interact: Interact | None) -> int:
    progress = _Arrival(asyncio.run(arrival(lesson, name)))
    if interact is not None:
        from smtpshell.tutor.guest import LessonGuest

        return interact(LessonGuest(lesson, progress), settings)
    from smtpshell.tutor.unattended import play_lines

    return asyncio.run(play_lines(lesson, settings, progress=progress))
