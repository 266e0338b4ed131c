"""Hostile clients: any octets in any order, in every scenario, and the server stays whole."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.practice.dialogue import Dialogue
from smtpshell.practice.hop import QueueWire
from smtpshell.practice.library import list_scenarios
from smtpshell.practice.server import PracticeServer
from smtpshell.practice.tap import Journal
from smtpshell.protocol.replies import ReplyReader
from tests.practice.talking import Client, with_server

PIECES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [
            b"\r\n", b"\n", b"EHLO x.example\r\n", b"HELO y\r\n", b"MAIL FROM:<a@b.example>\r\n",
            b"MAIL FROM:<alice@practice.example> SIZE=9 RET=HDRS\r\n", b"MAIL FROM:<>\r\n",
            b"RCPT TO:<bob@practice.example> NOTIFY=SUCCESS\r\n", b"RCPT TO:<x@y.example>\r\n",
            b"RCPT TO:<bob@alumni.example>\r\n", b"DATA\r\n", b"Subject: x\r\n\r\n", b".\r\n",
            b"\n.\n", b"BDAT 4\r\nabcd", b"BDAT 1 LAST\r\n", b"RSET\r\n", b"AUTH PLAIN\r\n",
            b"AUTH LOGIN\r\n", b"AUTH CRAM-MD5\r\n", b"AUTH SCRAM-SHA-256 biwsbj1hLHI9YQ==\r\n",
            b"YWxpY2U=\r\n", b"*\r\n", b"STARTTLS\r\n", b"XCLIENT ADDR=\xff\r\n",
            b"XCLIENT ADDR=192.0.2.9\r\n", b"HELP\r\n", b"VRFY \x1b[31m\r\n", b"x" * 20_000,
            b"From: <a@bank.example>\r\nDKIM-Signature: v=1; a=x\r\n\r\n", b"QUIT\r\n",
        ]
    ),
)  # fmt: skip


async def attack(name: str, pieces: list[bytes]) -> tuple[bytes, PracticeServer]:
    """Send pieces to the main host of a scenario, in memory; return what it said."""
    server = PracticeServer(name, observer=Journal(200))
    heard = b""
    for host in server.scenario.hosts[:1]:
        wire = QueueWire()
        talking = asyncio.ensure_future(Dialogue(server, host, next(iter(host.ports)), wire).run())
        for piece in pieces:
            wire.say(piece)
        wire.say(b"")
        await asyncio.wait_for(talking, 10)
        while octets := await wire.hear():
            heard += octets
    return heard, server


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(list_scenarios())), st.lists(PIECES, max_size=25))
def test_nothing_raises_and_replies_are_well_formed(name: str, pieces: list[bytes]) -> None:
    """Whatever a client sends, a dialogue ends by itself and has answered in order."""
    heard, server = asyncio.run(attack(name, pieces))
    for reply in ReplyReader().feed(heard):
        assert reply.code is not None
        assert not {"control", "nul", "mismatched-code", "bare-lf"} & set(reply.flaws)
    assert server.world.snapshot().moment >= server.scenario.clock


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["plain", "flaky", "world-spf", "owner"]), st.lists(PIECES, max_size=20))
def test_the_same_input_gives_the_same_octets(name: str, pieces: list[bytes]) -> None:
    """Two runs over the same input are equal to the last octet."""
    first, _ = asyncio.run(attack(name, pieces))
    second, _ = asyncio.run(attack(name, pieces))
    assert first == second


def test_a_client_that_never_reads_does_not_fill_memory() -> None:
    """A flood of commands whose replies nobody reads makes the server wait, not grow."""

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        line = b"HELP\r\n" * 20_000
        for _ in range(100):
            client.send(line)
            try:
                await asyncio.wait_for(client.writer.drain(), 0.2)
            except TimeoutError:
                break
        else:
            raise AssertionError("the server took twelve million octets")
        await client.close()

    with_server("plain", run)


def test_clients_that_vanish_leave_nothing() -> None:
    """Connections cut at any moment end their dialogues."""

    async def run(server: PracticeServer) -> None:
        for octets in (b"", b"EHLO", b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n", b"STARTTLS\r\n"):
            for port in (25,):
                client = await Client.open(server, ("mail.practice.example", port))
                client.send(octets)
                await client.close()
        for _ in range(100):
            if not server.connections:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{server.connections} dialogues are left")

    with_server("plain", run)
