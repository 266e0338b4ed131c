"""Macros of SPF records: read once, expanded for each sender (RFC 7208 section 7).

    macro-string  = *( macro-expand / macro-literal )
    macro-expand  = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
    macro-literal = %x21-24 / %x26-7E
    transformers  = *DIGIT [ "r" ]
    delimiter     = "." / "-" / "+" / "," / "/" / "_" / "="

A macro string is read into pieces: literal text, and macros. Expansion is a function of the pieces
and the values of the letters; nothing here asks the DNS. Who expands ``p`` must have looked up its
value before, which is what `letters` is for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LETTERS: Final[Mapping[str, str]] = {  # RFC 7208 7.2
    "s": "the sender's address",
    "l": "the local part of the sender's address",
    "o": "the domain of the sender's address",
    "d": "the domain whose record this is",
    "i": "the client's IP address, in dots",
    "p": "the validated name of the client's IP address",
    "v": "in-addr for IPv4, ip6 for IPv6",
    "h": "the name given in HELO or EHLO",
    "c": "the client's IP address, readable",
    "r": "the name of the receiving host",
    "t": "the current time, in seconds since 1970",
}
EXPLANATION_ONLY: Final = frozenset("crt")  # RFC 7208 7.2
DELIMITERS: Final = ".-+,/_="
NAME_LIMIT: Final = 253  # RFC 7208 7.3: longer names lose labels at the left

_ESCAPES: Final[Mapping[str, str]] = {"%%": "%", "%_": " ", "%-": "%20"}


class MacroError(ValueError):
    """A string that breaks the macro syntax; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Macro:
    """One macro: `text` as written, letter in lower case, transformers, delimiters.

    `parts` is how many parts at the right are kept (0: all of them), `escape` whether the value is
    URL-escaped (the letter was written in upper case).
    """

    text: str
    letter: str
    parts: int = 0
    reverse: bool = False
    delimiters: str = ""
    escape: bool = False

    def expand(self, value: str) -> str:
        """Split the value, reverse it, keep its right-hand parts, join by dots, escape (7.3)."""
        if self.parts or self.reverse or self.delimiters:
            pieces = re.split(f"[{re.escape(self.delimiters or '.')}]", value)
            if self.reverse:
                pieces.reverse()
            value = ".".join(pieces[-self.parts :] if self.parts else pieces)
        return quote(value, safe="-._~") if self.escape else value


Piece = str | Macro


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(
        r"(?P<literal>[\x21-\x24\x26-\x7e]+)"
        r"|%\{(?P<letter>[A-Za-z])(?P<digits>[0-9]*)(?P<reverse>[rR]?)(?P<delimiters>[-.+,/_=]*)\}"
        r"|(?P<escape>%[%_-])"
        r"|(?P<blank>\x20+)"
    )


def read(text: str, *, explanation: bool = False, blanks: bool = False) -> tuple[Piece, ...]:
    """Read a macro string into pieces.

    `explanation` allows the letters c, r and t; `blanks` allows spaces (explain-string, 6.2).
    Raises MacroError.
    """
    pieces: list[Piece] = []
    position = 0
    while position < len(text):
        match = _pattern().match(text, position)
        if match is None or (match["blank"] and not blanks):
            raise MacroError(_fault(text, position))
        if match["letter"]:
            pieces.append(_macro(match, explanation=explanation))
        else:
            pieces.append(_ESCAPES.get(match[0], match[0]) if match["escape"] else match[0])
        position = match.end()
    return tuple(pieces)


def _macro(match: re.Match[str], *, explanation: bool) -> Macro:
    letter = match["letter"].lower()
    if letter not in LETTERS:
        raise MacroError(f"{match[0]}: there is no macro letter {match['letter']!r}")
    if letter in EXPLANATION_ONLY and not explanation:
        raise MacroError(f"{match[0]}: the letter {letter!r} is for explanations only")
    digits = match["digits"].lstrip("0")
    if match["digits"] and not digits:
        raise MacroError(f"{match[0]}: the number of parts must not be zero")
    return Macro(
        match[0],
        letter,
        int(digits[:4] or 0),  # no value has ten thousand parts
        bool(match["reverse"]),
        match["delimiters"],
        match["letter"].isupper(),
    )


def _fault(text: str, position: int) -> str:
    rest = text[position:]
    if not rest.startswith("%"):
        return f"the character {rest[0]!r} is not allowed here"
    if rest.startswith("%{"):
        macro = rest[: rest.find("}") + 1] or rest
        return f"{macro}: this is not a macro"
    return f"{rest[:2]!r}: a percent sign must be followed by '{{', '%', '_' or '-'"


def ends_in_macro(text: str) -> bool:
    """Tell whether a well-formed macro string ends in a macro-expand."""
    return re.fullmatch(r"(?:[^%]|%\{[^}]*\}|%[%_-])*(?:%\{[^}]*\}|%[%_-])", text) is not None


def letters(pieces: Iterable[Piece]) -> frozenset[str]:
    """Return the macro letters that the pieces use."""
    return frozenset(piece.letter for piece in pieces if isinstance(piece, Macro))


def expand(pieces: Iterable[Piece], values: Mapping[str, str]) -> str:
    """Put the values of the letters in place of the macros. Raises KeyError for a missing one."""
    return "".join(
        piece if isinstance(piece, str) else piece.expand(values[piece.letter]) for piece in pieces
    )


def steps(pieces: Iterable[Piece], values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return each macro with what it became, in order: the working shown in a trace."""
    return tuple(
        (piece.text, piece.expand(values[piece.letter]))
        for piece in pieces
        if isinstance(piece, Macro)
    )


def shortened(name: str) -> str:
    """Return an expanded name without its final dot, cut at the left to 253 characters (7.3)."""
    name = name.removesuffix(".")
    while len(name) > NAME_LIMIT and "." in name:
        name = name.partition(".")[2]
    return name
