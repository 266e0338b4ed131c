"""Matching a certificate chain against TLSA records, as a mail sender does (RFC 7671, RFC 7672).

DANE-EE(3) speaks of the server's own certificate alone: names and dates in it do not count, for the
record vouches for it (RFC 7672 section 3.1.1). DANE-TA(2) speaks of an authority above it, which
must be in the chain the server sends; then every certificate must be signed by the next, be within
its dates, and the server's must bear one of the names looked for (section 3.1.2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from smtpshell.lookup import der

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate

    from smtpshell.lookup.dane_record import TlsaRecord


@dataclass(frozen=True, slots=True)
class Match:
    """How one record compares with a chain: `matched`, at which depth (0: the server), and why."""

    record: TlsaRecord
    matched: bool
    depth: int | None
    why: str

    def to_json(self) -> dict[str, object]:
        """Return the comparison as a JSON object."""
        return {
            "record": self.record.text,
            "matched": self.matched,
            "depth": self.depth,
            "why": self.why,
        }


def association(certificate: bytes, selector: int, match: int) -> str | None:
    """Return the hex data a TLSA record would hold for a certificate in DER.

    None when the certificate cannot be read or a number is unknown (RFC 6698 section 2.1).
    """
    chosen = certificate if selector == 0 else der.public_key_info(certificate)
    if chosen is None or selector > 1:
        return None
    if match == 0:
        return chosen.hex()
    digests = {1: hashlib.sha256, 2: hashlib.sha512}
    return digests[match](chosen).hexdigest() if match in digests else None


def match(
    record: TlsaRecord,
    chain: Sequence[bytes],
    names: Sequence[str] = (),
    now: datetime | None = None,
) -> Match:
    """Compare one usable record with a chain in DER, the server's certificate first.

    `names` are the names the server's certificate may bear under DANE-TA: the TLSA base domain and
    the domain mail is for. `now` is the time of judgement, aware; None: this moment.
    """
    if not record.valid or record.numbers is None:
        return Match(record, False, None, record.why or "the record cannot be used")
    if not chain:
        return Match(record, False, None, "the server showed no certificate")
    usage, selector, kind = record.numbers
    if usage == 3:
        if association(chain[0], selector, kind) == record.data:
            return Match(record, True, 0, "the server's own certificate")
        return Match(record, False, None, "not the server's certificate")
    authorities = [*chain]
    if (selector, kind) == (0, 0):  # the record holds the authority's certificate itself
        authorities.append(bytes.fromhex(record.data))
    for depth, certificate in enumerate(authorities):
        if association(certificate, selector, kind) == record.data:
            fault = _path_fault(authorities[: depth + 1], names, now)
            return Match(record, not fault, depth, fault or f"the authority at depth {depth}")
    return Match(record, False, None, "no certificate of the chain; a sender needs the authority")


def _path_fault(path: Sequence[bytes], names: Sequence[str], now: datetime | None) -> str:
    """Return what is wrong on the way from the server's certificate to the authority."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    moment = now or datetime.now(UTC)
    try:
        certificates = [x509.load_der_x509_certificate(each) for each in path]
    except ValueError:
        return "a certificate of the chain cannot be read"
    for depth, certificate in enumerate(certificates):
        if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
            return f"the certificate at depth {depth} is not within its dates"
    for depth, (lower, upper) in enumerate(pairwise(certificates)):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature):
            return f"the certificate at depth {depth} was not issued by the one above it"
    borne = certificate_names(certificates[0])
    if names and not any(covers(pattern, name) for pattern in borne for name in names):
        return f"the server's certificate names {', '.join(borne) or 'nobody'}"
    return ""


def certificate_names(certificate: Certificate) -> tuple[str, ...]:
    """Return the DNS names of a certificate, in lower case; the common name where it has none."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        pass
    except ValueError:
        return ()
    else:
        found = extension.value.get_values_for_type(x509.DNSName)
        if found:
            return tuple(name.lower() for name in found)
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return tuple(str(name.value).lower() for name in common)


def covers(pattern: str, name: str) -> bool:
    """Tell whether a certificate's name, perhaps `*.domain`, covers a host (RFC 6125 6.4.3)."""
    host = name.lower().removesuffix(".")
    return pattern == host or (
        pattern.startswith("*.") and pattern[2:] == host.partition(".")[2] and host.count(".") > 1
    )
