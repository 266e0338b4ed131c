"""XOAUTH2 and OAUTHBEARER taken apart: the message, the bearer token, the JSON of a refusal."""

from __future__ import annotations

import binascii
import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from smtpshell.protocol.sasl.anatomy import shown, slips, unreadable
from smtpshell.protocol.sasl.values import Field
from smtpshell.protocol.text import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARTS: Mapping[str, str] = MappingProxyType(
    {
        "user": "whose mailbox; the token must be for this user",
        "host": "the server's name, as the client knows it",
        "port": "the server's port",
        "mthd": "the HTTP method, for schemes that sign it",
        "path": "the HTTP path, for schemes that sign it",
        "qs": "the HTTP query, for schemes that sign it",
    }
)
"""The key=value parts of either message (RFC 7628 section 3.1)."""

_CLAIMS: Mapping[str, str] = MappingProxyType(
    {
        "iss": "who issued the token",
        "aud": "the service that the token is for; a token for another one is refused",
        "exp": "good until then",
        "nbf": "not good before then",
        "scp": "what the token allows; sending mail must be in it",
        "scope": "what the token allows; sending mail must be in it",
        "roles": "what the token allows an application; sending mail must be in it",
    }
)
"""Claims of a JSON Web Token that decide whether a mail server takes it (RFC 7519 section 4.1)."""

_TIMES = frozenset({"exp", "nbf"})

_ERRORS: Mapping[str, str] = MappingProxyType(
    {
        "status": "why the token was refused",
        "schemes": "kinds of token that the server takes",
        "scope": "what a token must allow to be taken",
        "openid-configuration": "where to learn how to get a token",
    }
)
"""Keys of the JSON of a refusal (RFC 7628 section 3.2.2)."""

STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "400": "the token is malformed, expired, or not for this user",
        "401": "the token is wrong or expired, or not for this user or service",
        "403": "the token is good, but does not allow this",
        "invalid_token": "the token is wrong, expired, revoked, or not for this user",
        "insufficient_scope": "the token is good, but lacks the scope for sending mail",
        "invalid_request": "the message is malformed",
    }
)
"""What a refusal's status means (RFC 6750 section 3.1; HTTP's numbers with XOAUTH2)."""


def bearer_message(octets: bytes, step: int) -> list[Field]:
    """Lay out XOAUTH2's or OAUTHBEARER's message, or the answer without meaning to a refusal."""
    if octets == b"\x01":
        return [Field("acknowledgement", shown(octets), "says nothing; the 535 follows")]
    text = decode(octets)
    if "\x01" not in text:
        reason = "the parts are separated by Control-A (one octet of value 1), and there is none"
        if "^A" in text:
            reason += "; ^A was encoded as two characters"
        return unreadable(octets, reason, secret=True)
    fields = [field for part in text.rstrip("\x01").split("\x01") for field in _part(part)]
    if not text.endswith("\x01\x01"):
        fields.append(Field("slip", "", "the message must end with two Control-A"))
    return fields + (slips(octets) if step <= 1 else [])


def _part(part: str) -> list[Field]:
    key, _, value = part.partition("=")
    if key == "auth":
        return _authorization(value)
    if part[1:2] == "," and part[:1] in "nyp":
        _, _, authzid = part.rstrip(",").partition(",a=")
        return [Field("GS2 header", shown(part), f"acts as {shown(authzid)}; no channel binding")]
    return [Field(shown(key), shown(value), _PARTS.get(key, "a part that is not known"))]


def _authorization(value: str) -> list[Field]:
    scheme, space, token = value.partition(" ")
    if not space:
        words = "`auth=` is followed by the word Bearer, a space and the token"
        return [Field("auth", shown(value), words, secret=True)]
    return [
        Field("scheme", shown(scheme), "who bears the token is let in; nothing else is checked"),
        Field("token", shown(token), "as good as a password until it expires", secret=True),
        *_claims(token),
    ]


def _claims(token: str) -> list[Field]:
    """Return what a JSON Web Token says about itself, if the token is one."""
    parts = token.split(".")
    if len(parts) != 3:
        return []
    try:
        body = parts[1].replace("-", "+").replace("_", "/").encode("ascii")
        claims = _object(binascii.a2b_base64(body + b"=" * (-len(body) % 4)))
    except (binascii.Error, UnicodeEncodeError):
        return []
    return [
        Field(f"claim {name}", shown(_moment(value) if name in _TIMES else _plain(value)), meaning)
        for name, meaning in _CLAIMS.items()
        if (value := claims.get(name)) is not None
    ]


def _moment(value: object) -> str:
    try:
        return f"{datetime.fromtimestamp(float(str(value)), UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return str(value)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _object(octets: bytes) -> dict[str, object]:
    """Return a JSON object; anything else, however nested, is an empty one."""
    try:
        found = json.loads(octets)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def json_error(octets: bytes, step: int) -> list[Field]:
    """Lay out the JSON with which a server refuses a token."""
    del step
    found = _object(octets)
    if not found:
        return unreadable(octets, "a refused token is answered with a JSON object; this is none")
    return [
        Field(shown(key), shown(_plain(value)), _meaning(key, value))
        for key, value in found.items()
    ]


def _meaning(key: str, value: object) -> str:
    words = _ERRORS.get(key, "a key that is not known")
    status = STATUSES.get(str(value)) if key == "status" else None
    return f"{words}: {status}" if status else words


def refusal(octets: bytes) -> str | None:
    """Return a refusal's status with its meaning, or None where the token is no such JSON."""
    status = _object(octets).get("status")
    if not isinstance(status, str | int):
        return None
    meaning = STATUSES.get(str(status), "the server's own word")
    return f"{shown(str(status))}: {meaning}"
