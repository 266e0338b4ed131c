"""What the refusal of a login means here: advice by its code, from what the session knows.

The codes are those of RFC 4954 section 6 (and 454 of section 4, 530 of RFC 3207 section 4). Each
row is a function of the session's facts; what it does not know it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable

from smtpshell.knowledge.context import Context
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.secrets import CANCEL
from smtpshell.protocol.values import dataclass

KEEPS_PASSWORD = ("CRAM-MD5", "DIGEST-MD5")
"""Mechanisms for which a server must keep the password itself, as most of today's do not."""

_BETWEEN_SERVERS = 25

OF_AUTH_ALONE = frozenset({432, 534, 535, 538})
"""Codes that answer AUTH and nothing else (RFC 4954 section 6), also where nobody told the verb."""

LOGIN_REFUSED = "login-refused"
"""The rule whose texts are said of a login and nothing else, also where no code stands by them."""


@dataclass(frozen=True, slots=True)
class LoginKind:
    """One way in which a login is refused that is more than a wrong password.

    Either a code or words of the text (in lower case) tell it. `meaning` completes "Refused for
    good:" as the sentence of a class does; {mechanism} stands for what was tried.
    """

    name: str
    codes: tuple[int, ...]
    words: tuple[str, ...]
    meaning: str


KINDS: tuple[LoginKind, ...] = (
    LoginKind(
        "app-password",
        (),
        ("application-specific password", "app password", "app-specific password", "auth code"),
        "this account wants an app password from programs, not its own password",
    ),
    LoginKind(
        "browser",
        (),
        ("web browser", "your browser", "webmail to unlock"),
        "the provider wants this user to sign in with a web browser first",
    ),
    LoginKind(
        "switched-off",
        (),
        ("smtpclientauthentication is disabled", "basic authentication is disabled"),
        "logging in with a password is switched off for this mailbox or organisation",
    ),
    LoginKind(
        "disabled",
        (525,),
        ("account disabled", "account is disabled", "account locked", "account is locked"),
        "the account is disabled or locked",
    ),
    LoginKind("too-weak", (534,), (), "{mechanism} is too weak a login for this server"),
    LoginKind("transition", (422, 432), (), "the server needs the password anew, in another way"),
    LoginKind("unchecked", (435, 454), (), "the server cannot check logins at the moment"),
)
"""What else a refused login may be (RFC 4954 section 6, RFC 5248 section 2.4); the first counts."""


def login_kind(reply: Reply, context: Context) -> LoginKind | None:
    """Return which of these a refused login is, or None for another reply and a plain refusal."""
    if context.command != "AUTH":
        return None
    text = reply.text[:1_000].lower()
    return next(
        (
            kind
            for kind in KINDS
            if reply.code in kind.codes or any(word in text for word in kind.words)
        ),
        None,
    )


def is_cancelled(reply: Reply, context: Context) -> bool:
    """Tell whether a reply only confirms that the client gave up a login (RFC 4954 section 4)."""
    return reply.code == 501 and context.command == "AUTH" and context.line.strip() == CANCEL


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


def plain_mechanism(context: Context) -> str:
    """Return an offered mechanism for which any stored password will do; "" for none."""
    return next((name for name in ("PLAIN", "LOGIN") if name in context.auth_mechanisms), "")


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
    """534: the mechanism is too weak for the server's policy; what else there is."""
    others = _others(context)
    return f"The server also offers {others}." if others else ""


def _encryption_required(context: Context) -> str:
    """538: the mechanism needs encryption."""
    return _encrypt(context) if context.tls is False else ""


def _required(context: Context) -> str:
    """530: something must come first, encryption or a login."""
    if context.tls is False and "STARTTLS" in context.extensions:
        then = " Then /auth logs in." if context.auth_mechanisms else ""
        return f"{_encrypt(context)}{then}"
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
