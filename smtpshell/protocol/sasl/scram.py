"""SCRAM's formulas and syntax (RFC 5802), for both sides and for both hashes.

    SaltedPassword  := Hi(Normalize(password), salt, i)          Hi is PBKDF2
    ClientKey       := HMAC(SaltedPassword, "Client Key")
    StoredKey       := H(ClientKey)
    AuthMessage     := client-first-message-bare + "," + server-first-message + ","
                       + client-final-message-without-proof
    ClientSignature := HMAC(StoredKey, AuthMessage)
    ClientProof     := ClientKey XOR ClientSignature
    ServerKey       := HMAC(SaltedPassword, "Server Key")
    ServerSignature := HMAC(ServerKey, AuthMessage)

The server stores StoredKey and ServerKey. From the proof and the signature it gets ClientKey back,
and its hash must be StoredKey: so the client proves that it knows the password without the server
having it. ServerSignature proves to the client that the server has met the password before.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from smtpshell.protocol.sasl.accounts import StoredKeys
from smtpshell.protocol.sasl.line import encode_line
from smtpshell.protocol.sasl.prepare import saslprep
from smtpshell.protocol.sasl.values import ChannelBinding, SaslError

if TYPE_CHECKING:
    from collections.abc import Mapping

HASHES: Mapping[str, str] = MappingProxyType({"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"})
"""The hash function of each mechanism, without -PLUS."""

SERVER_ERRORS: Mapping[str, str] = MappingProxyType(
    {
        "invalid-encoding": "it could not decode what was sent",
        "extensions-not-supported": "it does not know a mandatory extension (m=)",
        "invalid-proof": "the proof is wrong: the password is not the one it knows",
        "channel-bindings-dont-match": "the TLS channel is not the same at both ends: "
        "someone may stand between",
        "server-does-support-channel-binding": "it offers -PLUS, and the client was made to "
        "believe that it does not: someone may stand between",
        "channel-binding-not-supported": "it does not do channel binding",
        "unsupported-channel-binding-type": "it does not know that type of channel binding",
        "unknown-user": "it does not know the user",
        "invalid-username-encoding": "the user name is not valid UTF-8, or SASLprep forbids it",
        "no-resources": "it is short of resources",
        "other-error": "it gives no reason",
    }
)
"""What the e= of a server's final message means (RFC 5802 section 7)."""

_COUNT = re.compile(r"[1-9][0-9]{0,9}")
_NONCE = re.compile(r"[\x21-\x2b\x2d-\x7e]+")
_BINDING_NAME = re.compile(r"[A-Za-z0-9.-]+")


def hash_of(mechanism: str) -> str:
    """Return the hash function's name of a SCRAM mechanism, with or without -PLUS."""
    return HASHES[mechanism.removesuffix("-PLUS")]


def salted_password(password: str, salt: bytes, iterations: int, digest: str) -> bytes:
    """Return SaltedPassword; `SaslError` if SASLprep forbids the password."""
    prepared = saslprep(password, "password").encode()
    return hashlib.pbkdf2_hmac(digest, prepared, salt, iterations)


def client_key(salted: bytes, digest: str) -> bytes:
    """Return ClientKey."""
    return hmac.digest(salted, b"Client Key", digest)


def server_key(salted: bytes, digest: str) -> bytes:
    """Return ServerKey."""
    return hmac.digest(salted, b"Server Key", digest)


def stored_keys(password: str, salt: bytes, iterations: int, digest: str) -> StoredKeys:
    """Return what a server keeps for a password; digest is "sha1" or "sha256"."""
    salted = salted_password(password, salt, iterations, digest)
    stored = hashlib.new(digest, client_key(salted, digest)).digest()
    return StoredKeys(salt, iterations, stored, server_key(salted, digest))


def exclusive_or(left: bytes, right: bytes) -> bytes:
    """Return the octets of two strings of equal length, combined by exclusive or."""
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def escaped_name(name: str) -> str:
    """Return a name with the two characters that would break the syntax written out."""
    return name.replace("=", "=3D").replace(",", "=2C")


def unescaped_name(name: str) -> str:
    """Return an `escaped_name` as it was; any other use of `=` raises `SaslError`."""
    if re.search(r"=(?!2C|3D)", name):
        raise SaslError("a name holds = otherwise than as =2C or =3D", "SCRAM")
    return name.replace("=2C", ",").replace("=3D", "=")


def gs2_header(flag: str, authzid: str = "") -> str:
    """Return the GS2 header (RFC 5801 section 4): n,, or y,, or p=TYPE, and a= if there is one."""
    return f"{flag},a={escaped_name(authzid)}," if authzid else f"{flag},,"


def binding_flag(*, plus: bool, binding: ChannelBinding | None, plus_offered: bool) -> str:
    """Return the channel binding flag of a client (RFC 5802 section 6).

    `p=TYPE` binds. `y` says "I could, but you did not offer it": if the server did, someone in
    between removed the offer, and the server notices. `n` says "I cannot", and also stands where a
    -PLUS mechanism was offered and the user chose another.
    """
    if plus and binding is not None:
        if not _BINDING_NAME.fullmatch(binding.type):
            raise SaslError("the channel binding's type is not a name of letters and hyphens")
        return f"p={binding.type}"
    return "y" if binding is not None and not plus_offered else "n"


def first_bare(user: str, nonce: str) -> str:
    """Return client-first-message-bare: the name, prepared and escaped, and the client's nonce."""
    prepared = saslprep(user, "user name")
    if not prepared:
        raise SaslError("nothing is left of the user name after SASLprep", "SCRAM")
    if not _NONCE.fullmatch(nonce):
        raise SaslError("a nonce holds only printable ASCII without a comma", "SCRAM")
    return f"n={escaped_name(prepared)},r={nonce}"


def attributes(message: str, where: str) -> list[tuple[str, str]]:
    """Split `x=value,y=value` into pairs; raise `SaslError` for a part that is not of that form."""
    pairs = []
    for part in message.split(","):
        name, equals, value = part[:1], part[1:2], part[2:]
        if equals != "=" or not (name.isascii() and name.isalpha()):
            raise SaslError(
                "a part between commas is not a letter, an equals sign and a value", where
            )
        pairs.append((name, value))
    return pairs


def expect(pairs: list[tuple[str, str]], names: str, where: str) -> tuple[str, ...]:
    """Return the values of the leading attributes, which must be `names` in that order.

    What follows them is an extension and ignored; a mandatory extension (m=) is an error, since
    nobody knows any (RFC 5802 section 5.1).
    """
    if any(name == "m" for name, _ in pairs):
        raise SaslError(
            "a mandatory extension (m=) is demanded that is not known here", where, "Cancel with *."
        )
    found = "".join(name for name, _ in pairs)
    if not found.startswith(names):
        wanted = ", ".join(f"{name}=" for name in names)
        raise SaslError(f"the attributes {wanted} are due, in that order", where)
    return tuple(value for _, value in pairs[: len(names)])


def octets_of(value: str, name: str, where: str) -> bytes:
    """Decode an attribute's base64; raise `SaslError` if it is none, or empty."""
    try:
        octets = binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise SaslError(f"the value of {name}= is not base64", where) from None
    if not octets:
        raise SaslError(f"the value of {name}= is empty", where)
    return octets


def iteration_count(value: str, where: str) -> int:
    """Return i= as a number; raise `SaslError` unless it is one of at most ten digits."""
    if not _COUNT.fullmatch(value):
        raise SaslError("the iteration count is not a positive number", where)
    return int(value)


def is_nonce(value: str) -> bool:
    """Tell whether a value is a nonce by the grammar."""
    return _NONCE.fullmatch(value) is not None


def without_proof(header: str, binding: bytes, nonce: str) -> str:
    """Return client-final-message-without-proof."""
    return f"c={encode_line(header.encode() + binding)},r={nonce}"
