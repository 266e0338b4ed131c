"""What a question to the DNS came back with, as plain values.

Nine ways a question can end, and no two of them mean the same. `nodata` and `nxdomain` are true
statements about the domain (no record of this type; no such name at all). `servfail`, `timeout`,
`refused`, `malformed` and `unreachable` say that nobody knows: they are never read as "absent".
`badname` means that the text cannot be a name, so that nothing was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Status = Literal[
    "ok",
    "nodata",
    "nxdomain",
    "servfail",
    "timeout",
    "refused",
    "malformed",
    "unreachable",
    "badname",
]

MEANINGS: Final[Mapping[str, str]] = {
    "ok": "answered",
    "nodata": "the name exists, but has no record of this type",
    "nxdomain": "the name does not exist",
    "servfail": "the DNS server failed (SERVFAIL)",
    "timeout": "no answer in time",
    "refused": "the DNS server refused the question",
    "malformed": "the DNS server's answer could not be read",
    "unreachable": "the DNS server could not be reached",
    "badname": "this cannot be a name of the DNS",
}


class Mx(NamedTuple):
    """A mail exchanger (RFC 1035 3.3.9): lower preference is tried first; host "." is null MX."""

    preference: int
    host: str


class Tlsa(NamedTuple):
    """A TLSA record (RFC 6698 2.1): certificate usage, selector, matching type, data in hex."""

    usage: int
    selector: int
    match: int
    data: str


class Soa(NamedTuple):
    """A start of authority (RFC 1035 3.3.13): primary server, mailbox as a name, serial."""

    mname: str
    rname: str
    serial: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one question.

    `name` and `rdtype` are what was asked. `records` are plain values by type, sorted, because
    servers shuffle them: A, AAAA, PTR,
    CNAME, NS: str; TXT: bytes, its strings joined; MX: Mx; TLSA: Tlsa; SOA: Soa; any other: its
    presentation format. `chain` holds the CNAME targets followed, in order. `ttl` is in seconds,
    `ms` in milliseconds. `ad` is the AD bit as it came; `authenticated` is true when it may be
    believed, because the server stands on this host. `server` is who answered, `detail` more
    about a failure.
    """

    name: str
    rdtype: str
    status: Status
    records: tuple[Any, ...] = ()
    chain: tuple[str, ...] = ()
    ttl: int = 0
    ms: float = 0.0
    ad: bool = False
    authenticated: bool = False
    server: str = ""
    detail: str = ""

    @property
    def ok(self) -> bool:
        """True when there is at least one record."""
        return self.status == "ok"

    @property
    def absent(self) -> bool:
        """True when it is known that there is no such record."""
        return self.status in {"nodata", "nxdomain", "badname"}

    @property
    def failed(self) -> bool:
        """True when nobody knows whether there is such a record."""
        return not self.ok and not self.absent

    @property
    def canonical(self) -> str:
        """The name the answer stands at: the end of the CNAME chain, or the name asked."""
        return self.chain[-1] if self.chain else self.name

    @property
    def meaning(self) -> str:
        """The status in words, with the detail where there is one."""
        return f"{MEANINGS[self.status]}: {self.detail}" if self.detail else MEANINGS[self.status]

    def to_json(self) -> dict[str, object]:
        """Return the answer as a JSON object; empty parts are left out."""
        found: dict[str, object] = {"name": self.name, "type": self.rdtype, "status": self.status}
        if self.records:
            found["records"] = [plain(record) for record in self.records]
        if self.chain:
            found["cname"] = list(self.chain)
        if self.detail:
            found["detail"] = self.detail
        if self.ad:
            found["authenticated"] = self.authenticated
        if self.server:
            found["server"] = self.server
        found["ttl"] = self.ttl
        found["ms"] = round(self.ms, 1)
        return found


def plain(value: object) -> object:
    """Return a value as JSON can hold it: octets as text (not UTF-8: U+FFFD), tuples as lists."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    return value
