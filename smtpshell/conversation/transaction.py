"""A whole transaction, played line by line through the conversation: the heart of `send`.

Every line is one that a person could have typed, and every reply is an event like any other;
nothing here talks to a socket. What the server announced decides which parameters go along: SIZE,
8BITMIME, SMTPUTF8, DSN. A recipient that is refused does not stop the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.login import Login, authenticate
from smtpshell.conversation.operations import as_message, hello, own_name, read_blocks, starttls
from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import SmtpshellError, Status
from smtpshell.protocol.message import MessageEncoder, bdat_chunks, bdat_line
from smtpshell.protocol.state import State
from smtpshell.protocol.text import encode, visible
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.protocol.replies import Reply

STAGES = ("connect", "banner", "ehlo", "tls", "auth", "mail", "rcpt", "data", "message")
"""Where `--quit-after` and `--drop-after` may end a transaction, in order."""

SHOWN_OCTETS = 16_384
"""A message up to this size goes out line by line and is seen; a larger one is streamed."""

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A transaction to play. `message` is the octets, or the file that holds them.

    `tls` is a policy: verify, required, optional, never. `login` is None for no login. `stop_after`
    names a stage of `STAGES` or is ""; then QUIT is sent, or with `drop` nothing.
    """

    sender: str
    recipients: tuple[str, ...]
    message: bytes | Path
    tls: str = "optional"
    login: Login | None = None
    stop_after: str = ""
    drop: bool = False
    pipelining: bool = False
    bdat: bool = False
    smtputf8: bool = False
    notify: str = ""
    ret: str = ""
    envid: str = ""


class Stopped(Exception):
    """The stage of `stop_after` has been reached."""


class Transaction:
    """One plan being played on a desk's conversation."""

    def __init__(self, desk: Desk, plan: Plan) -> None:
        self.desk = desk
        self.plan = plan
        self.fates: dict[str, Reply] = {}

    def _reached(self, stage: str) -> None:
        if self.plan.stop_after == stage:
            raise Stopped

    async def play(self) -> None:
        """Play the plan on a conversation that has just been greeted.

        Raises `Stopped` at the stage asked for and `SmtpshellError` where it cannot go on; a
        refusal only ends it, because the events have told already.
        """
        conversation = self.desk.conversation
        self._reached("connect")
        if not conversation.connected or conversation.snapshot.state is not State.START:
            return
        self._reached("banner")
        if not await self._greet():
            return
        self._reached("ehlo")
        await self._encrypt()
        self._reached("tls")
        if self.plan.login is not None:
            await authenticate(self.desk, self.plan.login)
        self._reached("auth")
        await self.envelope_and_message()

    async def _greet(self) -> bool:
        reply = await hello(self.desk)
        if reply is not None and reply.is_refusal and not self.desk.conversation.snapshot.lmtp:
            reply = await self.desk.conversation.command(f"HELO {own_name(self.desk)}")
        return reply is not None and reply.family == 2

    async def _encrypt(self) -> None:
        conversation = self.desk.conversation
        policy = self.plan.tls
        if policy == "never" or conversation.snapshot.tls:
            return
        extensions = conversation.snapshot.extensions
        if extensions is not None and "STARTTLS" in extensions:
            await starttls(self.desk)
        elif policy != "optional":
            raise SmtpshellError(
                "the server does not offer STARTTLS, and TLS is demanded",
                conversation.snapshot.target,
                "Port 465 (submissions://) may have TLS; --tls optional goes on without.",
                status=Status.TLS,
            )

    async def envelope_and_message(self) -> None:
        """Play MAIL, RCPT, DATA or BDAT, and the message."""
        grouped = self.plan.pipelining and self._announced("PIPELINING") and not self.plan.bdat
        accepted = await (self._grouped_envelope() if grouped else self._envelope())
        self._reached("rcpt")
        if not accepted:
            return
        if self.plan.bdat:
            self._reached("data")
            await self._chunks()
        else:
            if not grouped:
                await self.desk.conversation.command("DATA")
            self._reached("data")
            await self._data()
        self._reached("message")

    def _announced(self, keyword: str) -> bool:
        extensions = self.desk.conversation.snapshot.extensions
        return extensions is not None and keyword in extensions

    # --- the envelope ------------------------------------------------------------------------

    def _mail_line(self) -> str:
        plan = self.plan
        words = [f"MAIL FROM:<{plan.sender}>"]
        if self._announced("SIZE"):
            words.append(f"SIZE={self._size()}")
        if self._announced("8BITMIME") and self._eight_bit():
            words.append("BODY=8BITMIME")
        if plan.smtputf8 or self._beyond_ascii():
            words.append("SMTPUTF8")
        if plan.ret:
            words.append(f"RET={plan.ret}")
        if plan.envid:
            words.append(f"ENVID={plan.envid}")
        return " ".join(words)

    def _rcpt_line(self, address: str) -> str:
        notify = f" NOTIFY={self.plan.notify}" if self.plan.notify else ""
        return f"RCPT TO:<{address}>{notify}"

    def _beyond_ascii(self) -> bool:
        return not (self.plan.sender.isascii() and all(to.isascii() for to in self.plan.recipients))

    def _size(self) -> int:
        message = self.plan.message
        return message.stat().st_size if isinstance(message, Path) else len(message)

    def _eight_bit(self) -> bool:
        message = self.plan.message
        return True if isinstance(message, Path) else not message.isascii()

    async def _envelope(self) -> bool:
        conversation = self.desk.conversation
        reply = await conversation.command(self._mail_line())
        if reply is None or reply.family != 2:
            return False
        self._reached("mail")
        for address in self.plan.recipients:
            answer = await conversation.command(self._rcpt_line(address))
            if answer is not None:
                self.fates[address] = answer
        return bool(conversation.snapshot.recipients)

    async def _grouped_envelope(self) -> bool:
        """Send MAIL, every RCPT and DATA at once (RFC 2920 section 3.1)."""
        conversation = self.desk.conversation
        lines = [self._mail_line(), *(self._rcpt_line(to) for to in self.plan.recipients)]
        ends_early = self.plan.stop_after in ("mail", "rcpt")
        mark = conversation.log.mark()
        group = lines if ends_early else [*lines, "DATA"]
        await conversation.send(b"".join(encode(line) + b"\r\n" for line in group))
        await conversation.settle()
        answered = conversation.log.replies_since(mark)
        replies = [event.reply for event in answered if event.command == "RCPT"]
        self.fates |= dict(zip(self.plan.recipients, replies, strict=False))
        if conversation.in_message and not conversation.snapshot.recipients:
            await conversation.command(".")  # a server that takes DATA for nobody: end it empty
        return bool(conversation.snapshot.recipients)

    # --- the message -------------------------------------------------------------------------

    def _blocks(self) -> Iterator[bytes]:
        message = self.plan.message
        return read_blocks(message) if isinstance(message, Path) else iter((message,))

    async def _data(self) -> None:
        conversation = self.desk.conversation
        if not conversation.in_message:
            return
        size = self._size()
        blocks = as_message(self._blocks(), stuffing=self.desk.settings.stuffing)
        if size <= SHOWN_OCTETS:
            octets = b"".join(blocks)
            await conversation.send(octets)
        else:
            with self.desk.progress("message", size) as step:
                await conversation.send_body(blocks, "the message", step)
        mark = conversation.log.mark()
        await conversation.command(".")
        self._note_lmtp(mark)

    async def _chunks(self) -> None:
        conversation = self.desk.conversation
        encoder = MessageEncoder(dots=False)

        def pieces() -> Iterator[bytes]:
            for block in self._blocks():
                yield encoder.feed(block)
            yield encoder.close()

        done = 0
        with self.desk.progress("message", self._size()) as step:
            for chunk, last in bdat_chunks(pieces(), CHUNK):
                await conversation.send(encode(bdat_line(chunk, last)) + b"\r\n")
                await conversation.send_body([chunk], "the message")
                mark = conversation.log.mark()
                await conversation.settle()
                done += len(chunk)
                step(done)
                if any(event.reply.is_refusal for event in conversation.log.replies_since(mark)):
                    return

    def _note_lmtp(self, mark: int) -> None:
        """Take over what LMTP says of each recipient after the dot (RFC 2033 section 4.2)."""
        for event in self.desk.conversation.log.replies_since(mark):
            if event.recipient is not None:
                self.fates[event.recipient] = event.reply

    # --- the end -----------------------------------------------------------------------------

    def report(self) -> None:
        """Tell every recipient's fate."""
        rows = []
        for address, reply in self.fates.items():
            word, style = ("accepted", "good") if reply.is_positive else ("REFUSED", "bad")
            text = visible(reply.text.replace("\n", " "))
            rows.append(Row(f"{word}: {reply.code} {text}", style, label=visible(address)))
        facts = [
            {
                "address": address,
                "accepted": reply.is_positive,
                "code": reply.code,
                "enhanced": reply.enhanced,
            }
            for address, reply in self.fates.items()
        ]
        if rows:
            self.desk.show(rows, {"event": "recipients", "recipients": facts})
