"""What makes a lesson that lesson, whatever language it is told in and however well.

The essence of a lesson is all that decides how it is played and graded: its world and variables,
its steps and their blocks in order, what goes over the wire, what is checked, which answers are
right. Words for people are none of it. So a translation has the essence of its lesson, a mended
sentence throws nobody back to the start, and a class may play in several languages and be graded
together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import zip_longest

from smtpshell.protocol.values import dataclass
from smtpshell.tutor.lesson import (
    Ask,
    Block,
    Check,
    Condition,
    Feedback,
    Hint,
    Lesson,
    Prose,
    Smtp,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an essence: what it is, in words, its content, and its line in the file."""

    what: str
    content: str
    line: int


def essence(lesson: Lesson) -> Iterator[Part]:
    """Yield the parts of a lesson's essence in the order of its file."""
    for name in ("id", "scenario", "scope", "replay", "score"):
        yield Part(f"the {name}", getattr(lesson, name), 1)
    for name, value in sorted(lesson.variables.items()):
        yield Part(f"the variable {name}", value, 1)
    for name, values in sorted(lesson.variants.items()):
        yield Part(f"the variants {name}", ", ".join(values), 1)
    yield Part("the deal", ", ".join(lesson.deal), 1)
    for step in lesson.steps:
        yield Part("the step", step.id, step.line)
        for block in step.blocks:
            yield from _block(block)


def _block(block: Block) -> Iterator[Part]:
    match block:
        case Prose():
            yield Part("the text", "", block.line)
        case Smtp():
            yield Part("the wire block", block.text, block.line)
        case Hint():
            yield Part("the number of hints", str(len(block.texts)), block.line)
        case Feedback():
            for rule in block.rules:
                yield Part("the feedback", f"{rule.side} {rule.glob}", rule.line)
        case Check():
            for condition in block.conditions:
                yield Part("the check", _condition(condition), condition.line)
        case Ask():
            yield Part("the question", f"{block.id} {block.words}", block.line)
            for answer in block.answers:
                content = answer.text if answer.kind in "=!" else ""
                yield Part("the answer", f"{answer.kind} {content}", answer.line)
        case _:
            yield Part("the teacher's note", "", block.line)


def _condition(condition: Condition) -> str:
    negation = "not " if condition.negated else ""
    words = (condition.subject, condition.argument, negation + condition.operator)
    return " ".join((*words, condition.operand))


def digest_of(lesson: Lesson) -> str:
    """Return a digest of a lesson's essence, in hexadecimal digits."""
    text = "".join(f"{part.what}\n{part.content}\n\n" for part in essence(lesson))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def first_difference(lesson: Lesson, other: Lesson) -> tuple[int, str] | None:
    """Return where another lesson departs from this one, its line and what is there, or None."""
    line = 1
    for wanted, found in zip_longest(essence(lesson), essence(other)):
        if found is None:
            return line, f"{wanted.what} of line {wanted.line} is missing"
        line = found.line
        if wanted is None:
            return line, f"{found.what} stands there, and the lesson is over"
        if wanted.what != found.what:
            return line, f"{found.what} stands where {wanted.what} of line {wanted.line} belongs"
        if wanted.content != found.content:
            return line, f"{found.what} is not that of line {wanted.line}; it must be equal"
    return None
