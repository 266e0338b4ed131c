"""Zones held in memory: the answers of a name server to one question, without a network.

A zone file stands in for the whole DNS, for classrooms and tests: what it does not hold does not
exist. The answers follow the rules a real server follows, the two everyone forgets included:

- a name that is only a parent of other names exists, without records: NODATA, not NXDOMAIN
  (empty non-terminals, RFC 8020);
- a wildcard answers for names below its parent that do not exist, and only those: the *closest
  encloser* is the longest ancestor that exists, and `*` directly below it is the only possible
  source (RFC 4592 section 3.3). A name that exists, even as an empty non-terminal, is never
  answered by a wildcard.

CNAMEs are followed as far as the zone goes; DNAMEs yield CNAMEs (RFC 6672).

Faults are part of a zone, so that a lesson can break one: a mapping from "NAME" or "NAME TYPE" to
`timeout`, `servfail`, `refused`, `nxdomain` or `none` (an exception to the fault of the whole
name). In a zone file a comment says the same: `;fault err.example.com TXT timeout`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from smtpshell.lookup.finding import SetupError
from smtpshell.lookup.names import BadNameError, Labels, check, folded, parse, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Outcome = Literal["noerror", "nxdomain", "servfail", "timeout", "refused"]

FAULTS: Final = ("timeout", "servfail", "refused", "nxdomain", "none")
CHAIN_LIMIT: Final = 20  # CNAMEs followed in one answer; a resolver gives up before that


class ZoneError(SetupError):
    """A zone file that does not parse; the message names the line."""


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record: owner, type mnemonic, TTL in seconds, RDATA as on the wire."""

    owner: Labels
    rdtype: str
    ttl: int
    rdata: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """A server's answer: outcome, the answer section (CNAMEs first), the SOA of a negative one."""

    outcome: Outcome
    records: tuple[Record, ...] = ()
    soa: Record | None = None


class Zone:
    """A set of records that answers questions; it never changes after it is made.

    `records` may be in any order. `faults` is as described above. `authenticated` sets the AD bit
    in every answer, as a validating resolver would for a signed zone. Raises ZoneError for a fault
    that is none.
    """

    __slots__ = ("_data", "_faults", "_names", "authenticated")

    def __init__(
        self,
        records: Iterable[Record],
        faults: Mapping[str, str] | None = None,
        *,
        authenticated: bool = False,
    ) -> None:
        self.authenticated = authenticated
        self._data: dict[Labels, dict[str, list[Record]]] = {}
        self._names: set[Labels] = {()}
        for record in records:
            owner = folded(record.owner)
            self._data.setdefault(owner, {}).setdefault(record.rdtype, []).append(record)
            self._names.update(owner[count:] for count in range(len(owner)))
        self._faults: dict[tuple[Labels, str], str] = {}
        for place, fault in (faults or {}).items():
            self._add_fault(place, fault)

    def _add_fault(self, place: str, fault: str) -> None:
        name, _, rdtype = place.strip().partition(" ")
        if fault not in FAULTS:
            raise ZoneError(
                "no such fault", f"{place!r}: {fault!r}", f"one of {', '.join(FAULTS)}", status=64
            )
        try:
            labels = folded(parse(name))
        except BadNameError as bad:
            raise ZoneError("a fault's name is no name", f"{name!r}: {bad}", status=64) from None
        self._faults[labels, rdtype.strip().upper()] = fault

    @classmethod
    def from_text(
        cls,
        master: str,
        origin: str = ".",
        faults: Mapping[str, str] | None = None,
        *,
        authenticated: bool = False,
    ) -> Zone:
        """Read a master file (RFC 1035 section 5); relative names hang below `origin`.

        Records without a TTL get 300 seconds. Raises ZoneError, with the line.
        """
        from smtpshell.lookup.resolver import parse_master

        stated = dict(_fault_comments(master))
        stated.update(faults or {})
        return cls(parse_master(master, origin), stated, authenticated=authenticated)

    @classmethod
    def from_file(cls, path: str | Path, origin: str = ".") -> Zone:
        """Read a master file from disk. Raises ZoneError when it is absent or does not parse."""
        try:
            master = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as fault:
            reason = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8 text"
            raise ZoneError(
                "the zone file cannot be read", f"{path}: {reason}", status=10
            ) from None
        try:
            return cls.from_text(master, origin)
        except ZoneError as fault:
            raise ZoneError(fault.what, f"{path}, {fault.where}", fault.next, status=64) from None

    def find(self, labels: Labels, rdtype: str) -> Found:
        """Answer one question as the authoritative server for everything would."""
        chain: list[Record] = []
        name = labels
        for _ in range(CHAIN_LIMIT):
            fault = self._fault(folded(name), rdtype)
            if fault == "nxdomain":
                return Found("nxdomain", tuple(chain), self._soa(name))
            if fault in {"timeout", "servfail", "refused"}:
                return Found(fault)  # type: ignore[arg-type]  # narrowed by the set above
            node = self._node(name)
            if node is None:
                renamed = self._dname(name)
                if renamed is None:
                    return Found("nxdomain", tuple(chain), self._soa(name))
                chain += renamed
                name = target(renamed[-1].rdata)
                continue
            wanted = node.get(rdtype)
            if wanted:
                return Found("noerror", (*chain, *(_owned(record, name) for record in wanted)))
            if "CNAME" not in node:
                return Found("noerror", tuple(chain), self._soa(name))
            chain.append(_owned(node["CNAME"][0], name))
            name = target(chain[-1].rdata)
        return Found("noerror", tuple(chain))

    def _node(self, name: Labels) -> Mapping[str, list[Record]] | None:
        """Return the types a name holds, by itself or by a wildcard; None: no such name."""
        name = folded(name)
        if name in self._names:
            return self._data.get(name, {})
        if any(
            name[count:] in self._data and "DNAME" in self._data[name[count:]]
            for count in range(1, len(name) + 1)
        ):
            return None
        encloser = next(
            name[count:] for count in range(len(name) + 1) if name[count:] in self._names
        )
        source = (b"*", *encloser)
        return self._data.get(source, {}) if source in self._names else None

    def _dname(self, name: Labels) -> list[Record] | None:
        """Return the DNAME above a name and the CNAME it yields (RFC 6672 section 3.1)."""
        lowered = folded(name)
        for count in range(1, len(lowered) + 1):
            for record in self._data.get(lowered[count:], {}).get("DNAME", ())[:1]:
                try:
                    renamed = check((*name[:count], *target(record.rdata)))
                except BadNameError:
                    return None
                return [
                    _owned(record, name[count:]),
                    Record(name, "CNAME", record.ttl, wire(renamed)),
                ]
        return None

    def _fault(self, name: Labels, rdtype: str) -> str | None:
        return self._faults.get((name, rdtype)) or self._faults.get((name, ""))

    def _soa(self, name: Labels) -> Record | None:
        lowered = folded(name)
        for count in range(len(lowered) + 1):
            found = self._data.get(lowered[count:], {}).get("SOA")
            if found:
                return found[0]
        return None

    def __repr__(self) -> str:
        return f"Zone({len(self._data)} names)"


def _owned(record: Record, owner: Labels) -> Record:
    return Record(owner, record.rdtype, record.ttl, record.rdata)


def wire(labels: Labels) -> bytes:
    """Return a name as it stands on the wire, uncompressed."""
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def target(rdata: bytes) -> Labels:
    """Read the name that the RDATA of a CNAME or DNAME is."""
    labels = []
    position = 0
    while length := rdata[position]:
        labels.append(rdata[position + 1 : position + 1 + length])
        position += length + 1
    return tuple(labels)


def _fault_comments(master: str) -> Iterable[tuple[str, str]]:
    pattern = re.compile(r"^;\s*fault\s+(\S+)(?:\s+([A-Za-z0-9]+))?\s+([a-z]+)\s*$", re.MULTILINE)
    for name, rdtype, fault in pattern.findall(master):
        yield (f"{name} {rdtype}" if rdtype else name), fault


__all__ = ["FAULTS", "Found", "Record", "Zone", "ZoneError", "target", "text", "wire"]
