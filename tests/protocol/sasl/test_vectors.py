"""The examples of the RFCs, octet by octet, from both sides."""

from __future__ import annotations

import base64

import pytest

from smtpshell.protocol.sasl import (
    Account,
    Credentials,
    Outcome,
    ServerTerms,
    client,
    cram,
    digest,
    oauth,
    plain,
    server,
)
from smtpshell.protocol.sasl.digest_syntax import directives

from .wire import fixed, only

PENCIL = Credentials("user", "pencil")

SCRAM = {
    "SCRAM-SHA-1": (
        "fyko+d2lbbFgONRv9qkxdawL",
        "3rfcNHYJY1ZVvWVs7j",
        "QSXCR+Q6sek8bf92",
        "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    "SCRAM-SHA-256": (
        "rOprNGfwEbeRWgbNEkqO",
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "W22ZaJ0SNY7soEsUEjb6gQ==",
        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
}
"""Client nonce, server nonce, salt, proof and signature: RFC 5802 section 5, RFC 7677 section 3."""


def scram_messages(name):
    """Return the four messages of the RFC's example."""
    mine, theirs, salt, proof, signature = SCRAM[name]
    return (
        f"n,,n=user,r={mine}".encode(),
        f"r={mine}{theirs},s={salt},i=4096".encode(),
        f"c=biws,r={mine}{theirs},p={proof}".encode(),
        f"v={signature}".encode(),
    )


def test_scram_client_says_what_the_rfcs_show():
    """The client's messages are those of RFC 5802 section 5 and RFC 7677 section 3."""
    for name, values in SCRAM.items():
        first, challenge, final, signature = scram_messages(name)
        steps = client(name, PENCIL, nonce=fixed(values[0]))
        assert next(steps) == first
        assert steps.send(challenge) == final
        assert steps.send(signature) == b""
        assert next(steps, "ended") == "ended"


def test_scram_server_says_what_the_rfcs_show():
    """The server's messages are those of RFC 5802 section 5 and RFC 7677 section 3."""
    for name, values in SCRAM.items():
        first, challenge, final, signature = scram_messages(name)
        terms = ServerTerms(
            name,
            only(Account("user", "pencil")),
            nonce=fixed(values[1]),
            salt=fixed(base64.b64decode(values[2])),
        )
        steps = server(terms)
        assert next(steps) == b""
        assert steps.send(first) == challenge
        assert steps.send(final) == signature
        with pytest.raises(StopIteration) as end:
            steps.send(b"")
        assert end.value.value == Outcome(True, user="user", authzid="user")


def test_cram_md5_matches_rfc_2195():
    """The keyed digest is the one of RFC 2195 section 2."""
    challenge = b"<1896.697170952@postoffice.reston.mci.net>"
    expected = b"tim b913a602c7eda7a495b4e6e7334d3890"
    assert cram.response("tim", "tanstaaftanstaaf", challenge) == expected


def test_digest_md5_matches_rfc_2831():
    """Response and rspauth are those of both examples in RFC 2831 section 4."""
    examples = (
        ("imap", "OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk"),
        ("acap", "OA9BSXrbuRhWay", "OA9BSuZWMSpW8m"),
    )
    expected = (
        ("d388dad90d4bbd760a152321f2143af7", "ea40f60335c427b5527b84dbabcdfffd"),
        ("6084c6db3fede7352c551284490fd0fc", "2f0b3d7c3c2e486600ef710726aa2eae"),
    )
    for (service, nonce, cnonce), (response, proof) in zip(examples, expected, strict=True):
        host = "elwood.innosoft.com"
        one = digest.Digest("chris", host, nonce, cnonce, f"{service}/{host}")
        assert one.response("secret") == response
        assert one.response("secret", "") == proof
        message = directives(digest.message(one, "secret"), "test")
        assert dict(message.pairs) == {
            "charset": "utf-8",
            "username": "chris",
            "realm": host,
            "nonce": nonce,
            "nc": "00000001",
            "cnonce": cnonce,
            "digest-uri": f"{service}/{host}",
            "response": response,
            "qop": "auth",
        }


def test_plain_matches_rfc_4616():
    """The messages are those of RFC 4616 section 4, without and with an identity to act as."""
    assert plain.message("tim", "tanstaaftanstaaf") == b"\0tim\0tanstaaftanstaaf"
    assert plain.message("Kurt", "xipj3plmq", "Ursel") == b"Ursel\0Kurt\0xipj3plmq"


def test_oauthbearer_matches_rfc_7628():
    """The first message is that of RFC 7628 section 4.1, and the answer to an error Control-A."""
    token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
    message = oauth.oauthbearer_message("user@example.com", token, "server.example.com", 143)
    assert base64.b64encode(message) == (
        b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9"
        b"QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )
    steps = client("OAUTHBEARER", Credentials("user@example.com", token=token))
    next(steps)
    assert steps.send(b'{"status":"invalid_token"}') == b"\x01"


def test_xoauth2_matches_googles_description():
    """The message is user=, auth=Bearer and two Control-A, and an error is answered emptily."""
    steps = client("XOAUTH2", Credentials("someuser@example.com", token="ya29.vF9dft4qmTc2"))
    assert next(steps) == b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2\x01\x01"
    assert steps.send(b'{"status":"401"}') == b""
