"""The practice server's own side as a source of conversations.

A tap hears every octet in both directions and makes of it the very events that a client would have
recorded, by keeping a client's session of its own. So whoever shows, saves or checks conversations
can do so with those of telnet, smtplib or a mail program that connects to the practice server.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from smtpshell.practice.clock import PracticeClock
from smtpshell.protocol.events import Closed, Connected, Event, Received, Remark, Sent, TlsStarted
from smtpshell.protocol.replies import ReplyReader
from smtpshell.protocol.session import Session, Snapshot

Observer = Callable[[int, Event], None]
"""Is told the number of a connection and each of its events, as they happen."""


class Tap:
    """Turns the octets of one connection into events for an observer."""

    def __init__(
        self,
        number: int,
        observer: Observer,
        clock: PracticeClock,
        *,
        lmtp: bool = False,
        published: Callable[[str, bytes], bool] | None = None,
    ) -> None:
        self._number = number
        self._observer = observer
        self._clock = clock
        self._began = clock.now()
        self._asked = self._began
        self._replies = ReplyReader()
        self._session = Session(lmtp=lmtp, published=published)
        self._line = ""

    def connected(self, host: str, address: str, port: int, *, tls: bool) -> None:
        """Tell that a client connected."""
        self._session.opened(host, address, port, tls=tls)
        self._emit(Connected, target=host, address=address, port=port, tls=tls)

    def client(self, octets: bytes) -> None:
        """Hear what the client sent."""
        for outgoing in self._session.send(octets):
            self._asked, self._line = self._clock.now(), outgoing.shown
            self._emit(
                Sent,
                line=outgoing.shown,
                verb=outgoing.verb,
                kind=outgoing.kind,
                ending=outgoing.ending,
                out_of_order=outgoing.out_of_order,
            )

    def server(self, octets: bytes) -> None:
        """Hear what the server sent."""
        for reply in self._replies.feed(octets):
            before = self._session.snapshot()
            answer = self._session.receive(reply)
            self._emit(
                Received,
                reply=reply,
                command=answer.verb,
                ms=(self._clock.now() - self._asked) * 1000,
                line=answer.outgoing.shown if answer.outgoing is not None else "",
                unasked=answer.unasked,
                recipient=answer.recipient,
                before=before,
            )

    def tls(self, version: str, cipher: str) -> None:
        """Tell that the handshake went through; what the client thinks of it is not known."""
        self._session.tls_started()
        self._emit(TlsStarted, version=version, cipher=cipher, verified=None, problems=())

    def lead_to(self, number: int, observer: Observer) -> None:
        """Tell another observer what follows, as what happens on a connection of its own."""
        self._number = number
        self._observer = observer

    def logged_in(self, user: str) -> None:
        """Note whose login succeeded."""
        self._session.logged_in_as(user)

    def remark(self, text: str, kind: str = "note") -> None:
        """Tell something that no octets show."""
        self._emit(Remark, text=text, kind=kind)

    def closed(self, by: str, *, clean: bool) -> None:
        """Tell that the connection ended."""
        self._session.closed()
        self._emit(Closed, by=by, clean=clean)

    @property
    def snapshot(self) -> Snapshot:
        """What a client would know at this moment."""
        return self._session.snapshot()

    def _emit(self, kind: type[Event], /, **facts: Any) -> None:  # noqa: ANN401 - the events type them
        event = kind(at=self._clock.now() - self._began, after=self._session.snapshot(), **facts)
        self._observer(self._number, event)


class Journal:
    """An observer that keeps the latest events of all connections, for inspection."""

    def __init__(self, kept: int = 5000) -> None:
        self._events: deque[tuple[int, Event]] = deque(maxlen=kept)

    def __call__(self, number: int, event: Event) -> None:
        """Keep an event."""
        self._events.append((number, event))

    def connections(self) -> tuple[int, ...]:
        """Return the numbers of the connections that events are kept of, in order."""
        return tuple(dict.fromkeys(number for number, _ in self._events))

    def of(self, connection: int) -> tuple[Event, ...]:
        """Return the events of a connection."""
        return tuple(event for number, event in self._events if number == connection)
