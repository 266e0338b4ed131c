"""SCRAM and DIGEST-MD5 taken apart: lists of attributes, each with its meaning in one table."""

from __future__ import annotations

import binascii
from types import MappingProxyType
from typing import TYPE_CHECKING

from smtpshell.protocol.sasl.anatomy import shown, unreadable
from smtpshell.protocol.sasl.digest_syntax import directives
from smtpshell.protocol.sasl.scram import SERVER_ERRORS
from smtpshell.protocol.sasl.values import Field, SaslError
from smtpshell.protocol.text import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

_ATTRIBUTES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "a": ("authorization identity", "whom to act as"),
        "n": ("user name", "who logs in; =2C is a comma, =3D an equals sign"),
        "r": ("nonce", "used once: the client's part, then the server's"),
        "c": (
            "channel binding",
            "the first header again; with -PLUS the TLS channel too",
        ),
        "s": ("salt", "mixed into the password before hashing, so that equal ones differ"),
        "i": ("iterations", "how often the hash is repeated, to make guessing slow"),
        "p": ("client's proof", "shows that the client knows the password; good once"),
        "v": ("server's signature", "shows that the server knows the password's keys; check it"),
        "e": ("error", "why the server refuses"),
        "m": ("mandatory extension", "no one knows any: the exchange must stop"),
    }
)
"""SCRAM's attributes (RFC 5802 section 5.1): name and meaning."""

_FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "n": "the client cannot bind to the TLS channel, or was told not to",
        "y": "the client could bind, and believes that the server cannot",
        "p": "the client binds to the TLS channel, by this type",
    }
)

_DIRECTIVES: Mapping[str, str] = MappingProxyType(
    {
        "realm": "which collection of accounts the name belongs to",
        "nonce": "the server's text used once",
        "qop": "protection after the login; auth is none, and the only one spoken here",
        "stale": "the nonce was too old: start again, the password may be right",
        "maxbuf": "buffer size for protections that are not used here",
        "charset": "names are UTF-8",
        "algorithm": "md5-sess is the only one",
        "cipher": "ciphers for protections that are not used here",
        "username": "who logs in",
        "nc": "how often this nonce was used: the first time",
        "cnonce": "the client's text used once",
        "digest-uri": "the service and host that the login is for",
        "response": "the keyed hash; shows that the client knows the password",
        "authzid": "whom to act as",
        "rspauth": "the server's hash; shows that it knows the password too: check it",
    }
)
"""DIGEST-MD5's directives (RFC 2831 sections 2.1.1 to 2.1.3)."""


def scram_client(octets: bytes, step: int) -> list[Field]:
    """Lay out a SCRAM client's first or final message."""
    del step
    text = decode(octets)
    if text.startswith("c="):
        return _attributes(text, octets)
    flag, comma, rest = text.partition(",")
    authzid, again, bare = rest.partition(",")
    if not (comma and again and flag[:1] in _FLAGS and flag[:1]):
        reason = "a first message begins with n,, or y,, or p=TYPE,,; a final one with c="
        return unreadable(octets, reason, secret=True)
    fields = [Field("channel binding flag", shown(flag), _FLAGS[flag[:1]])]
    if authzid:
        fields.append(Field(_ATTRIBUTES["a"][0], shown(authzid[2:]), _ATTRIBUTES["a"][1]))
    return fields + _attributes(bare, octets)


def scram_server(octets: bytes, step: int) -> list[Field]:
    """Lay out a SCRAM server's first or final message."""
    del step
    return _attributes(decode(octets), octets)


def _attributes(text: str, octets: bytes) -> list[Field]:
    fields = []
    for part in text.split(","):
        letter, equals, value = part[:1], part[1:2], part[2:]
        if equals != "=":
            reason = "SCRAM's parts are a letter, an equals sign and a value"
            return unreadable(octets, reason, secret=True)
        name, meaning = _ATTRIBUTES.get(letter, (f"{shown(letter)}=", "an extension"))
        if letter == "e":
            meaning = SERVER_ERRORS.get(value, meaning)
        elif letter == "c":
            value = _bound(value)
        elif letter in "sv":
            meaning = f"{meaning}; {_length(value)}"
        fields.append(Field(name, shown(value), meaning, secret=letter == "p"))
    return fields


def _bound(value: str) -> str:
    """Return c= decoded: the header as text, then how many octets of the channel follow."""
    octets = _decoded(value)
    if octets is None:
        return f"{value} (not base64)"
    flag, _, rest = octets.partition(b",")
    authzid, _, data = rest.partition(b",")
    header = decode(flag + b"," + authzid + b",")
    return f"{value} = {header} and {len(data)} octets of the channel" if data else header


def _length(value: str) -> str:
    octets = _decoded(value)
    return "not base64" if octets is None else f"{len(octets)} octets in base64"


def _decoded(value: str) -> bytes | None:
    try:
        return binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return None


def digest_message(octets: bytes, step: int) -> list[Field]:
    """Lay out any of DIGEST-MD5's messages."""
    del step
    try:
        found = directives(octets, "DIGEST-MD5")
    except SaslError as error:
        return unreadable(octets, error.what, secret=True)
    if not found.pairs:
        return unreadable(octets, "there is no directive of the form name=value")
    return [
        Field(
            shown(name),
            shown(value),
            _DIRECTIVES.get(name, "an extension"),
            secret=name == "response",
        )
        for name, value in found.pairs
    ]
