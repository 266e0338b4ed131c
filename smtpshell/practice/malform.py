"""Octets that a reply should not have: what bad servers, bad networks and attackers do to it.

Each fault takes the well-formed octets of a reply and gives back others. They exist so that a
client, ours first of all, can be shown that it survives them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

FLOOD_LINES = 20_000
LONG_LINE = 3_000


def unescape(text: str) -> bytes:
    r"""Return the octets that a text with `\r \n \t \0 \\ \xHH` stands for."""
    simple = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
    octets = bytearray()
    at = 0
    for match in re.finditer(r"\\(?:x([0-9A-Fa-f]{2})|([rnt0\\]))", text):
        octets += text[at : match.start()].encode("utf-8", "surrogateescape")
        octets += bytes([int(match[1], 16)]) if match[1] else simple[match[2]]
        at = match.end()
    return bytes(octets) + text[at:].encode("utf-8", "surrogateescape")


def _split(octets: bytes) -> list[tuple[bytes, bytes]]:
    """Return the lines of a reply, each with its line end."""
    whole = octets.splitlines(keepends=True)
    return [(line.rstrip(b"\r\n"), line[len(line.rstrip(b"\r\n")) :]) for line in whole]


def _each_line(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda octets: b"".join(change(line) + end for line, end in _split(octets))


def _mismatch(octets: bytes) -> bytes:
    first, end = _split(octets)[0]
    other = b"450-" if first[:1] != b"4" else b"250-"
    return other + first[4:] + end + octets.removeprefix(first + end if first[3:4] == b"-" else b"")


def _flood(octets: bytes) -> bytes:
    line = octets[:3] + b"-" + octets[4:].partition(b"\r\n")[0] + b"\r\n"
    return line * FLOOD_LINES + octets


_CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "bare-lf": lambda octets: octets.replace(b"\r\n", b"\n"),
    "mismatched-codes": _mismatch,
    "no-space": _each_line(lambda line: line[:3] + line[4:] if line[3:4] == b" " else line),
    "no-text": lambda octets: octets[:3] + b"\r\n",
    "not-ascii": _each_line(lambda line: line + " – grüße".encode()),
    "not-utf8": _each_line(lambda line: line + b" gr\xfc\xdfe \xff\xfe"),
    "nul": _each_line(lambda line: line + b" a\0b"),
    "escape": _each_line(lambda line: line + b" \x1b[31mred\x1b]0;title\x07\x1b[2J\x9b5m"),
    "long-line": _each_line(lambda line: line + b" " + b"x" * LONG_LINE),
    "flood": _flood,
    "twice": lambda octets: octets + octets,
    "injected": lambda octets: octets + b"250 2.0.0 Injected in plain text\r\n",
}


def malform(octets: bytes, faults: Iterable[str]) -> bytes:
    r"""Return the octets of a reply after the named faults (of `scenario.WIRE_FAULTS`), in order.

    >>> malform(b"250 Ok\r\n", ["no-space", "bare-lf"])
    b'250Ok\n'
    """
    for fault in faults:
        octets = _CHANGES[fault](octets)
    return octets
