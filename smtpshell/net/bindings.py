"""Channel bindings: what ties a login to this very TLS connection (RFC 5056, RFC 5929, RFC 9266).

Python's ssl module can give `tls-unique`, which has a meaning up to TLS 1.2 only (the module
returns a value under 1.3 too, which means nothing), and has no way to `tls-exporter`. The binding
to the server's certificate, `tls-server-end-point`, can be computed from the certificate.
"""

from __future__ import annotations

import hashlib
import ssl

from smtpshell.net.certificates import load, signature_hash

END_POINT = "tls-server-end-point"
UNIQUE = "tls-unique"
EXPORTER = "tls-exporter"

_UNIQUE_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2")


def end_point_binding(der: bytes) -> bytes | None:
    """Return the hash of a server's certificate as RFC 5929 4.1 wants it.

    The hash is that of the certificate's signature, SHA-256 in place of MD5 and SHA-1; None where
    the signature has no hash of its own (Ed25519), for which no binding is defined.
    """
    try:
        name = signature_hash(load(der))
    except ValueError:
        return None
    name = {"md5": "sha256", "sha1": "sha256"}.get(name, name)
    if name not in hashlib.algorithms_available:
        return None
    return hashlib.new(name, der).digest()


def channel_bindings(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> dict[str, bytes]:
    """Return the channel bindings that can be had on this connection, by type."""
    bindings: dict[str, bytes] = {}
    exporter = getattr(ssl_object, "export_keying_material", None)
    if exporter is not None and ssl_object.version() == "TLSv1.3":
        bindings[EXPORTER] = exporter("EXPORTER-Channel-Binding", 32, b"")
    if ssl_object.version() in _UNIQUE_VERSIONS:
        unique = ssl_object.get_channel_binding(UNIQUE)
        if unique:
            bindings[UNIQUE] = unique
    der = ssl_object.getpeercert(binary_form=True)
    end_point = end_point_binding(der) if der else None
    if end_point is not None:
        bindings[END_POINT] = end_point
    return bindings


def missing_bindings(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> dict[str, str]:
    """Return, by type, why a channel binding cannot be had; a sentence without full stop."""
    had = channel_bindings(ssl_object)
    version = ssl_object.version()
    why = {
        UNIQUE: f"tls-unique has no meaning under {version} (RFC 9266 replaces it by tls-exporter)",
        EXPORTER: "tls-exporter is out of reach: Python's ssl module cannot export keying material",
        END_POINT: "the certificate's signature has no hash of its own, so RFC 5929 defines none",
    }
    if version != "TLSv1.3":
        why[EXPORTER] = f"tls-exporter is not usual under {version}; tls-unique serves there"
    if ssl_object.getpeercert(binary_form=True) is None:
        why[END_POINT] = "the server sent no certificate"
    return {kind: reason for kind, reason in why.items() if kind not in had}
