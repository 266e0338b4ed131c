"""OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's earlier form): a bearer token instead of a password.

When the token is refused the server does not say 535 at once: it sends a 334 with a JSON object
that says why, waits for an answer without meaning, and says 535 then.
"""

from __future__ import annotations

import hmac
import json
import re

from smtpshell.protocol.sasl.accounts import (
    Outcome,
    ServerSteps,
    ServerTerms,
    authorize,
    refuse,
)
from smtpshell.protocol.sasl.plain import utf8
from smtpshell.protocol.sasl.scram import gs2_header, unescaped_name
from smtpshell.protocol.sasl.values import (
    ClientSteps,
    ClientTerms,
    Credentials,
    SaslError,
    challenge_text,
    nothing_more,
    response_text,
)

SEPARATOR = "\x01"
"""Control-A, between the parts of either message."""

_HEADER = re.compile(r"(?:n|y|p=[A-Za-z0-9.-]+),(?:a=([^,]*))?,")


def xoauth2_message(user: str, token: str) -> bytes:
    """Return XOAUTH2's only message."""
    _refuse_separator(user + token, "XOAUTH2")
    return utf8(f"user={user}\x01auth=Bearer {token}\x01\x01", "XOAUTH2")


def oauthbearer_message(user: str, token: str, host: str = "", port: int = 0) -> bytes:
    """Return OAUTHBEARER's first message (RFC 7628 section 3.1); host and port only where known."""
    _refuse_separator(user + token + host, "OAUTHBEARER")
    pairs = [f"host={host}"] * bool(host) + [f"port={port}"] * bool(port)
    body = SEPARATOR.join(["", *pairs, f"auth=Bearer {token}", "", ""])
    return utf8(gs2_header("n", user) + body, "OAUTHBEARER")


def _refuse_separator(text: str, where: str) -> None:
    if SEPARATOR in text:
        raise SaslError("the user name, host or token holds a Control-A", where, "Copy it again.")


def xoauth2_client(credentials: Credentials, terms: ClientTerms) -> ClientSteps:
    """Speak XOAUTH2 as the client; a JSON error is answered with nothing, as 535 has to follow."""
    del terms
    challenge = yield xoauth2_message(credentials.user, credentials.token or "")
    if challenge is not None:
        challenge_text(challenge, "XOAUTH2")
        nothing_more((yield b""), "XOAUTH2")


def oauthbearer_client(credentials: Credentials, terms: ClientTerms) -> ClientSteps:
    """Speak OAUTHBEARER as the client; a JSON error is answered with Control-A (RFC 7628 3.2.3)."""
    first = oauthbearer_message(credentials.user, credentials.token or "", terms.host, terms.port)
    challenge = yield first
    if challenge is not None:
        challenge_text(challenge, "OAUTHBEARER")
        nothing_more((yield SEPARATOR.encode()), "OAUTHBEARER")


def pairs_of(body: str, where: str) -> dict[str, str]:
    """Return the key=value parts between Control-A characters; `SaslError` if they are none."""
    if not body.endswith(SEPARATOR * 2):
        raise SaslError("the message does not end with two Control-A", where)
    found: dict[str, str] = {}
    for part in body[:-2].split(SEPARATOR):
        key, equals, value = part.partition("=")
        if not equals or not key or key in found:
            raise SaslError("a part is not key=value, or stands there twice", where)
        found[key] = value
    return found


def xoauth2_server(terms: ServerTerms) -> ServerSteps:
    """Speak XOAUTH2 as the server."""
    pairs = pairs_of(response_text((yield b""), "XOAUTH2"), "XOAUTH2")
    outcome = _judge(terms, pairs.get("user", ""), pairs.get("auth", ""))
    if not outcome.ok:
        yield json.dumps({"status": "400", "schemes": "Bearer", "scope": terms.scope}).encode()
    return outcome


def oauthbearer_server(terms: ServerTerms) -> ServerSteps:
    """Speak OAUTHBEARER as the server."""
    message = response_text((yield b""), "OAUTHBEARER")
    header = _HEADER.match(message)
    if header is None or message[header.end() : header.end() + 1] != SEPARATOR:
        raise SaslError("the message does not begin with a GS2 header and Control-A", "OAUTHBEARER")
    pairs = pairs_of(message[header.end() + 1 :], "OAUTHBEARER")
    outcome = _judge(terms, unescaped_name(header[1] or ""), pairs.get("auth", ""))
    if not outcome.ok:
        yield json.dumps({"status": "invalid_token", "scope": terms.scope}).encode()
    return outcome


def _judge(terms: ServerTerms, user: str, auth: str) -> Outcome:
    scheme, _, token = auth.partition(" ")
    account = terms.users(user)
    expected = account.token if account is not None and account.token is not None else ""
    same = hmac.compare_digest(expected.encode(), token.strip().encode())
    if account is None:
        return refuse("unknown-user", user)
    if account.token is None:
        return refuse("no-keys", user)
    if not token or scheme.lower() != "bearer" or not same:
        return refuse("bad-token", user)
    return authorize(account, "")
