"""Channel bindings: the same on both sides, and what is missing is said."""

from __future__ import annotations

import hashlib
import ssl

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from smtpshell.net.bindings import (
    END_POINT,
    EXPORTER,
    UNIQUE,
    channel_bindings,
    end_point_binding,
    missing_bindings,
)
from smtpshell.net.tls import TlsSettings, make_context
from tests.net.authority import Issued
from tests.net.helpers import authority


def connected(issued: Issued, maximum: ssl.TLSVersion) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Do a handshake in memory; return the client's end and the server's."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = make_context(TlsSettings()).wrap_bio(back, there)
    theirs = issued.context(maximum=maximum).wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for end in (ours, theirs):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ours, theirs


def test_the_end_point_is_the_hash_of_the_certificate():
    """SHA-256 signatures bind by SHA-256, and weak hashes are replaced by it (RFC 5929 4.1)."""
    good = authority().issue("mx.example")
    assert end_point_binding(good.der) == hashlib.sha256(good.der).digest()
    weak = authority().resigned(good, "sha1")
    assert end_point_binding(weak.der) == hashlib.sha256(weak.der).digest()
    strong = authority().resigned(good, "sha512")
    assert end_point_binding(strong.der) == hashlib.sha512(strong.der).digest()


def test_without_a_hash_there_is_no_end_point():
    """A signature without a hash of its own defines no binding, and junk neither."""
    key = ed25519.Ed25519PrivateKey.generate()
    issued = authority().issue("mx.example", key=key, self_signed=True)
    assert end_point_binding(issued.der) is None
    assert end_point_binding(b"junk") is None
    ours, _ = connected(issued, ssl.TLSVersion.TLSv1_3)
    assert END_POINT not in channel_bindings(ours)
    assert "no hash" in missing_bindings(ours)[END_POINT]


def test_tls_1_2_has_tls_unique():
    """Up to TLS 1.2 both sides know the same tls-unique."""
    ours, theirs = connected(authority().issue("mx.example"), ssl.TLSVersion.TLSv1_2)
    bindings = channel_bindings(ours)
    assert bindings[UNIQUE] == theirs.get_channel_binding(UNIQUE)
    assert set(bindings) == {UNIQUE, END_POINT}
    assert set(missing_bindings(ours)) == {EXPORTER}


def test_tls_1_3_has_no_tls_unique():
    """Under TLS 1.3 the value that Python gives is not used, and the lack is explained."""
    ours, _ = connected(authority().issue("mx.example"), ssl.TLSVersion.TLSv1_3)
    assert UNIQUE not in channel_bindings(ours)
    missing = missing_bindings(ours)
    assert "no meaning under TLSv1.3" in missing[UNIQUE]
    if EXPORTER not in channel_bindings(ours):
        assert "Python" in missing[EXPORTER]


def test_no_certificate_is_told():
    """Where the peer sent no certificate the end point is missing for that reason."""
    _, theirs = connected(authority().issue("mx.example"), ssl.TLSVersion.TLSv1_3)
    assert missing_bindings(theirs)[END_POINT] == "the server sent no certificate"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_every_type_is_had_or_explained(version):
    """Each known type is either there or explained, never both."""
    ours, _ = connected(authority().issue("mx.example"), version)
    had, missing = set(channel_bindings(ours)), set(missing_bindings(ours))
    assert had | missing == {UNIQUE, END_POINT, EXPORTER}
    assert not had & missing
