"""The TLS reporting record: where senders report their failures to encrypt (RFC 8460 section 3).

The grammar is as strict as that of MTA-STS, with which it is mostly published: a version in exact
letters, fields parted by one semicolon, and `rua` a comma-separated list of URIs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from smtpshell.lookup import uris
from smtpshell.lookup.finding import Problem, problems_json
from smtpshell.lookup.mta_sts_record import EXTENSION_NAME, EXTENSION_VALUE

SCHEMES: Final = ("mailto", "https")  # RFC 8460 3


@dataclass(frozen=True, slots=True)
class TlsRptRecord:
    """The record at `_smtp._tls.DOMAIN`; `rua` are its report URIs in order."""

    text: str
    valid: bool = False
    rua: tuple[str, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    why: str = ""
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, object]:
        """Return the record as a JSON object; `why` is null when it is valid."""
        return {
            "valid": self.valid,
            "rua": list(self.rua),
            "extensions": [list(pair) for pair in self.extensions],
            "why": self.why or None,
            "record": self.text,
            "problems": problems_json(self.problems),
        }


def is_record(text: str) -> bool:
    """Tell whether a TXT record takes part at all: others are set aside (RFC 8460 3)."""
    return re.match(r"v=TLSRPTv1[ \t]*;", text) is not None


def parse_record(text: str) -> TlsRptRecord:
    """Read the TXT record by the grammar of RFC 8460 section 3."""
    if re.match(r"v=TLSRPTv1[ \t]*(?:;|\Z)", text) is None:
        return _bad(text, "version", "it does not begin with v=TLSRPTv1;")
    pieces = [piece.strip(" \t") for piece in text.split(";")][1:]
    if pieces and not pieces[-1]:
        pieces.pop()
    if not pieces:
        return _bad(text, "no rua", "it has no rua")
    reports: tuple[uris.ReportUri, ...] | None = None
    extensions: list[tuple[str, str]] = []
    for piece in pieces:
        name, sign, value = piece.partition("=")
        if sign and name == "rua":
            reports = reports or tuple(
                uris.parse_uri(item.strip(" \t")) for item in value.split(",")
            )
        elif sign and re.fullmatch(EXTENSION_NAME, name) and re.fullmatch(EXTENSION_VALUE, value):
            extensions.append((name, value))
        else:
            return _bad(
                text, f"field {piece}", f"{piece or 'an empty field'} is no name=value field"
            )
    if reports is None:
        return _bad(text, "no rua", "it has no rua")
    for uri in reports:
        if not uri.valid or (uri.scheme in SCHEMES and not uri.host):
            return _bad(text, f"rua {uri.text}", f"{uri.text or 'an empty item'} is no URI")
    found = tuple(_remarks(reports))
    return TlsRptRecord(
        text, True, tuple(uri.text for uri in reports), tuple(extensions), problems=found
    )


def _remarks(reports: tuple[uris.ReportUri, ...]) -> list[Problem]:
    return [
        Problem(
            "warning",
            "tlsrpt-scheme",
            f"{uri.text} is neither mailto: nor https:.",
            "Senders know these two ways of reporting alone.",
            "Use mailto:name@domain or an https:// address.",
            "RFC 8460 3",
        )
        for uri in reports
        if uri.scheme not in SCHEMES
    ]


def _bad(text: str, why: str, fault: str) -> TlsRptRecord:
    problem = Problem(
        "error",
        "tlsrpt-record",
        f"The TLS reporting record is not valid: {fault}.",
        "Nobody sends reports, so failing encryption stays unseen.",
        "Publish v=TLSRPTv1; rua=mailto:name@domain",
        "RFC 8460 3",
    )
    return TlsRptRecord(text, why=why, problems=(problem,))
