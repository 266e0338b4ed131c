"""The quiz of a lesson: its questions and nothing else, for a class that has played it.

No server is there and no progress is kept. A question that asks for what this learner's own session
showed (a queue id, say) cannot be asked without the session and is left out; so are open ones,
which nobody here could judge. The quiz counts what was right at the first try.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, TextIO

from smtpshell.conversation import local
from smtpshell.conversation.folding import folded
from smtpshell.conversation.guest import GuestCommand
from smtpshell.conversation.options import window_width
from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.functions import TemplateError, fill
from smtpshell.tutor.plainly import filled, shown, spoken
from smtpshell.tutor.questions import grade, question_rows, solution

if TYPE_CHECKING:
    from smtpshell.conversation.guest import Host
    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.events import Event
    from smtpshell.tutor.lesson import Ask, Lesson, Step

Tell = Callable[[Iterable[Row]], None]

PROMPT = "answer> "
COMMANDS = "/again, /show and /skip help."


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
        raise without_questions(lesson)
    plain = settings.plain or not sys.stdout.isatty()
    width = 0 if plain else window_width()
    score = run(lesson.form(seed), values, typed(sys.stdin), sys.stdout, plain=plain, width=width)
    return 0 if score.finished else 1


def without_questions(lesson: Lesson) -> UsageError:
    """Return what is said of a lesson that has nothing to ask."""
    return UsageError(f"the lesson {lesson.id} has no questions", next="Play it without --quiz.")


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


class Quiz:
    """The questions of one lesson, asked one after the other of whoever calls `take`."""

    def __init__(self, lesson: Lesson, values: Mapping[str, str], tell: Tell) -> None:
        self._values = values
        self._tell = tell
        self._chosen = questions(lesson, values)
        self._title = lesson.title
        self._number = 0
        self._right = 0
        self._first = True
        self.over = False

    @property
    def score(self) -> Score:
        """How it went so far."""
        asked = min(self._number, len(self._chosen))
        return Score(asked, self._right, finished=self._number >= len(self._chosen))

    @property
    def place(self) -> str:
        """Which question is asked."""
        return "" if self.over else f"question {self._number + 1} of {len(self._chosen)}"

    def begin(self, leaving: str = "/quit leaves.") -> None:
        """Tell what comes, and ask the first question."""
        title = f"Lesson: {self._title}. Questions only: {len(self._chosen)}."
        self._tell([Row(title, "title"), Row(f"Note: {COMMANDS} {leaving}", "dim")])
        self._ask(title=True)

    def take(self, text: str) -> None:
        """Take an answer or a command."""
        word = text.split(" ")[0]
        if not text:
            return
        if word in _COMMANDS:
            _COMMANDS[word](self)
        elif word.startswith("/"):
            self._tell([Row(f"Note: A quiz has no {word}. {COMMANDS}", "dim")])
        else:
            self._judge(text)

    def leave(self) -> None:
        """End it here."""
        if not self.over:
            self.over = True
            self._tell([Row(f"Note: You left. Right at once: {self._right} of {self._number}.")])

    def repeat(self) -> None:
        """Ask the question again."""
        self._ask()

    def show(self) -> None:
        """Show the answer, which then counts no more."""
        self._first = False
        self._tell([Row(f"Answer: {self._solution()}", "code")])

    def skip(self) -> None:
        """Tell the answer and go on."""
        self._tell([Row(f"Skipped. The answer is: {self._solution()}", "warn")])
        self._next()

    def _solution(self) -> str:
        return solution(self._chosen[self._number][1], self._values)

    def _ask(self, *, title: bool = False) -> None:
        step, ask = self._chosen[self._number]
        head = f"Step {self._number + 1} of {len(self._chosen)}: {filled(step.title, self._values)}"
        rows = [Row(""), Row(head, "title")] if title else []
        self._tell([*rows, *question_rows(ask, self._values)])

    def _judge(self, text: str) -> None:
        graded = grade(self._chosen[self._number][1], text, self._values)
        if not graded.right:
            self._first = False
            self._tell([Row(f"Not yet. {graded.says}", "bad")])
            return
        self._right += self._first
        self._tell([Row(f"Correct. {graded.says}".rstrip(), "good")])
        self._next()

    def _next(self) -> None:
        self._number += 1
        self._first = True
        if self._number < len(self._chosen):
            self._ask(title=True)
            return
        self.over = True
        self._tell([Row(f"Done. Right at once: {self._right} of {len(self._chosen)}.", "good")])


_COMMANDS: dict[str, Callable[[Quiz], None]] = {
    "/again": Quiz.repeat,
    "/show": Quiz.show,
    "/skip": Quiz.skip,
    "/quit": Quiz.leave,
}


def run(
    lesson: Lesson,
    values: Mapping[str, str],
    answers: Iterator[str],
    out: TextIO,
    *,
    plain: bool = False,
    width: int = 0,
) -> Score:
    """Ask until each question was answered or skipped, or no more answers come.

    Lines are folded between words to a `width` in columns, unless that is 0.
    """

    def tell(rows: Iterable[Row]) -> None:
        for text in spoken(rows):
            line = visible(text, ascii_only=plain)
            for piece in folded(line, width, 0) if width else [line]:
                print(piece, file=out, flush=True)

    quiz = Quiz(lesson, values, tell)
    quiz.begin()
    while not quiz.over:
        text = next(answers, None)
        if text is None:
            quiz.leave()
        else:
            quiz.take(text.strip())
    return quiz.score


class QuizGuest:
    """Asks a lesson's questions beside the user of the ordinary shell."""

    silent = False

    def __init__(self, lesson: Lesson, seed: int) -> None:
        self._lesson = lesson.form(seed)
        self._values = lesson.values(seed)
        self._quiz: Quiz | None = None
        self._host: Host | None = None
        if not questions(self._lesson, self._values):
            raise without_questions(lesson)

    @property
    def commands(self) -> Mapping[str, GuestCommand]:
        """What a quiz has of the lesson's own commands."""
        if self._quiz is None or self._quiz.over:
            return {}
        return {
            word[1:]: GuestCommand(word[1:], "", summary, partial(self._run, word))
            for word, summary in _SUMMARIES.items()
        }

    @property
    def prompt_prefix(self) -> str:
        """Which question is asked."""
        return self._quiz.place if self._quiz is not None else ""

    @property
    def asking(self) -> str:
        """The prompt of a question."""
        return "answer" if self._quiz is not None and not self._quiz.over else ""

    async def start(self, host: Host) -> None:
        """Ask the first question."""

        def tell(rows: Iterable[Row]) -> None:
            host.show(shown(rows, plain=host.settings.plain))

        self._host = host
        self._quiz = Quiz(self._lesson, self._values, tell)
        self._quiz.begin("/lesson leave ends it.")

    async def before_line(self, line: str) -> bool:
        """Keep answers, and local commands while a question is open."""
        if self._host is None or self._quiz is None or self._quiz.over:
            return False
        if local.is_local(line) and line.split(" ")[0] not in _SUMMARIES:
            await local.run(self._host, line)
        else:
            self._quiz.take(line.strip())
        return True

    async def after_line(self, line: str) -> None:
        """Do nothing: what goes over the wire is no answer."""

    def on_event(self, event: Event) -> None:
        """Do nothing, either."""

    async def end(self) -> None:
        """Go."""

    async def _run(self, word: str, _argument: str) -> None:
        if self._quiz is not None:
            self._quiz.take(word)


_SUMMARIES = {
    "/again": "ask the question again",
    "/show": "show the answer; it counts no more",
    "/skip": "show the answer and go on",
}
