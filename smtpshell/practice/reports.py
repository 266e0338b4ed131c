"""Delivery status notifications (RFC 3464): the mail that tells a sender what became of the mail.

A report comes from <>, so that no report ever answers a report, and goes to the reverse-path. It
has three parts: words for a person, fields for a program, and the message itself or its header.
"""

from __future__ import annotations

from smtpshell.practice.clock import mail_date
from smtpshell.practice.mailbox import Message
from smtpshell.protocol.values import dataclass

_TITLES = {
    "failed": "Undelivered Mail Returned to Sender",
    "delivered": "Successful Mail Delivery Report",
    "delayed": "Delayed Mail (still being retried)",
    "relayed": "Mail Relayed Without Confirmation of Delivery",
}
_OPENINGS = {
    "failed": "Your message could not be delivered to one or more recipients.",
    "delivered": "Your message was delivered, as you asked to be told.",
    "delayed": "Your message waits; it is tried again, and you need not send it again.",
    "relayed": "Your message was handed to a server that sends no reports.",
}


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message for one recipient.

    `action` is "failed", "delayed", "delivered" or "relayed" (RFC 3464 section 2.3.3), `status` the
    enhanced status code, `diagnostic` the reply of the server that said so, if one did.
    """

    recipient: str
    action: str
    status: str
    diagnostic: str = ""


def wants_report(message: Message, fate: Fate) -> bool:
    """Tell whether the sender is to be told (RFC 3461 section 4.1; RFC 5321 section 6.1)."""
    if not message.envelope.sender:
        return False
    parameters = dict(message.envelope.recipient_parameters).get(fate.recipient, ())
    notify = dict(parameters).get("NOTIFY")
    wanted = set((notify or "FAILURE").upper().split(","))
    return {"failed": "FAILURE", "delayed": "DELAY"}.get(fate.action, "SUCCESS") in wanted


def report(message: Message, fates: tuple[Fate, ...], boundary: str) -> bytes:
    """Return the content of a report about a message, with CRLF line ends.

    `boundary` separates its parts; the fates must not be empty.
    """
    envelope, host = message.envelope, message.envelope.host
    action = fates[0].action
    parameters = dict(envelope.parameters)
    utf8 = "SMTPUTF8" in parameters
    kind = "message/global-delivery-status" if utf8 else "message/delivery-status"
    whole = (parameters.get("RET") or "FULL").upper() == "FULL" and action == "failed"
    original = message.content if whole else _header_of(message.content)
    original_kind = "message/rfc822" if whole else "text/rfc822-headers"
    head = [
        f"From: Mail Delivery System <mailer-daemon@{host}>",
        f"To: <{envelope.sender}>",
        f"Subject: {_TITLES[action]}",
        f"Date: {mail_date(message.arrived)}",
        f"Message-ID: <{message.queue_id}.{boundary[:8]}@{host}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f'\tboundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        f"This is the mail system at {host}.",
        "",
        _OPENINGS[action],
        "",
        *(_in_words(fate) for fate in fates),
        "",
        f"--{boundary}",
        f"Content-Type: {kind}",
        "",
        *_fields(message, fates),
        f"--{boundary}",
        f"Content-Type: {original_kind}",
        "",
    ]
    text = "".join(f"{line}\r\n" for line in head).encode("utf-8", "surrogateescape")
    end = b"" if original.endswith(b"\n") else b"\r\n"
    return text + original + end + f"\r\n--{boundary}--\r\n".encode()


def _in_words(fate: Fate) -> str:
    return f"<{fate.recipient}>: {fate.diagnostic or fate.action} ({fate.status})"


def _fields(message: Message, fates: tuple[Fate, ...]) -> list[str]:
    envelope = message.envelope
    lines = [f"Reporting-MTA: dns; {envelope.host}"]
    envid = dict(envelope.parameters).get("ENVID")
    if envid:
        lines.append(f"Original-Envelope-Id: {envid}")
    lines += [f"Arrival-Date: {mail_date(message.arrived)}", ""]
    for fate in fates:
        original = dict(dict(envelope.recipient_parameters).get(fate.recipient, ())).get("ORCPT")
        if original:
            lines.append(f"Original-Recipient: {original}")
        lines += [
            f"Final-Recipient: rfc822; {fate.recipient}",
            f"Action: {fate.action}",
            f"Status: {fate.status}",
        ]
        if fate.diagnostic:
            lines.append(f"Diagnostic-Code: smtp; {fate.diagnostic}")
        lines.append("")
    return lines


def _header_of(content: bytes) -> bytes:
    head, blank, _ = content.partition(b"\r\n\r\n")
    return head + b"\r\n" if blank else content[:1000]
