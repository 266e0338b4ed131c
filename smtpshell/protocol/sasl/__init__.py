"""SASL (RFC 4422, in SMTP RFC 4954): both sides of each mechanism, as generators of octets.

A mechanism is a conversation of tokens: the server's challenges and the client's responses. Here
each side is a generator that yields its own tokens and is sent the other's. There is no base64 in
them (`line` has that), no socket and no SMTP, so the two sides can be wired to each other in a test
and to anything else in a program.

The client's side is started with `next()`. Where the client speaks first that gives its first
response; where the server does, it gives `b""`, which is not sent. Each `send(challenge)` gives the
next response. When the server has said 235, `next()` once more: the generator ends if the server
kept its side of the bargain, and raises `SaslError` if the server, say, never showed its SCRAM
signature. The server's side is the mirror image, and returns an `Outcome`; whatever it is sent, it
raises nothing. `exchange` wraps both for those who would rather call methods.

Importing this package loads the tables only; hashing and stringprep come with the mechanism used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from smtpshell.protocol.sasl.accounts import (
    FAULTS,
    Account,
    Outcome,
    ServerSteps,
    ServerTerms,
    StoredKeys,
    Users,
    refuse,
)
from smtpshell.protocol.sasl.line import CANCEL, decode_line, encode_line
from smtpshell.protocol.sasl.table import (
    MECHANISMS,
    NEEDS_OF_THE_CALLER,
    RECOGNISED,
    Mechanism,
    best,
)
from smtpshell.protocol.sasl.values import (
    ITERATIONS,
    ChannelBinding,
    ClientSteps,
    ClientTerms,
    Credentials,
    Field,
    SaslError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = [
    "CANCEL",
    "FAULTS",
    "ITERATIONS",
    "MECHANISMS",
    "RECOGNISED",
    "Account",
    "ChannelBinding",
    "ClientSteps",
    "Credentials",
    "Field",
    "Mechanism",
    "Outcome",
    "SaslError",
    "ServerSteps",
    "ServerTerms",
    "StoredKeys",
    "Users",
    "best",
    "client",
    "decode_line",
    "encode_line",
    "mechanism",
    "server",
]


def mechanism(name: str) -> Mechanism:
    """Return the row of a mechanism, whatever its case; raise `SaslError` if it is not spoken."""
    row = MECHANISMS.get(name.upper())
    if row is None:
        words = RECOGNISED.get(name.upper())
        what = f"{name.upper()}: {words}" if words else f"no mechanism is called {name}"
        raise SaslError(what, "AUTH", f"Choose one of {', '.join(MECHANISMS)}.")
    return row


def client(
    name: str,
    credentials: Credentials,
    *,
    offered: Collection[str] = (),
    binding: ChannelBinding | None = None,
    nonce: Callable[[], str] | None = None,
    host: str = "",
    port: int = 0,
    iterations: range = ITERATIONS,
) -> ClientSteps:
    """Return the client's side of a mechanism.

    `offered` are the mechanisms that the server advertised: with a `binding` at hand and no -PLUS
    among them, SCRAM tells the server so, which exposes whoever struck it from the list (RFC 5802
    section 6). `nonce` replaces the random source, `host` and `port` name the server where the
    mechanism includes them, `iterations` bounds SCRAM's count. Raises `SaslError` at once for an
    unknown mechanism or credentials that do not suffice; the generator raises it later for
    challenges that are wrong.
    """
    row = mechanism(name)
    missing = (row.needs & NEEDS_OF_THE_CALLER) - credentials.have
    if missing:
        wanted = " and a ".join(sorted(missing, reverse=True))
        raise SaslError(f"{row.name} needs a {wanted}", "AUTH", "Give it, or choose another.")
    if row.channel_binding and binding is None:
        raise SaslError(
            f"{row.name} needs a channel binding, and there is none",
            "AUTH",
            f"Connect with TLS, or use {row.name.removesuffix('-PLUS')}.",
        )
    plus = any(item.upper() == f"{row.name.removesuffix('-PLUS')}-PLUS" for item in offered)
    terms = ClientTerms(row.name, binding, plus, nonce, host, port, iterations)
    side = cast("Callable[[Credentials, ClientTerms], ClientSteps]", _function(row.client))
    return side(credentials, terms)


def server(terms: ServerTerms) -> ServerSteps:
    """Return the server's side of the mechanism that `terms` name; raise `SaslError` for none."""
    row = mechanism(terms.mechanism)
    side = cast("Callable[[ServerTerms], ServerSteps]", _function(row.server))
    return _guarded(side(terms))


def _guarded(steps: ServerSteps) -> ServerSteps:
    """Turn what a mechanism finds malformed into a refusal: a client cannot make a server raise."""
    try:
        return (yield from steps)
    except SaslError as error:
        return refuse("malformed", reason=str(error))


def _function(path: str) -> object:
    module, _, function = path.partition(":")
    return getattr(import_module(f"{__name__}.{module}"), function)
