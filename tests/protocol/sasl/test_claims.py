"""Whom a message claims to be: the name and never a part of a secret."""

from __future__ import annotations

import base64

import pytest

from smtpshell.protocol.sasl.claims import claimed_user

SECRET = "hunter2"


def line(text: str | bytes) -> str:
    """Return base64 as a line."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.mark.parametrize(
    ("mechanism", "message"),
    [
        ("PLAIN", f"\0ann\0{SECRET}"),
        ("PLAIN", f"boss\0ann\0{SECRET}"),
        ("LOGIN", "ann"),
        ("CRAM-MD5", "ann 0123456789abcdef0123456789abcdef"),
        ("DIGEST-MD5", 'username="ann",realm="x",nonce="y",response=00'),
        ("SCRAM-SHA-1", "n,,n=ann,r=abc"),
        ("SCRAM-SHA-256", "y,a=boss,n=ann,r=abc"),
        ("SCRAM-SHA-256-PLUS", "p=tls-unique,,n=ann,r=abc"),
        ("XOAUTH2", f"user=ann\x01auth=Bearer {SECRET}\x01\x01"),
        ("OAUTHBEARER", f"n,a=ann,\x01auth=Bearer {SECRET}\x01\x01"),
        ("EXTERNAL", "ann"),
    ],
)
def test_every_mechanism_names_its_user(mechanism, message) -> None:
    """The name is found where the mechanism puts it."""
    assert claimed_user(mechanism, "", line(message)) == "ann"


def test_scram_names_are_unescaped() -> None:
    """=2C is a comma and =3D an equals sign (RFC 5802 section 5.1)."""
    assert claimed_user("SCRAM-SHA-1", "", line("n,,n=a=2Cb=3Dc,r=x")) == "a,b=c"


@pytest.mark.parametrize(
    ("mechanism", "prompt", "message"),
    [
        ("PLAIN", "", f"ann\0{SECRET}"),
        ("PLAIN", "", SECRET),
        ("LOGIN", line("Password:"), SECRET),
        ("CRAM-MD5", "", f"ann {SECRET}"),
        ("SCRAM-SHA-1", "", f"ann,{SECRET}"),
        ("XOAUTH2", "", f"auth=Bearer {SECRET}\x01\x01"),
        ("DIGEST-MD5", "", SECRET),
        ("NTLM", "", SECRET),
    ],
)
def test_a_message_that_breaks_the_syntax_names_nobody(mechanism, prompt, message) -> None:
    """What may be a secret is never taken for a name."""
    assert claimed_user(mechanism, prompt, line(message)) is None


def test_a_line_that_is_no_base64_names_nobody() -> None:
    """Clear text typed in place of base64 may be the password."""
    assert claimed_user("LOGIN", "", SECRET + "!") is None
