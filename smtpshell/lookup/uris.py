"""Addresses of reports and logos: the part of RFC 3986 that mail records lean on.

A DMARC, TLS-RPT or BIMI record names places to send to or fetch from. Whether such a URI is well
formed decides whether the record counts, so the question is answered here once, by the grammar,
and not by a library that repairs what it reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

WSP = " \t"


@dataclass(frozen=True, slots=True)
class ReportUri:
    """One item of a list of report URIs.

    `text` is the URI without blanks and without the obsolete size limit, `size` that limit as
    written (`"10m"`) or empty, `valid` whether RFC 3986 and the list's own rule (commas and
    exclamation marks must be encoded) allow it.
    """

    text: str
    scheme: str = ""
    host: str = ""
    size: str = ""
    valid: bool = False

    @property
    def address(self) -> str:
        """The mailbox of a `mailto:` URI, without percent escapes; empty for other schemes."""
        return mailbox(self.text) if self.scheme == "mailto" else ""


@cache
def _pattern() -> re.Pattern[str]:
    octet = r"(?:[A-Za-z0-9\-._~$&'()*+=:@/?]|%[0-9A-Fa-f]{2})"
    literal = r"(?:\[[0-9A-Fa-f:.]+\])"
    return re.compile(
        rf"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):"
        rf"(?://(?P<user>(?:[A-Za-z0-9\-._~$&'()*+=:]|%[0-9A-Fa-f]{{2}})*@)?"
        rf"(?P<host>{literal}|(?:[A-Za-z0-9\-._~$&'()*+=]|%[0-9A-Fa-f]{{2}})*)"
        rf"(?::(?P<port>[0-9]*))?(?=[/?#]|\Z))?"
        rf"(?P<rest>{octet}*)(?:#{octet}*)?"
    )


def parse_uri(text: str) -> ReportUri:
    """Read one URI (RFC 3986 section 3); commas, semicolons and exclamation marks are refused.

    The result's `host` is the authority's host in lower case, or the domain of a `mailto:`
    mailbox. Never raises; what cannot be read comes back with `valid` false.
    """
    match = _pattern().fullmatch(text)
    if match is None or (text.partition(":")[2].startswith("//") and match["host"] is None):
        return ReportUri(text)
    scheme = match["scheme"].lower()
    host = (match["host"] or "").lower()
    if scheme == "mailto":
        host = mailbox(text).rpartition("@")[2].lower() if "@" in mailbox(text) else ""
    return ReportUri(text, scheme, host, valid=True)


def parse_report_uri(item: str) -> ReportUri:
    """Read one item of a report list and set the obsolete `!10m` size limit aside.

    RFC 7489 section 6.4 let a size limit follow the URI; RFC 9989 took it away and asks readers
    to ignore it. The limit must touch the URI, as it always had to.
    """
    bare, mark, size = item.strip(WSP).rpartition("!")
    if mark and re.fullmatch(r"[0-9]+[kmgtKMGT]?", size):
        uri = parse_uri(bare)
        return ReportUri(uri.text, uri.scheme, uri.host, size, uri.valid)
    return parse_uri(item.strip(WSP))


def parse_report_uris(value: str) -> tuple[ReportUri, ...]:
    """Read a comma-separated list of report URIs; an empty value is one invalid item."""
    return tuple(parse_report_uri(item) for item in value.split(","))


def mailbox(uri: str) -> str:
    """Return the first mailbox of a `mailto:` URI with its percent escapes undone (RFC 6068)."""
    from urllib.parse import unquote

    path = uri.partition(":")[2].partition("?")[0]
    return unquote(path, errors="replace")
