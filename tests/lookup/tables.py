"""Reading the shared tables of DNS cases, and zones made from their rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from smtpshell.lookup.resolver import Resolver
from smtpshell.lookup.zone import Zone
from tests.conftest import shared_data


@dataclass(frozen=True, slots=True)
class Row:
    """One case: its number, kind, input as text, expected fields, note."""

    number: str
    kind: str
    text: str
    expected: dict[str, Any]
    note: str


ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r"}


def rows(table: str, *kinds: str) -> list[Row]:
    """Return the rows of these kinds of a shared table, or skip where it is absent."""
    found = []
    for line in shared_data(f"dns/{table}").read_text(encoding="utf-8").splitlines()[1:]:
        number, kind, text, expected, note = line.split("\t")
        if kind in kinds:
            if not text.startswith("{"):
                for escape, character in ESCAPES.items():
                    text = text.replace(escape, character)
            found.append(Row(number, kind, text, json.loads(expected), note))
    assert found, f"{table} has no row of kind {', '.join(kinds)}"
    return found


def differences(row: Row, found: dict[str, Any], *ignored: str) -> dict[str, Any]:
    """Return the expected fields that came out otherwise: name -> (expected, found)."""
    return {
        name: (value, found.get(name))
        for name, value in row.expected.items()
        if name not in ignored and found.get(name) != value
    }


def zone_of(texts: dict[str, list[str]], *lines: str, **faults: str) -> Zone:
    """Make a zone from TXT records by name, master file lines, and faults by name."""
    quoted = [f"{name}. TXT {_strings(text)}" for name, held in texts.items() for text in held]
    return Zone.from_text("\n".join([*quoted, *lines]), faults=faults)


def _strings(text: str) -> str:
    """Quote a text as the character strings of a TXT record, 200 characters in each."""
    pieces = [text[start : start + 200] for start in range(0, len(text), 200)] or [""]
    return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)


def resolver_of(texts: dict[str, list[str]], *lines: str, **faults: str) -> Resolver:
    """Make a resolver that answers from such a zone."""
    return Resolver(zone=zone_of(texts, *lines, **faults))
