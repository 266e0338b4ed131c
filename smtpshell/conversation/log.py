"""The log of a conversation: its events, as many as memory may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.protocol.events import Event, Received, Sent

if TYPE_CHECKING:
    from smtpshell.conversation.trouble import Told

LOG_OCTETS = 16 << 20
"""Octets of events kept for /transcript, /save and /why; the oldest are dropped beyond it."""


class Log:
    """The events so far, bounded in octets; the oldest give way. `told` is what /why last said."""

    def __init__(self, limit: int = LOG_OCTETS) -> None:
        self._limit = limit
        self._events: list[Event] = []
        self._octets = 0
        self.dropped = 0
        self.told: Told | None = None

    def add(self, event: Event) -> None:
        """Append an event, dropping the oldest quarter when the limit is passed."""
        self._events.append(event)
        self._octets += _weight(event)
        if self._octets > self._limit:
            gone = max(1, len(self._events) // 4)
            self._octets -= sum(_weight(old) for old in self._events[:gone])
            del self._events[:gone]
            self.dropped += gone

    @property
    def events(self) -> tuple[Event, ...]:
        """All events kept, oldest first."""
        return tuple(self._events)

    def mark(self) -> int:
        """Return a mark of this moment for `replies_since`."""
        return self.dropped + len(self._events)

    def replies_since(self, mark: int) -> list[Received]:
        """Return the replies since a mark that answered something, oldest first."""
        return [event for event in self.received_since(mark) if not event.unasked]

    def received_since(self, mark: int) -> list[Received]:
        """Return all replies since a mark, asked for or not, oldest first."""
        recent = self._events[max(0, mark - self.dropped) :]
        return [event for event in recent if isinstance(event, Received)]


def _weight(event: Event) -> int:
    match event:
        case Received():
            return 512 + 2 * len(event.reply.raw)
        case Sent():
            return 512 + len(event.line)
    return 512
