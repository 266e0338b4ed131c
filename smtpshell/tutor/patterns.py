r"""Patterns of replies: literal text, `*` for any text, `\*` for a star, `{{name}}` for a word.

A name that has a value already must be met again; one that has none takes the word that stands
there, and is known from then on. The text of a reply is for people and servers differ in it, so a
pattern says as much as matters: `250 2.1.0*`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from smtpshell.protocol.replies import Reply
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass, field
from smtpshell.tutor.functions import NAME
from smtpshell.tutor.lesson import Expected

_PART = re.compile(rf"\\\*|\*+|\{{\{{({NAME})\}}\}}")

HELLOS = ("EHLO", "LHLO")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return a regular expression with one group for each name, and the names in that order."""
    names: list[str] = []
    expression = ""
    at = 0
    for part in _PART.finditer(pattern):
        expression += re.escape(pattern[at : part.start()])
        if part[1] and part[1] in names:
            expression += f"\\{names.index(part[1]) + 1}"
        elif part[1]:
            names.append(part[1])
            expression += r"(\S+?)"
        else:
            expression += r"\*" if part[0] == r"\*" else ".*?"
        at = part.end()
    expression += re.escape(pattern[at:])
    return re.compile(expression, re.DOTALL), tuple(names)


def pieces_of(pattern: str) -> list[tuple[str, str]]:
    r"""Return a pattern in pieces: ("text", literal text), ("any", "*") and ("name", a name).

    A star that stands for itself is text, and comes without its backslash.

    >>> pieces_of(r"2.0.0 \* {{id}}*")
    [('text', '2.0.0 * '), ('name', 'id'), ('any', '*')]
    """
    pieces: list[tuple[str, str]] = []
    at = 0
    for part in (*_PART.finditer(pattern), None):
        text = pattern[at : part.start() if part else None]
        if part is not None and part[0] == r"\*":
            text += "*"
        if text and pieces and pieces[-1][0] == "text":
            pieces[-1] = ("text", pieces[-1][1] + text)
        elif text:
            pieces.append(("text", text))
        if part is None:
            break
        if part[0] != r"\*":
            pieces.append(("name", part[1]) if part[1] else ("any", "*"))
        at = part.end()
    return pieces


def literal(text: str) -> str:
    """Return the pattern that only this text fits."""
    return text.replace("*", r"\*")


def names_of(pattern: str) -> tuple[str, ...]:
    """Return the names that a pattern captures or compares."""
    return _compiled(pattern)[1]


def match_text(pattern: str, text: str, values: Mapping[str, str]) -> dict[str, str] | None:
    """Return the words that a pattern captures from a text; None when the text does not fit.

    >>> match_text("2.0.0 Ok: queued as {{id}}", "2.0.0 Ok: queued as 7F3A", {})
    {'id': '7F3A'}
    >>> match_text("2.1.5 *", "5.1.1 unknown", {}) is None
    True
    """
    known = _PART.sub(
        lambda part: literal(values[part[1]]) if part[1] in values else part[0], pattern
    )
    expression, names = _compiled(known)
    found = expression.fullmatch(text)
    return dict(zip(names, found.groups(), strict=True)) if found else None


@dataclass(frozen=True, slots=True)
class Match:
    """How a reply compares with what was expected; `problem` says in words what differs."""

    captures: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def __bool__(self) -> bool:
        return not self.problem


def match_reply(
    expected: Expected, reply: Reply, values: Mapping[str, str], verb: str = ""
) -> Match:
    """Compare a reply with what a lesson expects.

    The lines of a positive reply to EHLO after the first are a set; elsewhere lines are compared in
    order. An open expectation allows further lines.
    """
    if reply.code != expected.code:
        return Match(problem=f"the code is {reply.code or 'missing'}, not {expected.code}")
    captures: dict[str, str] = {}
    lines = list(reply.lines) or [""]
    unordered = is_a_set(reply, verb)
    for number, pattern in enumerate(expected.patterns):
        place = _find(pattern, lines, {**values, **captures}, anywhere=unordered and number > 0)
        if place is None:
            return Match(problem=_misfit(pattern, lines, number, unordered=unordered))
        index, words = place
        captures |= words
        del lines[index]
    if lines and not expected.open:
        return Match(problem=f"there is a line more: {visible(lines[0])!r}")
    return Match(captures)


def is_a_set(reply: Reply, verb: str) -> bool:
    """Tell whether the lines of a reply behind the first may come in any order."""
    return verb in HELLOS and reply.family == 2


def captured(expected: Expected, reply: Reply, values: Mapping[str, str]) -> dict[str, str]:
    """Return what can be captured line by line from a reply whose text is another one."""
    captures: dict[str, str] = {}
    for pattern, line in zip(expected.patterns, reply.lines, strict=False):
        captures |= match_text(pattern, line, {**values, **captures}) or {}
    return captures


def _find(
    pattern: str, lines: Sequence[str], values: Mapping[str, str], *, anywhere: bool
) -> tuple[int, dict[str, str]] | None:
    for index, line in enumerate(lines if anywhere else lines[:1]):
        words = match_text(pattern, line, values)
        if words is not None:
            return index, words
    return None


def _misfit(pattern: str, lines: Sequence[str], number: int, *, unordered: bool) -> str:
    if not lines:
        return f"the line {pattern!r} is missing"
    if unordered and number > 0:
        return f"no line of the reply is {pattern!r}"
    return f"the text is {visible(lines[0])!r}, not {pattern!r}"
