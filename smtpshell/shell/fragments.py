"""Lines of styled text, and how they are fitted to a width.

A line is a list of (class, text) pairs, where the class is a key of the theme or "". Widths are in
columns, as terminals count them: a Chinese character takes two, an accent none.
"""

from __future__ import annotations

from collections.abc import Iterator

from prompt_toolkit.utils import get_cwidth

Fragment = tuple[str, str]
Line = list[Fragment]


def width_of(line: Line) -> int:
    """Return the columns that a line takes."""
    return sum(get_cwidth(text) for _, text in line)


def wrap(text: str, width: int) -> list[str]:
    """Break a text between words into lines of at most `width` columns; longer words are cut.

    A text that fits stays as it is, spaces and all.

    >>> wrap("the server speaks first", 10)
    ['the server', 'speaks', 'first']
    """
    width = max(width, 1)
    if get_cwidth(text) <= width:
        return [text]
    lines: list[str] = []
    line, used = "", 0
    for word in text.split(" "):
        size = get_cwidth(word)
        if line and used + 1 + size <= width:
            line, used = f"{line} {word}", used + 1 + size
            continue
        if line:
            lines.append(line)
        *whole, line = _cut(word, width)
        lines += whole
        used = get_cwidth(line)
    return [*lines, line]


def _cut(word: str, width: int) -> list[str]:
    """Cut a word into pieces of at most `width` columns."""
    if get_cwidth(word) <= width:
        return [word]
    pieces, piece, used = [], "", 0
    for character in word:
        size = get_cwidth(character)
        if piece and used + size > width:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + character, used + size
    return [*pieces, piece]


def paragraph(text: str, width: int, style: str = "", indent: int = 3) -> Iterator[Line]:
    """Yield a text as lines behind an indent, each within `width` columns."""
    for piece in wrap(text, max(20, width - indent)):
        yield [("", " " * indent), (style, piece)] if piece else []


def shortened(text: str, width: int) -> str:
    """Return a text that fits, its end replaced by ".." where it does not.

    >>> shortened("ann@client.example", 12)
    'ann@client..'
    """
    if get_cwidth(text) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += get_cwidth(character)
        if used > width - 2:
            break
        kept += character
    return kept + ".."[: max(0, width)]


def at_right(line: Line, tail: Line, width: int) -> Line | None:
    """Return a line with a tail at the right edge, or None where there is no room for it."""
    room = width - width_of(line) - width_of(tail)
    return [*line, ("", " " * room), *tail] if room >= 2 else None
