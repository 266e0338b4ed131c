"""The stage: a practice world and a conversation with it, for one lesson and one learner.

Everything that a learner does to the world goes over the wire, and the world is a function of its
seed and what it is told. So the stage keeps a journal of what was sent, when the connection was
opened and when the clock was moved; and going back to any moment (undo, reset, the end of free
play, another day) is one thing: make the world new and do the journal again, silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from smtpshell.conversation.embedded import target_of, within
from smtpshell.conversation.targets import PRACTICE, parse_target
from smtpshell.conversation.terms import Broken, ReplyTimeout
from smtpshell.practice.clock import parse_duration
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.events import (
    BodySent,
    Closed,
    Connected,
    Event,
    Failed,
    Received,
    Sent,
)
from smtpshell.protocol.sasl.line import decode_line
from smtpshell.protocol.secrets import HIDDEN
from smtpshell.protocol.text import decode, encode
from smtpshell.protocol.values import dataclass, replace
from smtpshell.tutor.hearing import Hearing
from smtpshell.tutor.standing import Standing

if TYPE_CHECKING:
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.targets import Target
    from smtpshell.practice.mailbox import Message
    from smtpshell.practice.server import PracticeServer

IMPATIENCE = 0.5
"""Seconds, by the wall, to wait at a door of which it is known that it never greets."""

CANCEL = "*"
"""What is sent again for a hidden part of a login: it failed then, and fails again (RFC 4954 4)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing done: "connect" (to a door), "send" (octets), "clock", "drip" or "close"."""

    kind: str
    text: str = ""


class Stage(Hearing):
    """One conversation with one practice server, and all that a lesson wants to know of both."""

    def __init__(self, conversation: Conversation, server: PracticeServer) -> None:
        super().__init__(conversation)
        self.server = server
        self.journal: list[Entry] = []
        self.arrived: list[Message] = []
        self.rebuilding = False
        self._seen: set[tuple[str, str]] = set()
        self._group_open = False
        self.nonce = ""
        self.away = False
        self._user = ""
        self._patience: float | None = None
        self._mute = False
        server.observer = self._observe

    def leave(self) -> None:
        """Hear no more."""
        super().leave()
        self._wait_for_greeting(mute=False)
        self.server.observer = None

    # --- what is heard -------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        match event:
            case Connected():
                self._enter(event)
            case Sent():
                self.nonce = client_nonce(event.line) or self.nonce
                self._hear_line(event)
            case BodySent():
                self._add(Entry("send", HIDDEN))
            case Received():
                self._group_open = False
                self._note_mail()
            case Closed():
                self._group_open = False
                if event.by == "client" and not event.clean:
                    self._add(Entry("close"))
            case Failed() if event.kind == "timeout" and self._mute:
                self.journal.pop()  # nothing came of it, and nobody should wait for it again
        super()._hear(event)

    def _enter(self, event: Connected) -> None:
        """Note which door was taken, by whatever command; one of another world is not kept."""
        self._user = ""
        at = (event.address, event.port)
        self.away = at not in self.server.doors.values()
        host, port = next((door for door, real in self.server.doors.items() if real == at), ("", 0))
        known = self.server.scenario.host(host)
        kind = known.ports.get(port, "") if known is not None else ""
        self._wait_for_greeting(mute=kind == "silent" or (kind == "tls" and not event.tls))
        by_name = event.target != PRACTICE
        door = f"smtp{'s' if event.tls else ''}://{host}:{port}" if by_name else ""
        self._add(Entry("connect", door))

    def _wait_for_greeting(self, *, mute: bool) -> None:
        """Shorten the wait at a mute door, and give the user's own patience back at others."""
        self._mute = mute
        options = self.conversation.options
        if mute and self._patience is None:
            self._patience = options.timeout
            self.conversation.options = replace(options, timeout=IMPATIENCE)
        elif not mute and self._patience is not None:
            self.conversation.options = replace(options, timeout=self._patience)
            self._patience = None

    def _hear_line(self, event: Sent) -> None:
        if self.away:
            return
        octets = event.line + event.ending
        if self._group_open and self.journal and self.journal[-1].kind == "send":
            self.journal[-1] = Entry("send", self.journal[-1].text + octets)
        else:
            self._add(Entry("send", octets))
        self._group_open = True

    def _add(self, entry: Entry) -> None:
        if not self.away:
            self.journal.append(entry)

    def _observe(self, _connection: int, event: Event) -> None:
        if event.after.user:
            self._user = event.after.user

    def _note_mail(self) -> None:
        world = self.server.world
        for mailbox, messages in world.mailboxes().items():
            for message in messages:
                key = (mailbox, message.queue_id)
                if key not in self._seen:
                    self._seen.add(key)
                    self.arrived.append(message)
        for item in world.queue:
            key = ("", item.message.queue_id)
            if key not in self._seen:
                self._seen.add(key)
                self.arrived.append(item.message)

    # --- what is known -------------------------------------------------------------------------

    @property
    def standing(self) -> Standing:
        """Where the session stands, with the user as the server knows it."""
        return Standing.of(self.conversation.snapshot, self.user)

    @property
    def user(self) -> str:
        """Who is logged in, by the name that the world has for the user."""
        if self.conversation.snapshot.user is None:
            return ""
        known = self.server.scenario.user(self._user)
        return known.name if known is not None else self._user

    @property
    def elapsed(self) -> float:
        """Seconds that have passed on the practice clock since the world began."""
        return self.server.world.clock.now() - self.server.scenario.clock

    # --- what is done --------------------------------------------------------------------------

    async def connect(self, door: str = "") -> None:
        """Connect to a door of this world, or to its first; a failure is an event."""
        try:
            await self.conversation.connect(self.target(door))
        except (Broken, ReplyTimeout):
            pass

    def target(self, door: str) -> Target:
        """Return the target of a door ("host:port" or a URL) of this world.

        Raises `SmtpshellError` if there is none.
        """
        if not door:
            return target_of(self.server)
        target = within(self.server, parse_target(door))
        if target is None:
            raise SmtpshellError(f"this world has no door {door}", next="Check the scenario.")
        return target

    async def clock(self, duration: str) -> None:
        """Move the practice clock forward by a duration such as "+6m"; what falls due is tried."""
        self._add(Entry("clock", duration))
        await self.server.advance(parse_duration(duration))

    def drip(self, duration: str) -> None:
        """Have the next reply dribble, one octet in each duration such as "200ms"."""
        self._add(Entry("drip", duration))
        self.server.world.drip(parse_duration(duration))

    # --- going back ----------------------------------------------------------------------------

    async def rebuild(self, journal: Iterable[Entry]) -> bool:
        """Make the world new and do a journal again, silently.

        Tells whether all of it could be done: a file that was sent is not known any more. What was
        hidden of a login is given up, which leaves the session where the failure left it.
        """
        entries = list(journal)
        self.rebuilding = True
        try:
            await self.conversation.close()
            self.server.world.reset()
            self.journal.clear()
            self.events.clear()
            self.arrived.clear()
            self.verbs.clear()
            self._seen.clear()
            for entry in entries:
                if entry.text == HIDDEN:
                    return False
                await self._redo(entry)
            if entries and entries[-1].kind == "send" and self._says_goodbye():
                await self.wait_closed()
        finally:
            self.rebuilding = False
        return True

    def _says_goodbye(self) -> bool:
        return self.standing.said_goodbye

    async def _redo(self, entry: Entry) -> None:
        self._group_open = False
        match entry.kind:
            case "connect":
                await self.connect(entry.text)
            case "send":
                await self.send(encode(entry.text.replace(HIDDEN, CANCEL)))
            case "clock":
                await self.clock(entry.text)
            case "drip":
                self.drip(entry.text)
            case "close":
                await self.close()


def client_nonce(line: str) -> str:
    """Return the nonce of a SCRAM client's first message (RFC 5802 section 5.1), "" of any other.

    >>> client_nonce("AUTH SCRAM-SHA-256 biwsbj1hbGljZSxyPW9uY2U=")
    'once'
    """
    if " " in line and not line.upper().startswith("AUTH SCRAM"):
        return ""
    try:
        text = decode(decode_line(line.rpartition(" ")[2]))
    except SmtpshellError:
        return ""
    _, name, rest = text.partition(",n=")
    return rest.partition(",r=")[2].partition(",")[0] if name else ""
