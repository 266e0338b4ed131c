"""DANE: which records count, by whose word, and how a certificate chain compares with them."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from datetime import UTC, datetime

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smtpshell.lookup import dane, dane_match, dane_record, der
from smtpshell.lookup.resolver import Resolver
from smtpshell.lookup.zone import Zone
from tests.conftest import shared_data

HEX = "ab" * 32
ZONE = f"""
example.com.               MX    10 mx.example.com.
mx.example.com.            A     192.0.2.1
_25._tcp.mx.example.com.   TLSA  3 1 1 {HEX}
"""


def lookup(
    zone: str = ZONE, faults: dict[str, str] | None = None, *, signed: bool = True
) -> dane.DaneFinding:
    """Look example.com up in a zone whose answers are authenticated or not."""

    async def run() -> dane.DaneFinding:
        held = Zone.from_text(zone, faults=faults, authenticated=signed)
        return await dane.lookup(Resolver(zone=held), "example.com")

    return asyncio.run(run())


def chain() -> tuple[list[bytes], trustme.CA]:
    """Return a chain in DER for mx.example.com (server, authority) and its authority."""
    authority = trustme.CA()
    leaf = authority.issue_cert("mx.example.com")
    pems = [leaf.cert_chain_pems[0].bytes(), authority.cert_pem.bytes()]
    return [ssl.PEM_cert_to_DER_cert(pem.decode()) for pem in pems], authority


def record(usage: int, selector: int, match: int, certificate: bytes) -> dane_record.TlsaRecord:
    """Return the TLSA record of these numbers for a certificate."""
    data = dane_match.association(certificate, selector, match)
    assert data is not None
    return dane_record.assess(f"{usage} {selector} {match} {data}", usage, selector, match, data)


def test_signed_zone() -> None:
    """A usable record in a signed zone is secure, by the word of a resolver that is named."""
    found = lookup()
    assert (found.result, found.valid, found.problems) == ("secure", True, ())
    assert found.hosts[0].believed == "zone"
    assert found.hosts[0].name == "_25._tcp.mx.example.com"


def test_unsigned_zone() -> None:
    """The same record without signatures is as good as none, and says why."""
    found = lookup(signed=False)
    assert (found.result, found.valid) == ("insecure", False)
    assert "no AD bit" in found.hosts[0].why


@pytest.mark.parametrize(
    ("data", "faults", "result"),
    [
        (f"1 1 1 {HEX}", {}, "unusable"),
        (f"3 1 1 {HEX}", {"_25._tcp.mx.example.com": "servfail"}, "temperror"),
        (f"3 1 1 {HEX}", {"_25._tcp.mx.example.com": "nxdomain"}, "none"),
        (f"3 1 1 {HEX}", {"example.com MX": "servfail"}, "temperror"),
    ],
)
def test_results(data: str, faults: dict[str, str], result: str) -> None:
    """Unusable, failed and absent records are three different results."""
    zone = ZONE.replace(f"3 1 1 {HEX}", data)
    found = lookup(zone, faults)
    assert (found.result, found.valid) == (result, False)
    assert found.unanswered is (result == "temperror")
    assert found.problems


def test_alias_is_expanded() -> None:
    """For a signed alias the records at its end are taken, else those at its own name."""
    alias = """
example.com.       MX    10 mx.example.com.
mx.example.com.    CNAME host.example.net.
host.example.net.  A     192.0.2.1
"""
    expanded = lookup(alias + f"_25._tcp.host.example.net. TLSA 3 1 1 {HEX}\n")
    assert (expanded.result, expanded.hosts[0].base) == ("secure", "host.example.net")
    own = lookup(alias + f"_25._tcp.mx.example.com. TLSA 3 1 1 {HEX}\n")
    assert (own.result, own.hosts[0].base) == ("secure", "mx.example.com")


def test_shared_situations() -> None:
    """The shared situations come out as expected: signed, unsigned, unusable, alias."""
    shared_data("dns/records.tsv")
    unusable = lookup(ZONE.replace("3 1 1", "1 1 1"))
    assert [lookup().valid, lookup(signed=False).valid, unusable.valid] == [True, False, False]


def test_key_info_is_exact() -> None:
    """The SubjectPublicKeyInfo is cut out of a certificate octet by octet."""
    for certificate in chain()[0]:
        expected = (
            x509.load_der_x509_certificate(certificate)
            .public_key()
            .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )
        assert der.public_key_info(certificate) == expected


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("match", [0, 1, 2])
@pytest.mark.parametrize("usage", [2, 3])
def test_matching(usage: int, selector: int, match: int) -> None:
    """Every usable combination of numbers matches the certificate it was made from, alone."""
    presented, _ = chain()
    others, _ = chain()
    made = record(usage, selector, match, presented[3 - usage])
    assert dane_match.match(made, presented, ["mx.example.com"]).matched
    assert not dane_match.match(made, others, ["mx.example.com"]).matched


def test_association_is_the_digest() -> None:
    """A 3 1 1 record holds the SHA-256 of the public key."""
    presented, _ = chain()
    key = der.public_key_info(presented[0])
    assert key is not None
    assert dane_match.association(presented[0], 1, 1) == hashlib.sha256(key).hexdigest()
    assert dane_match.association(b"junk", 1, 1) is None
    assert dane_match.association(presented[0], 7, 1) is None


def test_server_record_ignores_names_and_dates() -> None:
    """DANE-EE vouches for the certificate itself; DANE-TA minds names and dates."""
    presented, _ = chain()
    early = datetime(1990, 1, 1, tzinfo=UTC)
    own, above = record(3, 1, 1, presented[0]), record(2, 0, 1, presented[1])
    assert dane_match.match(own, presented, ["other.example"], early).matched
    assert "names mx.example.com" in dane_match.match(above, presented, ["other.example"]).why
    assert "dates" in dane_match.match(above, presented, ["mx.example.com"], early).why


def test_authority_must_have_issued() -> None:
    """An authority beside the chain that did not issue the certificate does not count."""
    presented, _ = chain()
    strangers, _ = chain()
    mixed = [presented[0], strangers[1]]
    found = dane_match.match(record(2, 0, 1, strangers[1]), mixed, ["mx.example.com"])
    assert not found.matched
    assert "not issued" in found.why


def test_authority_may_come_from_the_record() -> None:
    """A 2 0 0 record carries the authority's certificate, so the server need not send it."""
    presented, _ = chain()
    made = record(2, 0, 0, presented[1])
    assert dane_match.match(made, presented[:1], ["mx.example.com"]).matched


def test_host_with_chain() -> None:
    """A host whose certificate matches no record is not valid, and the problem says so."""
    presented, _ = chain()
    host = dane.with_chain(lookup().hosts[0], presented)
    assert not host.valid
    assert "tlsa-mismatch" in {problem.code for problem in dane.host_problems(host)}


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("mx.example.com", "MX.example.com.", True),
        ("*.example.com", "mx.example.com", True),
        ("*.example.com", "a.mx.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.com", "example.com", False),
    ],
)
def test_names(pattern: str, name: str, expected: bool) -> None:
    """A wildcard in a certificate covers one label, and never a whole top level."""
    assert dane_match.covers(pattern, name) is expected
