"""TLSA records: what each number means, and which records a mail sender can use.

RFC 6698 defines the record, RFC 7671 how to use it well, RFC 7672 what holds for SMTP: there only
the two DANE usages count, because a sender has no agreed list of authorities for the PKIX usages.
A record a sender cannot use is not an error for it; but when *no* record can be used, TLS is still
mandatory and nobody can be authenticated (RFC 7672 section 2.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from smtpshell.lookup.finding import Problem, problems_json

USAGES: Final = ("PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE")  # RFC 7218 2.1
SELECTORS: Final = ("Cert", "SPKI")  # RFC 7218 2.2
MATCHES: Final = ("Full", "SHA-256", "SHA-512")  # RFC 7218 2.3
DIGESTS: Final = {1: 32, 2: 64}  # matching type -> octets


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """One TLSA record. `valid`: a mail sender can use it; `why` says what stands against it.

    `usage`, `selector` and `match` are the acronyms of RFC 7218 (a number that has none stays a
    number in text); `numbers` the three as published; `data` the association data in hex; `warn`
    a usable record's drawback.
    """

    text: str
    valid: bool = False
    numbers: tuple[int, int, int] | None = None
    usage: str | None = None
    selector: str | None = None
    match: str | None = None
    data: str = ""
    why: str = ""
    warn: str = ""
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, object]:
        """Return the record as a JSON object; `why` and `warn` are null when empty."""
        return {
            "valid": self.valid,
            "usage": self.usage,
            "selector": self.selector,
            "match": self.match,
            "data": self.data,
            "why": self.why or None,
            "warn": self.warn or None,
            "record": self.text,
            "problems": problems_json(self.problems),
        }


def parse_record(text: str) -> TlsaRecord:
    """Read a TLSA record in presentation format: `3 1 1 HEX`, the hex in one or more pieces."""
    parts = text.split()
    numbers = [int(part) for part in parts[:3] if re.fullmatch(r"[0-9]{1,3}", part, re.ASCII)]
    if len(numbers) != 3 or max(numbers) > 255:
        return _bad(TlsaRecord(text), "a TLSA record is three numbers up to 255 and hex digits")
    data = "".join(parts[3:]).lower()
    return assess(text, numbers[0], numbers[1], numbers[2], data)


def assess(text: str, usage: int, selector: int, match: int, data: str) -> TlsaRecord:
    """Say whether a mail sender can use a TLSA record with these values; `data` is hex."""
    record = TlsaRecord(
        text,
        numbers=(usage, selector, match),
        usage=_word(USAGES, usage),
        selector=_word(SELECTORS, selector),
        match=_word(MATCHES, match),
        data=data,
    )
    fault = _fault(usage, selector, match, data)
    if fault:
        return _bad(record, fault)
    warn = _drawback(usage, selector, match)
    found: tuple[Problem, ...] = ()
    if warn:
        found = (
            Problem(
                "warning",
                "tlsa-drawback",
                f"{usage} {selector} {match}: {warn}.",
                "Mail stops whenever the record and the certificate disagree.",
                "Publish 3 1 1 (the key of the server's own certificate).",
                "RFC 7671 5.1",
            ),
        )
    return replace(record, valid=True, warn=warn, problems=found)


def _fault(usage: int, selector: int, match: int, data: str) -> str:
    if usage > 3:
        return "unknown usage: unusable"
    if not re.fullmatch(r"(?:[0-9a-f]{2})+", data):
        return "the data is not pairs of hex digits" if data else "the data is missing"
    if selector > 1:
        return "unknown selector: unusable"
    if match > 2:
        return "unknown matching type: unusable"
    octets = len(data) // 2
    if match in DIGESTS and octets != DIGESTS[match]:
        return f"{MATCHES[match]} must be {DIGESTS[match]} octets"
    if usage < 2:
        return f"{USAGES[usage]} is unusable for SMTP (RFC 7672 3.1.3)"
    return ""


def _drawback(usage: int, selector: int, match: int) -> str:
    if (usage, selector) == (3, 0):
        return "changes with every certificate"
    if match == 0:
        return "the whole data is published; a digest is shorter and as good"
    return ""


def _word(words: tuple[str, ...], number: int) -> str:
    return words[number] if number < len(words) else str(number)


def _bad(record: TlsaRecord, why: str) -> TlsaRecord:
    problem = Problem(
        "error",
        "tlsa-unusable",
        f"{record.text or 'The empty text'}: {why}.",
        "Senders that use DANE pass this record over.",
        "Publish 3 1 1 and the SHA-256 of the certificate's public key.",
        "RFC 7672 3.1",
    )
    return replace(record, why=why, problems=(problem,))
