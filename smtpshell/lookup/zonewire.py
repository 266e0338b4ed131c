"""A zone's answers as octets: one query in, one response out (RFC 1035 section 4).

The response is that of a recursive server to whom the zone is the whole DNS. Names are written
without compression, which every reader understands. A response that is longer than the asker takes
is cut down to its question, with the TC bit set (RFC 2181 section 9).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from smtpshell.lookup.zone import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smtpshell.lookup.names import Labels
    from smtpshell.lookup.zone import Record, Zone

RCODES: Final[Mapping[str, int]] = {"noerror": 0, "servfail": 2, "nxdomain": 3, "refused": 5}
INTERNET: Final = 1  # the only class there is here

_RESPONSE: Final = 0x8080  # QR, RA
_RECURSION_DESIRED: Final = 0x0100
_AUTHENTICATED: Final = 0x0020
_TRUNCATED: Final = 0x0200
_HEADER: Final = struct.Struct("!HHHHHH")
_OPT: Final = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)  # RFC 6891 6.1.2, no options


def respond(
    zone: Zone,
    query: bytes,
    limit: int,
    type_text: Callable[[int], str],
    type_code: Callable[[str], int],
) -> bytes | None:
    """Answer a well-formed query with one question; None: stay silent, as the zone says.

    `limit` is the longest response in octets; the last two turn type codes into mnemonics and back.
    """
    number, flags, _, _, _, additional = _HEADER.unpack_from(query)
    name, end = _name(query, _HEADER.size)
    (code,) = struct.unpack_from("!H", query, end)
    found = zone.find(name, type_text(code))
    if found.outcome == "timeout":
        return None
    flags = _RESPONSE | (flags & _RECURSION_DESIRED) | RCODES[found.outcome]
    if zone.authenticated:
        flags |= _AUTHENTICATED
    authority = () if found.soa is None else (found.soa,)
    question = query[_HEADER.size : end + 4]
    opt = _OPT if additional else b""
    body = b"".join(_record(record, type_code) for record in (*found.records, *authority))
    counts = len(found.records), len(authority), len(opt) and 1
    if _HEADER.size + len(question) + len(body) + len(opt) > limit:
        flags, body, counts = flags | _TRUNCATED, b"", (0, 0, len(opt) and 1)
    return _HEADER.pack(number, flags, 1, *counts) + question + body + opt


def _name(octets: bytes, position: int) -> tuple[Labels, int]:
    labels = []
    while length := octets[position]:
        labels.append(octets[position + 1 : position + 1 + length])
        position += 1 + length
    return tuple(labels), position + 1


def _record(record: Record, type_code: Callable[[str], int]) -> bytes:
    fixed = struct.pack("!HHIH", type_code(record.rdtype), INTERNET, record.ttl, len(record.rdata))
    return wire(record.owner) + fixed + record.rdata
