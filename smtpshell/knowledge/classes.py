"""The failure classes: what a refusal comes down to, who must act, and whether to try again.

Codes and texts vary without end; what a person can do about them does not. Every reply therefore
falls into one of two dozen classes, and a class settles three things: a sentence a novice
understands, the person who has to act, and whether the very same message may be sent again.
"""

from __future__ import annotations

from smtpshell.protocol.values import dataclass


@dataclass(frozen=True, slots=True)
class ReplyClass:
    """One failure class.

    `sentence` completes "Refused for good:" and "Not now:"; `who` is a key of `WHO`; `retry` is a
    key of `RETRY`; `sections` are the RFC sections to read when the rules name no better one.
    """

    name: str
    sentence: str
    who: str
    retry: str
    sections: tuple[str, ...]


WHO: dict[str, str] = {
    "sender": "you, the sender of the message",
    "sender_admin": "whoever runs the sending server or the sender's domain",
    "recipient": "the person you write to",
    "recipient_admin": "whoever runs the receiving server",
    "client": "the program (or the hand) that typed the commands",
    "nobody": "nobody",
    "?": "not known",
}
"""Who must act, in words."""

RETRY: dict[str, str] = {
    "no": "not before something has changed",
    "later": "yes, later, unchanged",
    "-": "nothing to repeat",
    "?": "not known",
}
"""Whether the same message may be sent again, in words."""

_ROWS: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    ("ok", "the command went through", "nobody", "-", ("RFC 5321 4.2.1",)),
    (
        "user_unknown",
        "there is no mailbox with this address",
        "sender",
        "no",
        ("RFC 5321 3.3", "RFC 3463 3.2"),
    ),
    (
        "mailbox_disabled",
        "the mailbox exists but takes no mail: it is closed, suspended or idle",
        "recipient",
        "no",
        ("RFC 3463 3.3",),
    ),
    ("mailbox_full", "the mailbox is full", "recipient", "later", ("RFC 3463 3.3",)),
    (
        "message_too_big",
        "the message is larger than this server or mailbox takes",
        "sender",
        "no",
        ("RFC 1870 6", "RFC 3463 3.4"),
    ),
    (
        "relay_denied",
        "this server does not forward mail to that domain for you",
        "sender_admin",
        "no",
        ("RFC 5321 3.6.2", "RFC 5321 7.9"),
    ),
    (
        "auth_required",
        "the login is missing, failed, or is not allowed here",
        "sender",
        "no",
        ("RFC 4954 6",),
    ),
    (
        "tls",
        "encryption is required, missing or failed",
        "sender_admin",
        "no",
        ("RFC 3207 4",),
    ),
    (
        "sender_auth",
        "the message could not prove its sender: SPF, DKIM or DMARC did not pass",
        "sender_admin",
        "no",
        ("RFC 7208 8.4", "RFC 6376 6.1", "RFC 9989"),
    ),
    (
        "ip_blocked",
        "the sending address is on a block list or has a bad reputation",
        "sender_admin",
        "no",
        ("RFC 5782 2", "RFC 5321 7.8"),
    ),
    (
        "rdns_helo",
        "the name of the sending host is wrong: its reverse DNS or its EHLO name",
        "sender_admin",
        "no",
        ("RFC 5321 4.1.4", "RFC 1912 2.1"),
    ),
    (
        "sender_rejected",
        "the envelope sender or its domain is refused",
        "sender_admin",
        "no",
        ("RFC 5321 3.3", "RFC 3463 3.2"),
    ),
    (
        "spam_content",
        "the message looks like spam to this server",
        "sender",
        "no",
        ("RFC 5321 7.9",),
    ),
    (
        "virus",
        "the message carries malware or a kind of attachment that is not allowed",
        "sender",
        "no",
        ("RFC 5321 7.9",),
    ),
    (
        "content_format",
        "the message breaks a rule of the message format",
        "sender",
        "no",
        ("RFC 5322 3", "RFC 3463 3.7"),
    ),
    (
        "policy",
        "a rule of the receiving site refuses this mail",
        "recipient_admin",
        "no",
        ("RFC 5321 7.9", "RFC 3463 3.8"),
    ),
    (
        "rate_limited",
        "too many messages, recipients or connections in too short a time",
        "sender_admin",
        "later",
        ("RFC 5321 4.5.4.1", "RFC 5321 4.5.3.1.10"),
    ),
    (
        "greylisted",
        "asked to wait, on purpose: an unknown sender is let in at a later try",
        "nobody",
        "later",
        ("RFC 6647 2", "RFC 5321 4.5.4.1"),
    ),
    (
        "dns_host",
        "the recipient's domain has no mail host that can be used",
        "sender",
        "no",
        ("RFC 5321 5.1", "RFC 7505 3"),
    ),
    (
        "network",
        "the way to the next server failed: time-out, loop or no connection",
        "recipient_admin",
        "later",
        ("RFC 5321 4.5.4.1", "RFC 3463 3.5"),
    ),
    (
        "protocol",
        "the command was wrong, unknown or out of order",
        "client",
        "no",
        ("RFC 5321 4.1.4", "RFC 5321 4.2.4"),
    ),
    (
        "system_error",
        "the server has a fault of its own",
        "recipient_admin",
        "later",
        ("RFC 3463 3.4", "RFC 5321 4.2.2"),
    ),
    (
        "suppressed",
        "the sending service has this address on its own list of addresses not to try",
        "sender",
        "no",
        ("RFC 3463 3.2",),
    ),
    ("unknown", "the reply does not say why", "?", "?", ("RFC 5321 4.2.1",)),
)

CLASSES: dict[str, ReplyClass] = {row[0]: ReplyClass(*row) for row in _ROWS}
"""Every class by name, success first, `unknown` last."""
