"""Wrong doors: what the first octets tell about a server that is not the one expected.

A client that expects SMTP in plain text, or a TLS handshake, and meets something else can tell the
user what it is: each row of the table is one kind of first octets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from smtpshell.protocol.values import dataclass


@dataclass(frozen=True, slots=True)
class WrongDoor:
    """What stands behind this port: its `service`, what that means, and what to try next."""

    service: str
    meaning: str
    next: str


# Service, pattern of the first octets, meaning, next. The first match counts.
_ROWS: tuple[tuple[str, bytes, str, str], ...] = (
    (
        "tls",
        # A TLS record, RFC 8446 5.1: alert 0x15 or handshake 0x16, then version 3.x.
        rb"(?s)[\x14-\x17]\x03[\x00-\x04]",
        "the server speaks TLS from the first octet",
        "Connect with TLS at once: submissions://HOST:PORT (usually port 465).",
    ),
    (
        "http",
        rb"(?i)HTTP/[0-9.]+ |<!doctype html|<html",
        "this is a web server (HTTP)",
        "Check the port: mail is on 25, 587 or 465.",
    ),
    (
        "http2",
        rb"(?s)\x00\x00.\x04[\x00\x01]\x00\x00\x00\x00",
        "this is a web server (HTTP/2)",
        "Check the port: mail is on 25, 587 or 465.",
    ),
    (
        "imap",
        rb"(?i)\* (OK|BYE|PREAUTH|BAD|NO)\b",
        "this is an IMAP server, for reading mail",
        "Mail is sent through port 587 or 465 (143 and 993 are IMAP).",
    ),
    (
        "pop3",
        rb"(\+OK|-ERR)\b",
        "this is a POP3 server, for fetching mail",
        "Mail is sent through port 587 or 465 (110 and 995 are POP3).",
    ),
    (
        "ssh",
        rb"SSH-[0-9.]+-",
        "this is an SSH server, for logging in to the machine",
        "Check the port: mail is on 25, 587 or 465 (22 is SSH).",
    ),
    (
        "sieve",
        rb'(?i)"IMPLEMENTATION"',
        "this is a ManageSieve server, for mail filters",
        "Mail is sent through port 587 or 465 (4190 is ManageSieve).",
    ),
    (
        "ftp",
        rb"(?i)220[ -][^\r\n]*\bFTP\b(?![^\r\n]*SMTP)",
        "this is an FTP server, for files",
        "Check the port: mail is on 25, 587 or 465 (21 is FTP).",
    ),
    (
        "nntp",
        rb"(?i)20[01] [^\r\n]*\b(NNTP|news|INN|posting)\b",
        "this is a news server (NNTP)",
        "Check the port: mail is on 25, 587 or 465 (119 and 563 are NNTP).",
    ),
    (
        "mysql",
        rb"(?s).\x00\x00\x00(\x0a[0-9]|\xff)",
        "this is a MySQL or MariaDB database server",
        "Check the port: mail is on 25, 587 or 465.",
    ),
    (
        "telnet",
        rb"\xff[\xfb-\xfe]",
        "this is a telnet server",
        "Check the port: mail is on 25, 587 or 465 (23 is telnet).",
    ),
    (
        "vnc",
        rb"RFB [0-9]",
        "this is a remote desktop server (VNC)",
        "Check the port: mail is on 25, 587 or 465.",
    ),
    (
        "redis",
        rb"-(ERR|NOAUTH|DENIED) ",
        "this is a Redis server",
        "Check the port: mail is on 25, 587 or 465.",
    ),
)


@cache
def _patterns() -> tuple[tuple[re.Pattern[bytes], WrongDoor], ...]:
    return tuple(
        (re.compile(pattern), WrongDoor(service, meaning, advice))
        for service, pattern, meaning, advice in _ROWS
    )


def wrong_door(first_octets: bytes) -> WrongDoor | None:
    """Name the service whose first octets these are; None when they may well be SMTP's."""
    first_octets = first_octets[:512].lstrip(b"\r\n")
    for pattern, door in _patterns():
        if pattern.match(first_octets):
            return door
    return None


def plain_smtp(first_octets: bytes) -> bool:
    """Tell whether these octets are an SMTP reply in plain text (RFC 5321 4.2)."""
    return re.match(rb"[2-5][0-9][0-9](?:[ \-\r\n]|$)", first_octets) is not None


def middlebox(greeting: bytes, keywords: Iterable[str] = ()) -> str:
    """Say what shows that something on the way rewrites the conversation; empty when nothing does.

    Firewalls that inspect SMTP blot the greeting out with asterisks (`220 ****2***`), and put
    `XXXXXXXA` in the place of STARTTLS, whose octets they must not change in number.
    """
    line = greeting.splitlines()[0] if greeting.strip() else b""
    signs = []
    if re.match(rb"220[ -](?=[^\r\n]*\*{3})[*02 ]{4,}", line):
        signs.append("the greeting is blotted out with asterisks")
    blotted = [word for word in keywords if re.fullmatch(r"X{4,}[A-Z]?", word.upper())]
    if blotted:
        signs.append(f"a keyword of the EHLO reply is blotted out ({blotted[0].upper()})")
    if not signs:
        return ""
    return f"{' and '.join(signs)}: a firewall on the way rewrites the conversation"
