"""Stored mail: each message with its envelope, its octets, and what the server wrote above them.

The envelope is kept beside the message because it is not in it: that the two may differ is half of
what there is to learn. A message is immutable; `raw` is what a mailbox holds, `content` what the
client sent, octet for octet.
"""

from __future__ import annotations

from functools import cached_property

from smtpshell.practice.clock import mail_date
from smtpshell.protocol.values import dataclass, replace


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who a message is from and for, and how it came.

    `protocol` is the word of the Received line ("ESMTPS", RFC 3848); `parameters` are those of
    MAIL, `recipient_parameters` those of each RCPT, by recipient.
    """

    sender: str = ""
    recipients: tuple[str, ...] = ()
    helo: str = ""
    client: str = ""
    host: str = ""
    protocol: str = "SMTP"
    user: str = ""
    parameters: tuple[tuple[str, str | None], ...] = ()
    recipient_parameters: tuple[tuple[str, tuple[tuple[str, str | None], ...]], ...] = ()


@dataclass(frozen=True)
class Message:
    """One accepted message. `arrived` is in seconds since 1970 on the practice clock.

    `results` is the text of the Authentication-Results field that the server added, or "".
    `mailbox` is the address under which this copy is stored; "" while it is in the queue.
    """

    queue_id: str
    envelope: Envelope
    content: bytes
    arrived: float
    results: str = ""
    mailbox: str = ""

    def for_mailbox(self, mailbox: str) -> Message:
        """Return the copy that is stored for one recipient."""
        return replace(self, mailbox=mailbox)

    @cached_property
    def raw(self) -> bytes:
        """The octets of the stored message: trace fields (RFC 5321 section 4.4), then content."""
        return self.trace.encode("utf-8", "surrogateescape") + self.content

    @property
    def trace(self) -> str:
        """The fields that the server put on top, with CRLF."""
        envelope = self.envelope
        stamp = (
            f"Received: from {envelope.helo or 'unknown'} ([{envelope.client}])\r\n"
            f"\tby {envelope.host} with {envelope.protocol} id {self.queue_id}"
        )
        if len(envelope.recipients) == 1:
            stamp += f"\r\n\tfor <{envelope.recipients[0]}>"
        stamp += f"; {mail_date(self.arrived)}\r\n"
        results = f"Authentication-Results: {self.results}\r\n" if self.results else ""
        return f"Return-Path: <{envelope.sender}>\r\n{results}{stamp}"

    @cached_property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The header fields of the stored message: names and unfolded values, in order."""
        return read_header(self.raw)[0]

    @property
    def body(self) -> bytes:
        """The octets behind the blank line; none when there is no blank line."""
        return read_header(self.raw)[1]

    def header(self, name: str) -> str | None:
        """Return a field's value, encoded words decoded; None when the field is absent.

        Of several fields of one name it is the first, that is the one added last.
        """
        for field, value in self.fields:
            if field.casefold() == name.casefold():
                return _decoded(value)
        return None


def read_header(octets: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Split a message into its fields, unfolded, and its body (RFC 5322 section 2.2).

    Takes any octets: the header ends at the first empty line, or at the first line that is neither
    a field nor a continuation; that line then already belongs to the body.
    """
    fields: list[tuple[str, str]] = []
    at = 0
    while at < len(octets):
        end = octets.find(b"\n", at) + 1 or len(octets)
        line = octets[at:end].rstrip(b"\r\n")
        if not line:
            return tuple(fields), octets[end:]
        text = line.decode("utf-8", "surrogateescape")
        if text[0] in " \t" and fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {text.strip()}".strip())
        else:
            name, colon, value = text.partition(":")
            if not colon or not name.strip() or " " in name.rstrip():
                return tuple(fields), octets[at:]
            fields.append((name.rstrip(), value.strip()))
        at = end
    return tuple(fields), b""


def _decoded(value: str) -> str:
    if "=?" not in value:
        return value
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value
