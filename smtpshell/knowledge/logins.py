"""What the refusal of a login means here: advice by its code, from what the session knows.

The codes are those of RFC 4954 section 6 (and 454 of section 4, 530 of RFC 3207 section 4). Each
row is a function of the session's facts; what it does not know it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable

from smtpshell.knowledge.context import Context
from smtpshell.protocol.replies import Reply

KEEPS_PASSWORD = ("CRAM-MD5", "DIGEST-MD5")
"""Mechanisms for which a server must keep the password itself, as most of today's do not."""

_BETWEEN_SERVERS = 25


def login_advice(reply: Reply, context: Context) -> str:
    """Return what to do about a login that was refused or is missing; "" for other replies."""
    advise = _ADVICE.get(reply.code or 0)
    if advise is None or (context.command != "AUTH" and reply.code != 530):
        return ""
    if reply.code == 530 and "TLS" in reply.text.upper() and context.tls is False:
        return _encrypt(context)
    return advise(context)


def tried_mechanism(context: Context) -> str:
    """Return the mechanism that was tried, from the session or from the line; "" if none is known.

    >>> tried_mechanism(Context(verb="AUTH", line="AUTH cram-md5"))
    'CRAM-MD5'
    """
    words = context.line.split()
    named = words[1] if len(words) > 1 and words[0].upper() == "AUTH" else ""
    return (context.mechanism or named).upper()


def other_mechanism(context: Context) -> str:
    """Return the best mechanism that is offered beside the one that was tried; "" for none."""
    from smtpshell.protocol.sasl.table import MECHANISMS

    tried = tried_mechanism(context)
    rows = [
        MECHANISMS[name]
        for name in map(str.upper, context.auth_mechanisms)
        if name in MECHANISMS and name != tried
    ]
    best = max(rows, key=lambda row: ("password" in row.needs, row.strength), default=None)
    return best.name if best is not None and best.strength else ""


def _others(context: Context) -> str:
    tried = tried_mechanism(context)
    return ", ".join(name for name in context.auth_mechanisms if name != tried)


def _encrypt(context: Context) -> str:
    if "STARTTLS" in context.extensions:
        return "/starttls encrypts this connection."
    return "STARTTLS is not offered here: connect with TLS at once, smtps://HOST (port 465)."


def _wrong(context: Context) -> str:
    """535: the credentials, or that this login is not allowed at all."""
    from smtpshell.knowledge.providers import providers

    provider = next(
        (row for row in providers().values() if row.host == context.host.partition(":")[0]), None
    )
    if provider is not None:
        return f"{provider.title} wants {provider.user} as user name and {provider.password}."
    if context.tls is False:
        return f"Many servers refuse every login that is not encrypted. {_encrypt(context)}"
    if context.port == _BETWEEN_SERVERS:
        return "Port 25 is between servers: users log in at port 587 or 465."
    tried = tried_mechanism(context)
    if tried in KEEPS_PASSWORD and "PLAIN" in context.auth_mechanisms:
        return (
            f"{tried} works only where the server keeps the password itself; "
            "inside TLS, /auth PLAIN works with any."
        )
    return ""


def _weak(context: Context) -> str:
    """534: the mechanism is too weak for the server's policy."""
    others = _others(context)
    stronger = f" The server also offers {others}." if others else ""
    return f"{tried_mechanism(context) or 'This mechanism'} is too weak for this server.{stronger}"


def _encryption_required(context: Context) -> str:
    """538: the mechanism needs encryption."""
    return _encrypt(context) if context.tls is False else ""


def _required(context: Context) -> str:
    """530: something must come first, encryption or a login."""
    if context.tls is False and "STARTTLS" in context.extensions:
        return _encrypt(context)
    if context.auth_mechanisms:
        return f"/auth logs in; the server offers {', '.join(context.auth_mechanisms)}."
    return _encrypt(context) if context.tls is False else ""


def _transition(context: Context) -> str:
    """432: the server has no keys for this mechanism yet (RFC 4954 section 6)."""
    plain = "PLAIN" in context.auth_mechanisms
    how = "/auth PLAIN inside TLS" if plain else "the provider's web page"
    return f"The server must learn the password once more, by {how}; then this mechanism works."


def _later(_context: Context) -> str:
    """454: the server could not check."""
    return "The password may well be right: the server could not check it. Try the same later."


def _unknown(context: Context) -> str:
    """504: the mechanism is not known."""
    others = _others(context)
    if others:
        return f"The server offers {others}."
    return _encrypt(context) if context.tls is False else ""


_ADVICE: dict[int, Callable[[Context], str]] = {
    432: _transition,
    454: _later,
    504: _unknown,
    530: _required,
    534: _weak,
    535: _wrong,
    538: _encryption_required,
}
