"""What a DKIM signature is computed over: a message's header fields and body, made canonical.

Mail is changed on its way: lines are refolded, blanks added at line ends. *Simple*
canonicalization forgives nothing but empty lines at the end; *relaxed* also forgives changes of
blanks and of the case of field names (RFC 6376 section 3.4). Everything here is octets in, octets
out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class HeaderField:
    """A header field: its name as written, and its octets with folding and the final CRLF."""

    name: str
    raw: bytes

    @property
    def value(self) -> bytes:
        """The octets after the colon, folding and final CRLF included."""
        return self.raw.partition(b":")[2]


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its header fields in order, its body, and whether line ends were mended.

    `mended` tells that the octets had line ends other than CRLF, as files on disk do; signatures
    are made over CRLF.
    """

    fields: tuple[HeaderField, ...]
    body: bytes
    mended: bool = False

    def named(self, name: str) -> tuple[HeaderField, ...]:
        """Return the fields of that name, in order, without regard to case."""
        return tuple(field for field in self.fields if field.name.lower() == name.lower())


def parse_message(octets: bytes) -> Message:
    """Split a message into header fields and body; bare LF and bare CR become CRLF.

    The header ends at the first empty line. A first line "From ..." of a mailbox file is passed
    over, and a line before it that is neither a field nor the
    continuation of one is kept as a field without a name. Never raises.
    """
    mended = re.sub(rb"\r\n|\r|\n", b"\r\n", octets)
    if mended.startswith(b"From "):
        mended = mended.partition(b"\r\n")[2]
    head, _, body = mended.partition(b"\r\n\r\n")
    if mended.startswith(b"\r\n"):
        head, body = b"", mended[2:]
    raws: list[bytes] = []
    for line in head.split(b"\r\n") if head else []:
        if line[:1] in b" \t" and raws and line:
            raws[-1] += line + b"\r\n"
        elif line:
            raws.append(line + b"\r\n")
    fields = tuple(HeaderField(_name(raw), raw) for raw in raws)
    return Message(fields, body, mended != octets)


def _name(raw: bytes) -> str:
    name, colon, _ = raw.partition(b":")
    return name.rstrip(b" \t").decode("latin-1") if colon else ""


def header_field(raw: bytes, method: str) -> bytes:
    """Return one field in canonical form, its CRLF included (RFC 6376 sections 3.4.1, 3.4.2)."""
    if method == "simple":
        return raw
    name, _, value = raw.partition(b":")
    joined = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" \t")
    return name.lower().rstrip(b" \t") + b":" + joined + b"\r\n"


def body(octets: bytes, method: str) -> bytes:
    r"""Return a body in canonical form (RFC 6376 sections 3.4.3, 3.4.4).

    >>> body(b" C \r\nD \t E\r\n\r\n\r\n", "relaxed")
    b' C\r\nD E\r\n'
    """
    if method == "relaxed":
        octets = re.sub(rb"[ \t]+", b" ", octets)
        octets = octets.replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = len(octets)
    while octets.endswith(b"\r\n", 0, end):
        end -= 2
    if end == 0 and method == "relaxed":
        return b""
    return octets[:end] + b"\r\n"


def select(fields: Sequence[HeaderField], names: Iterable[str]) -> list[HeaderField | None]:
    """Return the fields a list of names covers, each name taking the lowest one not yet taken.

    None stands where a name finds no field (any more): signing it means that none may be added
    (RFC 6376 sections 5.4.2 and 3.5 under h=).
    """
    left: dict[str, list[HeaderField]] = defaultdict(list)
    for field in fields:
        left[field.name.lower()].append(field)
    return [left[name.lower()].pop() if left[name.lower()] else None for name in names]


def without_signature(raw: bytes) -> bytes:
    """Return a DKIM-Signature field with the value of its `b` tag emptied (RFC 6376 3.5)."""
    name, colon, value = raw.partition(b":")
    emptied = re.sub(rb"((?:^|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*", rb"\1", value, count=1)
    return name + colon + emptied


def signed_octets(covered: Iterable[HeaderField | None], signature: bytes, method: str) -> bytes:
    """Return what the header hash is computed over: the covered fields, then the signature field.

    The signature field comes without its value of `b` and without its final CRLF
    (RFC 6376 section 3.7).
    """
    parts = [header_field(field.raw, method) for field in covered if field is not None]
    last = header_field(without_signature(signature), method).removesuffix(b"\r\n")
    return b"".join(parts) + last
