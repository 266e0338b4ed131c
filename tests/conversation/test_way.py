"""What stands in the way of a conversation, and what a verified handshake shows afterwards."""

from __future__ import annotations

import asyncio
import io

import pytest

from smtpshell.conversation.commands.securing import cert
from smtpshell.conversation.driver import Conversation
from smtpshell.conversation.script import ScriptDesk
from smtpshell.conversation.settings import Settings
from smtpshell.conversation.targets import parse_target
from smtpshell.conversation.terms import Options
from smtpshell.net.tls import TlsSettings
from tests.conversation.running import in_process
from tests.net import rogue
from tests.net.helpers import authority


def smtp(ehlo: bytes, greeting: bytes) -> rogue.Behaviour:
    """Return a server with this greeting and this EHLO reply, which knows no STARTTLS."""
    return rogue.Smtp(greeting=greeting, answers={"EHLO": ehlo, "STARTTLS": b"502 no\r\n"})


PLAIN = b"220 mx.example.com ESMTP\r\n"
BLOTTED = b"220 ****************************************\r\n"


@pytest.mark.parametrize(
    ("greeting", "ehlo", "said"),
    [
        (PLAIN, b"250-mx.example.com\r\n250 XXXXXXXA\r\n", True),
        (BLOTTED, b"250-mx.example.com\r\n250 SIZE 1000\r\n", True),
        (BLOTTED, b"250-mx.example.com\r\n250 STARTTLS\r\n", False),
        (PLAIN, b"250-mx.example.com\r\n250 SIZE 1000\r\n", False),
    ],
)
def test_a_firewall_that_takes_starttls_away_is_named(
    greeting: bytes, ehlo: bytes, said: bool
) -> None:
    """After EHLO a note says so, where STARTTLS is missing and something was blotted out."""
    with rogue.serve(smtp(ehlo, greeting)) as server:
        run = in_process(f"smtp://127.0.0.1:{server.port}", "EHLO client.example", "QUIT")
    assert ("firewall" in run.out) is said


def test_starttls_refused_behind_a_firewall_tells_of_it() -> None:
    """The error of /starttls names the firewall, since the server itself may well offer TLS."""
    ehlo = b"250-mx.example.com\r\n250 XXXXXXXA\r\n"
    with rogue.serve(smtp(ehlo, PLAIN)) as server:
        run = in_process(f"smtp://127.0.0.1:{server.port}", "EHLO client.example", "/starttls")
    assert run.status == 29
    assert "firewall" in run.err
    assert "465" in run.err


def test_cert_shows_the_chain_of_a_verified_handshake() -> None:
    """Verification by the ssl module leaves the chain unread; /cert reads it when asked."""
    issued = authority().issue("mx.example.com")
    trusted = TlsSettings(verify=True, sni="mx.example.com", extra_ca_pem=authority().pem)
    out = io.StringIO()

    async def look(port: int) -> None:
        async with Conversation(Options(timeout=10, tls=trusted)) as conversation:
            await conversation.connect(parse_target(f"smtps://127.0.0.1:{port}"))
            assert conversation.verdict is not None
            assert conversation.verdict.chain == ()
            await cert(ScriptDesk(conversation, Settings(), out, io.StringIO()), "")

    with rogue.serve(rogue.Smtp(context=issued.context(), at_once=True)) as server:
        asyncio.run(look(server.port))
    assert "Good: the certificate is trusted and fits." in out.getvalue()
    assert "server certificate" in out.getvalue()
    assert "SHA-256" in out.getvalue()
