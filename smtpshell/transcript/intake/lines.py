"""Octets to text lines: any encoding, any line end, no line longer than is sensible."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from smtpshell.protocol.text import decode

LINE_KEPT = 16_384
"""Octets of one line that are kept; more are counted as read and dropped."""


def capped_lines(stream: BinaryIO, kept: int = LINE_KEPT) -> Iterator[tuple[bytes, int]]:
    """Yield each line of a stream without its end, cut to `kept` octets, and its whole length.

    A line that is not ended by LF ends with the stream. Memory is bounded by `kept` whatever comes.
    """
    for line, length in _ended_lines(stream, kept):
        yield line.rstrip(b"\r\n"), length


def _ended_lines(stream: BinaryIO, kept: int) -> Iterator[tuple[bytes, int]]:
    """Yield each line with its end, as far as it is kept, and its whole length."""
    while line := stream.readline(kept):
        length = len(line)
        while not line.endswith(b"\n") and length >= kept:
            rest = stream.readline(kept)
            length += len(rest)
            if not rest or rest.endswith(b"\n"):
                break
        yield line, length


_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
"""Byte order marks; PowerShell writes UTF-16."""


def text_lines(stream: BinaryIO) -> Iterator[tuple[str, int]]:
    """Yield each line as text, and the octets it took.

    UTF-16 is read where a mark announces it; other octets are UTF-8 as far as they can be. A line
    ends with LF or CRLF, and within what is kept of it at a CR alone.
    """
    lines = _ended_lines(stream, LINE_KEPT)
    first, taken = next(lines, (b"", 0))
    mark, encoding = next((row for row in _MARKS if first.startswith(row[0])), (b"", ""))
    every = chain([(first[len(mark) :], taken)] if taken else (), lines)
    if encoding.startswith("utf-16"):
        yield from _wide_lines(every, encoding)
        return
    for ended, length in every:
        octets = ended.rstrip(b"\r\n")
        if b"\r" not in octets:
            yield decode(octets), length
            continue
        for number, piece in enumerate(octets.split(b"\r")):
            yield decode(piece), 0 if number else length


def _wide_lines(lines: Iterable[tuple[bytes, int]], encoding: str) -> Iterator[tuple[str, int]]:
    """Yield the lines of UTF-16 text; LF is one of two octets there, and so no end by itself."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    text, taken = "", 0
    for octets, length in lines:
        taken += length
        text += decoder.decode(octets)
        *whole, text = text.split("\n")
        text = text[:LINE_KEPT]
        for line in whole:
            yield line.rstrip("\r"), taken
            taken = 0
    if text:
        yield text, taken
