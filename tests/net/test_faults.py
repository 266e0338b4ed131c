"""OpenSSL's reasons in plain words."""

from __future__ import annotations

import re
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.net import faults
from smtpshell.net.layer import TlsLayer
from smtpshell.net.tls import TlsSettings, make_context

REASONS = [
    ("TLSV1_ALERT_PROTOCOL_VERSION", "version"),
    ("UNSUPPORTED_PROTOCOL", "version"),
    ("NO_PROTOCOLS_AVAILABLE", "settings"),
    ("NO_CIPHERS_AVAILABLE", "cipher"),
    ("SSLV3_ALERT_HANDSHAKE_FAILURE", "alert"),
    ("TLSV1_UNRECOGNIZED_NAME", "alert"),
    ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "alert"),
    ("TLSV1_ALERT_UNKNOWN_CA", "alert"),
    ("SSLV3_ALERT_BAD_CERTIFICATE", "alert"),
    ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", "alert"),
    ("TLSV1_ALERT_INTERNAL_ERROR", "alert"),
    ("DH_KEY_TOO_SMALL", "cipher"),
    ("UNSAFE_LEGACY_RENEGOTIATION_DISABLED", "version"),
    ("SOMETHING_QUITE_NEW", "failed"),
    ("", "failed"),
]


@pytest.mark.parametrize(("reason", "kind"), REASONS)
def test_each_reason_has_kind_words_and_advice(reason, kind):
    """A reason leads to its kind, a sentence without shouting, and advice."""
    error = faults.known_reason(reason, "mx:25")
    assert error.tls_kind == kind
    assert error.next.endswith(".")
    assert error.where == "mx:25"
    assert not re.search(r"[A-Z]{3,}_", error.what)


def test_alerts_are_named():
    """An alert without a row of its own is told by its name."""
    error = faults.known_reason("TLSV1_ALERT_USER_CANCELLED", "mx:25")
    assert "alert user_cancelled" in error.what


def test_patterns_compile_and_are_reached():
    """Every row of the table is a pattern, and none is hidden by a row before it."""
    for number, (pattern, *_) in enumerate(faults._REASONS):
        example = re.sub(r"\(([^()|]*)\|[^()]*\)", r"\1", pattern).split("|")[0]
        example = example.replace(r"\w*", "X").replace(r"\w+", "X").replace("?", "")
        example = example.replace(".*", "").replace("(", "").replace(")", "")
        first = next(
            place for place, (row, *_) in enumerate(faults._REASONS) if re.fullmatch(row, example)
        )
        assert first == number, (pattern, example)


@given(st.binary(max_size=100))
def test_any_first_octets_give_a_printable_error(octets):
    """Whatever the server said in place of a handshake, the error is one printable line."""
    layer = TlsLayer(make_context(TlsSettings()), None)
    layer.first_octets = octets
    for error in (None, ConnectionResetError(), ssl.SSLError(1, "odd\x1b")):
        assert str(faults.tls_error(error, layer, "mx:25")).isprintable()
    assert str(faults.not_tls(octets, "mx:25")).isprintable()
