"""New words for the replies of a lesson: literal text follows the server, patterns stay.

What an author wrote as a pattern says what does not matter, and that is worth more than any text.
So a line that is literal gets the server's words; in a line with captures one stretch of text may
change, if there is only one way to read the line so; and everything that cannot be done with
certainty is left to the author, with a reason. Codes, basic and enhanced, are what a lesson teaches
and are never changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from smtpshell.protocol.replies import Reply
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.lesson import Expected
from smtpshell.tutor.patterns import is_a_set, literal, match_text, pieces_of


@dataclass(frozen=True, slots=True)
class Rewording:
    """The patterns of a reply as they should be; `left` says which could not be made so, and why.

    `left` goes by the number of the pattern, from 0.
    """

    patterns: tuple[str, ...]
    left: Mapping[int, str]


class Unlike(Exception):
    """A reply that says something else, not the same in other words; the text says what."""


def reword(
    expected: Expected, reply: Reply, values: Mapping[str, str], verb: str = ""
) -> Rewording:
    """Return the patterns that a reply fits, as near to the lesson's own as can be.

    Raises `Unlike` where a code differs.
    """
    if reply.code != expected.code:
        raise Unlike(f"the code is {reply.code or 'missing'}, not {expected.code}")
    patterns = list(expected.patterns)
    left: dict[int, str] = {}
    lines = list(reply.lines) or [""]
    pairs, alone = _paired(expected, lines, values, unordered=is_a_set(reply, verb))
    for number, pattern in enumerate(expected.patterns):
        if number not in pairs:
            left[number] = f"no line of the reply goes with {pattern!r}"
            continue
        text = lines[pairs[number]]
        _compare_enhanced(expected.code, pattern, text)
        try:
            patterns[number] = reworded(pattern, text, values)
        except ValueError as error:
            left[number] = str(error)
    if alone and not expected.open:
        left.setdefault(len(patterns) - 1, f"the reply has a line more: {visible(alone[0])!r}")
    return Rewording(tuple(patterns), left)


def _paired(
    expected: Expected, lines: Sequence[str], values: Mapping[str, str], *, unordered: bool
) -> tuple[dict[int, int], list[str]]:
    """Return which line goes with which pattern, by number, and the lines that are left over."""
    pairs: dict[int, int] = {}
    free = list(range(len(lines)))

    def take(number: int, index: int) -> None:
        pairs[number] = index
        free.remove(index)

    count = len(expected.patterns)
    for number in range(min(1 if unordered else count, len(lines))):
        take(number, number)
    fits = (
        lambda pattern, text: match_text(pattern, text, values) is not None,
        lambda pattern, text: pattern.split(" ")[0].casefold() == text.split(" ")[0].casefold(),
    )
    for fit in fits if unordered else ():
        for number in range(1, count):
            index = next(
                (index for index in free if fit(expected.patterns[number], lines[index])), None
            )
            if number not in pairs and index is not None:
                take(number, index)
    missing = [number for number in range(count) if number not in pairs]
    if not expected.open and len(missing) == len(free):
        for number in missing:
            take(number, free[0])
    return pairs, [lines[index] for index in free]


def _compare_enhanced(code: int, pattern: str, text: str) -> None:
    wanted, found = Reply(code, (pattern,)).enhanced, Reply(code, (text,)).enhanced
    if wanted is not None and found != wanted:
        raise Unlike(f"the enhanced code is {found or 'missing'}, not {wanted}")


def reworded(pattern: str, text: str, values: Mapping[str, str]) -> str:
    """Return a pattern that a text fits, with all that is no literal text as it was.

    Raises `ValueError` where that cannot be done with certainty.

    >>> reworded("2.1.0 Fine", "2.1.0 Ok", {})
    '2.1.0 Ok'
    >>> reworded("Fine: queued as {{id}}", "Ok: queued as 7F3A", {})
    'Ok: queued as {{id}}'
    """
    if match_text(pattern, text, values) is not None:
        return pattern
    if visible(text) != text or "{{" in text:
        raise ValueError(f"a lesson cannot hold {visible(text)!r} as it is")
    pieces = pieces_of(pattern)
    if all(kind == "text" for kind, _ in pieces):
        return literal(text)
    found = {
        number: changed
        for number, (kind, _) in enumerate(pieces)
        if kind == "text" and (changed := _stretch(pieces, number, text, values)) is not None
    }
    if len(found) != 1:
        raise ValueError(f"{pattern!r} has patterns, and the text is {text!r}")
    ((changed_at, new),) = found.items()
    return "".join(
        _written(kind, new if number == changed_at else piece)
        for number, (kind, piece) in enumerate(pieces)
    )


def _written(kind: str, piece: str) -> str:
    return {"text": literal(piece), "any": "*", "name": f"{{{{{piece}}}}}"}[kind]


def _stretch(
    pieces: Sequence[tuple[str, str]], number: int, text: str, values: Mapping[str, str]
) -> str | None:
    """Return what stands in a text where a stretch of a pattern was; None without certainty.

    Next to a capture the stretch keeps the character that divides the two. It is certain when the
    longest and the shortest way to read the text agree.
    """
    readings = set()
    for lazy in ("?", ""):
        expression = "".join(
            _stretch_expression(pieces, index, lazy)
            if index == number
            else _expression(kind, piece, values)
            for index, (kind, piece) in enumerate(pieces)
        )
        match = re.fullmatch(expression, text, re.DOTALL)
        readings.add(match["stretch"] if match else None)
    return readings.pop() if len(readings) == 1 else None


def _stretch_expression(pieces: Sequence[tuple[str, str]], number: int, lazy: str) -> str:
    old = pieces[number][1]
    begins = _divider(old[0]) if number else ""
    ends = _divider(old[-1]) if number + 1 < len(pieces) else ""
    if begins and ends and len(old) == 1:
        return f"(?P<stretch>{begins})"
    return f"(?P<stretch>{begins}.*{lazy}{ends})"


def _divider(character: str) -> str:
    return r"\s" if character.isspace() else re.escape(character)


def _expression(kind: str, piece: str, values: Mapping[str, str]) -> str:
    if kind == "text":
        return re.escape(piece)
    if kind == "any":
        return ".*?"
    return re.escape(values[piece]) if piece in values else r"\S+?"
