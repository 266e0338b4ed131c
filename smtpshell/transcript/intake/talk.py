"""Sessions: the two sides of a pasted conversation, played through a `Session` of our own.

Nine notations are known by the mark before each line (ours, swaks, curl, smtplib, PHPMailer,
nodemailer, Net::SMTP, MDaemon, sendmail); in telnet and `openssl s_client` nothing marks the sides,
and what begins with a code is the server's. The session then knows, like a live one, which command
each reply answers, whether TLS is on, what EHLO announced, and hides what is secret.
"""

from __future__ import annotations

import re

from smtpshell.protocol.replies import Reply
from smtpshell.protocol.session import Session
from smtpshell.protocol.state import Mode, State
from smtpshell.protocol.text import encode
from smtpshell.protocol.verbs import VERBS
from smtpshell.transcript.context import session_facts
from smtpshell.transcript.intake.found import LONGEST, Found, clean

SERVER, CLIENT = "server", "client"

_MARKED = re.compile(
    r"(?P<swaks><[-~](?:  |\* )|<\*\* | [-~*]> )"
    r"|(?P<ours>[CS]: )"
    r"|(?P<sendmail><<< |>>> )"
    r"|(?P<curl>[<>] (?=[2-5][0-9]{2}[ -]|(?i:EHLO |HELO |MAIL FROM:|RCPT TO:|DATA$|QUIT$|AUTH "
    r"|STARTTLS$|RSET$|NOOP)))"
    r"|(?P<smtplib>(?:[0-9:.]{8,20} )?(?:reply: b?['\"]|send: b?['\"]))"
    r"|(?P<phpmailer>.{0,40}(?:SERVER -> CLIENT|CLIENT -> SERVER): ?)"
    r"|(?P<nodemailer>\[[0-9T:. Z-]{10,30}\] ?[A-Z]{4,6} .{0,40}?[CS]: )"
    r"|(?P<mdaemon> ?(?:[A-Z][a-z]{2} )?[0-9-]{10} [0-9:.]{8,12}: (?:\[[0-9:]+\] )?(?:<--|-->) )"
    r"|(?P<netsmtp>Net::(?:Cmd|SMTP).{0,60}?(?:<<<|>>>) ?)"
)


def split_mark(line: str) -> tuple[str, str, str] | None:
    """Return who speaks, the words, and the notation's name; None for a line with no mark.

    >>> split_mark("<** 550 5.1.1 no")
    ('server', '550 5.1.1 no', 'swaks')
    """
    match = _MARKED.match(line)
    if match is None:
        return None
    mark, words = match[0], line[match.end() :]
    name = match.lastgroup or ""
    if name == "ours":
        side = SERVER if mark[0] == "S" else CLIENT
    elif name == "smtplib":
        side = SERVER if "reply:" in mark else CLIENT
        words = words.rstrip("'\"").replace("\\r\\n", "").replace("\\n", "")
    elif name == "phpmailer":
        side = SERVER if "SERVER -> CLIENT" in mark else CLIENT
    elif name == "nodemailer":
        side = SERVER if mark.endswith("S: ") else CLIENT
    elif name == "curl":
        side = SERVER if words[:3].isdigit() else CLIENT
    else:
        side = SERVER if "<" in mark else CLIENT
    return side, words, name


_REPLY_LINE = re.compile(r"[2-5][0-5][0-9](?:[ -]|$)")
_COMMAND_LINE = re.compile(
    r"(?i)(?:(?:EHLO|HELO|LHLO) [^\s]+|MAIL FROM: ?<?.*|RCPT TO: ?<?.*|AUTH [A-Z0-9_-]+(?: .*)?"
    r"|BDAT [0-9]+(?: LAST)?|VRFY [^ ]+|EXPN [^ ]+|STARTTLS|DATA|QUIT|RSET|NOOP|HELP)\s*$"
)

_INFO: tuple[tuple[str, str], ...] = (
    ("=== Trying ", "trying"),
    ("=== Connected to ", "connected"),
    ("=== TLS started", "tls"),
    ("# Connected to ", "connected"),
    ("# TLSv", "tls"),
    ("* Connected to ", "connected"),
    ("*   Trying ", "trying"),
    ("*  Trying ", "trying"),
    ("* SSL connection using", "tls"),
    ("Connected to ", "connected"),
    ("Trying ", "trying"),
    ("CONNECTED(", "openssl"),
    ("Escape character is", ""),
    ("Connection closed by foreign host", "end"),
    ("=== Connection closed", "end"),
    ("# Connection closed", "end"),
    ("connect: ", ""),
)
"""Remarks of the programs that hold sessions, and what each tells."""


class Talk:
    """One pasted session as far as it has been read."""

    def __init__(self) -> None:
        self._facts: dict[str, object] = {}
        self._start("")

    def _start(self, host: str) -> None:
        self.active = False
        self._session = Session()
        self._lines: list[str] = []
        self._first = 0
        self._host = host
        self._source = "session"
        self._encrypted = False

    @property
    def waits(self) -> bool:
        """Whether a reply of several lines has begun and not ended."""
        return bool(self._lines)

    @property
    def place(self) -> dict[str, object]:
        """The host and the port of the session, as far as it tells them."""
        return dict(clean({"host": self._host, **self._facts}))

    @property
    def in_data(self) -> bool:
        """Whether the client's next line is message data or an answer to a challenge."""
        return self.active and self._session.mode is not Mode.COMMAND

    def remark(self, line: str) -> bool:
        """Take a remark of a program that holds sessions; False when it is none."""
        for start, told in _INFO:
            if line.startswith(start):
                self._told(told, line[len(start) :])
                return True
        return False

    def _told(self, told: str, rest: str) -> None:
        match told:
            case "trying" | "connected":
                self._connected(rest, to_known=told == "connected")
            case "openssl":
                self._start("")
                self._encrypted = True
            case "tls":
                self._start_tls()
            case "end":
                self._start("")
            case _:
                pass

    def _connected(self, rest: str, *, to_known: bool) -> None:
        """Begin a session with the host named; what "Trying" told stays true once connected."""
        word = rest.split(None, 1)[0].rstrip(".,") if rest.strip() else ""
        host, _, port = word.partition(":")
        known, facts = (self._host, self._facts) if to_known else ("", {})
        self._start(known if known and host[:1].isdigit() else host)
        self._facts = {"port": int(port[:5])} if port.isdecimal() else facts
        self._open(greeting=True)

    def _open(self, *, greeting: bool) -> None:
        self._session.opened(self._host, tls=self._encrypted)
        self.active = True
        if not greeting:
            self._session.receive(Reply(220, ("",)))

    def _start_tls(self) -> None:
        if not self.active:
            self._encrypted = True
        elif self._session.state is State.TLS:
            self._session.tls_started()
        else:
            self._session.encrypted()

    def client(self, words: str) -> None:
        """Take a line of the client's."""
        self._lines.clear()
        if not self.active:
            self._open(greeting=False)
        if self._session.state is State.TLS:
            self._session.tls_started()
        self._session.send(encode(words[:LONGEST]) + b"\r\n")

    def server(self, words: str, number: int, source: str = "") -> Found | None:
        """Take a line of the server's; return the reply that it completes."""
        if not self._lines:
            self._first = number
            self._source = source or self._source
        if len(self._lines) < 500:
            self._lines.append(words[:LONGEST])
        if words[3:4] == "-":
            return None
        code = int(words[:3])
        reply = Reply(code, tuple(line[4:] for line in self._lines))
        self._lines.clear()
        if not self.active:
            if code != 220:
                return Found(self._first, self._source or "reply", reply)
            self._open(greeting=True)
        return self._answered(reply)

    def _answered(self, reply: Reply) -> Found:
        before = self._session.snapshot()
        answer = self._session.receive(reply)
        facts = {**session_facts(before), **self._facts}
        verb = answer.verb
        if verb is None and not answer.unasked:
            verb = "CONNECT"
            facts["banner"] = reply.text
        in_message = self._session.snapshot().early in ("message", "chunk")
        # Many programs leave out message data, and the dot with it: that is not the server's haste.
        facts["verb"] = "MESSAGE" if verb == "." or in_message else verb
        facts["quoted"] = True
        facts["line"] = answer.outgoing.shown if answer.outgoing is not None else ""
        facts["tls"] = before.tls if before.banner is not None else before.tls or None
        return Found(self._first, self._source, reply, facts=clean(facts))

    def cut(self) -> Found | None:
        """Return the reply that was begun when the text ended, or None."""
        if not self._lines:
            return None
        last = self._lines.pop()
        return self.server(f"{last[:3]} {last[4:]}", self._first)


def is_reply_line(line: str) -> bool:
    """Tell whether a line without a mark is a server's."""
    return _REPLY_LINE.match(line) is not None


def is_command_line(line: str) -> bool:
    """Tell whether a line without a mark is a command of a client's."""
    return line[:4].upper() in _FOURS and _COMMAND_LINE.match(line) is not None


_FOURS = frozenset(name[:4] for name in VERBS)
