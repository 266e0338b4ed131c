"""The shared SPF cases as plain values: their zones as records and faults, their expectations."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from smtpshell.lookup.zone import Record, wire
from tests.conftest import shared_data

DEFAULT = "DEFAULT"


@dataclass(frozen=True)
class Case:
    """One case of the suite: who is checked in which scenario, and what may come out."""

    scenario: int
    name: str
    helo: str
    host: str
    mailfrom: str
    results: tuple[str, ...]
    explanation: str | None


@dataclass(frozen=True)
class Scenario:
    """One scenario: its records, and faults by "NAME TYPE" or "NAME" as a zone takes them."""

    description: str
    records: tuple[Record, ...]
    faults: dict[str, str]


def labels(name: str) -> tuple[bytes, ...] | None:
    """Return the labels of a name of the suite, or None when the wire cannot carry it."""
    parts = tuple(part.encode() for part in name.removesuffix(".").split("."))
    if name in {"", "."}:
        return ()
    if any(not part or len(part) > 63 for part in parts) or sum(map(len, parts)) > 240:
        return None
    return parts


def _octets(text: str) -> bytes:
    return text.encode("latin-1") if all(ord(c) < 256 for c in text) else text.encode()


def _rdata(rdtype: str, value: Any) -> bytes:
    if rdtype in {"A", "AAAA"}:
        return ipaddress.ip_address(value).packed
    if rdtype == "MX":
        return struct.pack("!H", int(value[0])) + wire(labels(value[1]) or ())
    if rdtype in {"PTR", "CNAME"}:
        return wire(labels(value) or ())
    strings = value if isinstance(value, list) else [value]
    octets = [_octets(text) for text in strings]
    pieces = [text[i : i + 255] for text in octets for i in range(0, max(len(text), 1), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)


def read_zone(data: dict[str, list[Any]]) -> tuple[tuple[Record, ...], dict[str, str]]:
    """Turn the `zonedata` of a scenario into records and faults, by the suite's own rules."""
    records: list[Record] = []
    faults: dict[str, str] = {}
    for name, entries in data.items():
        owner = labels(str(name).lower())
        if owner is None:
            continue
        held: list[tuple[str, Any]] = []
        stalled: list[str] = []
        for entry in entries:
            if entry == "TIMEOUT":
                stalled.append("")
                continue
            ((rdtype, value),) = entry.items()
            if value == "TIMEOUT":
                stalled.append(f" {rdtype}")
            else:
                held.append((rdtype, value))
        if not any(rdtype == "TXT" for rdtype, _ in held):
            held += [("TXT", value) for rdtype, value in held if rdtype == "SPF"]
        held = [(rdtype, value) for rdtype, value in held if value != "NONE" and value != []]
        records += [Record(owner, rdtype, 300, _rdata(rdtype, value)) for rdtype, value in held]
        shown = b".".join(owner).decode()
        faults |= {f"{shown}{rdtype}": "timeout" for rdtype in stalled}
        if "" in stalled:
            faults |= {f"{shown} {rdtype}": "none" for rdtype, _ in held}
    return tuple(records), faults


@cache
def load() -> tuple[tuple[Scenario, ...], tuple[Case, ...]]:
    """Read the suite; the test that calls this is skipped where the shared data is absent."""
    scenarios = []
    cases = []
    text = shared_data("dns/spf-tests.yml").read_text(encoding="utf-8")
    for number, document in enumerate(yaml.safe_load_all(text)):
        records, faults = read_zone(document["zonedata"])
        scenarios.append(Scenario(document["description"], records, faults))
        for name, case in document["tests"].items():
            result = case["result"]
            cases.append(
                Case(
                    number,
                    name,
                    str(case["helo"]),
                    str(case["host"]),
                    str(case["mailfrom"]),
                    tuple(result) if isinstance(result, list) else (result,),
                    case.get("explanation"),
                )
            )
    return tuple(scenarios), tuple(cases)
