"""The exit status of a conversation, read off its events.

With several refusals it is the first stage whose last attempt was refused, in the order in which a
session passes through them; a recipient that was refused and not accepted later counts. A
connection that was lost or never stood has the status of its failure, unless the server had
announced the end itself, by refusing at the greeting, in the middle of the message or with a 421:
then the refusal is the reason.

A STARTTLS that is tried because encryption is welcome and not demanded (`--tls optional`) is no
demand: its refusal is told, and fails nothing.
"""

from __future__ import annotations

from smtpshell.protocol.errors import Status
from smtpshell.protocol.events import Connected, Event, Failed, Received, Sent, TlsStarted
from smtpshell.protocol.state import State

STAGES: dict[str, Status] = {
    "HELO": Status.HELLO,
    "EHLO": Status.HELLO,
    "LHLO": Status.HELLO,
    "STARTTLS": Status.TLS,
    "AUTH": Status.AUTH,
    "MAIL": Status.MAIL,
    "RCPT": Status.RCPT,
    "DATA": Status.DATA,
    "BDAT": Status.MESSAGE,
    ".": Status.MESSAGE,
    "QUIT": Status.QUIT,
}

ORDER: tuple[Status, ...] = (
    Status.BANNER,
    Status.HELLO,
    Status.TLS,
    Status.HELLO_AFTER_TLS,
    Status.AUTH,
    Status.MAIL,
    Status.RCPT,
    Status.DATA,
    Status.MESSAGE,
    Status.QUIT,
    Status.REFUSED,
)
"""The stages in the order of a session."""

CLOSING = 421

OPTIONAL_TLS = "optional starttls"
"""The operation that encrypts where it can, and goes on in the clear where it cannot."""


class Outcome:
    """A sink that knows at any moment which exit status the events so far lead to."""

    def __init__(self) -> None:
        self._last: dict[tuple[Status, str], bool] = {}
        self._failed: Failed | None = None
        self._announced = False
        self._upgraded = False

    def __call__(self, event: Event) -> None:
        """Take note of one event."""
        match event:
            case Connected():
                self._upgraded = False
                self._announced = False
            case TlsStarted():
                self._upgraded = event.after.helo is None and event.after.state.name == "START"
            case Failed():
                if not (self._announced and event.kind in ("closed", "reset")):
                    self._failed = event
            case Received():
                self._take(event)
            case Sent() if event.kind == "command":
                self._announced = self._announced and event.verb == "QUIT"
            case _:
                pass

    def _take(self, event: Received) -> None:
        reply = event.reply
        refused = not reply.is_positive
        if reply.code == CLOSING:
            self._announced = True
        if event.unasked:
            if event.early == "message" and refused:
                self._announced = True
                self._last[Status.MESSAGE, ""] = True
            return
        if event.by == OPTIONAL_TLS and event.command == "STARTTLS":
            return
        if event.before.state is State.GREETING:
            self._announced = refused
            self._last[Status.BANNER, ""] = refused
            return
        stage = STAGES.get(event.command or "", Status.REFUSED)
        if stage is Status.HELLO and self._upgraded:
            stage = Status.HELLO_AFTER_TLS
        detail = event.line if stage in (Status.RCPT, Status.REFUSED) else event.recipient or ""
        self._last[stage, detail.casefold()] = refused

    @property
    def failed(self) -> Failed | None:
        """The failure of the connection that counts, if any."""
        return self._failed

    @property
    def status(self) -> int:
        """The exit status."""
        refused = {stage for (stage, _), bad in self._last.items() if bad}
        if self._failed is not None:
            return self._failed.status
        return next((int(stage) for stage in ORDER if stage in refused), int(Status.OK))
