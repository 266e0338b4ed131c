"""Hearing a conversation: what came since a moment, in turns, and what comes unasked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.events import Closed, Connected, Event, Failed, Received, Sent
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.standing import Standing

if TYPE_CHECKING:
    from smtpshell.conversation.driver import Conversation

PATIENCE = 2.0
"""Seconds, by the wall, to wait for what a server does without being asked."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Lines that were sent and the reply they got; None when the connection ended instead."""

    sent: tuple[Sent, ...]
    received: Received | None


class Hearing:
    """Keeps the events of a conversation, and sends without being put out by what goes wrong."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.events: list[Event] = []
        self.verbs: list[str] = []
        self._changed = asyncio.Event()
        self._unsubscribe = conversation.subscribe(self._hear)

    def leave(self) -> None:
        """Hear no more."""
        self._unsubscribe()

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Sent) and event.kind == "command" and event.verb:
            self.verbs.append(event.verb)
        self._changed.set()

    @property
    def standing(self) -> Standing:
        """Where the session stands."""
        return Standing.of(self.conversation.snapshot)

    def mark(self) -> int:
        """Return a mark of this moment, for the functions that look at what came since."""
        return len(self.events)

    def mark_open(self) -> int:
        """Return the mark of what still waits to be looked at when it is the learner's turn.

        While nothing was sent over a connection that is all since it was made: what the server said
        there by itself may be what the lesson comes to next, behind a question for instance.
        """
        for index in range(len(self.events) - 1, -1, -1):
            if isinstance(self.events[index], Sent):
                break
            if isinstance(self.events[index], Connected):
                return index
        return self.mark()

    def since(self, mark: int) -> list[Event]:
        """Return the events since a mark."""
        return self.events[mark:]

    async def send(self, octets: bytes) -> None:
        """Send octets and wait for the replies; a lost connection is an event, not an error."""
        try:
            await self.conversation.send(octets)
            await self.conversation.settle()
        except SmtpshellError:
            return

    async def close(self) -> None:
        """Drop the connection."""
        await self.conversation.close()

    async def wait_closed(self) -> bool:
        """Wait a moment for the connection to end; tell whether it did."""
        return await self._wait(lambda: not self.conversation.connected)

    async def wait_unasked(self, mark: int) -> bool:
        """Wait a moment for the server to speak, or to hang up, by itself."""
        return await self._wait(
            lambda: any(isinstance(each, (Received, Closed, Failed)) for each in self.since(mark))
        )

    async def _wait(self, holds: Callable[[], bool]) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


def turns_of(events: Iterable[Event]) -> list[Turn]:
    """Pair what was sent with the replies: each reply with the lines up to the one it answers.

    Unasked replies and lines that still wait for an answer are left out.
    """
    turns: list[Turn] = []
    waiting: list[Sent] = []
    for event in events:
        if isinstance(event, Sent):
            waiting.append(event)
        elif isinstance(event, Received) and not event.unasked and waiting:
            count = next(
                (index + 1 for index, sent in enumerate(waiting) if _is_answered(sent)),
                len(waiting),
            )
            while count < len(waiting) and waiting[count].kind == "octets":
                count += 1
            turns.append(Turn(tuple(waiting[:count]), event))
            del waiting[:count]
        elif isinstance(event, Closed) and waiting:
            turns.append(Turn(tuple(waiting), None))
            waiting = []
    return turns


def _is_answered(sent: Sent) -> bool:
    return sent.kind not in ("data", "octets")
