"""A whole transaction, played line by line through the conversation: the heart of `send`.

Every line is one that a person could have typed, and every reply is an event like any other;
nothing here talks to a socket. What the server announced decides which parameters go along: SIZE,
8BITMIME, SMTPUTF8, DSN. A recipient that is refused does not stop the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.fates import Fates
from smtpshell.conversation.login import Login, authenticate
from smtpshell.conversation.operations import (
    as_message,
    connect,
    hello,
    own_name,
    read_blocks,
    secure,
)
from smtpshell.protocol.message import MessageEncoder, bdat_chunks, bdat_line
from smtpshell.protocol.state import State
from smtpshell.protocol.text import encode
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.conversation.targets import Target
    from smtpshell.protocol.events import Received

STAGES = ("connect", "banner", "ehlo", "tls", "auth", "mail", "rcpt", "data", "message")
"""Where `--quit-after` and `--drop-after` may end a transaction, in order."""

SHOWN_OCTETS = 16_384
"""A message up to this size goes out line by line and is seen; a larger one is streamed."""

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A transaction to play. `message` is the octets, or the file that holds them.

    `login` is None for no login. `stop_after` names a stage of `STAGES` or is ""; then QUIT is
    sent, or with `drop` nothing.
    """

    sender: str
    recipients: tuple[str, ...]
    message: bytes | Path
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
    """One plan being played on a desk's conversation; `fates` tells what became of whom."""

    def __init__(self, desk: Desk, plan: Plan) -> None:
        self.desk = desk
        self.plan = plan
        self.fates = Fates(plan.recipients)

    def _reached(self, stage: str) -> None:
        if self.plan.stop_after == stage:
            raise Stopped

    async def play(self, target: Target) -> None:
        """Connect and play the plan.

        Raises `Stopped` at the stage asked for and `SmtpshellError` where it cannot go on; a
        refusal only ends it, because the events have told already.
        """
        at_once = self.plan.drop and self.plan.stop_after == "connect"
        await connect(self.desk, target, greeting=not at_once)
        self._reached("connect")
        if not self._stands(State.START):
            return
        self._reached("banner")
        if not await self._greet():
            return
        self._reached("ehlo")
        await secure(self.desk)
        if not self._stands(State.READY):
            return
        self._reached("tls")
        if self.plan.login is not None:
            await authenticate(self.desk, self.plan.login)
        self._reached("auth")
        await self.envelope_and_message()

    def _stands(self, state: State) -> bool:
        return self.desk.conversation.snapshot.state is state

    async def _greet(self) -> bool:
        reply = await hello(self.desk)
        if reply is not None and reply.is_refusal and not self.desk.conversation.snapshot.lmtp:
            reply = await self.desk.conversation.command(f"HELO {own_name(self.desk)}")
        return reply is not None and reply.family == 2

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
                mark = self.desk.conversation.log.mark()
                await self.desk.conversation.command("DATA")
                self._judged(mark)
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
                self.fates.answered(address, answer)
        return bool(conversation.snapshot.recipients)

    async def _grouped_envelope(self) -> bool:
        """Send MAIL, every RCPT and DATA at once (RFC 2920 section 3.1)."""
        conversation = self.desk.conversation
        lines = [self._mail_line(), *(self._rcpt_line(to) for to in self.plan.recipients)]
        if self.plan.stop_after == "mail":
            lines = lines[:1]
        elif self.plan.stop_after != "rcpt":
            lines.append("DATA")
        mark = conversation.log.mark()
        await conversation.send(b"".join(encode(line) + b"\r\n" for line in lines))
        await conversation.settle()
        self._reached("mail")
        answers = (event for event in self._answers(mark) if event.command == "RCPT")
        for address, event in zip(self.plan.recipients, answers, strict=False):
            self.fates.answered(address, event.reply)
        self._judged(mark)
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
        mark = conversation.log.mark()
        try:
            if size <= SHOWN_OCTETS:
                await conversation.send(b"".join(blocks))
            else:
                with self.desk.progress("message", size) as step:
                    await conversation.send_body(blocks, "the message", step)
            await conversation.command(".")
        finally:
            self._judged(mark)

    async def _chunks(self) -> None:
        conversation = self.desk.conversation
        encoder = MessageEncoder(dots=False, counted=False)

        def pieces() -> Iterator[bytes]:
            for block in self._blocks():
                yield encoder.feed(block)
            yield encoder.close()

        done = 0
        with self.desk.progress("message", self._size()) as step:
            for chunk, last in bdat_chunks(pieces(), CHUNK):
                mark = conversation.log.mark()
                await conversation.send(encode(bdat_line(chunk, last)) + b"\r\n")
                await conversation.send_body([chunk], "the message")
                await conversation.settle()
                done += len(chunk)
                step(done)
                if not all(event.reply.is_positive for event in self._answers(mark)):
                    self._judged(mark)
                    return
        self._judged(mark)

    # --- what became of whom -----------------------------------------------------------------

    def _answers(self, mark: int) -> list[Received]:
        return self.desk.conversation.log.replies_since(mark)

    def _judged(self, mark: int) -> None:
        """Take over what the replies to DATA, BDAT or the dot mean for the recipients.

        A refusal that came before the dot counts as well, until another reply follows.
        """
        for event in self.desk.conversation.log.received_since(mark):
            about = "." if event.early == "message" else event.command
            if about in ("DATA", "BDAT", ".") and event.reply.family != 3:
                self.fates.decided(event.reply, event.recipient)

    def report(self) -> None:
        """Tell every recipient's fate."""
        if self.fates:
            self.desk.show(self.fates.report(), self.fates.facts())
