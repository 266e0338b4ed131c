"""Whom a client's message claims to be: the user's name, which every mechanism sends in the clear.

Only what stands where the mechanism puts the name is taken; a message that breaks its mechanism's
syntax names nobody, because a part of it may be the password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from smtpshell.protocol.sasl.line import decode_line
from smtpshell.protocol.sasl.values import SaslError
from smtpshell.protocol.text import decode


def claimed_user(mechanism: str, prompt: str, line: str) -> str | None:
    """Return the name in a client's line (base64), None where it holds none.

    `prompt` is the text of the 334 that it answers, "" for an initial response.
    """
    claim = _CLAIMS.get(mechanism.upper().removesuffix("-PLUS"))
    if claim is None:
        return None
    try:
        octets, asked = decode_line(line), decode_line(prompt)
    except SaslError:
        return None
    return claim(octets, asked) or None


def _plain(octets: bytes, _asked: bytes) -> str:
    parts = octets.split(b"\0")
    return decode(parts[1]) if len(parts) == 3 else ""


def _login(octets: bytes, asked: bytes) -> str:
    return "" if b"pass" in asked.lower() else decode(octets)


def _cram(octets: bytes, _asked: bytes) -> str:
    return _group(rb"(?s)(.+) [0-9A-Fa-f]{32}", octets)


def _digest(octets: bytes, _asked: bytes) -> str:
    from smtpshell.protocol.sasl.digest_syntax import directives

    try:
        return directives(octets, "DIGEST-MD5").get("username", "")
    except SaslError:
        return ""


def _scram(octets: bytes, _asked: bytes) -> str:
    name = _group(rb"(?:[ny]|p=[^,]+),(?:a=[^,]*)?,n=([^,]+),r=[^,]+.*", octets)
    return name.replace("=2C", ",").replace("=3D", "=")


def _xoauth2(octets: bytes, _asked: bytes) -> str:
    return _group(rb"(?s)user=([^\x01]+)\x01.*", octets)


def _oauthbearer(octets: bytes, _asked: bytes) -> str:
    name = _group(rb"(?s)[ny],a=([^,\x01]+),\x01.*", octets)
    return name.replace("=2C", ",").replace("=3D", "=")


def _external(octets: bytes, _asked: bytes) -> str:
    return decode(octets)


def _anonymous(_octets: bytes, _asked: bytes) -> str:
    return "anonymous"


def _group(pattern: bytes, octets: bytes) -> str:
    match = re.fullmatch(pattern, octets)
    return decode(match[1]) if match else ""


_CLAIMS: Mapping[str, Callable[[bytes, bytes], str]] = MappingProxyType(
    {
        "PLAIN": _plain,  # RFC 4616 section 2
        "LOGIN": _login,
        "CRAM-MD5": _cram,  # RFC 2195 section 2
        "DIGEST-MD5": _digest,  # RFC 2831 section 2.1.2
        "SCRAM-SHA-1": _scram,  # RFC 5802 section 5
        "SCRAM-SHA-256": _scram,  # RFC 7677
        "XOAUTH2": _xoauth2,
        "OAUTHBEARER": _oauthbearer,  # RFC 7628 section 3.1
        "EXTERNAL": _external,  # RFC 4422 appendix A
        "ANONYMOUS": _anonymous,  # RFC 4505
    }
)
