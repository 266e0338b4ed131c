"""What a server says: one row for each thing it has to say, with the code and the section for it.

The words are those of the practice server and are close to Postfix's, because a learner will meet
those most often. A personality or a scenario replaces words, row by row, and may replace codes.
`{name}` stands for a fact that is filled in when the reply is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.protocol.replies import Reply
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Row:
    """One reply: its name, the line as it stands on the wire, and the section that calls for it."""

    name: str
    line: str
    section: str


REPLIES: Mapping[str, Row] = {
    row.name: row
    for row in (
        Row("greeting", "220 {host} ESMTP practice", "RFC 5321 4.2"),
        Row("greeting-lmtp", "220 {host} LMTP practice", "RFC 2033 4.1"),
        Row("hello", "250 {host}", "RFC 5321 4.1.1.1"),
        Row("mail", "250 2.1.0 Ok", "RFC 5321 4.1.1.2"),
        Row("rcpt", "250 2.1.5 Ok", "RFC 5321 4.1.1.3"),
        Row("data", "354 End data with <CR><LF>.<CR><LF>", "RFC 5321 4.1.1.4"),
        Row("queued", "250 2.0.0 Ok: queued as {queue}", "RFC 5321 4.1.1.4"),
        Row("delivered", "250 2.1.5 <{recipient}> delivered", "RFC 2033 4.2"),
        Row("chunk", "250 2.0.0 Ok: {octets} octets", "RFC 3030 2"),
        Row("rset", "250 2.0.0 Ok", "RFC 5321 4.1.1.5"),
        Row("noop", "250 2.0.0 Ok", "RFC 5321 4.1.1.9"),
        Row("quit", "221 2.0.0 Bye", "RFC 5321 4.1.1.10"),
        Row(
            "vrfy",
            "252 2.0.0 {argument}: cannot VRFY, but will take messages and try",
            "RFC 5321 3.5.3",
        ),
        Row("starttls", "220 2.0.0 Ready to start TLS", "RFC 3207 4"),
        Row("challenge", "334 {challenge}", "RFC 4954 4"),
        Row("logged-in", "235 2.7.0 Authentication successful", "RFC 4954 6"),
        Row("xclient", "220 {host} ESMTP practice", "Postfix XCLIENT"),
        Row("timeout", "421 4.4.2 {host} Error: timeout exceeded", "RFC 5321 4.5.3.2.7"),
        Row("shutdown", "421 4.3.2 {host} Service shutting down", "RFC 5321 3.8"),
        Row("crowded", "421 4.7.0 {host} Error: too many connections", "RFC 5321 4.2.4"),
        Row("too-many-logins", "421 4.7.0 {host} Error: too many failed logins", "RFC 4954 4"),
        Row("too-many-errors", "421 4.7.0 {host} Error: too many errors", "RFC 5321 3.8"),
        Row("full", "452 4.3.1 Insufficient system storage", "RFC 5321 4.2.2"),
        Row("too-many-recipients", "452 4.5.3 Error: too many recipients", "RFC 5321 4.5.3.1.10"),
        Row("tls-unavailable", "454 4.7.0 TLS not available", "RFC 3207 4"),
        Row("not-recognized", "500 5.5.2 Error: command not recognized", "RFC 5321 4.2.4"),
        Row("line-too-long", "500 5.5.2 Error: line too long", "RFC 5321 4.5.3.1.4"),
        Row(
            "auth-line-too-long", "500 5.5.6 Authentication exchange line is too long", "RFC 4954 6"
        ),
        Row("bad-octets", "500 5.5.2 Error: bad syntax", "RFC 5321 4.1.2"),
        Row("syntax", "501 5.5.4 Syntax: {syntax}", "RFC 5321 4.3.2"),
        Row("bad-hello", "501 5.5.4 Error: bad host name", "RFC 5321 4.1.1.1"),
        Row("bad-sender", "501 5.1.7 Bad sender address syntax", "RFC 3463 3.2"),
        Row("bad-recipient", "501 5.1.3 Bad recipient address syntax", "RFC 3463 3.2"),
        Row("bad-parameter", "501 5.5.4 Bad value: {parameter}", "RFC 5321 4.1.1.11"),
        Row("not-base64", "501 5.5.2 Error: cannot decode base64", "RFC 4954 4"),
        Row("cancelled", "501 5.7.0 Authentication cancelled", "RFC 4954 4"),
        Row("not-implemented", "502 5.5.1 Error: command not implemented", "RFC 5321 4.2.4"),
        Row("hello-first", "503 5.5.1 Error: send HELO/EHLO first", "RFC 5321 4.1.4"),
        Row("mail-first", "503 5.5.1 Error: need MAIL command", "RFC 5321 4.1.4"),
        Row("rcpt-first", "503 5.5.1 Error: need RCPT command", "RFC 5321 4.1.1.4"),
        Row("nested-mail", "503 5.5.1 Error: nested MAIL command", "RFC 5321 4.1.4"),
        Row("during-mail", "503 5.5.1 Error: MAIL transaction in progress", "RFC 5321 4.1.4"),
        Row("during-chunks", "503 5.5.1 Error: BDAT begun, only BDAT or RSET now", "RFC 3030 2"),
        Row("binary-needs-bdat", "503 5.5.1 Error: BODY=BINARYMIME needs BDAT", "RFC 3030 3"),
        Row("sequence", "503 5.5.1 Error: bad sequence of commands", "RFC 5321 4.1.4"),
        Row("auth-disabled", "503 5.5.1 Error: authentication not enabled", "RFC 4954 4"),
        Row("logged-in-already", "503 5.5.1 Error: already authenticated", "RFC 4954 4"),
        Row("not-welcome", "503 5.5.1 Error: no service here, only QUIT", "RFC 5321 3.1"),
        Row("no-help", "504 5.5.4 HELP topic unknown", "RFC 5321 4.2.4"),
        Row(
            "no-mechanism",
            "504 5.5.4 Error: unrecognized authentication mechanism",
            "RFC 4954 4",
        ),
        Row("tls-first", "530 5.7.0 Must issue a STARTTLS command first", "RFC 3207 4"),
        Row("login-first", "530 5.7.0 Authentication required", "RFC 4954 6"),
        Row("bad-login", "535 5.7.8 Error: authentication failed", "RFC 4954 6"),
        Row(
            "mechanism-needs-tls",
            "538 5.7.11 Encryption required for requested authentication mechanism",
            "RFC 4954 6",
        ),
        Row(
            "unknown-user",
            "550 5.1.1 <{recipient}>: Recipient address rejected: User unknown",
            "RFC 5321 3.3",
        ),
        Row("bare-lf", "521 5.5.2 {host} Error: bare <LF> received", "RFC 5321 2.3.8"),
        Row("too-big", "552 5.3.4 Message size exceeds fixed limit", "RFC 1870 6.1"),
        Row("needs-utf8", "553 5.6.7 Non-ASCII address needs SMTPUTF8", "RFC 6531 3.5"),
        Row(
            "not-your-sender",
            "553 5.7.1 <{sender}>: Sender address rejected: not owned by user {user}",
            "RFC 6409 6.1",
        ),
        Row("no-recipients", "554 5.5.1 Error: no valid recipients", "RFC 5321 3.3"),
        Row("tls-active", "554 5.5.1 Error: TLS already active", "RFC 3207 4"),
        Row("relay-denied", "554 5.7.1 <{recipient}>: Relay access denied", "RFC 5321 3.6.2"),
        Row("unsupported", "555 5.5.4 Unsupported option: {parameter}", "RFC 5321 4.1.1.11"),
    )
}
"""Everything that the server says in one line, by name. EHLO and HELP have lists of lines."""


def make_reply(lines: str | tuple[str, ...], *, enhanced: bool = True) -> Reply:
    r"""Make a reply from its lines as on the wire, code first, without line ends.

    Only the last line's code counts. Without `enhanced` the enhanced status codes are left out.

    >>> make_reply(("250-2.0.0 one", "250 2.0.0 two"), enhanced=False).lines
    ('one', 'two')
    """
    texts = (lines,) if isinstance(lines, str) else lines
    code = int(texts[-1][:3]) if texts[-1][:3].isdigit() else None
    bodies = tuple(text[4:] for text in texts)
    if not enhanced:
        bodies = tuple(_without_enhanced(body) for body in bodies)
    return Reply(code, bodies)


def _without_enhanced(text: str) -> str:
    head, _, rest = text.partition(" ")
    return rest if Reply(250, (head,)).enhanced == head else text


def wire_lines(reply: Reply) -> bytes:
    r"""Return the octets of a reply, every line but the last with a hyphen (RFC 5321 4.2.1).

    >>> wire_lines(make_reply(("250-mail.example", "250 SIZE")))
    b'250-mail.example\r\n250 SIZE\r\n'

    The space stays where no text follows: a client may wait for it (RFC 4954 section 8).
    """
    code = f"{reply.code or 0:03}"
    last = len(reply.lines) - 1
    lines = (
        f"{code}{' ' if number == last else '-'}{line.rstrip()}"
        for number, line in enumerate(reply.lines)
    )
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")
