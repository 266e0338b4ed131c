"""Settings to contexts, and where the trusted certificates come from."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from smtpshell.net import tls
from smtpshell.net.errors import TlsError
from smtpshell.net.tls import TlsSettings, make_context, trusted_files, version_of
from smtpshell.protocol.errors import Status
from tests.net.helpers import authority


def test_a_diagnosing_context_lets_everything_through():
    """Without verification nothing is checked, and old versions and weak ciphers are offered."""
    context = make_context(TlsSettings())
    assert context.verify_mode == ssl.CERT_NONE
    assert not context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.MINIMUM_SUPPORTED
    names = {cipher["name"] for cipher in context.get_ciphers()}
    assert "AES128-SHA" in names
    assert not any("NULL" in name or name.startswith("ADH") for name in names)


def test_a_verifying_context_is_the_ssl_modules_own():
    """With verification both the chain and the name are checked, at the usual level."""
    context = make_context(TlsSettings(verify=True))
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.security_level == ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).security_level


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.0", ssl.TLSVersion.TLSv1),
        ("1", ssl.TLSVersion.TLSv1),
        ("TLSv1", ssl.TLSVersion.TLSv1),
        ("tls1_1", ssl.TLSVersion.TLSv1_1),
        ("TLSv1.2", ssl.TLSVersion.TLSv1_2),
        (" v1.3 ", ssl.TLSVersion.TLSv1_3),
    ],
)
def test_versions_are_read_as_users_write_them(text, version):
    """The usual spellings of a version mean the same."""
    assert version_of(text) == version


def test_bounds_and_ciphers_reach_the_context():
    """Minimum, maximum and ciphers are what the context offers."""
    context = make_context(TlsSettings(minimum="1.2", maximum="1.2", ciphers="ECDHE+AESGCM"))
    assert context.minimum_version == context.maximum_version == ssl.TLSVersion.TLSv1_2
    assert all("GCM" in one["name"] or "TLS_" in one["name"] for one in context.get_ciphers())
    assert make_context(TlsSettings(minimum="1.0")).minimum_version == ssl.TLSVersion.TLSv1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (TlsSettings(minimum="2.0"), "unknown TLS version"),
        (TlsSettings(ciphers="NONSENSE"), "no cipher matches"),
        (TlsSettings(ciphers="x\0y"), "no cipher matches"),
    ],
)
def test_settings_that_make_no_sense(settings, words):
    """Unusable settings are told before anything is connected."""
    with pytest.raises(TlsError, match=words) as caught:
        make_context(settings)
    assert caught.value.tls_kind == "settings"
    assert str(caught.value).isprintable()


def test_client_certificates_and_their_mistakes(tmp_path):
    """A good pair is loaded; a missing file, the wrong key and a locked key are told apart."""
    issued = authority().issue("client.example")
    good = tmp_path / "good.pem"
    good.write_bytes(issued.pem())
    make_context(TlsSettings(certificate=str(good)))
    other = tmp_path / "other.pem"
    other.write_bytes(authority().issue("other.example").pem())
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    locked = tmp_path / "locked.pem"
    from cryptography.hazmat.primitives import serialization as pem

    key = issued.key.private_bytes(
        pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.BestAvailableEncryption(b"secre")
    )
    locked.write_bytes(key)
    make_context(TlsSettings(certificate=str(good), key=str(locked), key_password="secre"))
    for certificate, key_file, words in (
        (str(tmp_path / "missing"), "", "no such file"),
        (str(good), str(tmp_path / "missing"), "no such file"),
        (str(good), str(other), "does not belong"),
        (str(empty), "", "holds no certificate"),
        (str(good), str(locked), "key"),
    ):
        with pytest.raises(TlsError, match=words) as caught:
            make_context(TlsSettings(certificate=certificate, key=key_file))
        assert caught.value.status == Status.FILE
    assert "secre" not in repr(TlsSettings(key_password="secre"))


def test_given_authorities_and_their_mistakes(tmp_path):
    """A CA file stands in for the system's; a missing or an empty one is told."""
    file = tmp_path / "ca.pem"
    file.write_bytes(authority().pem)
    context = make_context(TlsSettings(verify=True, ca_file=str(file)))
    assert len(context.get_ca_certs()) == 1
    assert TlsSettings(ca_file=str(file)).trust == "given"
    assert TlsSettings(extra_ca_pem=b"").trust == "practice"
    assert TlsSettings().trust == "system"
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for settings, words in (
        (TlsSettings(verify=True, ca_file=str(tmp_path / "missing")), "no such file"),
        (TlsSettings(verify=True, ca_file=str(empty)), "no certificate"),
        (TlsSettings(verify=True, extra_ca_pem=b"nothing"), "no certificate"),
    ):
        with pytest.raises(TlsError, match=words) as caught:
            make_context(settings)
        assert caught.value.status == Status.FILE


def test_a_hashed_folder_beside_the_bundle_is_taken_alone(tmp_path, monkeypatch):
    """The system's bundle is not parsed where its hashed folder stands beside it."""
    bundle = tmp_path / "ca-certificates.crt"
    bundle.write_bytes(authority().pem)
    paths = ssl.get_default_verify_paths()._replace(cafile=str(bundle), capath=str(tmp_path))
    monkeypatch.setattr(tls.ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert trusted_files(TlsSettings()) == (str(bundle), str(tmp_path))
    (tmp_path / "0123abcd.0").write_bytes(authority().pem)
    assert trusted_files(TlsSettings()) == (None, str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert trusted_files(TlsSettings()) == (str(bundle), str(tmp_path))
    paths = paths._replace(openssl_cafile=str(bundle))
    assert trusted_files(TlsSettings()) == (None, str(tmp_path))


def test_links_and_contexts_load_nothing_heavy():
    """A verified connection needs neither pyOpenSSL nor cryptography, nor a terminal's modules."""
    code = (
        "import sys, smtpshell.net.link, smtpshell.net.verdict\n"
        "from smtpshell.net.tls import TlsSettings, make_context\n"
        "make_context(TlsSettings(verify=True)); make_context(TlsSettings())\n"
        "heavy = {'OpenSSL', 'cryptography', 'dns', 'idna', 'prompt_toolkit', 'pygments'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "[]\n"
