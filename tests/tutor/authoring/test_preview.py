"""`lesson preview`: what a learner meets, and playing from a step on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from smtpshell.protocol.errors import SmtpshellError
from smtpshell.tutor.authoring.preview import arrival, step_lines
from smtpshell.tutor.library import lesson_paths, load, name_of
from smtpshell.tutor.plainly import ROLES
from smtpshell.tutor.reader import read_file
from tests.conversation.running import Run, smtpshell
from tests.tutor.making import FIRST, made, wire

STEP = wire(
    *("S: 220 *", "C: HELO client.example", "S: 250 *", "C| EHLO client.example", "S: 250-*"),
    *("S: ...", "@clock +6m", "$ status", "C~ NOOP", "S: <closed>"),
    more="Text of {{me}}.\n\n```hint\n1. A.\n```\n\n```feedback\nC X* : No X.\n```\n"
    "\n```check\nsession.helo exists -- Greet.\n```\n\n```hint\n1. B.\n```\n"
    "\n```ask q\nWhich?\n( ) a : A word.\n(x) b\n```\n\n```teacher\nNote.\n```\n",
)


def preview(*words: str, **options: Any) -> Run:
    """Run `lesson preview`."""
    return smtpshell("lesson", "preview", *words, **options)


def test_all_that_a_learner_may_meet_is_shown() -> None:
    """Texts, what is wanted and other ways, hints in one ladder, feedback, checks, questions."""
    lesson = made(STEP, var_me="ann@client.example")
    shown = list(step_lines(lesson.steps[0], lesson.values(0)))
    assert shown == [
        "S: 220 *",
        "C: HELO client.example",
        "S: 250 *",
        "Note: another way is EHLO client.example",
        "Note: the lesson does @clock +6m",
        "Note: wanted is the command /status",
        "C: NOOP (or anything that the server answers so)",
        "S: <closed>",
        "Text: Text of ann@client.example.",
        "Hint 1 of 2: A.",
        "Note: to C: X* it says: Not yet. No X.",
        "Note: it checks that session.helo exists. Else it says: Not yet. Greet.",
        "Hint 2 of 2: B.",
        "Question: Which?",
        "Choice 1: a",
        "Choice 2: b",
        "Note: Answer by typing the number.",
        "Answer: 2",
        "Note: to a it says: A word.",
    ]
    more = list(step_lines(lesson.steps[0], lesson.values(0), teacher=True))
    assert more == [*shown, "Teacher: Note."]


@pytest.mark.parametrize("path", lesson_paths(), ids=name_of)
def test_every_line_begins_with_its_role(path) -> None:
    """Whoever listens to a preview knows what each line is."""
    lesson = read_file(path)
    for step in lesson.steps:
        for line in step_lines(step, lesson.values(0), teacher=True):
            assert line.startswith((*ROLES, "Teacher:")), line


def test_one_step_or_all_as_lines_and_as_json() -> None:
    """The notes for teachers are shown to nobody who did not ask."""
    whole = preview(FIRST)
    assert whole.status == 0
    assert [line for line in whole.lines if line.startswith("Step ")][1] == (
        "Step 2 of 5: Say who you are"
    )
    assert "Teacher:" not in whole.out
    assert "Common slip" in preview(FIRST, "--step", "hello", "--teacher").out
    (facts,) = preview(FIRST, "--step", "hello", "--json").objects
    assert (facts["step"], facts["number"]) == ("hello", 2)
    assert "C: HELO client.example" in facts["lines"]


def test_playing_begins_at_a_step_with_the_world_as_it_is_there(tmp_path) -> None:
    """All before it is done as the solution does it; what is played is not kept."""
    env = {"XDG_STATE_HOME": str(tmp_path)}
    lines = "DATA\nSubject: x\n\nHello.\n.\n2\nQUIT\n2\n"
    run = preview(FIRST, "--step", "letter", "--play", stdin=lines, env=env)
    assert run.status == 0, run.out
    assert "Step 4 of 5: Write the letter" in run.lines
    assert "HELO" not in "".join(run.wire)
    assert any(line.startswith("Done.") for line in run.lines[-2:])
    assert not list(tmp_path.rglob("*.jsonl"))
    first = preview(FIRST, "--step", "greeting", "--play", stdin="220\n")
    assert "Step 1 of 5: The server speaks first" in first.out


@pytest.mark.parametrize("path", lesson_paths(), ids=name_of)
def test_every_last_step_can_be_reached(path) -> None:
    """Logins, TLS, clocks and other worlds are no hindrance."""
    lesson = read_file(path)
    state = asyncio.run(arrival(lesson, lesson.steps[-1].id))
    assert state.place is not None
    assert state.place.step == lesson.steps[-1].id


def test_a_step_that_the_solution_does_not_reach_is_told() -> None:
    """The place in the file is named; steps before it can be previewed all the same."""
    body = wire("S: 220 *", "C: NOOP", "S: 550 *") + wire("C: QUIT", "S: 221 *", step="end")
    with pytest.raises(SmtpshellError, match="own solution fails") as caught:
        asyncio.run(arrival(made(body), "end"))
    assert (caught.value.where, caught.value.status) == ("made.md:15", 1)
    assert not asyncio.run(arrival(made(body), "one")).begun


def test_misuse() -> None:
    """An unknown step is 2, with the known ones; text and play exclude each other."""
    run = preview(FIRST, "--step", "nowhere")
    assert (run.status, "greeting, hello, envelope" in run.err) == (2, True)
    assert preview(FIRST, "--play", "--text").status == 2
    assert load(FIRST).id == FIRST
