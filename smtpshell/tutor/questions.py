"""Questions of a lesson, answered by typing: a word, a number, or the number of a choice."""

from __future__ import annotations

from collections.abc import Mapping

from smtpshell.conversation.report import Row
from smtpshell.practice.globs import matches_glob
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.lesson import Answer, Ask
from smtpshell.tutor.plainly import filled

OWN_WORDS = "(in my own words)"
"""What stands for the answer to an open question where nobody is there to write one."""


@dataclass(frozen=True, slots=True)
class Graded:
    """Whether an answer is right (None: nobody but a teacher can tell), and what to say to it."""

    right: bool | None
    says: str


def question_rows(ask: Ask, values: Mapping[str, str]) -> list[Row]:
    """Return a question as rows: the question itself, then its choices, numbered."""
    rows = [Row(""), Row(f"Question: {filled(' '.join(ask.question), values)}", "title")]
    choices = choices_of(ask)
    for number, choice in enumerate(choices, 1):
        rows.append(Row(f"Choice {number}: {filled(choice.text, values)}"))
    if choices:
        several = sum(choice.kind == "x" for choice in choices) > 1
        how = "all the right numbers, with commas" if several else "the number"
        rows.append(Row(f"Note: Answer by typing {how}.", "dim"))
    elif ask.words:
        rows.append(Row(f"Note: Answer in about {ask.words} words, on one line.", "dim"))
    return rows


def choices_of(ask: Ask) -> tuple[Answer, ...]:
    """Return the choices of a question, none where it wants words."""
    return tuple(answer for answer in ask.answers if answer.kind in "x ")


def solution(ask: Ask, values: Mapping[str, str]) -> str:
    """Return what to type for a right answer, which an open question leaves to the learner."""
    if ask.words:
        return OWN_WORDS
    choices = choices_of(ask)
    if choices:
        return ", ".join(
            str(number) for number, choice in enumerate(choices, 1) if choice.kind == "x"
        )
    return next((filled(each.text, values) for each in ask.answers if each.kind == "="), "")


def grade(ask: Ask, text: str, values: Mapping[str, str]) -> Graded:
    """Grade an answer."""
    if choices := choices_of(ask):
        return _grade_choice(choices, text, values)
    if ask.words:
        count = len(text.split())
        more = "" if count >= ask.words // 2 else f" You may use {ask.words} words."
        return Graded(None, f"Your answer is kept for your teacher.{more}")
    for answer in ask.answers:
        wanted = filled(answer.text, values)
        if answer.kind == "=" and _folded(wanted) == _folded(text):
            return Graded(True, "")
    for answer in ask.answers:
        wanted = _folded(filled(answer.text, values))
        if answer.kind == "!" and matches_glob(wanted, _folded(text)):
            return Graded(False, filled(answer.says, values))
    return Graded(False, "That is not it.")


def _grade_choice(choices: tuple[Answer, ...], text: str, values: Mapping[str, str]) -> Graded:
    chosen = _chosen(choices, text, values)
    if chosen is None:
        return Graded(False, f"Type a number from 1 to {len(choices)}.")
    right = {number for number, choice in enumerate(choices, 1) if choice.kind == "x"}
    if chosen == right:
        return Graded(True, " ".join(filled(choices[each - 1].says, values) for each in right))
    wrong = sorted(chosen - right)
    if wrong:
        says = filled(choices[wrong[0] - 1].says, values)
        return Graded(False, says or f"Choice {wrong[0]} is wrong.")
    missing = len(right - chosen)
    return Graded(False, f"{missing} more {'is' if missing == 1 else 'are'} right too.")


def by_numbers(ask: Ask, text: str, values: Mapping[str, str]) -> str:
    """Return an answer as it is kept: choices by their numbers, which are those of any language."""
    chosen = _chosen(choices_of(ask), text, values) if ask.is_choice else None
    return ", ".join(map(str, sorted(chosen))) if chosen else text


def _chosen(choices: tuple[Answer, ...], text: str, values: Mapping[str, str]) -> set[int] | None:
    words = text.replace(",", " ").split()
    if words and all(word.isdecimal() for word in words):
        numbers = {int(word) for word in words}
        return numbers if numbers <= set(range(1, len(choices) + 1)) else None
    same = {
        number
        for number, choice in enumerate(choices, 1)
        if _folded(filled(choice.text, values)) == _folded(text)
    }
    return same or None


def _folded(text: str) -> str:
    words = " ".join(text.casefold().split())
    try:
        return f"{float(words):g}"
    except ValueError:
        return words
