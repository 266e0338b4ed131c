"""Failures without a reply, explained like replies: no name, no answer, no banner, no SMTP.

The kinds are what a connection attempt can come to. Each row of `tables/failures.toml` says what it
means, where it leaves the user, and the causes with the command that settles each, those for the
port that was tried before the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from smtpshell.knowledge.advice import MOST_CAUSES, MOST_NEXT
from smtpshell.knowledge.classes import CLASSES
from smtpshell.knowledge.codes import FOLDER
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explanation import Explanation
from smtpshell.knowledge.places import Places, fill, fill_causes
from smtpshell.knowledge.rulebook import read_plain
from smtpshell.protocol.values import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which a connection fails; `causes` are (port, text, command) by likelihood.

    A cause with a port ("25") holds on that port only, and comes first there; with a question mark
    ("25?") it also comes first where nobody tells the port.
    """

    kind: str
    class_: str
    meaning: str
    section: str
    causes: tuple[tuple[str, str, str], ...]


@cache
def failures() -> Mapping[str, Failure]:
    """Return every kind of failure that `explain_failure` knows."""
    document = read_plain((FOLDER / "failures.toml").read_text(encoding="utf-8"))
    return {
        table["kind"]: Failure(
            table["kind"],
            table["class"],
            table["meaning"],
            table["section"],
            tuple(_cause(text) for text in table["causes"]),
        )
        for table in document["failure"]
    }


def _cause(line: str) -> tuple[str, str, str]:
    """Split "[25] text => command" into port ("" for any), text and command."""
    text, _, command = line.partition(" => ")
    if text.startswith("["):
        port, _, text = text[1:].partition("] ")
        return port, text, command
    return "", text, command


SERVICES: dict[str, str] = {
    "http": "a web server (HTTP)",
    "imap": "a mailbox server (IMAP), from which mail is read",
    "pop3": "a mailbox server (POP3), from which mail is fetched",
    "ssh": "a remote shell (SSH)",
    "ftp": "a file server (FTP)",
    "nntp": "a news server (NNTP)",
    "http2": "a web server (HTTP/2)",
    "sieve": "a server for mail filters (ManageSieve)",
    "mysql": "a database server (MySQL or MariaDB)",
    "telnet": "a telnet server",
    "vnc": "a remote desktop server (VNC)",
    "redis": "a Redis server",
}
"""Other services by name, in words."""

PORTS: dict[int, str] = {
    24: "mail handed to mailboxes (LMTP)",
    25: "mail between servers",
    465: "submission with TLS from the first octet",
    587: "submission with STARTTLS",
    2525: "a stand-in for 587 at some providers",
}
"""What the ports of mail are for."""

_KINDS: dict[tuple[str, str], str] = {
    ("", "resolve"): "unresolved",
    ("connect", "timeout"): "filtered",
    ("banner", "tls"): "plain-to-tls",
    ("tls", "not-tls"): "tls-to-plain",
    ("tls", "certificate"): "certificate",
    ("tls", "settings"): "settings",
    ("tls", ""): "tls-failed",
    ("", "tls"): "tls-failed",
    ("greeting", "timeout"): "no-banner",
    ("wait", "closed"): "hung-up",
    ("write", "closed"): "hung-up",
}
"""By the stage and the kind of a `Failed` event, the kind here; "" stands for any."""


def kind_of(stage: str, kind: str, *, greeted: bool = True) -> str:
    """Return the kind to explain a `Failed` event by: a key of `failures()`, or one with a service.

    `greeted` tells whether the server had sent its greeting. Kinds of which nothing is known become
    "failed".

    >>> kind_of("connect", "timeout"), kind_of("wait", "timeout", greeted=False)
    ('filtered', 'no-banner')
    """
    if stage == "wait" and not greeted:
        stage = "greeting"
    for row in ((stage, kind), ("", kind), (stage, "")):
        if row in _KINDS:
            return _KINDS[row]
    if kind in SERVICES:
        return f"not-smtp:{kind}"
    return kind if kind in failures() else "failed"


def _known_only(meaning: str, context: Context) -> str:
    """Return a sentence without the host and the port where nobody named them."""
    if not context.host:
        meaning = meaning.replace("the machine HOST", "the machine").replace("HOST", "the server")
    return meaning if context.port else meaning.replace(" on port 25", " on that port")


_WHO = dict.fromkeys(
    ("tls-to-plain", "plain-to-tls", "not-smtp", "source", "file", "settings"), "client"
)
"""Who must act where it is not whom the class names."""


def explain_failure(kind: str, context: Context, *, detail: str = "") -> Explanation:
    """Explain why there is no conversation.

    `kind` is a key of `failures()`, or "not-smtp:http" and the like with a key of SERVICES.
    `detail` is what the operating system said; `context.ms` how long was waited. Raises KeyError
    for an unknown kind.
    """
    name, _, service = kind.partition(":")
    row = failures()[name]
    class_ = CLASSES[row.class_]
    places = Places(context)
    if service in SERVICES:
        places["service"] = f": it is {SERVICES[service]}"
    if context.ms:
        places["waited"] = f" within {context.ms / 1000:.3g} seconds"
    places["port_use"] = f" ({PORTS[context.port]})" if context.port in PORTS else ""
    port = str(context.port or "")
    first = {
        command: text
        for ports, text, command in reversed(row.causes)
        if (ports.rstrip("?") == port if port else ports.endswith("?"))
    }
    first = dict(reversed(first.items()))
    others = {command: text for ports, text, command in row.causes if not ports}
    rows = [(text, command) for command, text in {**first, **others, **first}.items()]
    causes = fill_causes(rows, places, MOST_CAUSES)
    meaning = f"It failed: {_known_only(fill(row.meaning, places), context)}."
    facts = (f"the connection came to {name!r}", port and f"port {port}", detail)
    return Explanation(
        class_=class_.name,
        who=_WHO.get(name, class_.who),
        retry=class_.retry,
        code=None,
        enhanced=None,
        meaning=meaning,
        short=meaning,
        causes=causes,
        next=tuple(dict.fromkeys(cause.confirm for cause in causes))[:MOST_NEXT],
        sections=(row.section,),
        provider=None,
        software=None,
        confidence=0.9,
        facts=tuple(filter(None, facts)),
    )
