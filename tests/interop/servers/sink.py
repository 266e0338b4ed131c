"""aiosmtpd as an oracle: an independent server in a thread, which keeps what it is sent.

It refuses on demand, so that a real server's bounce of a real refusal can be provoked.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from .running import HOST, PATIENCE, free_ports


@dataclass(slots=True)
class Sink:
    """A running aiosmtpd: the envelopes it took, and the refusals it gives by recipient."""

    port: int
    refusals: Mapping[str, str] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    host: str = HOST

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds its hooks by these names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse the recipients that have a refusal."""
        if refusal := self.refusals.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802 - aiosmtpd finds its hooks by these names
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep the message."""
        self.taken.append(envelope)
        return self.refusals.get("message", "250 2.0.0 taken")

    def wait_for(self, text: str) -> Envelope:
        """Return the first message taken that contains `text`; fail after PATIENCE seconds."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for envelope in tuple(self.taken):
                if text.encode() in bytes(envelope.content or b""):
                    return envelope
            time.sleep(0.05)
        raise AssertionError(f"no message with {text!r} has come")


@contextlib.contextmanager
def sink(
    refusals: Mapping[str, str] | None = None, *, identity: str = "sink.example"
) -> Iterator[Sink]:
    """Run aiosmtpd until the block is left.

    `refusals` maps a recipient, or "message" for the final dot, to the whole reply line.
    """
    keeper = Sink(free_ports("smtp")["smtp"], refusals or {})
    controller = Controller(
        keeper, hostname=HOST, port=keeper.port,
        server_hostname=identity, ident="aiosmtpd", enable_SMTPUTF8=True, decode_data=False,
    )  # fmt: skip
    controller.start()
    try:
        yield keeper
    finally:
        controller.stop()
