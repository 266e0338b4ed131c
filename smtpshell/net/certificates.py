"""The facts of a certificate, read by `cryptography` (imported when first used).

A server may send anything: each fact is read on its own, and one that cannot be read becomes an
empty value and a remark in `oddities`, never an exception.
"""

from __future__ import annotations

import hashlib
import ssl
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from cryptography import x509

_Value = TypeVar("_Value")

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate of a chain, everything in printable text.

    `names` are its DNS names, `addresses` its IP addresses (both subject alternative names);
    `key_kind` is RSA, EC, Ed25519, Ed448, DSA or other words, `key_bits` its size (0: unknown);
    `signature_hash` is the name of the hash of its signature, empty where there is none;
    `purposes` are its extended key usages as dotted numbers (empty: any); `issuer_url` is where it
    says its issuer's certificate can be fetched.
    """

    subject: str
    common_name: str
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    serial: str
    sha256: str
    key_kind: str
    key_bits: int
    key_detail: str
    signature: str
    signature_hash: str
    self_signed: bool
    is_ca: bool
    purposes: tuple[str, ...]
    issuer_url: str
    oddities: tuple[str, ...]
    der: bytes

    @property
    def key(self) -> str:
        """The key in words: `RSA 2048 bits`, `EC secp256r1, 256 bits`, `Ed25519`."""
        if not self.key_bits:
            return self.key_kind
        between = f" {self.key_detail}," if self.key_detail else ""
        return f"{self.key_kind}{between} {self.key_bits} bits"

    @property
    def spki_sha256(self) -> str:
        """The fingerprint of its key alone, made when asked for; empty for an unreadable key."""
        return _spki_sha256(self.der)

    @property
    def pem(self) -> str:
        """The certificate in PEM form."""
        return ssl.DER_cert_to_PEM_cert(self.der)

    def days_left(self, now: datetime | None = None) -> int:
        """Whole days until it expires; negative when it has."""
        return (self.not_after - (now or datetime.now(UTC))).days

    def to_json(self, now: datetime | None = None) -> dict[str, Any]:
        """Return the facts as plain values for JSON."""
        return {
            "subject": self.subject,
            "names": [*self.names, *self.addresses],
            "issuer": self.issuer,
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
            "days_left": self.days_left(now),
            "sha256": self.sha256,
            "spki_sha256": self.spki_sha256,
            "key": self.key,
            "signature": self.signature,
            "self_signed": self.self_signed,
        }


def presented_chain(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    """Return the certificates that the server sent, in its order, as DER.

    The ssl module has a public way since Python 3.13; before it the same list hangs on the object
    that it wraps.
    """
    public = getattr(ssl_object, "get_unverified_chain", None)
    if public is not None:
        return tuple(bytes(der) for der in public())
    try:
        chain = ssl_object._sslobj.get_unverified_chain()  # type: ignore[union-attr]  # noqa: SLF001  # see above
        return tuple(ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain or ())
    except (AttributeError, TypeError, ValueError, ssl.SSLError):
        der = ssl_object.getpeercert(binary_form=True)
        return (der,) if der else ()


def load(der: bytes) -> x509.Certificate:
    """Read a certificate; raises ValueError when it is none."""
    from cryptography import x509

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return x509.load_der_x509_certificate(der)


def facts(der: bytes) -> CertificateFacts:
    """Read all facts of a certificate given as DER; never raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _facts(der)


def _facts(der: bytes) -> CertificateFacts:
    oddities: list[str] = []
    try:
        certificate = load(der)
    except Exception as error:  # noqa: BLE001  # the parser meets whatever a server sends
        return _unreadable(der, visible(str(error)))

    def read(what: str, how: Callable[[], _Value], otherwise: _Value) -> _Value:
        try:
            return how()
        except Exception as error:  # noqa: BLE001  # the parser meets whatever a server sends
            oddities.append(f"{what} cannot be read ({visible(str(error))[:120]})")
            return otherwise

    no_names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    names, addresses = read("the names", lambda: _alternative_names(certificate), no_names)
    kind, bits, detail = read("the key", lambda: _key(certificate), ("unknown", 0, ""))
    return CertificateFacts(
        subject=read("the subject", lambda: _name_text(certificate.subject), ""),
        common_name=read("the common name", lambda: _common_name(certificate.subject), ""),
        names=names,
        addresses=addresses,
        issuer=read("the issuer", lambda: _name_text(certificate.issuer), ""),
        not_before=read("the first day", lambda: certificate.not_valid_before_utc, _EPOCH),
        not_after=read("the last day", lambda: certificate.not_valid_after_utc, _EPOCH),
        serial=read("the serial number", lambda: f"{certificate.serial_number:x}", ""),
        sha256=hashlib.sha256(der).hexdigest(),
        key_kind=kind,
        key_bits=bits,
        key_detail=detail,
        signature=read("the signature", lambda: _signature(certificate), "unknown"),
        signature_hash=read("the signature", lambda: signature_hash(certificate), ""),
        self_signed=read("the signature", lambda: _self_signed(certificate), False),
        is_ca=read("the basic constraints", lambda: _is_ca(certificate), False),
        purposes=read("the key usages", lambda: _purposes(certificate), ()),
        issuer_url=read("the issuer's address", lambda: _issuer_url(certificate), ""),
        oddities=tuple(dict.fromkeys(oddities)),
        der=der,
    )


def _unreadable(der: bytes, why: str) -> CertificateFacts:
    return CertificateFacts(
        subject="",
        common_name="",
        names=(),
        addresses=(),
        issuer="",
        not_before=_EPOCH,
        not_after=_EPOCH,
        serial="",
        sha256=hashlib.sha256(der).hexdigest(),
        key_kind="unknown",
        key_bits=0,
        key_detail="",
        signature="unknown",
        signature_hash="",
        self_signed=False,
        is_ca=False,
        purposes=(),
        issuer_url="",
        oddities=(f"the certificate cannot be read ({why[:120]})",),
        der=der,
    )


def _name_text(name: x509.Name) -> str:
    return visible(name.rfc4514_string())


def _common_name(name: x509.Name) -> str:
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return visible(found[-1].value) if found else ""


def _alternative_names(
    certificate: x509.Certificate,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    names = tuple(visible(name) for name in found.get_values_for_type(x509.DNSName))
    return names, tuple(str(address) for address in found.get_values_for_type(x509.IPAddress))


def _key(certificate: x509.Certificate) -> tuple[str, int, str]:
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size, ""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", key.key_size, key.curve.name
    if isinstance(key, dsa.DSAPublicKey):
        return "DSA", key.key_size, ""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519", 0, ""
    if isinstance(key, ed448.Ed448PublicKey):
        return "Ed448", 0, ""
    return type(key).__name__.removesuffix("PublicKey"), 0, ""


def _spki_sha256(der: bytes) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = load(der).public_key()
        octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception:  # noqa: BLE001  # the parser meets whatever a server sends
        return ""
    return hashlib.sha256(octets).hexdigest()


def signature_hash(certificate: x509.Certificate) -> str:
    """Return the name of the hash in a certificate's signature; empty when it has none."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name if algorithm is not None else ""


# RFC 3279, RFC 4055, RFC 5758, RFC 8410: signature algorithms by object identifier.
_SIGNATURES: dict[str, str] = {
    "1.2.840.113549.1.1.4": "RSA with MD5",
    "1.2.840.113549.1.1.5": "RSA with SHA-1",
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.113549.1.1.11": "RSA with SHA-256",
    "1.2.840.113549.1.1.12": "RSA with SHA-384",
    "1.2.840.113549.1.1.13": "RSA with SHA-512",
    "1.2.840.113549.1.1.14": "RSA with SHA-224",
    "1.2.840.10045.4.1": "ECDSA with SHA-1",
    "1.2.840.10045.4.3.1": "ECDSA with SHA-224",
    "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA with SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}


def _signature(certificate: x509.Certificate) -> str:
    number = certificate.signature_algorithm_oid.dotted_string
    return _SIGNATURES.get(number, f"algorithm {number}")


def _self_signed(certificate: x509.Certificate) -> bool:
    if certificate.subject != certificate.issuer:
        return False
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(certificate)
    except InvalidSignature:
        return False
    except Exception:  # noqa: BLE001  # an algorithm that cannot be checked: the names must do
        return True
    return True


def _is_ca(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _purposes(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(usage.dotted_string for usage in found)


def _issuer_url(certificate: x509.Certificate) -> str:
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except x509.ExtensionNotFound:
        return ""
    for access in found.value:
        if access.access_method == AuthorityInformationAccessOID.CA_ISSUERS and isinstance(
            access.access_location, x509.UniformResourceIdentifier
        ):
            return visible(access.access_location.value)
    return ""
