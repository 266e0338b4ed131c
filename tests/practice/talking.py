"""A plain client for tests: octets out, replies in, nothing assumed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from smtpshell.practice.scenario import Scenario
from smtpshell.practice.scenario_file import parse_scenario
from smtpshell.practice.server import PracticeServer
from smtpshell.protocol.replies import Reply, ReplyReader

HEAD = """
name = "test"
mailboxes = ["alice@practice.example", "bob@practice.example"]
[host."mail.practice.example"]
ports = { 25 = "starttls" }
extensions = ["SIZE 5000", "PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN",
              "ENHANCEDSTATUSCODES"]
[[user]]
name = "alice"
password = "correct horse"
token = "token-of-alice"
mechanisms = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256",
              "XOAUTH2", "OAUTHBEARER"]
may_send_as = ["alice@practice.example"]
"""


def scenario(more: str = "", head: str = HEAD) -> Scenario:
    """Return the test scenario with more tables behind it."""
    return parse_scenario(head + more, "test.toml")


class Client:
    """One connection to a practice server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.replies = ReplyReader()
        self.ready: list[Reply] = []
        self.heard = b""

    @classmethod
    async def open(
        cls, server: PracticeServer, door: tuple[str, int] | None = None, **more: Any
    ) -> Client:
        """Connect to the main host's first port, or to another door."""
        address, port = (server.address, server.port) if door is None else server.doors[door]
        return cls(*await asyncio.open_connection(address, port, **more))

    async def reply(self) -> Reply | None:
        """Return the next reply, None when the server has closed."""
        while not self.ready:
            try:
                octets = await asyncio.wait_for(self.reader.read(65536), 5)
            except (ConnectionError, ssl.SSLError):
                return None
            if not octets:
                return None
            self.heard += octets
            self.ready += self.replies.feed(octets)
        return self.ready.pop(0)

    async def code(self) -> str:
        """Return code and enhanced code of the next reply, "closed" when there is none."""
        reply = await self.reply()
        if reply is None:
            return "closed"
        return f"{reply.code} {reply.enhanced}" if reply.enhanced else f"{reply.code}"

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.writer.write(octets)

    async def say(self, *lines: str) -> list[str]:
        """Send lines one after the other, each when the one before is answered; return codes."""
        codes = []
        for line in lines:
            self.send(f"{line}\r\n".encode())
            codes.append(await self.code())
        return codes

    async def transact(self, text: str = "Subject: x\r\n\r\nHello.\r\n", **envelope: str) -> str:
        """Send a message and return the code for its end, or of the first refusal."""
        sender = envelope.get("sender", "ann@client.example")
        recipient = envelope.get("recipient", "bob@practice.example")
        for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
            (code,) = await self.say(line)
            if code[0] in "45":
                return code
        return (await self.say(f"{text}."))[0]

    async def start_tls(self, context: ssl.SSLContext, name: str = "mail.practice.example") -> None:
        """Upgrade, in our own order: STARTTLS has been answered with 220."""
        await self.writer.start_tls(context, server_hostname=name)

    async def close(self) -> None:
        """Close without waiting for anybody."""
        self.writer.transport.abort()
        try:
            await asyncio.wait_for(self.writer.wait_closed(), 1)
        except (ConnectionError, TimeoutError, ssl.SSLError):
            pass


def trusting(server: PracticeServer) -> ssl.SSLContext:
    """Return a client context that trusts the server's authority."""
    return ssl.create_default_context(cadata=server.ca_pem().decode())


def with_server(
    what: Scenario | str, test: Callable[[PracticeServer], Awaitable[Any]], **options: Any
) -> PracticeServer:
    """Run a test against a server of a scenario, and see that the server had no fault."""

    async def run() -> PracticeServer:
        server = PracticeServer(what, **options)
        await server.start()
        try:
            await asyncio.wait_for(test(server), 20)
        finally:
            await server.stop()
        assert server.faults == [], server.faults
        return server

    return asyncio.run(run())


def with_client(
    what: Scenario | str, test: Callable[[Client], Awaitable[Any]], **options: Any
) -> PracticeServer:
    """Run a test with one client that has read the greeting."""

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        assert await client.code() == "220"
        try:
            await test(client)
        finally:
            await client.close()

    return with_server(what, run, **options)
