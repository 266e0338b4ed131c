"""States of a session to set the shell's parts on: snapshots made by a real `Session`."""

from __future__ import annotations

from smtpshell.protocol.replies import Reply
from smtpshell.protocol.session import Session, Snapshot
from smtpshell.shell.offers import Scene

EHLO = "mx.example\nSIZE 1000\nSTARTTLS\nAUTH PLAIN CRAM-MD5\nDSN"


def session_after(*exchanges: tuple[str, str], target: str = "mx.example") -> Session:
    """Return a session in which these lines were sent and answered."""
    session = Session()
    session.opened(target, "192.0.2.1", 25)
    session.receive(Reply.parse("220 mx.example ESMTP"))
    for line, reply in exchanges:
        session.send(line.encode() + b"\r\n")
        session.receive(Reply.parse(reply))
    return session


HELLO = (
    "EHLO client.example",
    "250-mx.example\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250-AUTH PLAIN CRAM-MD5\r\n250 DSN",
)
MAIL = ("MAIL FROM:<ann@client.example>", "250 2.1.0 Ok")


def rcpt(address: str, reply: str = "250 2.1.5 Ok") -> tuple[str, str]:
    """Return the exchange that names a recipient."""
    return f"RCPT TO:<{address}>", reply


def after(*exchanges: tuple[str, str], target: str = "mx.example") -> Snapshot:
    """Return what is known after these exchanges."""
    return session_after(*exchanges, target=target).snapshot()


def scene(*exchanges: tuple[str, str], history: tuple[str, ...] = (), **more: object) -> Scene:
    """Return what completions are made from after these exchanges."""
    return Scene(after(*exchanges), history=lambda: history, **more)  # type: ignore[arg-type] # its fields
