"""What is asked about before it is sent: pure questions of what is known, answered with words.

Two things cannot be taken back: mail that really leaves, and a password that others can read. A
function here returns the question to ask, or "" when there is nothing to ask. Who asks, and how
often, is the business of the caller; a script never does.

Reserved names are those of RFC 2606 and RFC 6761: nobody can own them, so mail to them goes nowhere
by accident. Practice worlds live under them.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from smtpshell.protocol.secrets import CANCEL
from smtpshell.protocol.text import encode, visible

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.conversation.targets import Target
    from smtpshell.net.verdict import Verdict
    from smtpshell.protocol.session import Snapshot

RESERVED_TOP = frozenset({"test", "example", "invalid", "localhost"})
"""Top-level names that nobody can own (RFC 2606 section 2, RFC 6761 section 6)."""

RESERVED_SECOND = frozenset({"example.com", "example.net", "example.org"})
"""Second-level names kept for examples (RFC 2606 section 3)."""

SHOWN = 3
"""Domains that a question names before it says "and others"."""


def is_reserved(domain: str) -> bool:
    """Tell whether a domain is reserved, or is a literal of a loopback address.

    >>> is_reserved("mail.practice.example"), is_reserved("Example.COM"), is_reserved("gmail.com")
    (True, True, False)
    """
    name = domain.casefold().rstrip(".")
    if name.startswith("["):
        return is_loopback(name.strip("[]").removeprefix("ipv6:"))
    labels = name.split(".")
    return labels[-1] in RESERVED_TOP or ".".join(labels[-2:]) in RESERVED_SECOND


def is_loopback(address: str) -> bool:
    """Tell whether an address leads to this machine: loopback, a UNIX socket, a command."""
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return "/" in address or not address


def leaving_domains(recipients: tuple[str, ...]) -> tuple[str, ...]:
    """Return the recipients' domains that are not reserved, each once; none for a local name."""
    domains = (address.rpartition("@")[2] for address in recipients if "@" in address)
    return tuple(dict.fromkeys(domain for domain in domains if not is_reserved(domain)))


def question_before_delivery(now: Snapshot, target: Target | None) -> str:
    """Return what to ask before the message is handed over, where it would really leave."""
    if target is None or target.is_practice or is_loopback(now.address):
        return ""
    domains = leaving_domains(now.recipients)
    if not domains:
        return ""
    named = ", ".join(visible(domain) for domain in domains[:SHOWN])
    others = " and others" if len(domains) > SHOWN else ""
    return f"This is real mail: {visible(now.target)} will deliver it to {named}{others}. Send it?"


def question_before_secret(
    line: str, now: Snapshot, target: Target | None, *, answering: bool, verified: bool
) -> str:
    """Return what to ask before a typed line takes a secret over a channel that others may read.

    `answering` says that the line answers a challenge; `verified` is the verdict on the server's
    certificate. An empty answer, `=` and `*` hold no secret. A practice server is for published
    passwords, so any other is asked about there.
    """
    if not _holds_secret(line, answering=answering):
        return ""
    if target is not None and target.is_practice:
        return UNPUBLISHED if _is_unpublished(line, now, target, answering=answering) else ""
    if target is None or (now.tls and verified):
        return ""
    why = (
        "the server's certificate is not good, so anybody may be listening"
        if now.tls
        else "the connection is not encrypted, so anybody on the way can read it"
    )
    return f"This line may hold a password, and {why} (base64 hides nothing). Send it?"


UNPUBLISHED = (
    "This is none of the practice passwords. Never type one of your own here. Send it all the same?"
)
_IN_THE_CLEAR = frozenset({"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"})
"""Mechanisms that hold the password itself, or a token that is as good."""


def _is_unpublished(line: str, now: Snapshot, target: Target, *, answering: bool) -> bool:
    """Tell whether a line holds credentials as they are, and not those that are published."""
    from smtpshell.protocol import sasl

    words = [now.trying or "", line.strip()] if answering else line.split()[1:3]
    mechanism = words[0].upper()
    if target.published is None or mechanism not in _IN_THE_CLEAR:
        return False
    try:
        octets = sasl.decode_line(words[1])
    except sasl.SaslError:
        return False
    return bool(octets) and not target.published(mechanism, encode(words[1]))


def _holds_secret(line: str, *, answering: bool) -> bool:
    if answering:
        return line.strip() not in ("", "=", CANCEL)
    words = line.split()
    return len(words) > 2 and words[0].upper() == "AUTH" and words[2] != "="


def is_safe(verdict: Verdict | None, settings: Settings) -> bool:
    """Tell whether a secret may go over a channel: encrypted, and the certificate good.

    The setting `verify` off takes any certificate for good.
    """
    return verdict is not None and (verdict.verified or not settings["verify"])


def question_before_dropping(now: Snapshot) -> str:
    """Return what to ask before a connection is dropped in the middle of a message."""
    sender = visible(now.sender or "")
    return (
        f"The message from <{sender}> is not finished. Drop the connection, so that nothing of it "
        "is delivered?"
    )
