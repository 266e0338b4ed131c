"""Tokens taken apart for people: every field decoded, named and explained, and nothing raised.

A token comes from anywhere: a session, a paste, a learner's first attempt. So what cannot be read
is said to be unreadable, with the likely slip (a missing NUL, a line feed that `echo` added) rather
than refused. Values are printable; those that must stay hidden are marked `secret`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import cast

from smtpshell.protocol.sasl.table import MECHANISMS
from smtpshell.protocol.sasl.values import Direction, Field
from smtpshell.protocol.text import decode, visible

SHOWN = 400
"""Characters of a value that are shown; the rest is counted."""

Layout = Callable[[bytes, int], list[Field]]

_LAYOUTS: Mapping[tuple[str, Direction], str] = MappingProxyType(
    {
        ("PLAIN", "client"): "anatomy:plain_message",
        ("LOGIN", "client"): "anatomy:login_answer",
        ("LOGIN", "server"): "anatomy:login_prompt",
        ("CRAM-MD5", "client"): "anatomy:cram_response",
        ("CRAM-MD5", "server"): "anatomy:cram_challenge",
        ("EXTERNAL", "client"): "anatomy:external_message",
        ("ANONYMOUS", "client"): "anatomy:anonymous_message",
        ("DIGEST-MD5", "client"): "anatomy_lists:digest_message",
        ("DIGEST-MD5", "server"): "anatomy_lists:digest_message",
        ("SCRAM-SHA-1", "client"): "anatomy_lists:scram_client",
        ("SCRAM-SHA-1", "server"): "anatomy_lists:scram_server",
        ("SCRAM-SHA-256", "client"): "anatomy_lists:scram_client",
        ("SCRAM-SHA-256", "server"): "anatomy_lists:scram_server",
        ("XOAUTH2", "client"): "anatomy_tokens:bearer_message",
        ("XOAUTH2", "server"): "anatomy_tokens:json_error",
        ("OAUTHBEARER", "client"): "anatomy_tokens:bearer_message",
        ("OAUTHBEARER", "server"): "anatomy_tokens:json_error",
    }
)
"""Which function lays out which side's tokens."""

_NTLM_SIGNATURE = b"NTLMSSP\0"
_NTLM_TYPES: Mapping[int, str] = MappingProxyType(
    {
        1: "negotiate: what the client can do",
        2: "challenge: eight random octets and the server's name",
        3: "authenticate: user, domain and the hashes of the challenge",
    }
)


def anatomy(mechanism: str, direction: Direction, step: int, octets: bytes) -> list[Field]:
    """Return a token's fields, in order; `lessons` says what the exchange gives away.

    `direction` is the token's sender, `step` counts that sender's tokens from 1, `octets` are
    decoded from base64. Never raises.
    """
    if octets.startswith(_NTLM_SIGNATURE):
        return _ntlm(octets)
    name = mechanism.upper().removesuffix("-PLUS")
    path = _LAYOUTS.get((name, direction))
    if path is None or not octets:
        return [whole(octets)]
    module, _, function = path.partition(":")
    package = __name__.rpartition(".")[0]
    layout = cast("Layout", getattr(import_module(f"{package}.{module}"), function))
    return layout(octets, step)


def lessons(mechanism: str) -> list[Field]:
    """Return what a mechanism gives away, how it fails and what it makes the server keep."""
    row = MECHANISMS.get(mechanism.upper())
    if row is None:
        return []
    return [
        Field("an eavesdropper learns", "", row.eavesdropper),
        Field("a wrong password", "", row.failure),
        Field("the server keeps", "", row.stores),
    ]


def shown(value: bytes | str) -> str:
    """Return a value printable and not too long; nothing at all is shown as (empty)."""
    text = decode(value) if isinstance(value, bytes) else value
    if len(text) > SHOWN:
        return f"{visible(text[:SHOWN])}... ({len(text)} characters)"
    return visible(text) or "(empty)"


def whole(octets: bytes) -> Field:
    """Return a token that is not taken apart as one field."""
    if not octets:
        return Field("nothing", "(empty)", "no octets: the other side is to go on")
    return Field("octets", shown(octets), f"{len(octets)} octets, not taken apart")


def unreadable(octets: bytes, reason: str, *, secret: bool = False) -> list[Field]:
    """Return a token that breaks its mechanism's syntax, and why."""
    return [Field("not understood", shown(octets), reason, secret=secret)]


def slips(value: bytes) -> list[Field]:
    """Return the slips that the end of a value shows: a line feed that the encoder was given."""
    if not value.endswith((b"\n", b"\r")):
        return []
    words = "the value ends in a line break: `echo` adds one, `printf %s` and /b64 do not"
    return [Field("slip", "", words)]


def plain_message(octets: bytes, step: int) -> list[Field]:
    """Lay out PLAIN's message (RFC 4616 section 2)."""
    del step
    parts = octets.split(b"\0")
    if len(parts) != 3:
        nuls = len(parts) - 1
        reason = f"PLAIN has two NULs: \\0NAME\\0PASSWORD; here are {nuls}"
        if nuls == 1:
            reason += ", the one before the name is likely missing"
        elif not nuls and b"\\0" in octets:
            reason += "; \\0 was encoded as two characters, a backslash and a zero"
        return unreadable(octets, reason, secret=True)
    authzid, user, password = parts
    fields = [
        Field("authorization identity", shown(authzid), "whom to act as; empty: as oneself"),
        Field("user name", shown(user), "who logs in, after the first NUL"),
        Field("password", shown(password), "in the clear, after the second NUL", secret=True),
    ]
    if not user and authzid:
        words = "the user name stands before the first NUL; it belongs after it"
        fields.append(Field("slip", "", words))
    return fields + slips(password)


def login_answer(octets: bytes, step: int) -> list[Field]:
    """Lay out LOGIN's answers: the name first, then the password."""
    if step <= 1:
        found = Field("user name", shown(octets), "who logs in, the answer to the first prompt")
    else:
        meaning = "in the clear, the answer to the second prompt"
        found = Field("password", shown(octets), meaning, secret=True)
    return [found, *slips(octets)]


def login_prompt(octets: bytes, step: int) -> list[Field]:
    """Lay out LOGIN's prompts, by their words where these are plain, else by their order."""
    text = decode(octets).strip().lower()
    wanted = {"user": "user name", "pass": "password"}.get(text[:4])
    wanted = wanted or ("user name" if step <= 1 else "password")
    return [Field("prompt", shown(octets), f"asks for the {wanted}")]


def cram_challenge(octets: bytes, step: int) -> list[Field]:
    """Lay out CRAM-MD5's challenge (RFC 2195 section 2)."""
    del step
    meaning = "a text used once; its HMAC-MD5, keyed by the password, is the answer"
    fields = [Field("challenge", shown(octets), meaning)]
    if octets.startswith(b"<") and octets.endswith(b">") and b"@" in octets:
        unique, _, host = octets[1:-1].rpartition(b"@")
        fields.append(Field("unique part", shown(unique), "random digits, often with the time"))
        fields.append(Field("host", shown(host), "the server's own name for itself"))
    return fields


def cram_response(octets: bytes, step: int) -> list[Field]:
    """Lay out CRAM-MD5's response: name, space, 32 hex digits."""
    del step
    user, space, digest = octets.rpartition(b" ")
    if not space or len(digest) != 32 or not _is_hex(digest):
        reason = "CRAM-MD5's response is the user name, a space and 32 hex digits"
        return [*unreadable(octets, reason, secret=True), *slips(octets)]
    meaning = "HMAC-MD5 of the challenge, keyed by the password"
    return [
        Field("user name", shown(user), "who logs in"),
        Field("digest", shown(digest), meaning, secret=True),
    ]


def _is_hex(octets: bytes) -> bool:
    return all(octet in b"0123456789abcdefABCDEF" for octet in octets)


def external_message(octets: bytes, step: int) -> list[Field]:
    """Lay out EXTERNAL's message (RFC 4422 appendix A)."""
    del step
    return [Field("authorization identity", shown(octets), "whom to act as"), *slips(octets)]


def anonymous_message(octets: bytes, step: int) -> list[Field]:
    """Lay out ANONYMOUS's message (RFC 4505 section 2)."""
    del step
    return [Field("trace", shown(octets), "for the server's log; nobody checks it")]


def _ntlm(octets: bytes) -> list[Field]:
    number = int.from_bytes(octets[8:12], "little")
    kind = _NTLM_TYPES.get(number, "a type of message that is not known")
    return [
        Field("signature", "NTLMSSP", "an NTLM message; NTLM is not supported here"),
        Field("type", str(number), kind),
        Field("rest", f"{max(0, len(octets) - 12)} octets", "not taken apart"),
    ]
