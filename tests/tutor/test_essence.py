"""The essence of a lesson: what is played and graded, and none of the words."""

from __future__ import annotations

import pytest

from smtpshell.tutor.essence import first_difference
from smtpshell.tutor.reader import read_lesson
from tests.tutor.making import lesson_text, wire

TEXT = lesson_text(
    wire(
        *("S: 220 *", "C: HELO client.example", "S: 250 *"),
        more="Text.\n\n```hint\n1. A.\n2. B.\n```\n\n```feedback\nC X* : No.\n```\n"
        "\n```check\nsession.helo exists -- Greet.\n```\n"
        "\n```ask q\nWhich?\n= 220\n! 2* : No.\n```\n\n```teacher\nNote.\n```\n",
    ),
    var_me="ann@client.example",
)

WORDS = (
    ("Text.", "Texte."),
    ("1. A.", "1. Z."),
    ("No.", "Non."),
    ("Greet.", "Salue."),
    ("Which?", "Lequel?"),
    ("Note.", "Remarque."),
    ("## One", "## Un"),
)

CHANGES = {
    ("scenario: plain", "scenario: size"): "the scenario",
    ("ann@client.example", "bob@client.example"): "the variable me",
    ("{#one}", "{#two}"): "the step",
    ("C: HELO", "C: EHLO"): "the wire block",
    ("2. B.\n", ""): "the number of hints",
    ("C X*", "C Y*"): "the feedback",
    ("session.helo exists", "session.tls exists"): "the check",
    ("```ask q", "```ask r"): "the question",
    ("= 220", "= 221"): "the answer",
    ("! 2*", "! 3*"): "the answer",
    ("```teacher\nNote.\n```\n", ""): "the teacher's note",
}


@pytest.mark.parametrize(("old", "new"), WORDS)
def test_words_are_not_of_the_essence(old: str, new: str) -> None:
    """Another sentence leaves the lesson, and its digest, what they are."""
    one, other = read_lesson(TEXT, "a"), read_lesson(TEXT.replace(old, new), "b")
    assert TEXT.replace(old, new) != TEXT
    assert first_difference(one, other) is None
    assert one.digest == other.digest


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_everything_else_is(old: str, new: str) -> None:
    """What is played, checked or right makes another lesson, and the difference is named."""
    one, other = read_lesson(TEXT, "a"), read_lesson(TEXT.replace(old, new), "b")
    difference = first_difference(one, other)
    assert difference is not None
    line, what = difference
    assert what.startswith(CHANGES[old, new])
    assert 1 <= line <= TEXT.count("\n")
    assert one.digest != other.digest
