"""The values that every mechanism works with: what a client has, and on what terms it proves it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Literal, TypeAlias

from smtpshell.protocol.errors import SmtpshellError, Status
from smtpshell.protocol.values import dataclass, field

Direction: TypeAlias = Literal["client", "server"]
"""Who sent a token."""

ClientSteps: TypeAlias = Generator[bytes, bytes | None, None]
"""A client's side: yields responses, is sent challenges, and None when the server said 235."""

ITERATIONS = range(4096, 1_000_001)
"""SCRAM iteration counts that a client goes along with.

Fewer than 4096 (the least that RFC 5802 section 5.1 and RFC 7677 section 4 recommend) makes a
stolen proof cheap to guess from; more than a million would let a server keep the client computing.
"""

CHALLENGE_LIMIT = 9216
"""Octets of one challenge: what the 12288 characters of RFC 4954 section 4 can carry."""


class SaslError(SmtpshellError):
    """The exchange cannot go on: a wrong challenge, a server that failed its proof, bad input."""

    status = Status.AUTH


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client may prove itself with; secrets stay out of the repr.

    `user` is the name that logs in (authentication identity), `authzid` the name to act as when it
    differs (authorization identity), `realm` the DIGEST-MD5 realm if the server offers several.
    `certificate` says that the TLS handshake presented one, which is what EXTERNAL rests on.
    """

    user: str = ""
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    authzid: str = ""
    realm: str = ""
    certificate: bool = False

    @property
    def have(self) -> frozenset[str]:
        """Return which of the names in `Mechanism.needs` these credentials supply."""
        present = {
            "user": bool(self.user),
            "password": self.password is not None,
            "token": self.token is not None,
            "authzid": bool(self.authzid),
            "certificate": self.certificate,
        }
        return frozenset(name for name, given in present.items() if given)


@dataclass(frozen=True, slots=True)
class ChannelBinding:
    """Octets that name this one TLS channel, and the type that says how they were made.

    Types: "tls-server-end-point" and "tls-unique" (RFC 5929), "tls-exporter" (RFC 9266).
    """

    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ClientTerms:
    """What a client's side knows beside its credentials."""

    mechanism: str
    binding: ChannelBinding | None = None
    plus_offered: bool = False
    nonce: Callable[[], str] | None = None
    host: str = ""
    port: int = 0
    iterations: range = ITERATIONS


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a token: its name, its value made printable, and what it is for.

    `secret` marks a value that must not be shown or stored unless the user asked to see it.
    """

    name: str
    value: str
    meaning: str
    secret: bool = False


def present(challenge: bytes | None, where: str) -> bytes:
    """Return a challenge, or raise `SaslError` when the server said 235 in its place."""
    if challenge is None:
        raise SaslError(
            "the server accepted the login before the exchange was complete",
            where,
            "It proved nothing about itself: do not trust it, and change the password if in doubt.",
        )
    return challenge


def challenge_text(challenge: bytes | None, where: str) -> str:
    """Return a challenge as text, or raise `SaslError` when it is absent, too long or not UTF-8."""
    return _text(
        present(challenge, where),
        "challenge",
        where,
        "This is not what an honest server of this mechanism sends: cancel with *.",
    )


def response_text(response: bytes, where: str) -> str:
    """Return a client's response as text, or raise `SaslError` when too long or not UTF-8."""
    return _text(response, "response", where, "")


def _text(octets: bytes, what: str, where: str, advice: str) -> str:
    if len(octets) > CHALLENGE_LIMIT:
        raise SaslError(
            f"the {what} is {len(octets)} octets long; at most {CHALLENGE_LIMIT} are taken",
            where,
            advice,
        )
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SaslError(
            f"octet {error.start + 1} of the {what} is not UTF-8 text", where, advice
        ) from None


def nothing_more(challenge: bytes | None, where: str) -> None:
    """Raise `SaslError` if the server goes on with challenges after the exchange is complete."""
    if challenge is not None:
        raise SaslError(
            "the server sent a further challenge after the exchange was complete",
            where,
            "Cancel with *, and try another mechanism.",
        )


def random_nonce() -> str:
    """Return 144 random bits as printable characters without a comma."""
    import secrets

    return secrets.token_urlsafe(18)
