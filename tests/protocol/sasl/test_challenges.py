"""Each 334 in plain words: what it says, and the very command that answers it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.protocol.sasl import MECHANISMS, encode_line
from smtpshell.protocol.sasl.challenges import explain_challenge, explain_line

from .test_hostile import hostile
from .test_vectors import scram_messages

_, SERVER_FIRST, _, SERVER_FINAL = scram_messages("SCRAM-SHA-256")


@pytest.mark.parametrize(
    ("mechanism", "step", "challenge", "words"),
    [
        ("login", 1, b"Username:", '"Username:".*base64 of your user name: `/b64 NAME`'),
        ("LOGIN", 2, b"Password:", '"Password:".*`/b64 PASSWORD`'),
        ("LOGIN", 1, b"Password:", "`/b64 PASSWORD`"),
        ("LOGIN", 2, b"", "number 2.*`/b64 PASSWORD`"),
        ("LOGIN", 1, b"", "number 1.*`/b64 NAME`"),
        ("PLAIN", 1, b"", r"`/b64 \\0NAME\\0PASSWORD`"),
        ("PLAIN", 1, b"hello", r'"hello"; PLAIN has one message.*`\*` cancels'),
        ("CRAM-MD5", 1, b"<1@example.com>", '"<1@example.com>".*/auth CRAM-MD5 NAME'),
        ("CRAM-MD5", 1, b"", "good for ever"),
        ("DIGEST-MD5", 1, b'realm="r.example",nonce="abc"', "nonce is abc for the realm r.example"),
        ("DIGEST-MD5", 2, b"rspauth=00", "empty line"),
        ("DIGEST-MD5", 1, b"?", "not DIGEST-MD5's"),
        ("SCRAM-SHA-256", 1, b"", "`/b64 n,,n=NAME,r=NONCE`"),
        ("SCRAM-SHA-256", 1, SERVER_FIRST, "rOprNGfwEbeRWgbNEkqO.* 4096 iterations.*/auth SCRAM"),
        ("SCRAM-SHA-256-PLUS", 2, SERVER_FINAL, "signature.*empty line"),
        ("SCRAM-SHA-1", 2, b"e=invalid-proof", "invalid-proof: the proof is wrong"),
        ("SCRAM-SHA-1", 1, b"hello", "not SCRAM-SHA-1's"),
        ("XOAUTH2", 1, b"", r"`/b64 user=NAME\\x01auth=Bearer TOKEN\\x01\\x01`"),
        ("XOAUTH2", 1, b'{"status":"401"}', "refused, 401: .*an empty line; then the 535"),
        ("OAUTHBEARER", 1, b'{"status":"invalid_token"}', "refused, invalid_token: .*`AQ==`"),
        ("OAUTHBEARER", 1, b"[]", "not OAUTHBEARER's"),
        ("EXTERNAL", 1, b"", "empty line to be whom the certificate names"),
        ("ANONYMOUS", 1, b"", "any trace text"),
        ("NTLM", 1, b"NTLMSSP\0\x02\0\0\0", "NTLM is not supported"),
        ("GSSAPI", 1, b"x", "GSSAPI is Kerberos"),
        ("NONSENSE", 1, b"x", 'the challenge is "x"'),
    ],
)
def test_each_challenge_is_explained(mechanism, step, challenge, words):
    """The words say what the challenge is and how to answer it."""
    import re

    said = explain_challenge(mechanism, step, challenge)
    assert re.search(words, said), said


def test_the_line_of_the_rfc_is_read():
    """VXNlcm5hbWU6 is Username:, and a line that is not base64 is said to be none."""
    assert '"Username:"' in explain_line("LOGIN", 1, "VXNlcm5hbWU6")
    assert "cannot be read" in explain_line("LOGIN", 1, "Username:")
    assert "first message" in explain_line("PLAIN", 1, "")


@pytest.mark.parametrize("name", [*MECHANISMS, "NTLM", "NONSENSE\x1b"])
@given(octets=hostile, step=st.integers(-1, 9))
@settings(max_examples=50, deadline=None)
def test_any_challenge_is_explained_printably(name, octets, step):
    """Whatever the octets, there is an explanation on one printable line, and no exception."""
    said = explain_challenge(name, step, octets)
    assert said.isprintable()
    assert 20 < len(said) < 6000
    line = encode_line(octets)
    assert explain_line(name, step, line).isprintable()
    assert explain_line(name, step, line[:-1] + "\x1b").isprintable()
