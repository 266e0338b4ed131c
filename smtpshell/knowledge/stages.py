"""What a server can have heard at each command, and so what a refusal can be about.

A mail transaction tells its story in order: first the client's address, then its name, the sender,
the recipients, and last the message (RFC 5321 section 3.3). A server cannot refuse for what it has
not heard yet: words such as "address" and "blocked" are about the client in the greeting, and about
nobody's mailbox. What was heard before may well be the reason of a later refusal, for many servers
keep their refusals back until a recipient is named.

Logs sometimes name the wrong command, so a class too early is made unlikely and never impossible.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

UNHEARD = 2.5
"""Taken away from a class that is about something not heard yet."""

_OF_SENDER = frozenset({"sender_rejected", "sender_auth"})
_OF_RECIPIENT = frozenset(
    {"user_unknown", "mailbox_disabled", "mailbox_full", "relay_denied", "suppressed"}
)
_OF_MESSAGE = frozenset({"spam_content", "virus", "content_format"})
_OF_SIZE = frozenset({"message_too_big"})
_OF_CLIENT = frozenset({"rdns_helo", "dns_host"})

TOO_EARLY: dict[str, frozenset[str]] = {
    "CONNECT": _OF_SENDER | _OF_RECIPIENT | _OF_MESSAGE | _OF_SIZE,
    "EHLO": _OF_SENDER | _OF_RECIPIENT | _OF_MESSAGE | _OF_SIZE,
    "STARTTLS": _OF_SENDER | _OF_RECIPIENT | _OF_MESSAGE | _OF_SIZE | _OF_CLIENT,
    "AUTH": _OF_SENDER | _OF_RECIPIENT | _OF_MESSAGE | _OF_SIZE | _OF_CLIENT,
    "MAIL": (_OF_RECIPIENT - {"relay_denied"}) | _OF_MESSAGE,
    "RCPT": _OF_MESSAGE,
}
"""For each command, the classes about something that only a later command tells."""

NOTHING: frozenset[str] = frozenset()


def too_early(verb: str) -> frozenset[str]:
    """Return the classes that a refusal of `verb` is unlikely to be about."""
    return TOO_EARLY.get(verb, NOTHING)


OUT_OF_FAMILY = 0.7
"""Taken away from a class whose first digit is usually the other one (RFC 5321 section 4.2.1)."""

_FAMILIES: dict[int, frozenset[str]] = {
    4: frozenset({"user_unknown", "mailbox_disabled", "virus", "content_format", "relay_denied"}),
    5: frozenset({"greylisted", "network", "rate_limited", "system_error"}),
}


def out_of_family(family: int) -> frozenset[str]:
    """Return the classes that a reply of this first digit is seldom about."""
    return _FAMILIES.get(family, NOTHING)


@lru_cache(maxsize=1024)
def unlikely(verb: str, family: int) -> Mapping[str, float]:
    """Return the classes that lose weight behind a command and a first digit, and how much."""
    less: dict[str, float] = dict.fromkeys(too_early(verb), UNHEARD)
    for class_ in out_of_family(family):
        less[class_] = less.get(class_, 0.0) + OUT_OF_FAMILY
    return less
