"""Addresses, hosts and targets used before: read out of the history and the session."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from smtpshell.conversation.targets import PRACTICE, SCHEMES
from smtpshell.knowledge.providers import NAMES as PROVIDERS
from smtpshell.shell.offers import Scene

USED = "used before"
SEARCHED = 400
"""Lines of the history that are searched, the newest first."""

MAILBOX = "mailbox of this practice server"


@cache
def _pattern(which: str) -> re.Pattern[str]:
    patterns = {
        "MAIL": r"(?i)^(?:MAIL|SEND|SOML|SAML)\s+FROM:\s*<([^<>\s]+)>",
        "RCPT": r"(?i)^RCPT\s+TO:\s*<([^<>\s]+)>",
        "any": r"<([^<>\s]+@[^<>\s]+)>",
        "host": r"(?i)^(?:EHLO|HELO|LHLO)\s+(\S+)",
        "target": r"(?i)^/connect\s+(\S+)",
        "user": r"(?i)^/auth\s+(?:\S+\s+)?([^\s-]\S*)$",
        "domain": r"@([A-Za-z0-9.-]+)>",
    }
    return re.compile(patterns[which])


def used(scene: Scene, which: str) -> Iterator[tuple[str, str]]:
    """Yield what the history holds of a kind, the newest first."""
    for line in scene.history()[:SEARCHED]:
        match = _pattern(which).search(line)
        if match:
            yield match[1], USED


def senders(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield addresses for MAIL FROM."""
    yield from used(scene, "MAIL")
    if scene.now.target == PRACTICE:
        host = scene.now.helo if scene.now.helo and "." in scene.now.helo else "client.example"
        if not host.startswith("["):
            yield f"ann@{host}", "somebody at the host you greeted with"
        for address in scene.mailboxes:
            yield address, MAILBOX


def recipients(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield addresses for RCPT TO: those not yet given come first."""
    given = {*scene.now.recipients, *scene.now.refused}
    candidates = [
        *((address, MAILBOX) for address in scene.mailboxes),
        *used(scene, "RCPT"),
        *used(scene, "MAIL"),
    ]
    yield from (pair for pair in candidates if pair[0] not in given)
    yield from ((address, "given already") for address, _ in candidates if address in given)


def hosts(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield names to greet with."""
    if scene.settings("helo"):
        yield scene.settings("helo"), "the setting helo"
    if scene.now.helo:
        yield scene.now.helo, "what you greeted with"
    yield from used(scene, "host")
    if scene.now.target == PRACTICE or scene.now.address.startswith("127."):
        yield "client.example", "a reserved name, good for practice"
    name = own_name()
    if name:
        yield name, "this machine's own name"


@cache
def own_name() -> str:
    """Return the name of this machine where it has dots, otherwise ""."""
    import socket

    name = socket.gethostname()
    return name if "." in name else ""


def targets(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield what /connect may lead to."""
    yield PRACTICE, "the practice server inside this program"
    yield from used(scene, "target")
    yield from ((name, "a mail provider") for name in PROVIDERS)
    for name, scheme in SCHEMES.items():
        secured = {"tls": ", TLS at once", "starttls": ", then STARTTLS"}.get(scheme.security, "")
        yield f"{name}://", f"port {scheme.port}{secured}"


def domains(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield domains of addresses and hosts used before."""
    for address in (*scene.now.recipients, *scene.now.refused, scene.now.sender or ""):
        if "@" in address:
            yield address.rpartition("@")[2], "of this transaction"
    yield from used(scene, "domain")
