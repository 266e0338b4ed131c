"""The facts of certificates, read without ever raising."""

from __future__ import annotations

import hashlib
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.net import certificates
from tests.net.authority import DAY, NOW, rsa_key
from tests.net.helpers import authority

GOOD = authority().issue(
    "mx.example", "*.mail.example", "192.0.2.1", "2001:db8::1", issuer_url="http://ca.example/m"
)


def test_all_facts_of_a_good_certificate():
    """Names, dates, key, signature, fingerprints and issuer are what the certificate holds."""
    facts = certificates.facts(GOOD.der)
    assert facts.subject == "CN=server"
    assert facts.common_name == "server"
    assert facts.names == ("mx.example", "*.mail.example")
    assert facts.addresses == ("192.0.2.1", "2001:db8::1")
    assert facts.issuer == "CN=Test Intermediate"
    assert facts.not_before == (NOW - DAY).replace(microsecond=0)
    assert facts.not_after == (NOW + 90 * DAY).replace(microsecond=0)
    assert facts.days_left(NOW) == 89
    assert facts.days_left(NOW + 100 * DAY) < 0
    assert facts.sha256 == hashlib.sha256(GOOD.der).hexdigest()
    spki = GOOD.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert facts.spki_sha256 == hashlib.sha256(spki).hexdigest()
    assert facts.key == "EC secp256r1, 256 bits"
    assert facts.signature == "ECDSA with SHA-256"
    assert facts.signature_hash == "sha256"
    assert not facts.self_signed
    assert not facts.is_ca
    assert facts.purposes == (ExtendedKeyUsageOID.SERVER_AUTH.dotted_string,)
    assert facts.issuer_url == "http://ca.example/m"
    assert facts.oddities == ()
    assert ssl.PEM_cert_to_DER_cert(facts.pem) == GOOD.der
    assert facts.to_json(NOW)["names"][:2] == ["mx.example", "*.mail.example"]
    assert facts.to_json(NOW)["days_left"] == 89


def test_a_root_is_seen_as_one():
    """A root signed itself and may issue others."""
    facts = certificates.facts(authority().root.der)
    assert facts.self_signed
    assert facts.is_ca
    assert facts.names == ()


def test_the_same_name_twice_is_not_self_signed():
    """An issuer of the same name but with another key does not make a certificate self-signed."""
    issuer = authority().issue("a.example", common_name="twin")
    twin = authority().issue("b.example", common_name="twin", issuer=issuer)
    assert not certificates.facts(twin.der).self_signed


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (rsa_key(2048), "RSA 2048 bits"),
        (ec.generate_private_key(ec.SECP384R1()), "EC secp384r1, 384 bits"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
    ],
)
def test_keys_are_named(key, words):
    """Each kind of key is named with its size."""
    assert certificates.facts(authority().issue("x.example", key=key).der).key == words


def test_foreign_text_is_made_printable():
    """Control characters in a certificate's names never reach the facts."""
    issued = authority().issue("x.example", common_name="evil\x1b[31m\u202e")
    facts = certificates.facts(issued.der)
    for text in (facts.subject, facts.common_name):
        assert text.isprintable()


@given(st.binary(max_size=300))
def test_any_octets_give_facts(octets):
    """Octets that are no certificate give empty facts and an oddity."""
    facts = certificates.facts(octets)
    assert facts.oddities
    assert facts.sha256 == hashlib.sha256(octets).hexdigest()
    assert facts.der == octets


@given(st.data())
def test_a_bent_certificate_never_raises(data):
    """Changing any octet of a certificate gives facts, whatever they are, all printable."""
    octets = bytearray(GOOD.der)
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    facts = certificates.facts(bytes(octets))
    texts = [facts.subject, facts.issuer, facts.issuer_url, *facts.names, *facts.oddities]
    assert all(text.isprintable() for text in texts)
    facts.days_left()
    facts.to_json()


def test_the_presented_chain_is_the_servers():
    """The chain is what the server sent, in its order, root or stray included."""
    issued = authority().issue(
        "mx.example",
        behind=(authority().root.certificate, authority().intermediate.certificate),
    )
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there)
    theirs = issued.context().wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for end in (ours, theirs):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    chain = certificates.presented_chain(ours)
    assert [x509.load_der_x509_certificate(der) for der in chain] == [
        issued.certificate,
        *issued.behind,
    ]

    class Public:
        def get_unverified_chain(self):
            return [b"one", b"two"]

    class Poor:
        def getpeercert(self, binary_form):
            return b"leaf" if binary_form else {}

    assert certificates.presented_chain(Public()) == (b"one", b"two")
    assert certificates.presented_chain(Poor()) == (b"leaf",)
