"""Targets: every form that a user may write, and what is said of the others."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.conversation.embedded import start, within
from smtpshell.conversation.targets import parse_target, split_host
from smtpshell.protocol.errors import SmtpshellError, UsageError


@pytest.mark.parametrize(
    ("text", "host", "port", "security", "lmtp"),
    [
        ("mx.example.net", "mx.example.net", 25, "plain", False),
        ("mx.example.net:2525", "mx.example.net", 2525, "plain", False),
        ("mx.example.net:465", "mx.example.net", 465, "tls", False),
        ("smtp://mx.example.net:465", "mx.example.net", 465, "plain", False),
        ("[2001:db8::1]:587", "2001:db8::1", 587, "plain", False),
        ("[2001:db8::1]", "2001:db8::1", 25, "plain", False),
        ("2001:db8::1", "2001:db8::1", 25, "plain", False),
        ("smtp://mx.example.net", "mx.example.net", 25, "plain", False),
        ("submission://mx.example.net/", "mx.example.net", 587, "starttls", False),
        ("submissions://mx.example.net", "mx.example.net", 465, "tls", False),
        ("smtps://mx.example.net:4650", "mx.example.net", 4650, "tls", False),
        ("LMTP://mx.example.net:24", "mx.example.net", 24, "plain", True),
        ("bücher.example", "xn--bcher-kva.example", 25, "plain", False),
    ],
)
def test_hosts_and_urls(text, host, port, security, lmtp) -> None:
    """Each form gives its host, port, security and protocol."""
    target = parse_target(text)
    assert (target.endpoint.host, target.endpoint.port) == (host, port)
    assert (target.security, target.lmtp) == (security, lmtp)


def test_sockets_and_commands() -> None:
    """unix: and pipe: keep what follows as it is."""
    assert parse_target("unix:/run/x y").endpoint.path == "/run/x y"
    assert parse_target("unix:/run/dovecot/lmtp").lmtp
    assert parse_target("pipe:exim -bs").endpoint.command == "exim -bs"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a b",
        "host:0",
        "host:65536",
        "host:x",
        "[::1",
        "[host]:25",
        "ftp://x",
        "unix:",
        "pipe: ",
        "user@host",
        "a,b",
        "smtp://",
        "[::1]x",
    ],
)
def test_what_is_no_target_is_said_with_advice(text) -> None:
    """A usage error names the text and what to write instead."""
    with pytest.raises(UsageError) as caught:
        parse_target(text)
    assert caught.value.status == 1
    assert caught.value.next


@given(st.text(max_size=40))
def test_any_text_is_a_target_or_a_usage_error(text) -> None:
    """Nothing else is ever raised."""
    try:
        assert parse_target(text).label
    except UsageError:
        pass


@given(st.integers(1, 65535))
def test_ports_round_trip(port) -> None:
    """A port written behind a host is the port that is read."""
    assert split_host(f"host.example:{port}", 25) == ("host.example", port)
    assert split_host(f"[2001:db8::2]:{port}", 25) == ("2001:db8::2", port)


def test_the_hosts_of_a_running_world_are_found_by_name_and_address_and_port():
    """A target names a door of the practice world as that world does; other names stay outside."""

    async def doors() -> None:
        server = await start("ports")
        try:
            by_name = within(server, parse_target("Mail.practice.example:465"))
            by_address = within(server, parse_target("192.0.2.10:465"))
            assert by_name is not None
            assert by_address is not None
            assert by_name.endpoint == by_address.endpoint
            assert (by_name.security, by_name.is_practice) == ("tls", True)
            plain = within(server, parse_target("smtp://mail.practice.example:465"))
            assert plain is not None
            assert plain.security == "plain"
            assert by_name.endpoint.label == "mail.practice.example:465"
            with pytest.raises(SmtpshellError, match="has no port 26") as error:
                within(server, parse_target("mail.practice.example:26"))
            assert error.value.next == "Its ports are 24, 25, 465, 587."
            assert within(server, parse_target("mail.elsewhere.example")) is None
        finally:
            await server.stop()

    asyncio.run(doors())
