"""The questions of a lesson without the lesson: what is asked, what counts, how to leave."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable

import pytest

from smtpshell.conversation.report import Row
from smtpshell.conversation.settings import Settings
from smtpshell.protocol.errors import UsageError
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.library import load
from smtpshell.tutor.quiz import QuizGuest, Score, questions, run
from tests.conversation.running import smtpshell
from tests.tutor.making import FIRST, lesson_text, made, wire

ASKS = """\
```ask one
What is {{word}} in base64?
= {{b64(word)}}
! {{word}} : That is the plain word.
```

```ask id
Under which id was it queued? It is {{qid}}.
= {{qid}}
```

```ask own
Tell it in your own words.
~ 20 words
```

```ask two
Which codes are good news?
(x) 250
( ) 550 : That is a refusal.
(x) 354
```
"""


def asked(lesson: Lesson, *answers: str) -> tuple[Score, list[str]]:
    """Answer the quiz of a lesson; return the score and the lines that were said."""
    out = io.StringIO()
    score = run(lesson, lesson.values(0), iter(answers), out, plain=True)
    return score, out.getvalue().splitlines()


@pytest.fixture
def lesson() -> Lesson:
    """Return a lesson with a question of each kind."""
    return made(wire("S: 220 *", step="start", more=ASKS), var_word="alice")


def test_questions_that_need_the_session_or_a_teacher_are_left_out(lesson) -> None:
    """What only a capture could answer, and what nobody here can judge, is not asked."""
    assert [ask.id for _, ask in questions(lesson, lesson.values(0))] == ["one", "two"]


def test_only_what_was_right_at_once_counts(lesson) -> None:
    """A wrong answer gets its own words and another try, and is not counted any more."""
    score, said = asked(lesson, "alice", "YWxpY2U=", "1, 3")
    assert score == Score(2, 1, finished=True)
    assert "Not yet. That is the plain word." in said
    assert said[-1] == "Done. Right at once: 1 of 2."


def test_help_is_given_and_never_counted(lesson) -> None:
    """/show and /skip tell the answer; /again repeats; other commands have no place here."""
    score, said = asked(lesson, "/again", "/hint", "/show", "YWxpY2U=", "/skip")
    assert score == Score(2, 0, finished=True)
    assert said.count("Question: What is alice in base64?") == 2
    assert "Answer: YWxpY2U=" in said
    assert "Skipped. The answer is: 1, 3" in said
    assert any(line.startswith("Note: A quiz has no /hint.") for line in said)


@pytest.mark.parametrize("answers", [("YWxpY2U=", "/quit"), ("YWxpY2U=",)])
def test_leaving_ends_it_with_what_was_right(lesson, answers) -> None:
    """/quit and the end of the input leave; what was answered is told."""
    score, said = asked(lesson, *answers)
    assert score == Score(1, 1, finished=False)
    assert said[-1] == "Note: You left. Right at once: 1 of 1."


def test_lines_are_broken_between_words_where_there_is_a_window(lesson) -> None:
    """A terminal would break them anywhere; without a window they stay whole."""
    wide, narrow = io.StringIO(), io.StringIO()
    run(lesson, lesson.values(0), iter(()), wide)
    run(lesson, lesson.values(0), iter(()), narrow, width=30)
    assert max(map(len, narrow.getvalue().splitlines())) <= 30
    assert narrow.getvalue().split() == wide.getvalue().split()


def test_the_command_line_asks_and_keeps_no_progress(tmp_path) -> None:
    """`lesson NAME --quiz` sends nothing, keeps nothing, and ends with status 0 at its end."""
    env = {"XDG_STATE_HOME": str(tmp_path)}
    first = load(FIRST)
    skips = "/skip\n" * len(questions(first, first.values(0)))
    done = smtpshell("lesson", FIRST, "--quiz", stdin=skips, env=env)
    assert (done.status, done.wire) == (0, [])
    assert not list(tmp_path.iterdir())
    assert smtpshell("lesson", FIRST, "--quiz", env=env).status == 1


def test_a_lesson_without_questions_has_no_quiz(tmp_path) -> None:
    """That is told, with what to do instead."""
    path = tmp_path / "none.md"
    path.write_text(lesson_text(wire("S: 220 *")), encoding="utf-8")
    run = smtpshell("lesson", str(path), "--quiz")
    assert run.status == 2
    assert "has no questions" in run.err


class Room:
    """A host that keeps what it is shown."""

    interactive = True

    def __init__(self) -> None:
        self.settings = Settings()
        self.shown: list[str] = []

    def show(self, report: Iterable[Row], facts: object = None) -> None:
        """Keep what is shown."""
        self.shown += [row.text for row in report]


def test_a_quiz_is_asked_beside_the_shell(lesson) -> None:
    """Its guest keeps answers and its own commands, and sends nothing; then it keeps nothing."""
    room, guest = Room(), QuizGuest(lesson, 0)

    async def sit() -> None:
        await guest.start(room)  # type: ignore[arg-type] # as much of a host as is needed
        assert guest.asking == "answer"
        assert guest.prompt_prefix == "question 1 of 2"
        assert set(guest.commands) == {"again", "show", "skip"}
        for line in ("alice", "/again", "YWxpY2U=", "1, 3"):
            assert await guest.before_line(line)
        assert not await guest.before_line("NOOP")

    asyncio.run(sit())
    assert room.shown[-1] == "Done. Right at once: 1 of 2."
    assert (guest.asking, guest.prompt_prefix, dict(guest.commands)) == ("", "", {})


def test_a_guest_without_questions_is_refused() -> None:
    """A lesson that asks nothing has no quiz, and says how to play it."""
    with pytest.raises(UsageError, match="has no questions"):
        QuizGuest(made(wire("S: 220 *", "C: QUIT", "S: 221 *")), 0)
