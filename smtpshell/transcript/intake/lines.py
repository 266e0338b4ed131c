"""Octets to text lines: any encoding, any line end, no line longer than is sensible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from smtpshell.protocol.text import decode

LINE_KEPT = 16_384
"""Octets of one line that are kept; more are counted as read and dropped."""


def capped_lines(stream: BinaryIO, kept: int = LINE_KEPT) -> Iterator[tuple[bytes, int]]:
    """Yield each line of a stream without its end, cut to `kept` octets, and its whole length.

    A line that is not ended by LF ends with the stream. Memory is bounded by `kept` whatever comes.
    """
    while line := stream.readline(kept):
        length = len(line)
        while not line.endswith(b"\n") and length >= kept:
            rest = stream.readline(kept)
            length += len(rest)
            if not rest or rest.endswith(b"\n"):
                break
        yield line.rstrip(b"\r\n"), length


_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
"""Byte order marks; PowerShell writes UTF-16."""


def text_lines(stream: BinaryIO) -> Iterator[tuple[str, int]]:
    """Yield each line as text, and the octets it took.

    UTF-16 is read where a mark announces it; other octets are UTF-8 as far as they can be.
    """
    encoding = ""
    for number, (octets, length) in enumerate(capped_lines(stream)):
        line = octets
        if number == 0:
            mark, encoding = next(
                ((mark, name) for mark, name in _MARKS if line.startswith(mark)), (b"", "")
            )
            line = line[len(mark) :]
        if encoding.startswith("utf-16"):
            # A line end in UTF-16 is two octets, one of which belongs to a neighbouring line.
            yield line.replace(b"\0", b"").rstrip(b"\r").decode("utf-8", "replace"), length
        else:
            yield decode(line), length
