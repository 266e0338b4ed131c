"""Messages made from options: headers, text, HTML and attachments.

A message whose headers and text are short lines of ASCII is written as it stands: RFC 5322 asks for
nothing more, and a test message is seldom anything else. For all others the standard library's
email package, which takes as long to load as a small message to send, writes the MIME (RFC 2045 to
2049); this module only says what goes in.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from smtpshell.protocol.errors import FileError, UsageError
from smtpshell.protocol.values import dataclass, field

CRLF = "\r\n"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a message shall hold. Blind recipients stand in the envelope alone, so not here.

    `headers` are "Name: value" lines that add to, or replace, those made by default.
    """

    sender: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""
    html: str = ""
    attachments: tuple[Path, ...] = ()
    headers: tuple[str, ...] = field(default=())


HEADER_WIDTH = 78
"""Characters of a header line, beyond which it should be folded (RFC 5322 section 2.1.1)."""

TEXT_WIDTH = 998
"""Octets of a line of text, beyond which it has to be encoded (RFC 5321 section 4.5.3.1.6)."""


def compose(draft: Draft, *, utf8: bool = False) -> bytes:
    """Return the message with CRLF line ends.

    With `utf8` headers may hold any letters (RFC 6532), otherwise they are encoded words (RFC
    2047). Raises `FileError` for an attachment that cannot be read and `UsageError` for a bad
    header.
    """
    own = [_header(line) for line in draft.headers]
    replaced = {name.lower() for name, _ in own}
    default = {
        "Date": time.strftime("%a, %d %b %Y %H:%M:%S %z"),
        "Message-ID": _message_id(draft.sender),
        "From": draft.sender or "<>",
        "To": ", ".join(draft.to),
        "Cc": ", ".join(draft.cc),
        "Subject": draft.subject,
    }
    kept = [row for row in default.items() if row[1] and row[0].lower() not in replaced]
    headers = [*kept, *own]
    if _is_plain(draft, headers):
        lines = [*(f"{name}: {value}" for name, value in headers), "", *draft.body.splitlines()]
        return "".join(f"{line}{CRLF}" for line in lines).encode("ascii")
    return _with_mime(draft, headers, utf8=utf8)


def _is_plain(draft: Draft, headers: list[tuple[str, str]]) -> bool:
    """Tell whether nothing in the message needs folding, encoding or structure."""
    lines = [f"{name}: {value}" for name, value in headers]
    text = draft.body.split("\n")
    return (
        not draft.html
        and not draft.attachments
        and len({name.lower() for name, _ in headers}) == len(headers)
        and all(len(line) <= HEADER_WIDTH and _is_printable(line) for line in lines)
        and all(len(line) <= TEXT_WIDTH and _is_printable(line.replace("\t", "")) for line in text)
    )


def _is_printable(line: str) -> bool:
    return line.isascii() and line.isprintable()


def _message_id(sender: str) -> str:
    """Return an identifier that no other message has (RFC 5322 section 3.6.4)."""
    domain = sender.rpartition("@")[2]
    right = domain if domain and domain.isascii() else "localhost.example"
    return f"<{time.time_ns()}.{os.urandom(8).hex()}@{right}>"


def _with_mime(draft: Draft, headers: list[tuple[str, str]], *, utf8: bool) -> bytes:
    from email import policy
    from email.message import EmailMessage

    rules = (policy.SMTPUTF8 if utf8 else policy.SMTP).clone(max_line_length=HEADER_WIDTH)
    message = EmailMessage(policy=rules)
    try:
        for name, value in headers:
            message[name] = value
    except (ValueError, UnicodeError, IndexError) as error:
        raise UsageError(f"a header cannot be written: {error}", next="Check it.") from error
    message.set_content(draft.body.rstrip("\n") + "\n")
    if draft.html:
        message.add_alternative(draft.html, subtype="html")
    for path in draft.attachments:
        _attach(message, path)
    return bytes(message)


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip() or " " in name.strip():
        raise UsageError(f"{line!r} is not a header", "--header", "Write 'Name: value'.")
    return name.strip(), value.strip()


def _attach(message: object, path: Path) -> None:
    from email.message import EmailMessage
    from mimetypes import guess_type

    assert isinstance(message, EmailMessage)
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error
    main, _, sub = (guess_type(path.name)[0] or "application/octet-stream").partition("/")
    message.add_attachment(octets, maintype=main, subtype=sub, filename=path.name)
