"""Signing a message with DKIM, for practice and for tests (RFC 6376 section 5, RFC 8463).

The signature covers the usual fields that are there, and From once more than it occurs, so that
none can be added. The tag `b` comes last, and its value is folded, as signers in the field do.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from smtpshell.lookup import dkim_canon
from smtpshell.lookup.dkim_signature import IMPORTANT
from smtpshell.lookup.finding import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    PrivateKey = RSAPrivateKey | Ed25519PrivateKey

WIDTH: Final = 72  # columns of a folded line


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key: the private part in PEM, and the record to publish for it."""

    private: bytes
    record: str


def new_key(kind: Literal["rsa", "ed25519"] = "rsa", bits: int = 2048) -> NewKey:
    """Make a key for signing; `bits` counts for RSA alone."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    key: PrivateKey
    if kind == "ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
    else:
        key = rsa.generate_private_key(65537, bits)
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return NewKey(private, f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}")


def sign(
    octets: bytes,
    *,
    domain: str,
    selector: str,
    private: bytes,
    names: Sequence[str] = (),
    header_method: Literal["simple", "relaxed"] = "relaxed",
    body_method: Literal["simple", "relaxed"] = "relaxed",
    made: int | None = None,
) -> bytes:
    """Return a DKIM-Signature field, its final CRLF included, to put before the message.

    `private` is an RSA or Ed25519 key in PEM without a password; `names` are the fields to cover
    (none: the usual ones); `made` the time of signing in seconds since 1970. Raises SetupError for
    a key that cannot be read or a message without From.
    """
    message = dkim_canon.parse_message(octets)
    if not message.named("From"):
        raise SetupError("the message has no From field", "", "write one before signing", 64)
    key, kind = _load(private)
    covered = tuple(names) or _usual(message)
    body_hash = hashlib.sha256(dkim_canon.body(message.body, body_method)).digest()
    tags = [
        "v=1",
        f"a={kind}-sha256",
        f"c={header_method}/{body_method}",
        f"d={domain}",
        f"s={selector}",
        *([f"t={made}"] if made is not None else []),
        f"h={':'.join(covered)}",
        f"bh={base64.b64encode(body_hash).decode()}",
    ]
    field = f"DKIM-Signature:{_fold(tags)}\r\n b=".encode("ascii")
    chosen = dkim_canon.select(message.fields, covered)
    hashed = dkim_canon.signed_octets(chosen, field + b"\r\n", header_method)
    value = base64.b64encode(_sign(key, hashed)).decode()
    lines = [value[start : start + WIDTH] for start in range(0, len(value), WIDTH)]
    return field + "\r\n ".join(lines).encode("ascii") + b"\r\n"


def _usual(message: dkim_canon.Message) -> tuple[str, ...]:
    present = [name for name in IMPORTANT for _ in message.named(name)]
    return (*present, "From")


def _fold(tags: Sequence[str]) -> str:
    """Return the tags on lines of bounded length, broken between tags and between field names."""
    lines = [""]
    for tag in tags:
        names = tag.split(":")
        for position, name in enumerate(names):
            piece = f" {name}" if position == 0 else name
            piece += ";" if position == len(names) - 1 else ":"
            if len(lines[-1]) + len(piece) > WIDTH - len("DKIM-Signature:"):
                lines.append("")
                piece = piece.lstrip()
            lines[-1] += piece
    return "\r\n ".join(lines)


def _load(private: bytes) -> tuple[PrivateKey, str]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private, None)
    except (ValueError, TypeError) as fault:
        raise SetupError(
            "the private key cannot be read", str(fault).partition(".")[0], status=64
        ) from None
    if isinstance(key, RSAPrivateKey):
        return key, "rsa"
    if isinstance(key, Ed25519PrivateKey):
        return key, "ed25519"
    raise SetupError("the private key is neither RSA nor Ed25519", "", "make one: --new-key", 64)


def _sign(key: PrivateKey, octets: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, padding.PKCS1v15(), SHA256())
    return key.sign(hashlib.sha256(octets).digest())
