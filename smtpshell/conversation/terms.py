"""On what terms a conversation is held: how to connect, how long to wait, and how it may fail."""

from __future__ import annotations

from smtpshell.net.link import LinkOptions
from smtpshell.net.tls import TlsSettings
from smtpshell.protocol.errors import SmtpshellError, Status
from smtpshell.protocol.events import Failed
from smtpshell.protocol.pairing import EARLY
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Options:
    """How to connect and how long to wait. `timeout` is in seconds; None waits for ever."""

    timeout: float | None = 60.0
    connect_timeout: float = 30.0
    link: LinkOptions = field(default_factory=LinkOptions)
    tls: TlsSettings = field(default_factory=TlsSettings)


class Broken(SmtpshellError):
    """The connection failed; a `Failed` event has told it already."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.what, next=failed.next, status=failed.status)
        self.failed = failed


def not_connected() -> SmtpshellError:
    """Return the error of a line that has nobody to go to."""
    return SmtpshellError(
        "not connected",
        next="/connect HOST opens a connection; /connect practice needs no network.",
        status=Status.LOST,
    )


class ReplyTimeout(SmtpshellError):
    """No whole reply came in time. The connection still stands; a `Failed` event has been sent."""

    status = Status.LOST


def no_reply(*, greeting: bool, seconds: float, early: str = "") -> tuple[str, str]:
    """Return what to say, and to advise, when a greeting or another reply did not come in time.

    `early` is as in `Snapshot`: the reply before this one came too soon.
    """
    if greeting:
        return (
            f"no greeting within {seconds:g} s",
            "The port may want TLS at once (smtps://) or be no SMTP (HTTP), or callers must wait.",
        )
    if early:
        return (
            f"no further reply within {seconds:g} s",
            f"The server answered before, when {EARLY[early]}; it may say no more: /close.",
        )
    return (
        f"no whole reply within {seconds:g} s",
        "The server may still be working; --timeout SECONDS waits longer.",
    )


def hung_up(*, greeting: bool) -> tuple[str, str]:
    """Return what to say, and to advise, when the server hung up instead of replying."""
    if greeting:
        return (
            "the server closed the connection before its greeting",
            "It may refuse this client, or want TLS at once (smtps://).",
        )
    return (
        "the server closed the connection without a reply",
        "Connect again; a 421 or a log on the server may tell why.",
    )


def injected_words(octets: bytes) -> str:
    """Return what to say of plain text that stood before a TLS handshake."""
    shown = visible(octets[:200].rstrip(b"\r\n"))
    return (
        f"{len(octets)} octets of plain text arrived before the TLS handshake and were thrown "
        f"away: {shown} (someone between may have injected them, RFC 3207 section 6)"
    )
