"""Throw-away certificates: each kind has its own fault, and all are made once."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

import pytest
from cryptography import x509

from smtpshell.practice.certificates import authority_pem, make_certificate
from smtpshell.practice.scenario import CERTIFICATES


def facts(kind: str) -> x509.Certificate:
    """Return a certificate of a kind, parsed."""
    made = make_certificate(kind, "mx.practice.example")
    assert made is not None
    return x509.load_der_x509_certificate(made.der)


def test_the_authority_is_trusted_by_openssl() -> None:
    """The PEM that a client is given can be loaded as an authority."""
    context = ssl.create_default_context(cadata=authority_pem())
    assert any("practice" in str(item["subject"]) for item in context.get_ca_certs())


def test_certificates_are_made_once() -> None:
    """The same kind for the same host is the same certificate, for another host another."""
    first = make_certificate("good", "mx.practice.example")
    assert first is make_certificate("good", "mx.practice.example")
    assert first is not make_certificate("good", "mx2.practice.example")


@pytest.mark.parametrize("kind", [kind for kind in CERTIFICATES if kind != "none"])
def test_dates_and_names(kind: str) -> None:
    """Only the kinds that are named for it are out of date or have another name."""
    certificate = facts(kind)
    now = datetime.now(UTC)
    begun = certificate.not_valid_before_utc < now
    ended = certificate.not_valid_after_utc < now
    assert (begun, ended) == (kind != "not-yet-valid", kind == "expired")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    expected = "other.example" if kind == "wrong-name" else "mx.practice.example"
    assert names.get_values_for_type(x509.DNSName) == [expected]
    assert (certificate.issuer == certificate.subject) is (kind == "self-signed")


def test_there_may_be_none() -> None:
    """The kind "none" is no certificate."""
    assert make_certificate("none", "mx.practice.example") is None
