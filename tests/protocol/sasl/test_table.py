"""The table of mechanisms, and the choice among them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from smtpshell.protocol.sasl import (
    MECHANISMS,
    RECOGNISED,
    ChannelBinding,
    Credentials,
    SaslError,
    ServerTerms,
    best,
    client,
    mechanism,
    server,
)

ALL = tuple(MECHANISMS)
PASSWORD = Credentials("alice", "pw")
TOKEN = Credentials("alice", token="abc")
UNDER_TLS = "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN DIGEST-MD5 CRAM-MD5"
BINDING = ChannelBinding("tls-exporter", b"x")


def test_every_row_is_whole():
    """Each row has its sentences, a section and two sides that exist."""
    for name, row in MECHANISMS.items():
        assert row.name == name == name.upper()
        assert row.summary[0].islower()
        assert row.section
        for sentence in (row.eavesdropper, row.failure, row.stores):
            assert sentence.endswith(".")
        assert row.needs <= {"user", "password", "token", "certificate"}
        credentials = Credentials("alice", "pw", "token", certificate=True)
        first = next(client(name, credentials, binding=BINDING))
        assert bool(first) == (row.client_first and name != "EXTERNAL")
        assert (next(server(ServerTerms(name, lambda _: None))) == b"") == row.client_first
    assert not RECOGNISED.keys() & MECHANISMS.keys()


@pytest.mark.parametrize(
    ("tls", "binding", "order"),
    [
        (
            True,
            BINDING,
            f"SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS {UNDER_TLS}",
        ),
        (True, None, UNDER_TLS),
        (False, None, "SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5 PLAIN LOGIN"),
    ],
)
def test_the_order_of_choice(tls, binding, order):
    """With the strongest taken from the offer time and again, the documented order appears."""
    offered, found = list(ALL), []
    while row := best(offered, PASSWORD, tls, binding):
        found.append(row.name)
        offered.remove(row.name)
    assert found == order.split()


@pytest.mark.parametrize(
    ("offered", "credentials", "chosen"),
    [
        (["xoauth2", "plain"], TOKEN, "XOAUTH2"),
        (ALL, TOKEN, "OAUTHBEARER"),
        (ALL, Credentials("alice", "pw", "abc"), "OAUTHBEARER"),
        (ALL, Credentials(certificate=True), "EXTERNAL"),
        (ALL, Credentials("alice", "pw", certificate=True), "SCRAM-SHA-256"),
        (ALL, Credentials("alice", ""), "SCRAM-SHA-256"),
        (ALL, Credentials("alice"), None),
        (ALL, Credentials(password="pw"), None),
        (["ANONYMOUS"], Credentials(), None),
        (["NTLM", "GSSAPI"], PASSWORD, None),
        ([], PASSWORD, None),
    ],
)
def test_the_choice_follows_what_there_is(offered, credentials, chosen):
    """A mechanism is chosen only if it is offered and the credentials suffice."""
    row = best(offered, credentials, tls=True)
    assert (row.name if row else None) == chosen


@pytest.mark.parametrize(
    ("name", "credentials", "words"),
    [
        ("NTLM", PASSWORD, "NTLM: .*not supported"),
        ("NONSENSE", PASSWORD, "no mechanism is called NONSENSE.*Choose one of"),
        ("PLAIN", TOKEN, "PLAIN needs a password"),
        ("PLAIN", Credentials(), "needs a user and a password"),
        ("xoauth2", PASSWORD, "XOAUTH2 needs a token"),
        ("SCRAM-SHA-1-PLUS", PASSWORD, "needs a channel binding.*use SCRAM-SHA-1"),
    ],
)
def test_what_is_missing_is_said_at_once(name, credentials, words):
    """An unknown mechanism or credentials that do not suffice raise before anything is sent."""
    with pytest.raises(SaslError, match=words) as caught:
        client(name, credentials)
    assert caught.value.status == 28


def test_names_are_found_in_any_case():
    """Mechanism names are compared without case, as in an EHLO reply."""
    assert mechanism("scram-sha-256-plus") is MECHANISMS["SCRAM-SHA-256-PLUS"]


def test_importing_the_package_computes_nothing():
    """The tables load without hashing, stringprep or random numbers."""
    code = (
        "import sys, smtpshell.protocol.sasl, smtpshell.protocol.sasl.line;"
        "print(sorted({'hashlib', 'hmac', 'secrets', 'stringprep', 'json'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_secrets_stay_out_of_the_repr():
    """Neither password nor token shows when credentials are printed."""
    assert "hunter2" not in repr(Credentials("alice", "hunter2", "hunter2"))
