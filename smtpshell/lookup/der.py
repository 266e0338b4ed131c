"""Just enough DER to look into keys and certificates without loading a library.

DKIM wants the length of RSA keys that libraries refuse to load, and DANE wants the exact octets of
a certificate's SubjectPublicKeyInfo, not a re-encoding of it (RFC 6698 section 2.1.2).
"""

from __future__ import annotations

from typing import Final

INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
SEQUENCE: Final = 0x30
EXPLICIT_VERSION: Final = 0xA0  # [0] of a TBSCertificate, RFC 5280 4.1

RSA_ENCRYPTION: Final = bytes.fromhex("06092a864886f70d010101")  # RFC 8017 appendix C


def element(octets: bytes, tag: int) -> tuple[bytes, bytes] | None:
    """Split an element with this tag into its content and the rest; None: there is none, or cut."""
    split = _split(octets)
    if split is None or octets[0] != tag:
        return None
    start, end = split
    return octets[start:end], octets[end:]


def _split(octets: bytes) -> tuple[int, int] | None:
    if len(octets) < 2:
        return None
    length, start = octets[1], 2
    if length >= 0x80:
        start += length & 0x7F
        length = int.from_bytes(octets[2:start], "big")
    return (start, start + length) if start + length <= len(octets) else None


def rsa_numbers(octets: bytes) -> tuple[int, int] | None:
    """Return modulus and exponent of an RSA public key, or None when it is none.

    Both forms occur in DKIM records: SubjectPublicKeyInfo (what everybody publishes) and the bare
    RSAPublicKey (what RFC 6376 section 3.6.1 names).
    """
    outer = element(octets, SEQUENCE)
    if outer is None or outer[1]:
        return None
    body = outer[0]
    algorithm = element(body, SEQUENCE)
    if algorithm is not None:
        bits = element(algorithm[1], BIT_STRING)
        if not algorithm[0].startswith(RSA_ENCRYPTION) or bits is None or bits[1]:
            return None
        inner = element(bits[0][1:], SEQUENCE)
        if inner is None or inner[1]:
            return None
        body = inner[0]
    modulus = element(body, INTEGER)
    exponent = element(modulus[1], INTEGER) if modulus else None
    if modulus is None or exponent is None or exponent[1]:
        return None
    numbers = int.from_bytes(modulus[0], "big"), int.from_bytes(exponent[0], "big")
    return numbers if all(numbers) else None


def public_key_info(certificate: bytes) -> bytes | None:
    """Return the SubjectPublicKeyInfo of an X.509 certificate as it stands in it, or None.

    RFC 5280 section 4.1: version, serial number, signature, issuer, validity and subject stand
    before it.
    """
    outer = element(certificate, SEQUENCE)
    inner = element(outer[0], SEQUENCE) if outer else None
    if inner is None:
        return None
    rest = inner[0]
    skipped = 0
    while skipped < 5:
        split = _split(rest)
        if split is None:
            return None
        skipped += rest[0] != EXPLICIT_VERSION
        rest = rest[split[1] :]
    split = _split(rest)
    return rest[: split[1]] if split and rest[0] == SEQUENCE else None
