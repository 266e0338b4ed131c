"""From one host of a world to the next, in memory: how a relay hands a message on.

The relay is a client like any other, and the next host hears it like any other client; only the
wire between them is a pair of queues. The relay doubles the dots of lines as *it* sees lines, and
sends everything else untouched: if the next host sees other lines, it may see another message.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from smtpshell.practice.dialogue import Dialogue
from smtpshell.practice.policy import next_hop
from smtpshell.practice.reports import Fate
from smtpshell.practice.signing import prepare
from smtpshell.practice.wire import Channel, WireError
from smtpshell.protocol.message import MessageEncoder
from smtpshell.protocol.replies import Reply, ReplyReader

if TYPE_CHECKING:
    import ssl

    from smtpshell.practice.mailbox import Message
    from smtpshell.practice.scenario import Host
    from smtpshell.practice.wiring import House

_LOST = Reply(421, ("4.4.2 connection lost",))


class QueueWire:
    """A wire in memory; the other end uses `say` and `hear`."""

    def __init__(self) -> None:
        self._inward: asyncio.Queue[bytes] = asyncio.Queue()
        self._outward: asyncio.Queue[bytes] = asyncio.Queue()
        self._closed = False

    async def read(self) -> bytes:
        """Return what the other end said."""
        return await self._inward.get()

    async def write(self, octets: bytes) -> None:
        """Let the other end hear octets."""
        if self._closed:
            raise WireError("the connection is closed")
        self._outward.put_nowait(octets)

    async def start_tls(self, context: ssl.SSLContext) -> Channel:
        """Refuse: hosts of one world do not encrypt to one another."""
        raise WireError("no TLS between the hosts of a practice world")

    def close(self, *, reset: bool = False) -> None:
        """End the connection."""
        del reset
        if not self._closed:
            self._closed = True
            self._outward.put_nowait(b"")

    def say(self, octets: bytes) -> None:
        """Say octets to the server; none means goodbye."""
        self._inward.put_nowait(octets)

    async def hear(self) -> bytes:
        """Return what the server said, b"" when it has closed."""
        return await self._outward.get()


class _Relay:
    """The client's side of a hop."""

    def __init__(self, wire: QueueWire) -> None:
        self._wire = wire
        self._reader = ReplyReader()
        self._replies: list[Reply] = []

    async def reply(self) -> Reply:
        """Return the next reply; a closed connection gives 421."""
        while not self._replies:
            octets = await self._wire.hear()
            if not octets:
                return _LOST
            self._replies += self._reader.feed(octets)
        return self._replies.pop(0)

    async def command(self, line: str) -> Reply:
        """Send a command and return its reply."""
        self._wire.say(f"{line}\r\n".encode("utf-8", "surrogateescape"))
        return await self.reply()


async def carry(
    house: House, host: Host, message: Message, recipients: tuple[str, ...]
) -> tuple[Fate, ...]:
    """Hand a message from a host to those of its world that take it; return each one's fate."""
    fates: list[Fate] = []
    left = list(recipients)
    while left:
        target = next_hop(house.world.scenario, host, left[0])
        assert target is not None
        together = [
            address for address in left if next_hop(house.world.scenario, host, address) is target
        ]
        left = [address for address in left if address not in together]
        fates += await _transfer(house, host, target, message, together)
    return tuple(fates)


async def _transfer(
    house: House, host: Host, target: Host, message: Message, recipients: list[str]
) -> list[Fate]:
    wire = QueueWire()
    port = next(iter(target.ports))
    dialogue = Dialogue(house, target, port, wire)
    dialogue.record.client = host.address
    answering = asyncio.ensure_future(dialogue.run())
    try:
        world = house.world
        content = prepare(
            world.scenario,
            host,
            _without_return_path(message.raw),
            world.seed,
            world.clock.now(),
        )
        return await _transact(_Relay(wire), wire, host, message, recipients, content)
    finally:
        wire.say(b"")
        await answering


async def _transact(
    relay: _Relay,
    wire: QueueWire,
    host: Host,
    message: Message,
    recipients: list[str],
    content: bytes,
) -> list[Fate]:
    await relay.reply()
    await relay.command(f"EHLO {host.name}")
    parameters = "".join(
        f" {keyword}" if value is None else f" {keyword}={value}"
        for keyword, value in message.envelope.parameters
        if keyword in ("BODY", "SMTPUTF8")
    )
    reply = await relay.command(f"MAIL FROM:<{message.envelope.sender}>{parameters}")
    fates = dict.fromkeys(recipients, reply)
    if reply.family == 2:
        fates = {address: await relay.command(f"RCPT TO:<{address}>") for address in recipients}
    if any(reply.family == 2 for reply in fates.values()):
        reply = await relay.command("DATA")
        if reply.family == 3:
            encoder = MessageEncoder(normalise=False)
            wire.say(encoder.feed(content) + encoder.close())
            reply = await relay.reply()
        fates = {
            address: reply if earlier.family == 2 else earlier for address, earlier in fates.items()
        }
    await relay.command("QUIT")
    return [_fate(address, reply) for address, reply in fates.items()]


def _fate(address: str, reply: Reply) -> Fate:
    words = f"{reply.code} {reply.text}"
    if reply.family == 2:
        return Fate(address, "relayed", "2.0.0", words)
    if reply.family == 4:
        return Fate(address, "delayed", reply.enhanced or "4.0.0", words)
    return Fate(address, "failed", reply.enhanced or "5.0.0", words)


def _without_return_path(raw: bytes) -> bytes:
    """Take the field off that only final delivery adds (RFC 5321 section 4.4)."""
    return raw.partition(b"\r\n")[2] if raw.startswith(b"Return-Path:") else raw
