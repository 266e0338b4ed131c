"""The driver: a session and a link, made into a stream of events.

`Conversation` is the one way to talk to a server, for the shell, for scripts, for `send` and for
lessons. It owns a `Session` (what is known) and a `Link` (the socket); a reader task turns what
arrives into `Received` events the moment it arrives, asked for or not. Sinks subscribe and are
called with each event in order; they must not block.

Errors of the connection become a `Failed` event first and are raised as `Broken` then, so that a
caller need not show them again. A `220` to STARTTLS is followed by the handshake at once, inside
the reader, so that no octet can slip in between (RFC 3207 section 4).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Self

from smtpshell.conversation.publisher import Publisher
from smtpshell.conversation.targets import Target
from smtpshell.conversation.terms import (
    Broken,
    Options,
    ReplyTimeout,
    hung_up,
    injected_words,
    no_reply,
    not_connected,
)
from smtpshell.conversation.way import rewritten, wrong_server
from smtpshell.net.link import Link, LinkError, TlsError
from smtpshell.protocol.errors import SmtpshellError, Status
from smtpshell.protocol.events import (
    Attempt,
    BodySent,
    Closed,
    Connected,
    Failed,
    Received,
    Sent,
    TlsStarted,
)
from smtpshell.protocol.pairing import Outgoing
from smtpshell.protocol.replies import Reply, ReplyReader
from smtpshell.protocol.session import Session
from smtpshell.protocol.state import Mode, State
from smtpshell.protocol.values import replace

if TYPE_CHECKING:
    from smtpshell.lookup.preview import PreviewFinding
    from smtpshell.net import link as net_link
    from smtpshell.net.verdict import Verdict

UNASKED_ALLOWED = 2_000
"""Replies in a row that nothing asked for, before a server is taken to be flooding."""


class Conversation(Publisher):
    """One user's talk with servers, one after the other."""

    def __init__(
        self,
        options: Options | None = None,
        *,
        published: Callable[[str, bytes], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start out not connected; `published` is as in `Session`.

        `own_address` is that of our end of the last connection, `failed_at` where the last failure
        of one was.
        """
        super().__init__(Session(published=published), clock)
        self.options = options or Options()
        self.target: Target | None = None
        self.verdict: Verdict | None = None
        self.attempts: list[net_link.Attempt] = []
        self.foreseen: PreviewFinding | None = None
        self.own_address = ""
        self.failed_at: Target | None = None
        self._published = published
        self._link: Link | None = None
        self._reader: asyncio.Task[None] | None = None
        self._replies = ReplyReader()
        self._progress = asyncio.Event()
        self._sent_at: list[float] = []
        self._unasked = 0
        self._failed: Failed | None = None
        self._wrong_door: Broken | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a server to talk to."""
        return self._link is not None

    @property
    def link(self) -> Link | None:
        """The socket, for facts about it."""
        return self._link

    # --- connecting ------------------------------------------------------------------------

    async def connect(self, target: Target, *, greeting: bool = True) -> None:
        """Connect, start TLS where the target begins with it, and wait for the `greeting`.

        Raises `Broken` when no connection stands at the end, `ReplyTimeout` when no greeting came.
        """
        await self.close()
        self.target = target
        self.verdict = None
        self.attempts = []
        self.foreseen = None
        self._failed = self._wrong_door = None
        self._replies = ReplyReader()
        self._unasked = 0
        self.session = Session(lmtp=target.lmtp, published=target.published or self._published)
        options = replace(
            self.options.link,
            timeout=self.options.connect_timeout,
            on_error_line=lambda line: self.remark(f"The command says: {line}"),
        )
        if target.resolve is not None:
            options = replace(options, resolve=target.resolve)
        try:
            link = await Link.open(target.endpoint, options, self._attempted)
        except LinkError as error:
            raise self._fail("connect", error, error.kind) from error
        self._link = link
        self.own_address = link.local_address
        tls_first = target.security == "tls"
        self.session.opened(target.label, link.address, link.port)
        self._sent_at = [self._clock()]
        self.emit(
            Connected, target=target.label, address=link.address, port=link.port, tls=tls_first
        )
        if tls_first:
            await self._handshake(link, target, immediate=True)
        self._reader = asyncio.create_task(self._read(link))
        self._reader.add_done_callback(lambda _: self._progress.set())
        if greeting:
            await self.settle()

    def _mind_the_door(self, octets: bytes) -> None:
        """Notice when what answers is no SMTP server; `settle` raises it, the link still stands."""
        wrong = wrong_server(octets, self.snapshot.target)
        if wrong is not None:
            self._wrong_door = self._fail("banner", *wrong)

    def foresee(self, found: PreviewFinding) -> None:
        """Keep what a receiver was found to see in this sender, for /why."""
        self.foreseen = found

    def _attempted(self, attempt: net_link.Attempt) -> None:
        self.attempts.append(attempt)
        stands_for = self.target.endpoint.instead_of if self.target is not None else None
        self.emit(
            Attempt,
            address=stands_for.host if stands_for else attempt.address,
            port=stands_for.port if stands_for else attempt.port,
            outcome=attempt.outcome,
            ms=attempt.ms,
        )

    async def _handshake(self, link: Link, target: Target, *, immediate: bool = False) -> None:
        from smtpshell.conversation.handshake import shake_hands

        began = self._clock()
        held = b"" if immediate else self._replies.discard()
        try:
            verdict, injected = await shake_hands(link, target, self.options)
        except TlsError as error:
            broken = self._fail("tls", error, error.tls_kind)
            await self._drop("client")
            raise broken from error
        if held + injected:
            self.remark(injected_words(held + injected), "warning")
        self.verdict = verdict
        if immediate:
            self.session.encrypted()
        else:
            self.session.tls_started()
        self.emit(
            TlsStarted,
            version=verdict.version,
            cipher=verdict.cipher,
            verified=verdict.verified,
            problems=tuple(problem.text for problem in verdict.problems),
            ms=(self._clock() - began) * 1000,
        )

    # --- reading ---------------------------------------------------------------------------

    async def _read(self, link: Link) -> None:
        """Turn what arrives into events until the connection ends."""
        while True:
            try:
                octets = await link.read()
            except LinkError as error:
                self._take(self._replies.close())
                self._fail("wait", error, error.kind)
                break
            if not octets:
                self._take(self._replies.close())
                break
            try:
                await self._take_octets(octets)
            except Broken:
                return
        await self._drop("server")

    async def _take_octets(self, octets: bytes) -> None:
        replies = self._replies.feed(octets)
        while replies:
            self._take([replies.pop(0)])
            if self.session.state is State.TLS:
                injected = b"".join(reply.raw for reply in replies)
                if injected:
                    self.remark(injected_words(injected), "warning")
                if self._link is not None and self.target is not None:
                    await self._handshake(self._link, self.target)
                self._progress.set()
                return

    def _take(self, replies: list[Reply]) -> None:
        for reply in replies:
            before = self.session.snapshot()
            answer = self.session.receive(reply, unsent=bool(self._link and self._link.unsent))
            since = self._sent_at[0] if self._sent_at else self._clock()
            del self._sent_at[: max(0, len(self._sent_at) - self.session.pending)]
            self._unasked = self._unasked + 1 if answer.unasked else 0
            self.emit(
                Received,
                reply=reply,
                command=answer.verb,
                ms=0.0 if answer.unasked else (self._clock() - since) * 1000,
                line=answer.outgoing.shown if answer.outgoing else "",
                unasked=answer.unasked,
                recipient=answer.recipient,
                by=self.operation,
                before=before,
            )
            self._progress.set()
            if reply.code is None and self.session.state is State.GREETING:
                self._mind_the_door(reply.raw)
            if answer.verb == "EHLO" and (words := rewritten(self.session.snapshot())):
                self.remark(words, "warning")
        if self._unasked > UNASKED_ALLOWED and self._link is not None:
            self.remark(
                f"The server sent {self._unasked} lines that nothing asked for; "
                "the connection was dropped.",
                "warning",
            )
            self._link.abort()

    # --- sending ---------------------------------------------------------------------------

    async def send(self, octets: bytes) -> list[Outgoing]:
        """Send octets exactly as given; return the lines they complete, as understood."""
        link = self._standing()
        lines = self.session.send(octets)
        link.write(octets)
        for line in lines:
            if line.replies:
                self._sent_at.append(self._clock())
            self.emit(
                Sent,
                line=line.shown,
                verb=line.verb,
                kind=line.kind,
                ending=line.ending,
                out_of_order=line.out_of_order,
                oddities=_oddities(line),
                stuffed=line.kind == "data" and line.shown.startswith(".."),
            )
        await self._drain(link)
        return lines

    async def send_line(self, line: str) -> list[Outgoing]:
        """Send one typed line and CRLF."""
        from smtpshell.protocol.text import encode

        return await self.send(encode(line) + b"\r\n")

    async def send_body(
        self,
        blocks: Iterable[bytes],
        source: str,
        on_progress: Callable[[int], None] | None = None,
    ) -> int:
        """Stream blocks of octets as message data or chunk octets; return how many were sent."""
        link = self._standing()
        total = 0
        for block in blocks:
            self.session.send_body(len(block))
            link.write(block)
            await self._drain(link)
            total += len(block)
            if on_progress is not None:
                on_progress(total)
        self.emit(BodySent, octets=total, source=source)
        return total

    async def command(self, line: str) -> Reply | None:
        """Send a line, wait for its reply, and return it (the last one in LMTP)."""
        mark = self.log.mark()
        await self.send_line(line)
        await self.settle()
        answers = self.log.replies_since(mark)
        return answers[-1].reply if answers else None

    async def _drain(self, link: Link) -> None:
        try:
            await link.drain()
        except LinkError as error:
            if self._reader is not None:  # what the server said before it hung up is read first
                await asyncio.wait([self._reader], timeout=1)
            if self._failed is None:
                raise self._fail("write", error, error.kind) from error
            raise Broken(self._failed) from error

    def _standing(self) -> Link:
        if self._link is None:
            if self._failed is not None:
                raise Broken(self._failed)
            raise not_connected()
        return self._link

    # --- waiting ---------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Whether a reply or a handshake is still awaited on a standing connection."""
        return self._link is not None and (
            self.session.pending > 0 or self.session.state is State.TLS
        )

    async def settle(self) -> None:
        """Wait until nothing is awaited any more.

        Each whole reply may take `options.timeout` seconds. Raises `ReplyTimeout` (the connection
        still stands) or `Broken` (it ended while a reply was awaited).
        """
        while True:
            self._raise_from_reader()
            if self._wrong_door is not None:
                wrong_door, self._wrong_door = self._wrong_door, None
                raise wrong_door
            if not self.waiting:
                break
            self._progress.clear()
            in_handshake = self.session.state is State.TLS  # which has a time-out of its own
            try:
                async with asyncio.timeout(None if in_handshake else self.options.timeout):
                    await self._progress.wait()
            except TimeoutError:
                raise self._timed_out() from None
        if self._link is None and self._failed is not None:
            raise Broken(self._failed)

    def _raise_from_reader(self) -> None:
        """Raise what a sink raised inside the reader: a bug of ours, never the server's doing."""
        reader = self._reader
        if reader is not None and reader.done() and not reader.cancelled():
            error = reader.exception()
            if error is not None:
                raise error

    def _timed_out(self) -> ReplyTimeout:
        snapshot = self.snapshot
        waited = self.options.timeout or 0.0
        what, advice = no_reply(
            greeting=snapshot.state is State.GREETING, seconds=waited, early=snapshot.early
        )
        self.emit(Failed, stage="wait", status=Status.LOST, what=what, next=advice, kind="timeout")
        return ReplyTimeout(what, snapshot.target, advice)

    # --- ending ----------------------------------------------------------------------------

    def _fail(self, stage: str, error: SmtpshellError, kind: str) -> Broken:
        event = self.emit(
            Failed,
            stage=stage,
            status=int(error.status),
            what=f"{error.where}: {error.what}" if error.where else error.what,
            next=error.next,
            kind=kind,
        )
        assert isinstance(event, Failed)
        self._failed = event
        self.failed_at = self.target
        self._progress.set()
        return Broken(event)

    async def close(self) -> None:
        """End the connection from our side; nothing happens when there is none."""
        await self._drop("client")

    async def _drop(self, by: str) -> None:
        link, self._link = self._link, None
        if link is None:
            return
        said_goodbye = self.session.state is State.QUIT
        if by == "server" and self.session.pending and self._failed is None:
            self._lost()
        self.session.closed()
        self._sent_at = []
        self.emit(Closed, by="client" if said_goodbye else by, clean=said_goodbye)
        self._progress.set()
        reader, self._reader = self._reader, None
        if reader is not None and reader is not asyncio.current_task():
            reader.cancel()
            await asyncio.wait([reader], timeout=1)
        await link.close()

    def _lost(self) -> None:
        what, advice = hung_up(greeting=self.session.state is State.GREETING)
        error = SmtpshellError(what, next=advice, status=Status.LOST)
        self._fail("wait", error, "closed")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def in_message(self) -> bool:
        """Whether the next line is message data."""
        return self.session.mode is Mode.DATA

    @property
    def encrypted(self) -> bool:
        """Whether TLS is in use."""
        return self.session.snapshot().tls

    @property
    def mode(self) -> Mode:
        """What the next line will be taken for."""
        return self.session.mode


def _oddities(line: Outgoing) -> tuple[str, ...]:
    """Return what is odd about the form of a command that is known."""
    command = line.command
    return command.problems if command is not None and command.known else ()
