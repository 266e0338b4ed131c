"""Throw-away certificates, made when a TLS handshake first needs one and kept in memory only.

One authority per process signs for all practice servers in it; a client that is to trust them is
given its certificate by `authority_pem`. Making an elliptic key and a certificate takes about a
millisecond, but importing the library takes longer, so nothing here is loaded before it is used.
Dates are those of the real calendar, because that is what a client's TLS library compares with.
"""

from __future__ import annotations

import ssl
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_DATES = {
    "expired": (timedelta(days=-60), timedelta(days=-30)),
    "not-yet-valid": (timedelta(days=30), timedelta(days=60)),
}
_USUAL_DATES = (timedelta(days=-1), timedelta(days=30))


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key, ready for use. `der` is the server's own certificate."""

    context: ssl.SSLContext
    der: bytes

    @property
    def end_point(self) -> bytes:
        """The tls-server-end-point binding: the hash of the certificate (RFC 5929 section 4.1)."""
        return sha256(self.der).digest()


@cache
def _authority(name: str) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    return key, _sign(subject, subject, key, key, _USUAL_DATES, ())


def authority_pem() -> str:
    """Return the certificate of this process's practice authority, in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding

    _, certificate = _authority("smtpshell practice authority")
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


@cache
def make_certificate(kind: str, host: str, also: tuple[str, ...] = ()) -> Certificate | None:
    """Return the certificate of a kind (of `scenario.CERTIFICATES`) for a host; None for "none".

    It is good for the names and IP addresses of `also` too, unless it is to have a wrong name.
    """
    if kind == "none":
        return None
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    authority = "somebody else's" if kind == "unknown-authority" else "smtpshell practice"
    issuer_key, issuer = _authority(f"{authority} authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = "other.example" if kind == "wrong-name" else host
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name[:64])])
    if kind == "self-signed":
        issuer_key, issuer_name = key, subject
    else:
        issuer_name = issuer.subject
    dates = _DATES.get(kind, _USUAL_DATES)
    names = (name,) if kind == "wrong-name" else (name, *also)
    certificate = _sign(subject, issuer_name, key, issuer_key, dates, names)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = certificate.public_bytes(Encoding.PEM)
    context = _context(chain + private, oldest_only=kind == "tls1.0")
    return Certificate(context, certificate.public_bytes(Encoding.DER))


def _context(pem: bytes, *, oldest_only: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if oldest_only:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = ssl.TLSVersion.TLSv1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "practice.pem"
        path.touch(mode=0o600)
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return context


def _sign(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    issuer_key: EllipticCurvePrivateKey,
    dates: tuple[timedelta, timedelta],
    names: tuple[str, ...],
) -> x509.Certificate:
    """Sign a certificate: for a host by its names, or, without any, for an authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    now = datetime.now(UTC)
    own, other = key.public_key(), issuer_key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(own)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dates[0])
        .not_valid_after(now + dates[1])
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(other), critical=False)
        .add_extension(_usage(signs=not names), critical=True)
    )
    if names:
        known = x509.SubjectAlternativeName([_general_name(name) for name in names])
        server = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(known, critical=False).add_extension(server, critical=False)
    return builder.sign(issuer_key, SHA256())


def _general_name(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
