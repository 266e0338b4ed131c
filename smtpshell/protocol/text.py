r"""Octets to text and back, and the one way in which foreign text becomes printable.

Whatever came over the wire is kept as text decoded from UTF-8 with `surrogateescape`, so that it
can be turned back into the very same octets. Before any of it is shown it passes `visible()`, which
leaves nothing that could move a cursor, change a colour, ring a bell or reorder a line: control
characters (C0, DEL and C1), octets that are not UTF-8, bidirectional controls and other invisible
characters are written as `\r`, `\x1b`, `\u{202e}`.
"""

from __future__ import annotations

_NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r", "\0": r"\0"}


def decode(octets: bytes) -> str:
    """Decode octets as UTF-8; what is not UTF-8 survives as lone surrogates (PEP 383)."""
    return octets.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Encode text as UTF-8, turning the surrogates of `decode` back into their octets.

    Other lone surrogates, which no octets stand behind, become `?`.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode("utf-8")


def is_utf8(text: str) -> bool:
    """Tell whether text holds no octets that were not UTF-8."""
    return not any("\udc80" <= character <= "\udcff" for character in text)


def _written_out(character: str) -> str:
    number = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if number < 0x100:
        return f"\\x{number:02x}"
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    return f"\\u{{{number:x}}}"


def visible(text: str | bytes, *, ascii_only: bool = False) -> str:
    r"""Return text with every character that is not plainly printable written out.

    With `ascii_only` everything beyond ASCII is written out too (plain mode).

    >>> visible(b"250 \x1b[31mred\xff")
    '250 \\x1b[31mred\\xff'
    """
    if isinstance(text, bytes):
        text = decode(text)
    if text.isprintable() and (not ascii_only or text.isascii()):
        return text
    return "".join(
        character
        if character.isprintable() and (not ascii_only or character.isascii())
        else _written_out(character)
        for character in text
    )
