"""The quiz of a lesson: its questions and nothing else, for a class that has played it.

No server is there and no progress is kept. A question that asks for what this learner's own session
showed (a queue id, say) cannot be asked without the session and is left out; so are open ones,
which nobody here could judge. The quiz counts what was right at the first try.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TextIO

from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.functions import TemplateError, fill
from smtpshell.tutor.plainly import filled, spoken
from smtpshell.tutor.questions import grade, question_rows, solution

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.tutor.lesson import Ask, Lesson, Step

Tell = Callable[[Iterable[Row]], None]

PROMPT = "answer> "
COMMANDS = "/again, /show and /skip help, /quit leaves."


@dataclass(frozen=True, slots=True)
class Score:
    """How a quiz went: how many were asked, how many were right at once, whether it was ended."""

    asked: int
    right: int
    finished: bool


def main(lesson: Lesson, settings: Settings, seed: int) -> int:
    """Ask the questions of a lesson at standard input; 0 when all were gone through, else 1.

    Raises `UsageError` for a lesson without questions.
    """
    values = lesson.values(seed)
    if not questions(lesson, values):
        raise UsageError(f"the lesson {lesson.id} has no questions", next="Play it without --quiz.")
    score = run(lesson, values, typed(sys.stdin), sys.stdout, plain=settings.plain)
    return 0 if score.finished else 1


def typed(source: TextIO) -> Iterator[str]:
    """Yield what is typed, line by line, with a prompt where somebody sits at a terminal."""
    prompt = PROMPT if source.isatty() else ""
    while True:
        if prompt:
            print(prompt, end="", flush=True)
        line = source.readline()
        if not line:
            return
        yield line.strip()


def questions(lesson: Lesson, values: Mapping[str, str]) -> list[tuple[Step, Ask]]:
    """Return the questions that can be asked without a session, with their steps."""
    return [
        (step, ask)
        for step in lesson.steps
        for ask in step.asks
        if not ask.words and _stands_alone(ask, values)
    ]


def _stands_alone(ask: Ask, values: Mapping[str, str]) -> bool:
    try:
        for text in (*ask.question, *(answer.text for answer in ask.answers)):
            fill(text, values)
    except TemplateError:
        return False
    return True


def run(
    lesson: Lesson,
    values: Mapping[str, str],
    answers: Iterator[str],
    out: TextIO,
    *,
    plain: bool = False,
) -> Score:
    """Ask until each question was answered or skipped, or no more answers come."""

    def tell(rows: Iterable[Row]) -> None:
        for text in spoken(rows):
            print(visible(text, ascii_only=plain), file=out, flush=True)

    chosen = questions(lesson, values)
    tell([Row(f"Lesson: {lesson.title}. Questions only: {len(chosen)}."), Row(f"Note: {COMMANDS}")])
    right = 0
    for number, (step, ask) in enumerate(chosen, 1):
        tell([Row(f"Step {number} of {len(chosen)}: {filled(step.title, values)}")])
        outcome = _ask(ask, values, answers, tell)
        if outcome is None:
            tell([Row(f"Note: You left. Right at once: {right} of {number - 1}.")])
            return Score(number - 1, right, finished=False)
        right += outcome
    tell([Row(f"Done. Right at once: {right} of {len(chosen)}.")])
    return Score(len(chosen), right, finished=True)


def _ask(ask: Ask, values: Mapping[str, str], answers: Iterator[str], tell: Tell) -> bool | None:
    """Return whether the first answer was right; None where the learner left."""
    tell(question_rows(ask, values))
    first = True
    for text in answers:
        match text.split(" ")[0]:
            case "":
                continue
            case "/quit":
                return None
            case "/again":
                tell(question_rows(ask, values))
                continue
            case "/show":
                tell([Row(f"Answer: {solution(ask, values)}")])
                first = False
                continue
            case "/skip":
                tell([Row(f"Skipped. The answer is: {solution(ask, values)}")])
                return False
            case word if word.startswith("/"):
                tell([Row(f"Note: A quiz has no {word}. {COMMANDS}")])
                continue
        graded = grade(ask, text, values)
        if graded.right:
            tell([Row(f"Correct. {graded.says}".rstrip())])
            return first
        tell([Row(f"Not yet. {graded.says}")])
        first = False
    return None
