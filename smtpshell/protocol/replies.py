"""Replies: any octets in, `Reply` values out, and no input that raises.

A reply is one or more lines, each a three-digit code, a separator and text (RFC 5321 section 4.2).
Real servers break every part of that rule, and a diagnosing tool has to show how. So the reader
takes whatever comes; each oddity is a named flaw on the reply, with the section that it departs
from, and never an exception. Memory is bounded by two limits, both far beyond what an honest server
sends; beyond them octets are counted and dropped.

Which code is the reply's, when its lines disagree? The last line's: it is the one that ends the
reply, and what a client that only seeks "code, space" acts on.
"""

from __future__ import annotations

import re
from functools import cache

from smtpshell.protocol.text import decode, is_utf8
from smtpshell.protocol.values import dataclass

LINE_STORED = 16_384
"""Octets kept of one line: 32 times the 512 that RFC 5321 section 4.5.3.1.5 allows."""

REPLY_STORED = 262_144
"""Octets kept of one reply: the longest honest one (HELP, EHLO) is a few thousand."""

LINE_ALLOWED = 512
"""Octets of a reply line with its CRLF (RFC 5321 section 4.5.3.1.5)."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One way to break the reply grammar: its name, the section broken, and what it means."""

    name: str
    section: str
    meaning: str


FLAWS: dict[str, Flaw] = {
    flaw.name: flaw
    for flaw in (
        Flaw("mismatched-code", "RFC 5321 4.2.1", "the lines of one reply carry different codes"),
        Flaw("bare-lf", "RFC 5321 2.3.8", "a line ends in LF alone instead of CRLF"),
        Flaw("bare-cr", "RFC 5321 2.3.8", "a CR stands inside a line, not before its LF"),
        Flaw("bare-code", "RFC 5321 4.2", "a code with neither a space nor text after it"),
        Flaw("missing-space", "RFC 5321 4.2", "no space or hyphen between the code and the text"),
        Flaw("code-out-of-range", "RFC 5321 4.2.1", "the code is not between 200 and 599"),
        Flaw("no-code", "RFC 5321 4.2", "a line does not begin with a three-digit code"),
        Flaw("nul", "RFC 5321 4.1.1.4", "the text holds a NUL octet"),
        Flaw("control", "RFC 5321 4.2", "the text holds control characters"),
        Flaw("not-utf8", "RFC 6531 3.7.4", "the text holds octets that are not UTF-8"),
        Flaw("not-ascii", "RFC 5321 4.2", "the text is not ASCII"),
        Flaw("long-line", "RFC 5321 4.5.3.1.5", "a reply line is longer than 512 octets"),
        Flaw(
            "too-long", "RFC 5321 4.5.3.1", "the reply was too long to keep; the rest was dropped"
        ),
        Flaw("cut-off", "RFC 5321 4.2.1", "the connection ended inside the reply"),
        Flaw("injected", "RFC 3207 6", "plain text arrived before the TLS handshake"),
        Flaw("early", "RFC 5321 4.3.1", "the reply came before what it answers was sent whole"),
    )
}
"""Every flaw that a reply may carry, by name."""

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of a server.

    `code` is None when no line carried one. `lines` hold the text without code and separator,
    decoded with surrogateescape. `flaws` are names from `FLAWS` in the order of `FLAWS`. `raw`
    holds the octets as they came, up to the storage limits; `octets` counts all that came.
    """

    code: int | None
    lines: tuple[str, ...]
    flaws: tuple[str, ...] = ()
    raw: bytes = b""
    octets: int = 0

    @property
    def text(self) -> str:
        """The lines joined by newlines."""
        return "\n".join(self.lines)

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code at the head of the text, as "5.1.1" (RFC 2034 section 4)."""
        match = _ENHANCED.match(self.lines[0]) if self.lines else None
        return match[1] if match else None

    @property
    def family(self) -> int | None:
        """The first digit: 2 done, 3 go on, 4 not now, 5 no (RFC 5321 section 4.2.1)."""
        return None if self.code is None else self.code // 100

    @property
    def is_positive(self) -> bool:
        """Whether the command went through or may go on (2yz or 3yz)."""
        return self.family in (2, 3)

    @property
    def is_refusal(self) -> bool:
        """Whether the server said no, for now (4yz) or for good (5yz)."""
        return self.family in (4, 5)

    @classmethod
    def parse(cls, text: str | bytes) -> Reply:
        """Read the first reply in pasted text; line ends of any kind, never raises.

        Text with no code in it becomes a reply without code that holds all the lines.
        """
        from smtpshell.protocol.text import encode

        octets = encode(text) if isinstance(text, str) else text
        lines = octets.replace(b"\r\n", b"\n").strip(b"\r\n").split(b"\n")
        reader = ReplyReader()
        replies = reader.feed(b"".join(line + b"\r\n" for line in lines)) + reader.close()
        coded = [reply for reply in replies if reply.code is not None]
        if not coded:
            return cls(
                None, tuple(decode(line) for line in lines), ("no-code",), octets, len(octets)
            )
        first = coded[0]
        flaws = tuple(name for name in first.flaws if name != "cut-off")
        return cls(first.code, first.lines, flaws, first.raw, first.octets)


def _digits(octets: bytes) -> int | None:
    return int(octets) if len(octets) == 3 and octets.isdigit() else None


@cache
def _ordered(flaws: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in FLAWS if name in flaws)


class ReplyReader:
    r"""Turns a stream of octets into replies, however the octets are cut.

    >>> [reply.code for reply in ReplyReader().feed(b"220 mx.example.com ESMTP\r\n250 ok\r\n")]
    [220, 250]
    """

    def __init__(self, *, line_stored: int = LINE_STORED, reply_stored: int = REPLY_STORED) -> None:
        self._line_stored = line_stored
        self._reply_stored = reply_stored
        self._line = bytearray()
        self._line_octets = 0
        self._last_octets = b""
        self._reset()

    def _reset(self) -> None:
        self._texts: list[str] = []
        self._codes: set[int] = set()
        self._code: int | None = None
        self._flaws: set[str] = set()
        self._raw = bytearray()
        self._octets = 0

    @property
    def pending(self) -> bool:
        """Whether octets of an unfinished reply are held."""
        return bool(self._octets or self._line_octets)

    def feed(self, data: bytes) -> list[Reply]:
        """Take octets as they came and return the replies that they complete."""
        replies: list[Reply] = []
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._take(data[start : end + 1])
            start = end + 1
            reply = self._end_line()
            if reply is not None:
                replies.append(reply)
        if start < len(data):
            self._take(data[start:])
        return replies

    def close(self) -> list[Reply]:
        """Return what is left when the connection ends: at most one reply, flagged `cut-off`."""
        if not self.pending:
            return []
        replies: list[Reply] = []
        if self._line_octets:
            reply = self._end_line(cut=True)
            if reply is not None:
                return [reply]
        if self._octets:
            self._flaws.add("cut-off")
            replies.append(self._finish())
        return replies

    def discard(self) -> bytes:
        """Forget what is held and return its stored octets (used when a TLS handshake begins)."""
        held = bytes(self._raw + self._line)
        self._line.clear()
        self._line_octets = 0
        self._last_octets = b""
        self._reset()
        return held

    def _take(self, piece: bytes) -> None:
        room = self._line_stored - len(self._line)
        if room > 0:
            self._line += piece[:room]
        self._line_octets += len(piece)
        self._last_octets = (self._last_octets + piece[-2:])[-2:]

    def _end_line(self, *, cut: bool = False) -> Reply | None:
        stored, octets, tail = bytes(self._line), self._line_octets, self._last_octets
        self._line.clear()
        self._line_octets = 0
        self._last_octets = b""
        if cut:
            self._flaws.add("cut-off")
        elif tail != b"\r\n":
            self._flaws.add("bare-lf")
        if octets > LINE_ALLOWED:
            self._flaws.add("long-line")
        return self._add_line(stored, octets)

    def _add_line(self, stored: bytes, octets: int) -> Reply | None:
        if len(stored) < octets:
            self._flaws.add("too-long")
        content = stored.removesuffix(b"\n").removesuffix(b"\r")
        code = _digits(content[:3])
        separator = content[3:4]
        inside = self._code is not None
        self._octets += octets
        if code is None:
            self._flaws.add("no-code")
            self._keep(stored, content)
            return None if inside else self._finish()
        self._codes.add(code)
        self._code = code
        if separator not in (b" ", b"-"):
            self._flaws.add("missing-space" if separator else "bare-code")
        self._keep(stored, content[4:] if separator in (b" ", b"-") else content[3:])
        return None if separator == b"-" else self._finish()

    def _keep(self, stored: bytes, text: bytes) -> None:
        if len(self._raw) + len(stored) > self._reply_stored:
            self._flaws.add("too-long")
            return
        self._raw += stored
        decoded = decode(text)
        if not decoded.isascii():
            self._flaws.add("not-ascii" if is_utf8(decoded) else "not-utf8")
        if not decoded.isprintable():
            self._note_controls(decoded)
        self._texts.append(decoded)

    def _note_controls(self, text: str) -> None:
        if "\0" in text:
            self._flaws.add("nul")
        if "\r" in text:
            self._flaws.add("bare-cr")
        if any((c < " " and c not in "\t\r\0") or "\x7f" <= c < "\xa0" for c in text):
            self._flaws.add("control")

    def _finish(self) -> Reply:
        code = self._code
        if len(self._codes) > 1:
            self._flaws.add("mismatched-code")
        if code is not None and not 200 <= code <= 599:
            self._flaws.add("code-out-of-range")
        reply = Reply(
            code,
            tuple(self._texts),
            _ordered(frozenset(self._flaws)),
            bytes(self._raw),
            self._octets,
        )
        self._reset()
        return reply
