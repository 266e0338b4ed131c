"""Tokens taken apart: every field named, secrets marked, slips recognised, and nothing raised."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.protocol.sasl import MECHANISMS, Account, ChannelBinding, Credentials, ServerTerms
from smtpshell.protocol.sasl.anatomy import SHOWN, anatomy, lessons
from smtpshell.protocol.sasl.exchange import ClientExchange

from .test_hostile import hostile
from .test_vectors import scram_messages
from .wire import only, play

BINDING = ChannelBinding("tls-exporter", b"0123456789")
SECRET = "hunter2"


def by_name(fields):
    """Return the values of fields by name."""
    return {field.name: field.value for field in fields}


@pytest.mark.parametrize("name", MECHANISMS)
def test_what_our_own_sides_say_is_understood(name):
    """Every token of an exchange between our two sides is laid out, and no secret left unmarked."""
    exchange = ClientExchange(
        name, Credentials("alice", SECRET, SECRET), binding=BINDING, host="mx.example"
    )
    account = Account("alice", SECRET, token="other")
    terms = ServerTerms(name, only(account), bindings=(BINDING,), identity="alice")
    play(exchange, terms, initial=False)
    assert len(exchange.tokens) >= 2
    for token in exchange.tokens:
        fields = anatomy(name, token.direction, token.step, token.octets)
        assert fields
        assert all(field.name not in ("not understood", "octets", "slip") for field in fields)
        assert all(SECRET not in field.value for field in fields if not field.secret)
    said = [
        field
        for token in exchange.tokens
        for field in anatomy(name, token.direction, token.step, token.octets)
    ]
    assert any(field.secret for field in said) == bool(MECHANISMS[name].needs - {"certificate"})


@pytest.mark.parametrize("name", [*MECHANISMS, "NTLM", "NONSENSE"])
@given(octets=hostile, step=st.integers(-1, 9), direction=st.sampled_from(["client", "server"]))
@settings(max_examples=50, deadline=None)
def test_any_octets_are_laid_out_printable_and_bounded(name, octets, step, direction):
    """Whatever the token, there are fields, all printable, none endless, and no exception."""
    fields = anatomy(name, direction, step, octets)
    assert fields
    for field in fields:
        assert (field.name + field.value + field.meaning).isprintable()
        assert len(field.value) < 12 * SHOWN
        assert field.meaning


def test_plain_is_laid_out_in_three():
    """PLAIN's parts stand around its two NULs."""
    found = by_name(anatomy("PLAIN", "client", 1, b"Ursel\0Kurt\0xipj3plmq"))
    assert found == {
        "authorization identity": "Ursel",
        "user name": "Kurt",
        "password": "xipj3plmq",
    }


@pytest.mark.parametrize(
    ("mechanism", "step", "octets", "words"),
    [
        ("PLAIN", 1, b"alice\0pw", "the one before the name is likely missing"),
        ("PLAIN", 1, rb"\0alice\0pw", "a backslash and a zero"),
        ("PLAIN", 1, b"alice\0\0pw", "it belongs after it"),
        ("PLAIN", 1, b"\0alice\0pw\n", "`echo` adds one"),
        ("PLAIN", 1, b"alice pw", "here are 0"),
        ("LOGIN", 1, b"alice\n", "`echo` adds one"),
        ("LOGIN", 2, b"pw\r\n", "`echo` adds one"),
        ("CRAM-MD5", 1, b"alice", "a space and 32 hex digits"),
        ("CRAM-MD5", 1, b"alice " + b"z" * 32, "a space and 32 hex digits"),
        ("XOAUTH2", 1, b"user=a^Aauth=Bearer x^A^A", "encoded as two characters"),
        ("XOAUTH2", 1, b"user=a\x01auth=Bearer x\x01", "must end with two"),
        ("XOAUTH2", 1, b"user=a\x01auth=x\x01\x01", "the word Bearer"),
        ("SCRAM-SHA-1", 1, b"n=alice,r=abc", "begins with n,,"),
        ("SCRAM-SHA-1", 1, b"n,,alice", "a letter, an equals sign"),
    ],
)
def test_a_likely_slip_is_named(mechanism, step, octets, words):
    """What beginners do when they encode by hand is recognised."""
    fields = anatomy(mechanism, "client", step, octets)
    assert any(words in field.meaning for field in fields), fields


def test_scram_is_laid_out_attribute_by_attribute():
    """The RFC's example shows names, counts and the header inside c=."""
    first, challenge, final, signature = scram_messages("SCRAM-SHA-256")
    found = by_name(anatomy("SCRAM-SHA-256", "client", 1, first))
    assert found["channel binding flag"] == "n"
    assert found["user name"] == "user"
    assert by_name(anatomy("SCRAM-SHA-256", "server", 1, challenge))["iterations"] == "4096"
    assert by_name(anatomy("SCRAM-SHA-256", "client", 2, final))["channel binding"] == "n,,"
    assert "server's signature" in by_name(anatomy("SCRAM-SHA-256", "server", 2, signature))
    bound = b"c=" + base64.b64encode(b"p=tls-exporter,a=bob,12345") + b",r=x,p=AAAA"
    value = by_name(anatomy("SCRAM-SHA-1-PLUS", "client", 2, bound))["channel binding"]
    assert value.endswith("= p=tls-exporter,a=bob, and 5 octets of the channel")


def test_a_scram_error_is_explained():
    """The e= of a server's final message comes with its meaning."""
    (field,) = anatomy("SCRAM-SHA-1", "server", 2, b"e=channel-bindings-dont-match")
    assert "someone may stand between" in field.meaning


def test_the_json_of_a_refusal_is_decoded():
    """The error that Google's XOAUTH2 documentation shows is laid out key by key."""
    line = (
        "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9t"
        "YWlsLmdvb2dsZS5jb20vIn0K"
    )
    fields = anatomy("XOAUTH2", "server", 1, base64.b64decode(line))
    assert by_name(fields) == {
        "status": "401",
        "schemes": "bearer mac",
        "scope": "https://mail.google.com/",
    }
    assert "wrong or expired" in fields[0].meaning


def web_token(claims):
    """Return an unsigned JSON Web Token."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + ".x"


def test_a_web_token_tells_what_it_is_for():
    """Audience, scope and expiry of a token are shown; the token and the person in it are not."""
    token = web_token({"aud": "https://mail.example", "exp": 1700000000, "upn": SECRET, "scp": [1]})
    message = f"n,a=alice,\x01host=mx.example\x01auth=Bearer {token}\x01\x01".encode()
    fields = anatomy("OAUTHBEARER", "client", 1, message)
    found = by_name(field for field in fields if not field.secret)
    assert found["claim aud"] == "https://mail.example"
    assert found["claim exp"] == "2023-11-14 22:13:20 UTC"
    assert found["claim scp"] == "[1]"
    assert SECRET not in str(found)
    assert token not in str(found)


@pytest.mark.parametrize("expiry", [10**400, -(10**30), "soon", None, [1], "nan", "1e999"])
def test_an_impossible_expiry_is_shown_as_it_is(expiry):
    """No value of exp raises."""
    message = f"user=a\x01auth=Bearer {web_token({'exp': expiry})}\x01\x01".encode()
    assert anatomy("XOAUTH2", "client", 1, message)


@pytest.mark.parametrize(
    ("number", "words"), [(1, "negotiate"), (2, "challenge"), (3, "authenticate"), (9, "not known")]
)
def test_ntlm_is_recognised_and_said_not_to_be_spoken(number, words):
    """NTLM's signature is enough, whatever the mechanism is called."""
    octets = b"NTLMSSP\0" + number.to_bytes(4, "little") + bytes(8)
    fields = anatomy("LOGIN", "server", 1, octets)
    assert "not supported" in fields[0].meaning
    assert words in fields[1].meaning


def test_lessons_are_those_of_the_table():
    """What an eavesdropper learns is said for each mechanism, and nothing for unknown ones."""
    for name, row in MECHANISMS.items():
        assert [field.meaning for field in lessons(name)] == [
            row.eavesdropper,
            row.failure,
            row.stores,
        ]
    assert lessons("NTLM") == []
