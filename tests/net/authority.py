"""Certificates for the tests, good ones and each kind of bad one, made on the spot.

`Authority` is a certificate authority with an intermediate; `issue` makes a server's certificate,
with any property bent. Keys are of elliptic curves, which are quick to make, unless asked.
"""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import ssl
import tempfile
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from OpenSSL import crypto

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@functools.cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """Return an RSA key, one of each size for the whole run."""
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, and the certificates that are sent behind it."""

    certificate: x509.Certificate
    key: Any
    behind: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        """The certificate alone, as DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def pem(self) -> bytes:
        """Key, certificate and what is sent behind it, in that order."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        parts = [key]
        parts += [
            one.public_bytes(serialization.Encoding.PEM) for one in (self.certificate, *self.behind)
        ]
        return b"".join(parts)

    def context(
        self,
        minimum: ssl.TLSVersion = ssl.TLSVersion.MINIMUM_SUPPORTED,
        maximum: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
        ciphers: str = "ALL:@SECLEVEL=0",
    ) -> ssl.SSLContext:
        """Make a server's context that uses it, however weak it is."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(ciphers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = minimum
            context.maximum_version = maximum
        with tempfile.NamedTemporaryFile(suffix=".pem", delete=False) as file:
            file.write(self.pem())
        try:
            context.load_cert_chain(file.name)
        finally:
            Path(file.name).unlink()
        return context


@dataclass
class Authority:
    """A root and an intermediate below it."""

    title: str = "Test"
    root: Issued = field(init=False)
    intermediate: Issued = field(init=False)

    def __post_init__(self) -> None:
        self.root = self._make_ca(f"{self.title} Root", None)
        self.intermediate = self._make_ca(f"{self.title} Intermediate", self.root)

    @property
    def pem(self) -> bytes:
        """The root's certificate, for those who shall trust it."""
        return self.root.certificate.public_bytes(serialization.Encoding.PEM)

    def _make_ca(self, title: str, parent: Issued | None, *, days: int = 3650) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        signer = parent or Issued(None, key)  # type: ignore[arg-type]  # only its key is used
        issuer = parent.certificate.subject if parent else _name(title)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(title))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 5000 * DAY)
            .not_valid_after(NOW + days * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(signer.key, hashes.SHA256())
        )
        return Issued(certificate, key)

    def expired_intermediate(self) -> Issued:
        """Make an intermediate below the same root that expired ten days ago."""
        return self._make_ca(f"{self.title} Old Intermediate", self.root, days=-10)

    def issue(
        self,
        *names: str,
        issuer: Issued | None = None,
        common_name: str = "server",
        first_day: float = -1,
        last_day: float = 90,
        key: Any = None,
        purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.SERVER_AUTH,),
        self_signed: bool = False,
        issuer_url: str = "",
        behind: tuple[x509.Certificate, ...] | None = None,
    ) -> Issued:
        """Make a server's certificate for names and IP addresses; days count from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        issuer = issuer or self.intermediate
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(_name(common_name) if self_signed else issuer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + first_day * DAY)
            .not_valid_after(NOW + last_day * DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in names]), False
            )
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if issuer_url:
            access = x509.AccessDescription(
                AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(issuer_url)
            )
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), False)
        signing_key = key if self_signed else issuer.key
        edwards = isinstance(signing_key, ed25519.Ed25519PrivateKey)
        certificate = builder.sign(signing_key, None if edwards else hashes.SHA256())
        if behind is None:
            behind = () if self_signed or issuer is self.root else (issuer.certificate,)
        return Issued(certificate, key, behind)

    def resigned(self, issued: Issued, hash_name: str) -> Issued:
        """Sign a certificate again with a weak hash, which `cryptography` would refuse to do."""
        certificate = crypto.X509.from_cryptography(issued.certificate)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            certificate.sign(crypto.PKey.from_cryptography_key(self.intermediate.key), hash_name)
        return replace(issued, certificate=certificate.to_cryptography())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
