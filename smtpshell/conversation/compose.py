"""Messages made from options: headers, text, HTML and attachments, by the standard library.

The email package writes the MIME (RFC 2045 to 2049); this module only says what goes in.
"""

from __future__ import annotations

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


def compose(draft: Draft, *, utf8: bool = False) -> bytes:
    """Return the message with CRLF line ends.

    With `utf8` headers may hold any letters (RFC 6532), otherwise they are encoded words (RFC
    2047). Raises `FileError` for an attachment that cannot be read and `UsageError` for a bad
    header.
    """
    from email import policy
    from email.message import EmailMessage
    from email.utils import formatdate, make_msgid

    rules = (policy.SMTPUTF8 if utf8 else policy.SMTP).clone(max_line_length=78)
    message = EmailMessage(policy=rules)
    domain = draft.sender.rpartition("@")[2] or "localhost.example"
    default = {
        "Date": formatdate(localtime=True),
        "Message-ID": make_msgid(domain=domain if domain.isascii() else "localhost.example"),
        "From": draft.sender or "<>",
        "To": ", ".join(draft.to),
        "Cc": ", ".join(draft.cc),
        "Subject": draft.subject,
    }
    own = [_header(line) for line in draft.headers]
    replaced = {name.lower() for name, _ in own}
    try:
        for name, value in default.items():
            if value and name.lower() not in replaced:
                message[name] = value
        for name, value in own:
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
