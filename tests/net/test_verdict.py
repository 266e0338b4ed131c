"""The verdict: every fault told, and `verified` as a verifying client would say."""

from __future__ import annotations

import datetime as dt
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID

from smtpshell.net import certificates, trust
from smtpshell.net.chain import faults_of_chain
from smtpshell.net.errors import TlsError
from smtpshell.net.tls import TlsSettings, make_context
from smtpshell.net.verdict import Verdict, _faults_of_channel, judge
from tests.net.authority import DAY, NOW, Authority, Issued, rsa_key
from tests.net.helpers import authority

HOST = "mx.good.example"
TRUSTING = TlsSettings(extra_ca_pem=authority().pem)


def handshake(client: ssl.SSLContext, issued: Issued, host: str | None = HOST) -> ssl.SSLObject:
    """Do a handshake in memory; return the client's end. Raises ssl.SSLError."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=host)
    theirs = issued.context().wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for end in (ours, theirs):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ours


def verdict_on(
    issued: Issued, host: str | None = HOST, settings: TlsSettings = TRUSTING
) -> Verdict:
    """Let the handshake through and judge it."""
    return judge(handshake(make_context(settings), issued), host, settings)


def codes(verdict: Verdict) -> list[str]:
    """Return the problems' codes."""
    return [problem.code for problem in verdict.problems]


def make(name: str) -> Issued:
    """Make the certificate of one row of FAULTS."""
    good = authority()
    stranger = Authority("Stranger")
    old = good.expired_intermediate()
    forged = Issued(good.intermediate.certificate, stranger.intermediate.key)
    root = good.root.certificate
    middle = good.intermediate.certificate
    leaf = good.issue(HOST, common_name="a server")
    match name:
        case "good":
            return good.issue(HOST)
        case "good with root":
            return good.issue(HOST, behind=(middle, root))
        case "good wildcard":
            return good.issue("*.good.example")
        case "good rsa":
            return good.issue(HOST, key=rsa_key(2048))
        case "good ed25519":
            return good.issue(HOST, key=ed25519.Ed25519PrivateKey.generate())
        case "expired":
            return good.issue(HOST, first_day=-100, last_day=-3.5)
        case "future":
            return good.issue(HOST, first_day=2)
        case "soon":
            return good.issue(HOST, last_day=5.5)
        case "wrong name":
            return good.issue("other.example", "192.0.2.1")
        case "common name":
            return good.issue(common_name=HOST)
        case "no name":
            return good.issue(common_name="something")
        case "self-signed":
            return good.issue(HOST, self_signed=True)
        case "stranger":
            return stranger.issue(HOST)
        case "stranger with root":
            return stranger.issue(
                HOST,
                behind=(stranger.intermediate.certificate, stranger.root.certificate),
            )
        case "alone":
            return good.issue(HOST, behind=())
        case "alone with url":
            return good.issue(HOST, behind=(), issuer_url="http://ca.example/middle.crt")
        case "wrong order":
            return good.issue(HOST, behind=(root, middle))
        case "stray":
            return good.issue(HOST, behind=(middle, stranger.root.certificate))
        case "twice":
            return Issued(leaf.certificate, leaf.key, (leaf.certificate, middle))
        case "old issuer":
            return good.issue(HOST, issuer=old)
        case "forged":
            return good.issue(HOST, issuer=forged)
        case "issued by a server":
            return good.issue(HOST, issuer=leaf, behind=(leaf.certificate, middle))
        case "client only":
            return good.issue(HOST, purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,))
        case "weak key":
            return good.issue(HOST, key=rsa_key(1024))
        case "sha1":
            return good.resigned(good.issue(HOST), "sha1")
        case "everything":
            bad = stranger.issue(
                "other.example",
                first_day=-100,
                last_day=-10,
                key=rsa_key(1024),
                purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,),
                behind=(root, stranger.intermediate.certificate),
            )
            return stranger.resigned(bad, "sha1")
    raise AssertionError(name)


FAULTS = {
    "good": [],
    "good with root": [],
    "good wildcard": [],
    "good rsa": [],
    "good ed25519": [],
    "expired": ["expired"],
    "future": ["not-yet-valid"],
    "soon": ["expires-soon"],
    "wrong name": ["wrong-name"],
    "common name": ["common-name-only"],
    "no name": ["wrong-name"],
    "self-signed": ["self-signed"],
    "stranger": ["unknown-issuer"],
    "stranger with root": ["untrusted-root"],
    "alone": ["missing-intermediate"],
    "alone with url": ["missing-intermediate"],
    "wrong order": ["wrong-order"],
    "stray": ["stray-certificate"],
    "twice": ["stray-certificate"],
    "old issuer": ["issuer-expired"],
    "forged": ["bad-signature"],
    "issued by a server": ["not-a-ca"],
    "client only": ["wrong-purpose"],
    "weak key": ["weak-key"],
    "sha1": ["weak-signature"],
    "everything": [
        "unknown-issuer",
        "expired",
        "wrong-name",
        "wrong-purpose",
        "weak-key",
        "weak-signature",
        "stray-certificate",
    ],
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_told_and_no_other(name):
    """Each bad certificate has exactly its faults, in printable words with advice."""
    issued = make(name)
    verdict = verdict_on(issued)
    assert codes(verdict) == FAULTS[name]
    for problem in verdict.problems:
        assert problem.text.isprintable()
        assert not problem.text.endswith(".")
        assert problem.advice.endswith(".")
    assert verdict.chain[0].der == issued.der
    assert len(verdict.chain) == 1 + len(issued.behind)
    assert verdict.version == "TLSv1.3"
    assert verdict.trust == "practice"


@pytest.mark.parametrize("name", FAULTS)
def test_verified_is_what_the_ssl_module_says(name):
    """`verified` is true exactly for those certificates that a verifying handshake accepts."""
    issued = make(name)
    context = make_context(TlsSettings(verify=True, extra_ca_pem=authority().pem))
    context.set_ciphers("DEFAULT:@SECLEVEL=2")
    try:
        handshake(context, issued)
        accepted = True
    except ssl.SSLError:
        accepted = False
    assert verdict_on(issued).verified is accepted


def test_the_words_hold_the_facts():
    """Days, dates, names and addresses stand in the sentences."""
    assert "expired on " in verdict_on(make("expired")).problems[0].text
    assert "4 days ago" in verdict_on(make("expired")).problems[0].text
    assert "in 5 days" in verdict_on(make("soon")).problems[0].text
    wrong = verdict_on(make("wrong name")).problems[0].text
    assert wrong == f"the certificate is not for {HOST}, but for other.example, 192.0.2.1"
    assert "ca.example/middle.crt" in verdict_on(make("alone with url")).problems[0].text
    assert "Stranger Root" in verdict_on(make("stranger with root")).problems[0].text
    assert "RSA 1024 bits" in verdict_on(make("weak key")).problems[0].text
    many = authority().issue(*(f"n{number}.example" for number in range(9)))
    assert "and 4 more" in verdict_on(many).problems[0].text


def test_an_address_is_a_name_like_others():
    """A certificate for an IP address verifies when that address is wanted."""
    issued = authority().issue("192.0.2.1", "2001:db8::1")
    assert verdict_on(issued, "192.0.2.1").verified
    assert verdict_on(issued, "2001:db8:0::1").verified
    assert codes(verdict_on(issued, "192.0.2.2")) == ["wrong-name"]


def test_without_a_host_no_name_is_compared():
    """For a UNIX socket or a command there is no name to compare."""
    assert verdict_on(make("wrong name"), None).verified


def test_the_usual_trust_is_not_the_practice_trust():
    """A certificate of the throw-away authority is not trusted where the system's are asked."""
    settings = TlsSettings()
    verdict = verdict_on(make("good"), settings=settings)
    assert codes(verdict) == ["unknown-issuer"]
    assert not verdict.verified
    assert verdict.trust == "system"


def test_given_files_and_folders_are_trusted(tmp_path):
    """A CA file and a rehashed folder both lead to a verified verdict; a missing one is told."""
    file = tmp_path / "ca.pem"
    file.write_bytes(authority().pem)
    verdict = verdict_on(make("good"), settings=TlsSettings(ca_file=str(file)))
    assert verdict.verified
    assert verdict.trust == "given"
    try:
        subprocess.run(["openssl", "rehash", str(tmp_path)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl program to prepare a folder")
    assert verdict_on(make("good"), settings=TlsSettings(ca_folder=str(tmp_path))).verified
    with pytest.raises(TlsError, match="cannot read the trusted") as caught:
        verdict_on(make("good"), settings=TlsSettings(ca_file=str(tmp_path / "missing")))
    assert caught.value.tls_kind == "settings"
    with pytest.raises(TlsError, match="cannot be read"):
        verdict_on(
            make("good"),
            settings=TlsSettings(extra_ca_pem=b"junk-----END CERTIFICATE-----"),
        )


def test_systems_without_files_are_asked_through_the_ssl_module(monkeypatch):
    """Where the system keeps its certificates in no file, the ssl module's own list is trusted."""

    class Context(ssl.SSLContext):
        def load_default_certs(self, *_):
            self.load_verify_locations(cadata=authority().pem.decode())

    issued = make("good")
    client = handshake(make_context(TlsSettings()), issued)
    trust.warm_up()
    monkeypatch.setattr(trust, "trusted_files", lambda _: (None, None))
    monkeypatch.setattr(ssl, "SSLContext", Context)
    assert judge(client, HOST, TlsSettings()).verified


def test_trustme_is_an_authority_too():
    """A chain made by trustme, with its own intermediate, verifies."""
    ca = trustme.CA()
    leaf = ca.create_child_ca().issue_cert(HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    settings = TlsSettings(extra_ca_pem=ca.cert_pem.bytes())

    class Ready(Issued):
        def context(self, *_, **__):
            return context

    assert verdict_on(Ready(None, None), settings=settings).verified


def test_the_time_can_be_another():
    """Seen from another day the same chain is expired, or not yet valid."""
    chain = tuple(certificates.facts(der) for der in _ders(make("good")))
    later = faults_of_chain(chain, HOST, TRUSTING, now=NOW + 200 * DAY)
    assert [problem.code for problem in later] == ["expired"]
    before = faults_of_chain(chain, HOST, TRUSTING, now=NOW - 200 * DAY)
    assert [problem.code for problem in before] == ["not-yet-valid"]


def _ders(issued: Issued) -> tuple[bytes, ...]:
    from cryptography.hazmat.primitives.serialization import Encoding

    return (issued.der, *(one.public_bytes(Encoding.DER) for one in issued.behind))


def test_octets_that_are_no_certificate_are_a_fault():
    """A chain that cannot be read is a problem, not an exception."""
    good = certificates.facts(make("good").der)
    for junk in (b"", b"\x30\x03\x02\x01\x01", good.der[:-9], b"\x30\x82\xff\xff" + b"\0" * 99):
        for chain in ((certificates.facts(junk),), (good, certificates.facts(junk))):
            problems = faults_of_chain(chain, HOST, TRUSTING)
            assert any(problem.fatal for problem in problems)
            assert all(problem.text.isprintable() for problem in problems)
    assert [one.code for one in faults_of_chain((), HOST, TRUSTING)] == ["no-certificate"]
    assert trust.TrustStore(TRUSTING).judge([b"junk"]).code == trust.UNREADABLE


def test_the_ssl_modules_word_is_taken_without_heavy_modules(tmp_path):
    """Where the handshake verified, the verdict is good and loads no certificate library."""
    (tmp_path / "server.pem").write_bytes(make("good").pem())
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    code = f"""
import ssl, sys
from smtpshell.net.tls import TlsSettings, make_context
from smtpshell.net.verdict import judge
settings = TlsSettings(verify=True, ca_file={str(tmp_path / "ca.pem")!r})
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain({str(tmp_path / "server.pem")!r})
there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
ours = make_context(settings).wrap_bio(back, there, server_hostname={HOST!r})
theirs = server.wrap_bio(there, back, server_side=True)
for _ in range(4):
    for end in (ours, theirs):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            pass
verdict = judge(ours, {HOST!r}, settings)
assert verdict.verified and not verdict.problems and not verdict.chain
print(sorted({{'OpenSSL', 'cryptography'}} & set(sys.modules)))
assert judge(ours, {HOST!r}, settings, full=True).chain
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("version", "cipher", "expected"),
    [
        ("TLSv1.3", "TLS_AES_256_GCM_SHA384", []),
        ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", []),
        ("TLSv1.2", "AES128-SHA", ["no-forward-secrecy"]),
        ("TLSv1", "ECDHE-RSA-AES128-SHA", ["old-version"]),
        ("TLSv1.1", "DES-CBC3-SHA", ["old-version", "weak-cipher"]),
        ("TLSv1.2", "RC4-MD5", ["weak-cipher"]),
        ("TLSv1.2", "ADH-AES128-SHA", ["weak-cipher"]),
    ],
)
def test_old_versions_and_weak_ciphers_are_told(version, cipher, expected):
    """The channel's own faults are told, and none of them is fatal."""
    problems = list(_faults_of_channel(version, cipher))
    assert [problem.code for problem in problems] == expected
    assert not any(problem.fatal for problem in problems)


def test_the_json_of_a_verdict_has_the_four_fields():
    """The `tls` event's fields are version, cipher, verified and problems."""
    fields = verdict_on(make("wrong name")).to_json()
    assert list(fields) == ["version", "cipher", "verified", "problems"]
    assert fields["verified"] is False
    assert fields["problems"][0].startswith("the certificate is not for")
    assert dt.datetime.fromisoformat(verdict_on(make("good")).chain[0].to_json()["not_after"])
