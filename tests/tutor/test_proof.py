"""`lesson check`: good lessons pass, and each way to be a bad one is found."""

from __future__ import annotations

import asyncio

import pytest

from smtpshell.tutor.library import lesson_paths, name_of
from smtpshell.tutor.performance import Problem
from smtpshell.tutor.proof import prove
from smtpshell.tutor.reader import read_file, read_lesson
from tests.tutor.making import lesson_text, wire

HINT = "```hint\n1. A word of four letters.\n```\n"
NOTE = "```teacher\nA note.\n```\n"
LINES = ("S: 220 *", "C: HELO client.example", "S: 250 mail.practice.example*")


def problems(text: str, path: str = "made.md", **others: str) -> list[Problem]:
    """Prove a lesson given as text."""
    lesson = read_lesson(text, path)
    beside = {name: read_lesson(other, name) for name, other in others.items()}
    return asyncio.run(prove(lesson, text, {lesson.id: lesson, **beside}))


def found(words: str, *lines: str, more: str = "", **front: str) -> bool:
    """Prove a lesson with one step; tell whether a problem with these words is found."""
    text = lesson_text(wire(*LINES, *lines, more=HINT + NOTE + more), **front)
    return any(words in problem.text for problem in problems(text))


@pytest.mark.parametrize("path", lesson_paths(), ids=name_of)
def test_every_shipped_lesson_is_proven(path) -> None:
    """What ships works, keeps to the style, and lets no mutant pass."""
    lesson = read_file(path)
    others = {other.id: other for other in map(read_file, lesson_paths())}
    text = path.read_text(encoding="utf-8")
    assert asyncio.run(prove(lesson, text, others)) == []


def test_a_small_lesson_without_fault_has_no_problems() -> None:
    """The checks find nothing where nothing is wrong."""
    assert problems(lesson_text(wire(*LINES, more=HINT + NOTE))) == []


def test_mutants_that_pass_are_found() -> None:
    """A line that NOOP does as well proves nothing; a check makes it prove something."""
    assert found("'RSET' passes when it is replaced by NOOP", "C: RSET", "S: 250 *")
    strict = "```check\nsession.verbs includes RSET\n```\n"
    assert not found("passes when it is", "C: RSET", "S: 250 *", more=strict)


def test_a_free_line_must_be_held_by_its_reply() -> None:
    """Samples are exempt from mutation: whatever makes the server say 503 is right."""
    assert not found("passes", "C~ RCPT TO:<bob@practice.example>", "S: 503 *")


def test_an_open_question_holds_nobody_up() -> None:
    """Whoever solves a lesson writes something of their own, and goes on."""
    ask = "```ask why\nWhy so?\n~ 40 words\n```\n\n```smtp\nC: QUIT\nS: 221 *\n```\n"
    assert problems(lesson_text(wire(*LINES, more=HINT + NOTE + ask))) == []


def test_a_solution_that_fails_is_found_first() -> None:
    """Nothing else is tried with a lesson whose own solution does not work."""
    text = lesson_text(wire(*LINES, "C: NOOP", "S: 550 *", more=HINT + NOTE))
    assert [problem.line for problem in problems(text)] == [17]


def test_a_wrong_branch_is_found() -> None:
    """Every alternative has to work, also those that nobody takes."""
    branch = ("C| HELO", "S: 250 *")
    assert found("with the alternative", *branch)


def test_a_check_that_does_not_hold_is_found() -> None:
    """A condition that the canonical solution does not meet is the author's mistake."""
    assert found("does not hold", more="```check\nsession.helo == other.example\n```\n")


def test_a_step_that_is_always_skipped_is_found() -> None:
    """What needs a keyword that the lesson's own server lacks would never be proven."""
    assert found("does not offer X-MAGIC here", "@needs X-MAGIC", "C: NOOP", "S: 250 *")


def test_feedback_that_is_never_said_is_found() -> None:
    """A rule for a line that is right, or behind another rule, is dead."""
    assert found("nothing in the step", more="```feedback\nC HELO client.example : no\n```\n")
    assert found("'HELO x'", more="```feedback\nC HELO* : first\nC HELO x : never\n```\n")
    assert not found("nothing in the step", more="```feedback\nC HELO : name it\n```\n")


def test_wrong_answers_must_get_their_own_words() -> None:
    """A foreseen wrong answer that an earlier rule takes is found, and so is one that is right."""
    early = "```ask q\nWhich?\n= 220\n! 2* : family\n! 250 : exact\n```\n"
    assert found("'250' does not get its words", more=early)
    assert found("'220' does not get", more="```ask q\nWhich?\n= 220\n! 220 : no\n```\n")
    assert found("gets no words", more="```ask q\nWhich?\n( ) a\n(x) b\n```\n")


def test_hints_must_not_give_the_answer_at_once() -> None:
    """The first hint does not hold the answer; no two are equal, and each is the longer one."""
    leak = "```hint\n1. Type `HELO client.example` now.\n```\n"
    text = lesson_text(wire(*LINES, more=leak + NOTE))
    assert any("gives 'HELO client.example' away" in each.text for each in problems(text))
    assert found("two hints are the same", more="```hint\n1. Same.\n2. Same.\n```\n")
    shrinking = "```hint\n1. A long first hint, with many words.\n2. No.\n```\n"
    text = lesson_text(wire(*LINES, more=shrinking + NOTE))
    assert any("hint 2 is not longer" in each.text for each in problems(text))


def test_style_is_checked() -> None:
    """Hints, notes, columns, reserved names, colours and long sentences."""
    bare = problems(lesson_text(wire(*LINES)))
    assert {"no hint" in each.text or "teacher" in each.text for each in bare} == {True}
    assert len(bare) == 2
    long = "word " * 25
    cases = {
        "72 are allowed": "x" * 73,
        "20 are plain": "\n".join((long[:60], long[:60] + ".")),
        "not reserved": "Write to someone@gmail.com.",
        "192.168.1.1 is not": "Connect to 192.168.1.1 now.",
        "a colour alone": "Look at the red line.",
        "'Not yet.' is said": "```feedback\nC X : Not yet. No.\n```",
        "a tab stands": "a\tb",
    }
    for words, prose in cases.items():
        text = lesson_text(wire(*LINES, more=HINT + NOTE + prose))
        assert any(words in each.text for each in problems(text)), words


def test_needs_must_exist_and_lead_nowhere_in_a_circle() -> None:
    """Lessons that need each other can never be begun."""
    assert found("no such lesson", needs="nothing")
    body = wire(*LINES, more=HINT + NOTE)
    one = lesson_text(body, id="one", needs="two")
    two = lesson_text(body, id="two", needs="one")
    assert any("needs itself" in each.text for each in problems(one, two=two))


def test_every_variant_is_tried() -> None:
    """A value of `vary` that does not work is found, whichever seed has it."""
    lines = (
        "C: MAIL FROM:<ann@client.example>",
        "S: 250 *",
        "C: RCPT TO:<{{to}}>",
        "S: 250 *",
    )
    good = {"vary_to": "bob@practice.example, carol@practice.example"}
    assert not found("with seed", *lines, **good)
    assert found("with seed", *lines, vary_to="bob@practice.example, nobody@practice.example")


def test_translations_keep_the_wire(tmp_path) -> None:
    """A translation may change every word but those that go over the wire."""
    text = lesson_text(wire(*LINES, more=HINT + NOTE))
    path = tmp_path / "01-made.md"
    path.write_text(text, encoding="utf-8")
    other = tmp_path / "01-made.de.md"
    german = text.replace("minutes: 1", "lang: de").replace("A note.", "Eine Notiz.")
    other.write_text(german, encoding="utf-8")
    assert problems(text, str(path)) == []
    other.write_text(german.replace("client.example", "kunde.example"), encoding="utf-8")
    (problem,) = problems(text, str(path))
    assert f"{other}:12: the wire block is not that of line 12" in problem.text
    other.write_text(german.replace("{#one}", "{#eins}"), encoding="utf-8")
    assert f"{other}:10: the step is not that" in problems(text, str(path))[0].text
    other.write_text(text.replace("A note.", "Eine Notiz."), encoding="utf-8")
    assert "lang is 'en', and the file's name says 'de'" in problems(text, str(path))[0].text
