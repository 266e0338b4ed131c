"""Inline code in a text of ours: `DATA` between backticks, as Markdown has it, read for a screen.

Nobody should type the backticks, or hear them read aloud. A word of code stands for itself;
several words get quotes, so that it can be heard where they end.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"`([^`]+)`")


def spans_of(text: str) -> list[tuple[str, bool]]:
    """Split a text into pieces, each with whether it is code.

    >>> spans_of("Type `/b64 alice` or `DATA`.")
    [('Type ', False), ('"/b64 alice"', True), (' or ', False), ('DATA', True), ('.', False)]
    """
    pieces: list[tuple[str, bool]] = []
    at = 0
    for found in _CODE.finditer(text):
        code = f'"{found[1]}"' if " " in found[1] else found[1]
        pieces += [(text[at : found.start()], False), (code, True)]
        at = found.end()
    return [piece for piece in (*pieces, (text[at:], False)) if piece[0]]


def unmarked(text: str) -> str:
    """Return a text without its backticks."""
    return "".join(piece for piece, _ in spans_of(text)) if "`" in text else text
