"""`smtpshell practice --be-the-server`: a person types the replies, and a client believes them.

    # The client waits for your greeting: 220 and your name, or 554 for no service.
    220 mail.practice.example
    # You are ready. It greets you and asks what you can.
    C: EHLO client.example
    # EHLO: 250 yes; 502 504 550 never.

The client is the program's own (`practice.client`), which says what it makes of each reply; or with
`--wait` a partner's, who comes by telnet. What is typed is what is sent, plus CRLF.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from smtpshell.practice.client import LATER, RECIPIENTS, Client
from smtpshell.practice.clock import PracticeClock
from smtpshell.practice.tap import Tap
from smtpshell.protocol.errors import SmtpshellError, Status
from smtpshell.protocol.events import Closed, Connected, Event, Received, Sent
from smtpshell.protocol.replies import Reply, ReplyReader
from smtpshell.protocol.state import State
from smtpshell.protocol.text import encode
from smtpshell.protocol.verbs import VERBS

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.settings import Settings

TRIES = 3
"""Connections that the program's own client makes while somebody asks it to come again."""

BLOCK = 65_536

_LIKE_A_REPLY = re.compile(rb"[2-5][0-9]{2}(?:[- ]|\r?\n)")
HOST = "mail.practice.example"

WELCOME = "You are the server. Type each reply with its three digits; Ctrl-D hangs up and ends."
GREETING = "The client waits for your greeting: 220 and your name, or 554 for no service."


class ByHand:
    """The server's side of one connection at a time; `show` prints its events."""

    def __init__(
        self,
        show: Callable[[int, Event], None],
        remark: Callable[[str], None],
        *,
        paced: bool,
    ) -> None:
        self._show = show
        self._remark = remark
        self._paced = paced
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None
        self._tap: Tap | None = None
        self._due = 0
        self.over = False
        """Whether nobody answers any more."""
        self._changed = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()

    # --- the client's side -----------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection, if there is none."""
        if self._writer is not None:
            writer.write(b"421 4.3.2 One at a time: somebody else is being served\r\n")
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self._number += 1
        self._writer = writer
        address, port = writer.get_extra_info("sockname")[:2]
        self._tap = tap = Tap(self._number, self._hear, PracticeClock(running=True))
        tap.connected(HOST, address, port, tls=False)
        self._changed.set()
        try:
            while octets := await reader.read(BLOCK):
                tap.client(octets)
                self._changed.set()
        except OSError:
            pass
        finally:
            self.tasks.discard(task)
            if self._tap is tap:
                tap.closed("client", clean=tap.snapshot.state is State.QUIT)
                self._end()
            writer.close()

    def _hear(self, number: int, event: Event) -> None:
        self._show(number, event)
        if isinstance(event, Connected):
            self._due = 1
            self._remark("A client has connected.")
            self._remark(GREETING)
        elif isinstance(event, Sent) and event.kind in ("command", "answer", "end"):
            self._due += 1
            self._remark(choices(event))

    # --- ours ------------------------------------------------------------------------------------

    async def speak(self, lines: AsyncIterator[str]) -> None:
        """Send what is typed, until there is no more."""
        async for line in lines:
            if self._paced:
                await self._until_asked()
            if self._writer is None or self._tap is None:
                self._remark("Nobody is connected; that went to nobody.")
                continue
            octets = encode(line) + b"\r\n"
            self._writer.write(octets)
            self._due -= octets[3:4] != b"-"
            self._tap.server(octets)
            if self._tap.snapshot.state is State.QUIT:
                self.hang_up()
        if self._paced:
            await self._until_asked(or_alone=True)
        self.over = True
        self.hang_up()

    async def _until_asked(self, *, or_alone: bool = False) -> None:
        """Wait until the client waits for a reply, so that a script says nothing too early."""
        while not self._due and not (or_alone and self._writer is None):
            self._changed.clear()
            await self._changed.wait()

    async def until_alone(self) -> None:
        """Wait until nobody is connected."""
        while self._writer is not None:
            self._changed.clear()
            await self._changed.wait()

    def hang_up(self) -> None:
        """End the connection, if there is one."""
        if self._tap is not None and self._writer is not None:
            self._tap.closed("server", clean=self._tap.snapshot.state is State.QUIT)
            self._writer.close()
            self._end()

    def _end(self) -> None:
        self._tap = self._writer = None
        self._due = 0
        self._changed.set()


def choices(event: Sent) -> str:
    """Return what may be answered to a line (RFC 5321 section 4.3.2).

    What an earlier command should have been answered with, 503 and 530, is left out.
    """
    if event.kind == "end":
        return "The letter: 250 yes; 450 451 452 not now; 550 552 554 never."
    verb = VERBS.get(event.verb)
    if verb is None:
        return "That is no command: 500 says so."
    if verb.name == "STARTTLS":
        return "STARTTLS: 454 not now; 502 never. What a 220 promises, no hand can do."
    codes = [354, *verb.codes] if verb.name == "DATA" else list(verb.codes)
    yes = [str(code) for code in codes if code < 400][: 1 if verb.name == "DATA" else None]
    later = [str(code) for code in codes if 400 <= code < 500]
    never = [str(code) for code in codes if code >= 500 and code not in (503, 530)]
    kinds = ((yes, "yes"), (later, "not now"), (never, "never"))
    parts = [" ".join((*each, word)) for each, word in kinds if each]
    return f"{verb.name}: {'; '.join(parts)}."


async def send_letter(
    address: str, port: int, recipients: tuple[str, ...], remark: Callable[[str], None]
) -> dict[str, str]:
    """Be the client of one session; return what became of each recipient."""
    client, replies = Client(recipients), ReplyReader()
    reader, writer = await asyncio.open_connection(address, port)
    over = False
    try:
        while not over and (line := await reader.readline()):
            known = replies.feed(line) if _LIKE_A_REPLY.match(line) else [Reply(None, ())]
            for reply in known:
                move = client.hear(reply)
                remark(move.why)
                writer.write(move.octets)
                over = move.over
    except (OSError, ValueError):  # a line that no client would read to its end
        pass
    finally:
        writer.close()
    if not over:
        client.left()
        remark("The connection is gone. It keeps the letter for those who have not got it.")
    return client.fates


async def answer_by_hand(options: argparse.Namespace, settings: Settings) -> int:
    """Let somebody be the server until the client has no more to say, or the input ends."""
    from smtpshell.conversation.script import lines_of
    from smtpshell.conversation.serving import Watcher
    from smtpshell.transcript.plain import plain_lines

    watcher = Watcher(settings)
    typed = sys.stdin is not None and sys.stdin.isatty()

    def show(number: int, event: Event) -> None:
        if settings.json:
            watcher(number, event)
        elif isinstance(event, Sent) or (isinstance(event, Received) and not typed):
            for line in plain_lines(event, "off", ascii_only=settings.plain):
                watcher.line(line)
        elif isinstance(event, Closed):
            watcher.remark(f"The {event.by} has hung up.")

    hand = ByHand(show, watcher.remark, paced=not typed)
    try:
        server = await asyncio.start_server(hand.serve, options.listen, options.port)
    except OSError as error:
        raise SmtpshellError(
            f"cannot listen: {os.strerror(error.errno or 0).lower()}",
            f"{options.listen}:{options.port}",
            "Choose another port, or 0 for any free one.",
            status=Status.CONNECT,
        ) from None
    address, port = server.sockets[0].getsockname()[:2]
    watcher.remark(WELCOME)
    speaking = asyncio.create_task(hand.speak(lines_of([("stdin", "-")])))
    partner: asyncio.Task[None] | None = None
    if options.wait:
        watcher.remark(f"Your partner types: telnet {address} {port}")
    else:
        partner = asyncio.create_task(_deliver(address, port, watcher.remark, hand))
    try:
        await asyncio.wait({speaking, partner or speaking}, return_when=asyncio.FIRST_COMPLETED)
        if speaking.done():
            speaking.result()
        if partner is not None:
            await partner
    finally:
        speaking.cancel()
        hand.hang_up()
        server.close()
        await asyncio.gather(speaking, *hand.tasks, return_exceptions=True)
    return 0


async def _deliver(address: str, port: int, remark: Callable[[str], None], hand: ByHand) -> None:
    """Be the client until everybody has the letter, or has been refused, or nobody answers."""
    left: tuple[str, ...] = RECIPIENTS
    for number in range(TRIES):
        if number:
            await hand.until_alone()
            remark("Some time later the client comes again.")
        fates = await send_letter(address, port, left, remark)
        for recipient, fate in fates.items():
            remark(f"{recipient}: {fate}.")
        left = tuple(each for each, fate in fates.items() if fate.startswith(LATER))
        if not left or hand.over:
            return
    remark("Real clients try for some days, and then return the letter.")
