"""The key exchange group, read from the clear octets with which a server begins the handshake.

Python's ssl module tells it only in its newest versions. The server says it in the clear: under
TLS 1.3 in the key_share extension of its ServerHello (RFC 8446 4.2.8), under TLS 1.2 in its
ServerKeyExchange (RFC 8422 5.4). Octets that cannot be read give None.
"""

from __future__ import annotations

from collections.abc import Iterator

# IANA, TLS Supported Groups.
GROUPS: dict[int, str] = {
    0x0015: "secp224r1",
    0x0017: "secp256r1",
    0x0018: "secp384r1",
    0x0019: "secp521r1",
    0x001A: "brainpoolP256r1",
    0x001B: "brainpoolP384r1",
    0x001C: "brainpoolP512r1",
    0x001D: "x25519",
    0x001E: "x448",
    0x0100: "ffdhe2048",
    0x0101: "ffdhe3072",
    0x0102: "ffdhe4096",
    0x0103: "ffdhe6144",
    0x0104: "ffdhe8192",
    0x0200: "MLKEM512",
    0x0201: "MLKEM768",
    0x0202: "MLKEM1024",
    0x11EB: "SecP256r1MLKEM768",
    0x11EC: "X25519MLKEM768",
    0x11ED: "SecP384r1MLKEM1024",
    0x6399: "X25519Kyber768Draft00",
}

_HANDSHAKE = 22
_SERVER_HELLO = 2
_SERVER_KEY_EXCHANGE = 12
_KEY_SHARE = 51
_NAMED_CURVE = 3


def _messages(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the handshake messages in the leading clear records, as (type, body)."""
    stream = b""
    while len(octets) >= 5 and octets[0] == _HANDSHAKE:
        length = int.from_bytes(octets[3:5], "big")
        stream += octets[5 : 5 + length]
        octets = octets[5 + length :]
    while len(stream) >= 4:
        length = int.from_bytes(stream[1:4], "big")
        body = stream[4 : 4 + length]
        if len(body) < length:
            return
        yield stream[0], body
        stream = stream[4 + length :]


def _key_share(hello: bytes) -> int | None:
    """Return the group of a ServerHello's key_share (RFC 8446 4.1.3)."""
    place = 34  # legacy version and random
    place += 1 + hello[place]  # session id
    place += 3  # cipher suite, compression
    place += 2  # length of the extensions
    while place + 4 <= len(hello):
        kind = int.from_bytes(hello[place : place + 2], "big")
        length = int.from_bytes(hello[place + 2 : place + 4], "big")
        if kind == _KEY_SHARE:
            return int.from_bytes(hello[place + 4 : place + 6], "big")
        place += 4 + length
    return None


def key_exchange_group(first_octets: bytes) -> str | None:
    """Name the key exchange group of a handshake from the server's first octets, if they tell."""
    found: int | None = None
    for kind, body in _messages(first_octets):
        if kind == _SERVER_HELLO and len(body) > 38:
            share = _key_share(body)
            found = share if share is not None else found
        elif kind == _SERVER_KEY_EXCHANGE and len(body) > 3 and body[0] == _NAMED_CURVE:
            found = int.from_bytes(body[1:3], "big")
    if found is None:
        return None
    return GROUPS.get(found, f"group {found:#06x}")
