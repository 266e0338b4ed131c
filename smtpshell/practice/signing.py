"""What a host of a practice world does to a message that it hands on: change it, sign it.

A mailing list adds a footer, a gateway folds a line anew, a signing server puts a DKIM-Signature on
top; which of these a signature survives is what there is to learn. Keys are made from the seed, so
no private key lies in any file, and the zone of the world publishes them by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smtpshell.practice.shuffling import mix

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from smtpshell.practice.scenario import Host, Key, Scenario

FOOTER = b"-- \r\nYou get this because you are on a practice list.\r\n"


def zone_text(scenario: Scenario, seed: int) -> str:
    """Return the master file of a world: its own text, and the records of its published keys."""
    records = [
        f'{key.selector}._domainkey.{key.domain}. TXT "{_record(key, seed)}"'
        for key in scenario.keys
        if key.published
    ]
    return "\n".join([scenario.zone.rstrip("\n"), *records, ""])


def prepare(scenario: Scenario, host: Host, content: bytes, seed: int, moment: float) -> bytes:
    """Return a message as a host hands it on: changed as it is wont to, then signed if it signs.

    `moment` is in seconds since 1970. A message without From is not signed.
    """
    for name in host.alters:
        content = _ALTERATIONS[name](content)
    key = next((key for key in scenario.keys if key.name == host.signs), None)
    if key is None:
        return content
    from smtpshell.lookup.dkim_sign import sign
    from smtpshell.lookup.finding import SetupError

    try:
        field = sign(
            content,
            domain=key.domain,
            selector=key.selector,
            private=_pem(key, seed),
            header_method="simple" if key.canonical.startswith("simple") else "relaxed",
            body_method="simple" if key.canonical.endswith("simple") else "relaxed",
            made=int(moment),
        )
    except SetupError:
        return content
    return field + content


def _private(key: Key, seed: int) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    words = f"{key.selector}.{key.domain}".encode()
    octets = b"".join(mix(seed, number, *words).to_bytes(8, "big") for number in range(4))
    return Ed25519PrivateKey.from_private_bytes(octets)


def _pem(key: Key, seed: int) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return _private(key, seed).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _record(key: Key, seed: int) -> str:
    from binascii import b2a_base64

    public = _private(key, seed).public_key().public_bytes_raw()
    return f"v=DKIM1; k=ed25519; p={b2a_base64(public, newline=False).decode()}"


def _tag_subject(content: bytes) -> bytes:
    return re.sub(rb"(?im)^(subject:[ \t]*)", rb"\1[list] ", content, count=1)


def _loosen(content: bytes) -> bytes:
    """Change white space only: what relaxed canonicalization forgives and simple does not."""
    head, blank, body = content.partition(b"\r\n\r\n")
    head = re.sub(rb"(?m)^([^\s:]+):[ \t]*", rb"\1:  ", head)
    return head + blank + body.replace(b"\r\n", b" \r\n")


_ALTERATIONS: dict[str, Callable[[bytes], bytes]] = {
    "footer": lambda content: content + FOOTER,
    "subject": _tag_subject,
    "spaces": _loosen,
}
