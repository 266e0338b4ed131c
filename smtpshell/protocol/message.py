r"""Message bodies as streams: line ends, dots, the end of data, chunks.

A message may be larger than memory, so everything here takes octets in pieces of any size, keeps a
few of them at most, and gives pieces back; how the pieces are cut never changes the whole. The work
is done by whole-block operations of `bytes` (count, find, replace), never line by line, because a
Python loop over lines is twenty times slower.

Sending: `MessageEncoder` makes every line end CRLF (RFC 5321 section 2.3.8), doubles each dot that
begins a line (section 4.5.2) and adds the line with the single dot. Receiving: `DataDecoder` finds
that line, undoes the doubling and hands back what follows. It ends a message only at CRLF . CRLF;
servers that also accept LF . LF and its cousins can be made to see two messages where another
server sees one (SMTP smuggling), and `LENIENT` shows how.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINE_ALLOWED = 1000
"""Octets of a text line with its CRLF, the doubled dot not counted (RFC 5321 4.5.3.1.6)."""

BLOCK = 1 << 17
"""Octets that are worth reading from a file at once."""

STRICT = (b"\r\n.\r\n",)
"""The one end of data (RFC 5321 section 4.1.1.4)."""

LENIENT = (b"\r\n.\r\n", b"\n.\n", b"\n.\r\n", b"\r\n.\n")
"""What servers that forgive a bare LF took for the end of data as well."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a message was found to hold.

    `octets` and `lines` are those of the message itself: line ends counted as they are in the
    result, doubled dots and the final dot not. `longest_line` is in octets without the line end.
    `stuffed` counts doubled dots; `bare_lf` and `bare_cr` line-end octets that stood alone.
    """

    octets: int = 0
    lines: int = 0
    longest_line: int = 0
    stuffed: int = 0
    bare_lf: int = 0
    bare_cr: int = 0
    eight_bit: bool = False
    nul: bool = False

    @property
    def problems(self) -> tuple[str, ...]:
        """What a strict server may object to, in words."""
        found = (
            (self.bare_lf, f"{self.bare_lf} lines ended in LF alone"),
            (self.bare_cr, f"{self.bare_cr} CR octets stand alone"),
            (self.nul, "the message holds NUL octets"),
            (
                self.longest_line > LINE_ALLOWED - 2,
                f"a line has {self.longest_line} octets; {LINE_ALLOWED - 2} are allowed",
            ),
        )
        return tuple(words for present, words in found if present)


@cache
def _pattern(octets: bytes) -> re.Pattern[bytes]:
    return re.compile(octets)


# Each pattern begins with a literal octet, which the engine seeks at memory speed.
_BARE_LF = rb"\n(?<!\r\n)"
_BARE_CR = rb"\r(?!\n)"
_BARE_LF_OR_DOT = rb"\n(?:\.|(?<!\r\n))"
_DOT_AFTER_CRLF = rb"\r\n\."
_DOT_AFTER_LF = rb"\n\."


class _Counter:
    """Counts what flows past, in pieces that cut no CRLF; only CRLF ends a line."""

    __slots__ = ("_line", "_longest", "bare_cr", "bare_lf", "eight_bit", "lines", "nul", "octets")

    def __init__(self) -> None:
        self.octets = self.lines = self.bare_lf = self.bare_cr = 0
        self.eight_bit = self.nul = False
        self._longest = self._line = 0

    def feed(self, data: bytes, *, normalise: bool = False) -> bytes:
        """Count a piece and return it, with each bare LF made CRLF if that is wished."""
        bare_lf = bool(_pattern(_BARE_LF).search(data))
        bare_cr = bool(_pattern(_BARE_CR).search(data))
        if bare_lf or bare_cr:
            pairs = data.count(b"\r\n") if b"\r" in data else 0
            self.bare_lf += data.count(b"\n") - pairs
            self.bare_cr += data.count(b"\r") - pairs
            if bare_lf and normalise:
                data = data.replace(b"\r\n", b"\n") if pairs else data
                data = data.replace(b"\n", b"\r\n")
                bare_lf = False
        self.octets += len(data)
        self.eight_bit = self.eight_bit or not data.isascii()
        self.nul = self.nul or b"\0" in data
        self._measure(data, b"\r\n" if bare_lf else b"\n")
        return data

    def _measure(self, data: bytes, line_end: bytes) -> None:
        """Note the lengths of lines; cutting at LF alone is faster where no LF is bare."""
        uncounted = 2 - len(line_end)
        pieces = data.split(line_end)
        if len(pieces) == 1:
            self._line += len(data)
            return
        first = self._line + len(pieces[0]) - uncounted
        self._line = len(pieces.pop())
        self._longest = max(self._longest, first, max(map(len, pieces)) - uncounted)
        self.lines += len(pieces)

    def counts(self, stuffed: int) -> Counts:
        """Return what was counted so far; an unfinished last line counts as a line."""
        return Counts(
            self.octets,
            self.lines + (self._line > 0),
            max(self._longest, self._line),
            stuffed,
            self.bare_lf,
            self.bare_cr,
            self.eight_bit,
            self.nul,
        )


class MessageEncoder:
    r"""Makes a message, fed in pieces, into what goes over the wire.

    With `normalise` each bare LF becomes CRLF; a bare CR is counted and left alone. With `dots`
    the dots at line starts are doubled and `close` ends the last line and adds the final dot, as
    DATA wants; without, the octets are those of BDAT chunks. Counting takes twice as long as
    encoding; who asks for no `counts` says so with `counted`.

    >>> encoder = MessageEncoder()
    >>> encoder.feed(b"Subject: x\n\n.hidden\nend") + encoder.close()
    b'Subject: x\r\n\r\n..hidden\r\nend\r\n.\r\n'
    >>> encoder.counts.stuffed, encoder.counts.bare_lf
    (1, 3)
    """

    __slots__ = (
        "_counted",
        "_counter",
        "_dots",
        "_held",
        "_line_start",
        "_normalise",
        "_stuffed",
    )

    def __init__(self, *, normalise: bool = True, dots: bool = True, counted: bool = True) -> None:
        self._counted = counted
        self._normalise = normalise
        self._dots = dots
        self._counter = _Counter()
        self._stuffed = 0
        self._held = b""
        self._line_start = True

    @property
    def counts(self) -> Counts:
        """What was fed so far; complete after `close`."""
        return self._counter.counts(self._stuffed)

    def feed(self, data: bytes) -> bytes:
        """Take a piece of the message and return what can be sent of it."""
        data = self._held + data if self._held else data
        self._held = b"\r" if data.endswith(b"\r") else b""
        return self._encode(data[:-1] if self._held else data)

    def close(self) -> bytes:
        """Return what ends the message."""
        tail, self._held = self._encode(self._held), b""
        if not self._dots:
            return tail
        if not self._line_start:
            tail += self._encode(b"\r\n")
        return tail + b".\r\n"

    def _encode(self, data: bytes) -> bytes:
        if not data:
            return b""
        if not self._counted and self._passes(data):
            self._line_start = data.endswith(b"\r\n")
            return data
        data = self._counter.feed(data, normalise=self._normalise)
        if not self._dots:
            return data
        stuffed = _pattern(_DOT_AFTER_CRLF).sub(b"\r\n..", data)
        if self._line_start and data.startswith(b"."):
            stuffed = b"." + stuffed
        self._line_start = data.endswith(b"\r\n")
        self._stuffed += len(stuffed) - len(data)
        return stuffed

    def _passes(self, data: bytes) -> bool:
        """Tell whether nothing of a piece has to be changed."""
        if not (self._normalise or self._dots):
            return True
        dotted = self._dots and self._line_start and data.startswith(b".")
        return not dotted and _pattern(_BARE_LF_OR_DOT).search(data) is None


def encoded(pieces: Iterable[bytes], *, normalise: bool = True) -> Iterator[bytes]:
    """Yield a whole message as DATA wants it, final dot included, piece by piece."""
    encoder = MessageEncoder(normalise=normalise)
    for piece in pieces:
        if ready := encoder.feed(piece):
            yield ready
    yield encoder.close()


def stuff_line(line: str) -> str:
    """Double the dot that begins a line (RFC 5321 section 4.5.2).

    >>> stuff_line(".profile"), stuff_line("text")
    ('..profile', 'text')
    """
    return f".{line}" if line.startswith(".") else line


class DataDecoder:
    r"""Finds the end of message data on the receiving side, fed in pieces.

    `endings` are what ends the data: `STRICT` or, to learn from, `LENIENT`. Whoever takes LF for a
    line end at the end of data takes it so for doubled dots too.

    >>> decoder = DataDecoder()
    >>> decoder.feed(b"one\r\n..two\r\n.\r\nQUIT\r\n"), decoder.ended, decoder.rest
    (b'one\r\n.two\r\n', True, b'QUIT\r\n')
    """

    __slots__ = (
        "_counter",
        "_dotted",
        "_endings",
        "_held",
        "_line_end",
        "_prefixes",
        "_surplus",
        "_unstuffed",
        "ended",
        "ending",
        "rest",
    )

    def __init__(self, endings: tuple[bytes, ...] = STRICT) -> None:
        self.ended = False
        self.ending = b""
        """The octets that ended the data, one of the endings."""
        self.rest = b""
        """What was fed behind the end: the next command."""
        self._endings = endings
        lenient = any(ending.startswith(b"\n") for ending in endings)
        self._line_end = b"\n" if lenient else b"\r\n"
        self._dotted = _pattern(_DOT_AFTER_LF if lenient else _DOT_AFTER_CRLF)
        starts = {
            ending[:length]
            for ending in (*endings, self._line_end + b".", b"\r\n.")
            for length in range(1, len(ending))
        }
        self._prefixes = tuple(sorted(starts, key=len, reverse=True))
        self._counter = _Counter()
        self._unstuffed = 0
        self._held = b"\r\n"  # the first line begins as if one had ended before it
        self._surplus = len(self._held)

    @property
    def counts(self) -> Counts:
        """What was decoded so far."""
        return self._counter.counts(self._unstuffed)

    def feed(self, data: bytes) -> bytes:
        """Take octets from the wire and return those of the message that are certain."""
        if self.ended:
            raise ValueError("the message has ended; what follows is not message data")
        window = self._held + data
        found = self._find_end(window)
        if found is not None:
            dot, end = found
            self.ended = True
            self.rest = window[end:]
            self._held = b""
            return self._decode(window[:dot])
        self._held = next((start for start in self._prefixes if window.endswith(start)), b"")
        return self._decode(window[: len(window) - len(self._held)])

    def close(self) -> bytes:
        """Return what is left when the connection ends inside a message."""
        held, self._held = self._held, b""
        return self._decode(held)

    def _find_end(self, window: bytes) -> tuple[int, int] | None:
        """Return the index of the first dot that ends the data, and that of what follows it."""
        best: tuple[int, int] | None = None
        for ending in self._endings:
            start = window.find(ending)
            if start >= 0:
                place = (start + ending.index(b"."), start + len(ending))
                if best is None or place < best:
                    best, self.ending = place, ending
        return best

    def _decode(self, data: bytes) -> bytes:
        decoded = self._dotted.sub(self._line_end, data)
        self._unstuffed += len(data) - len(decoded)
        if self._surplus and decoded:
            decoded = decoded[self._surplus :]
            self._surplus = 0
        self._counter.feed(decoded)
        return decoded


def bdat_chunks(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut a message into BDAT chunks of `size` octets, each with whether it is the last one.

    Holds two chunks at most. An empty message is one empty last chunk (RFC 3030 section 2).

    >>> [(bdat_line(chunk, last), chunk) for chunk, last in bdat_chunks([b"ab", b"cde"], 4)]
    [('BDAT 4', b'abcd'), ('BDAT 1 LAST', b'e')]
    """
    if size < 1:
        raise ValueError("a chunk holds at least one octet")
    held = bytearray()
    for piece in pieces:
        held += piece
        start = 0
        while len(held) - start > size:
            yield bytes(held[start : start + size]), False
            start += size
        del held[:start]
    yield bytes(held), True


def bdat_line(chunk: bytes, last: bool) -> str:
    """Return the command that announces a chunk."""
    return f"BDAT {len(chunk)}{' LAST' if last else ''}"
