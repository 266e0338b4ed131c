"""The source of a conversation's events: stamps them, keeps them, hands them to the sinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from smtpshell.conversation.log import Log
from smtpshell.protocol.events import Event, Remark
from smtpshell.protocol.session import Session, Snapshot

Sink = Callable[[Event], None]


class Publisher:
    """Has a session and a log, and sinks that are called with each event in order."""

    def __init__(self, session: Session, clock: Callable[[], float]) -> None:
        self.session = session
        self.log = Log()
        self._clock = clock
        self._began = clock()
        self._sinks: list[Sink] = []
        self.operation = ""
        self.reading = (-1, 0)
        """Which reply of the log, and which of its lines, was read aloud last."""

    def subscribe(self, sink: Sink) -> Callable[[], None]:
        """Call `sink` with every event from now on; the returned function ends it."""
        self._sinks.append(sink)
        return lambda: self._sinks.remove(sink)

    def emit(self, make: Callable[..., Event], **facts: Any) -> Event:  # noqa: ANN401 - the facts are those of the event's class
        """Make an event of the given class, stamped with the time and the state, and pass it on."""
        event = make(at=self.now(), after=self.session.snapshot(), **facts)
        self.log.add(event)
        for sink in tuple(self._sinks):
            sink(event)
        return event

    @contextmanager
    def driven(self, operation: str) -> Iterator[None]:
        """Mark the replies that come while the context lasts as those of an operation.

        What they call for is done by it, so nobody needs to be told to type anything.
        """
        before, self.operation = self.operation, operation
        try:
            yield
        finally:
            self.operation = before

    def remark(self, text: str, kind: str = "note") -> None:
        """Emit a note of the program's own."""
        self.emit(Remark, text=text, kind=kind)

    def now(self) -> float:
        """Seconds since the conversation began."""
        return self._clock() - self._began

    @property
    def snapshot(self) -> Snapshot:
        """What is known now."""
        return self.session.snapshot()
