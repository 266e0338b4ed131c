"""What is asked before mail leaves and before a password travels."""

from __future__ import annotations

import pytest

from smtpshell.conversation.caution import (
    is_reserved,
    leaving_domains,
    question_before_delivery,
    question_before_secret,
)
from smtpshell.conversation.targets import Target, parse_target
from smtpshell.net.endpoint import Endpoint
from smtpshell.practice.accounts import is_published
from smtpshell.practice.library import load_scenario
from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.values import replace

REAL = parse_target("mx.example.net")
PRACTICE = Target("practice", Endpoint("tcp", host="127.0.0.1", port=25))


@pytest.mark.parametrize(
    ("domain", "reserved"),
    [
        ("client.example", True),
        ("EXAMPLE.com.", True),
        ("a.test", True),
        ("[127.0.0.1]", True),
        ("[IPv6:::1]", True),
        ("[8.8.8.8]", False),
        ("example.com.evil.de", False),
        ("notexample.com", False),
        ("gmail.com", False),
    ],
)
def test_reserved(domain: str, reserved: bool) -> None:
    """Names that nobody can own are reserved, and none that merely look so."""
    assert is_reserved(domain) is reserved


def test_delivery() -> None:
    """Only mail that can really leave is asked about, and the question names where to."""
    now = Snapshot(
        target="mx.example.net", address="192.0.2.1", recipients=("a@x.test", "b@gmail.com")
    )
    assert "gmail.com" in question_before_delivery(now, REAL)
    assert "x.test" not in question_before_delivery(now, REAL)
    assert question_before_delivery(now, PRACTICE) == ""
    local = Snapshot(address="127.0.0.1", recipients=("b@gmail.com",))
    assert question_before_delivery(local, REAL) == ""
    assert leaving_domains(("postmaster", "a@x.test", "b@d.org", "c@d.org")) == ("d.org",)


@pytest.mark.parametrize(
    ("line", "answering", "tls", "verified", "asked"),
    [
        ("AUTH PLAIN AGEAYg==", False, False, False, True),
        ("auth plain AGEAYg==", False, True, False, True),
        ("AUTH PLAIN AGEAYg==", False, True, True, False),
        ("AUTH PLAIN =", False, False, False, False),
        ("AUTH LOGIN", False, False, False, False),
        ("NOOP a b c", False, False, False, False),
        ("c2VjcmV0", True, False, False, True),
        ("", True, False, False, False),
        ("*", True, False, False, False),
    ],
)
def test_secrets(line: str, answering: bool, tls: bool, verified: bool, asked: bool) -> None:
    """A line with a secret is asked about unless the channel is encrypted and verified."""
    now = Snapshot(address="192.0.2.1", tls=tls)
    question = question_before_secret(line, now, REAL, answering=answering, verified=verified)
    assert bool(question) is asked
    assert not question_before_secret(line, now, PRACTICE, answering=answering, verified=verified)


@pytest.mark.parametrize(
    ("line", "trying", "asked"),
    [
        ("AUTH PLAIN AGFsaWNlAGNvcnJlY3QgaG9yc2U=", None, False),
        ("AUTH PLAIN AGFsaWNlAG15IG93biBzZWNyZXQ=", None, True),
        ("AUTH LOGIN YWxpY2U=", None, False),
        ("bXkgb3duIHNlY3JldA==", "LOGIN", True),
        ("Y29ycmVjdCBob3JzZQ==", "LOGIN", False),
        ("no base64", "LOGIN", False),
        ("bXkgb3duIHNlY3JldA==", "CRAM-MD5", False),
        ("*", "LOGIN", False),
        ("AUTH SCRAM-SHA-256 biwsbj1tZSxyPXg=", None, False),
    ],
)
def test_ones_own_password_is_asked_about_on_the_practice_server(
    line: str, trying: str | None, asked: bool
) -> None:
    """What is published may be sent; what is somebody's own should not even be typed there."""
    scenario = load_scenario("plain")
    target = replace(
        PRACTICE, published=lambda mechanism, word: is_published(scenario, mechanism, word)
    )
    now = Snapshot(address="127.0.0.1", trying=trying)
    question = question_before_secret(
        line, now, target, answering=trying is not None, verified=False
    )
    assert ("one of your own" in question) is asked
