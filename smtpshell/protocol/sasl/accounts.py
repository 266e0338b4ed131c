"""What a server knows of its users, and how an exchange came out on the server's side."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from smtpshell.protocol.sasl.prepare import saslprep
from smtpshell.protocol.sasl.values import ChannelBinding, SaslError
from smtpshell.protocol.values import dataclass, field

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "malformed": "the response breaks the mechanism's syntax",
        "unknown-user": "there is no such user",
        "wrong-password": "the password, or the proof of it, is wrong",
        "bad-token": "the bearer token is wrong, expired or not for this user",
        "not-authorized": "this user may not act under the requested identity",
        "channel-binding": "the two sides do not agree on the TLS channel",
        "no-keys": "the server holds nothing to check this mechanism against",
        "no-identity": "nothing outside SASL (a client certificate) names the client",
    }
)
"""Why a server refused, by name; none of it is told to the client, which hears 535 alone."""


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """What a SCRAM server stores instead of a password (RFC 5802 section 3)."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """One user of a server: a practice password, or SCRAM keys by hash ("sha1", "sha256"), or both.

    `may_act_as` lists authorization identities beside the user's own name.
    """

    user: str
    password: str | None = field(default=None, repr=False)
    keys: Mapping[str, StoredKeys] = field(default_factory=dict, repr=False)
    token: str | None = field(default=None, repr=False)
    may_act_as: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an exchange ended: who logged in as whom, or the fault (of `FAULTS`) and its reason."""

    ok: bool
    user: str = ""
    authzid: str = ""
    reason: str = ""
    fault: str = ""


Users: TypeAlias = Callable[[str], Account | None]
"""Looks an account up by user name."""

ServerSteps: TypeAlias = Generator[bytes, bytes, Outcome]
"""A server's side: yields challenges, is sent responses, returns the outcome."""


@dataclass(frozen=True, slots=True)
class ServerTerms:
    """What a server's side works with beside its users.

    `bindings` are the channel bindings of this TLS connection by type, `plus_offered` whether a
    -PLUS mechanism was advertised, `identity` who the client is by means outside SASL, `nonce` and
    `salt` the sources of what should be unpredictable (fixed ones make a lesson repeatable).
    """

    mechanism: str
    users: Users
    host: str = "localhost"
    realm: str = ""
    bindings: tuple[ChannelBinding, ...] = ()
    plus_offered: bool = False
    nonce: Callable[[], str] | None = None
    salt: Callable[[str], bytes] | None = None
    iterations: int = 4096
    identity: str = ""
    scope: str = "mail"


def refuse(fault: str, user: str = "", reason: str = "") -> Outcome:
    """Return a refusal; without a reason the fault's own meaning is given."""
    return Outcome(False, user=user, reason=reason or FAULTS[fault], fault=fault)


def authorize(account: Account, authzid: str) -> Outcome:
    """Return acceptance, or refusal when the account may not act as `authzid`."""
    if authzid in ("", account.user) or authzid in account.may_act_as:
        return Outcome(True, user=account.user, authzid=authzid or account.user)
    return refuse("not-authorized", account.user)


def check_password(users: Users, user: str, password: str, authzid: str = "") -> Outcome:
    """Compare a password that travelled in the clear, both sides prepared (RFC 4616 section 2).

    An unknown user costs the same comparison as a known one.
    """
    import hmac

    try:
        name, presented = saslprep(user, "user name"), saslprep(password, "password")
    except SaslError as error:
        return refuse("malformed", reason=str(error))
    account = users(name) or users(user)
    expected = account.password if account is not None and account.password is not None else ""
    try:
        stored = saslprep(expected, "stored password")
    except SaslError:
        stored = ""
    same = hmac.compare_digest(stored.encode(), presented.encode())
    if account is None:
        return refuse("unknown-user", user)
    if account.password is None:
        return refuse("no-keys", user)
    return authorize(account, authzid) if same and presented else refuse("wrong-password", user)
