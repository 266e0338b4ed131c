"""The server's view of a session: octets of a client in, requests out, judged by the tables.

A `ServerSide` does no input or output and decides nothing about mailboxes. It is driven in circles:

    side.feed(octets)                       # whatever has arrived, cut anyhow
    while (request := side.next()):         # one complete command, message, chunk or answer
        verdict = side.judge(request)       # what the protocol alone has to say to it
        side.conclude(request, reply)       # what was really answered; the state follows that

Between `judge` and `conclude` whoever drives it may answer otherwise: a scenario, a policy. The
state moves by the table that the client's side moves by (`state.TRANSITIONS`), and whether a verb
is in order is read from the verb table, so both sides cannot come to disagree. Pipelined input
waits in the intake until its turn, because what it is depends on the reply before.

Any octets may arrive. A line longer than any rule allows is dropped and answered with 500, a
message beyond its limit is counted and dropped; what is held is bounded by these limits and by what
the caller feeds at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.protocol.commands import AUTH_LINE_ALLOWED, VERBS, Command
from smtpshell.protocol.intake import Intake, Overlong
from smtpshell.protocol.serverreplies import REPLIES, make_reply
from smtpshell.protocol.state import (
    BANNER,
    BDAT_LAST,
    END_OF_DATA,
    HANDSHAKE,
    State,
    next_state,
)
from smtpshell.protocol.text import decode, encode, visible
from smtpshell.protocol.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smtpshell.protocol.message import Counts, DataDecoder
    from smtpshell.protocol.replies import Reply
    from smtpshell.protocol.sasl import Outcome, ServerTerms
    from smtpshell.protocol.sasl.exchange import ServerExchange

LINE_STORED = AUTH_LINE_ALLOWED + 2
"""Octets of one line that are read; the longest line that any RFC allows (RFC 4954 section 4)."""

MESSAGE_STORED = 10 << 20
"""Octets of a message that are kept where no SIZE says otherwise."""

NEVER_IMPLEMENTED = frozenset(
    {"EXPN", "ETRN", "ATRN", "TURN", "BURL", "SEND", "SOML", "SAML", "XFORWARD"}
)
"""Verbs that are recognised and answered with 502, whatever is announced."""

NO_COMMAND = Command("")

Parameters = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """What kind of server this is.

    `keywords` are announced in this order; "AUTH" there marks the place of the list of mechanisms.
    `texts` replaces lines of `REPLIES` by name. `size` is the largest message in octets, 0 for what
    memory allows. `mechanisms` are offered under TLS, `clear_mechanisms` without it. `terms` makes
    the server's side of a login. A `lenient` server takes a dot between bare LFs for the end of
    message data too; one that shall `refuse_bare_lf` takes a bare LF there for an error.
    `line_by_line` reports each line of message data when it has been taken.
    """

    host: str = "mail.example"
    keywords: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    recipients: int = 100
    lmtp: bool = False
    mechanisms: tuple[str, ...] = ()
    clear_mechanisms: tuple[str, ...] = ()
    terms: Callable[[str], ServerTerms] | None = None
    lenient: bool = False
    refuse_bare_lf: bool = False
    line_by_line: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names of all keywords, those included that are not announced at every moment."""
        return frozenset(keyword.split()[0].upper() for keyword in self.keywords)

    @property
    def verbs(self) -> tuple[str, ...]:
        """The verbs that this server implements."""
        names = self.names
        return tuple(
            verb.name
            for verb in VERBS.values()
            if verb.protocol != ("smtp" if self.lmtp else "lmtp")
            and (verb.keyword is None or verb.keyword in names)
            and verb.name not in NEVER_IMPLEMENTED
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that the client asked or sent.

    `kind` is "command", "answer" (to a challenge), "line" (of message data, only if asked for),
    "end" (of message data), "chunk", "overlong" (a line that was dropped) or "bare-lf" (in message
    data where that is refused). `line` has no line end; `octets` counts what the request took.
    """

    kind: str
    line: bytes = b""
    command: Command = NO_COMMAND
    octets: int = 0
    bare_lf: bool = False

    @property
    def last(self) -> bool:
        """Whether a chunk is the last one."""
        return self.command.argument.upper().split()[1:2] == ["LAST"]

    @property
    def verb(self) -> str:
        """The verb, as the transition table names it."""
        if self.kind == "end":
            return END_OF_DATA
        if self.kind == "chunk" and self.last:
            return BDAT_LAST
        return "AUTH" if self.kind == "answer" else self.command.verb

    @property
    def ends_message(self) -> bool:
        """Whether the message is complete with this."""
        return self.verb in (END_OF_DATA, BDAT_LAST)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the protocol has to say: a reply, and the name of its row (or "ehlo", "help").

    `close` asks for the connection to be closed behind the reply.
    """

    name: str
    reply: Reply
    close: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the protocol has nothing against the request."""
        return self.reply.is_positive


@dataclass(slots=True)
class Transaction:
    """The envelope and the message under way. `refused` counts recipients that were not taken.

    `octets` counts the whole message, `content` keeps it only while it is within the limit.
    """

    sender: str | None = None
    parameters: Parameters = ()
    recipients: list[tuple[str, Parameters]] = field(default_factory=list)
    refused: int = 0
    content: bytearray = field(default_factory=bytearray)
    octets: int = 0
    counts: Counts | None = None


class ServerSide:
    """One session, seen from the server."""

    def __init__(self, profile: Profile, *, tls: bool = False, recording: bool = False) -> None:
        """Start out before the greeting; with `recording`, `heard` tells what was taken in."""
        self.profile = profile
        self.state = State.GREETING
        self.tls = tls
        self.welcome = True
        self.exchange: ServerExchange | None = None
        self.outcome: Outcome | None = None
        self.terms: ServerTerms | None = None
        self._intake = Intake(LINE_STORED, recording=recording)
        self._decoder: DataDecoder | None = None
        self._chunk: Command | None = None
        self._chunk_left = 0
        self.forget()

    def forget(self) -> None:
        """Forget greeting, login and transaction."""
        self.helo, self.user, self.mechanism = "", "", ""
        self.esmtp = False
        self.transaction = Transaction()

    # --- octets to requests -----------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Octets that have arrived and are not yet part of a request."""
        return len(self._intake)

    def feed(self, octets: bytes) -> None:
        """Take octets from the client; after QUIT they are ignored."""
        if self.state is not State.QUIT:
            self._intake.feed(octets)

    def discard(self) -> bytes:
        """Throw away what waits, as STARTTLS demands (RFC 3207 section 4.2), and return it."""
        return self._intake.discard()

    def heard(self) -> bytes:
        """Return the octets that went into requests since this was last asked."""
        return self._intake.heard()

    def next(self) -> Request | None:
        """Return the next complete request, or None when more octets are needed."""
        if self.state in (State.GREETING, State.TLS, State.QUIT):
            return None
        if self._chunk is not None:
            return self._next_chunk(self._chunk)
        if self.state is State.DATA:
            return self._next_of_data()
        return self._next_line()

    def _next_line(self) -> Request | None:
        octets = self._intake.line()
        if octets is None:
            return None
        if isinstance(octets, Overlong):
            return Request("overlong", octets=octets.octets)
        line = octets[:-1].removesuffix(b"\r")
        bare_lf = not octets.endswith(b"\r\n")
        if self.state is State.AUTH:
            return Request("answer", line, octets=len(octets), bare_lf=bare_lf)
        command = Command.parse(decode(line))
        if command.verb == "BDAT" and "CHUNKING" in self.profile.names:
            size = chunk_size(command)
            if size is not None:
                self._chunk_left = size
                return self._next_chunk(command)
        return Request("command", line, command, len(octets), bare_lf)

    def _next_chunk(self, command: Command) -> Request | None:
        taken = self._intake.take(self._chunk_left)
        self._chunk_left -= len(taken)
        self._keep(taken)
        self._chunk = command if self._chunk_left else None
        if self._chunk is not None:
            return None
        return Request("chunk", encode(command.line), command, chunk_size(command) or 0)

    def _next_of_data(self) -> Request | None:
        if self._decoder is None:
            from smtpshell.protocol.message import LENIENT, STRICT, DataDecoder

            self._decoder = DataDecoder(LENIENT if self.profile.lenient else STRICT)
        decoder = self._decoder
        while self._intake:
            piece = self._intake.piece() if self.profile.line_by_line else self._intake.take()
            self._keep(decoder.feed(piece))
            if self.profile.refuse_bare_lf and decoder.counts.bare_lf:
                self._decoder = None
                return Request("bare-lf")
            if decoder.ended:
                self._intake.give_back(decoder.rest)
                self.transaction.counts = decoder.counts
                self._decoder = None
                return Request("end", b".", octets=decoder.counts.octets)
            if self.profile.line_by_line and piece.endswith(b"\n"):
                return Request("line", piece[:-1].removesuffix(b"\r"), octets=len(piece))
        return None

    def _keep(self, octets: bytes) -> None:
        transaction = self.transaction
        transaction.octets += len(octets)
        if transaction.octets <= (self.profile.size or MESSAGE_STORED):
            transaction.content += octets
        else:
            transaction.content.clear()

    # --- judging ----------------------------------------------------------------------------

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The mechanisms offered at this moment."""
        return self.profile.mechanisms if self.tls else self.profile.clear_mechanisms

    @property
    def keywords(self) -> tuple[str, ...]:
        """What EHLO announces at this moment."""
        announced = []
        for keyword in self.profile.keywords:
            name = keyword.split()[0].upper()
            if name == "AUTH":
                if self.mechanisms:
                    announced.append(" ".join(("AUTH", *self.mechanisms)))
            elif name != "STARTTLS" or not self.tls:
                announced.append(keyword)
        return tuple(announced)

    @property
    def too_big(self) -> bool:
        """Whether the message under way has outgrown the limit."""
        return self.transaction.octets > (self.profile.size or MESSAGE_STORED)

    def say(self, name: str, **facts: object) -> Verdict:
        """Return a row of `REPLIES` as a verdict, its facts filled in."""
        line = self.profile.texts.get(name) or REPLIES[name].line
        for key, value in {"host": self.profile.host, **facts}.items():
            line = line.replace(f"{{{key}}}", visible(str(value)[:256])[:256])
        return Verdict(name, self.shape(line), close=line.startswith(("421", "521")))

    def say_lines(self, name: str, lines: tuple[str, ...]) -> Verdict:
        """Return several lines, as on the wire, as a verdict."""
        return Verdict(name, self.shape(lines))

    def shape(self, lines: str | tuple[str, ...]) -> Reply:
        """Return lines as on the wire as a reply of this server."""
        return make_reply(lines, enhanced="ENHANCEDSTATUSCODES" in self.profile.names)

    def greeting(self) -> Verdict:
        """Return the greeting."""
        return self.say("greeting-lmtp" if self.profile.lmtp else "greeting")

    def judge(self, request: Request) -> Verdict:
        """Return what the protocol has to say to a request, which may be anything."""
        from smtpshell.protocol.judging import JUDGES, form_objection

        objection = form_objection(self, request)
        if objection is not None:
            return objection
        name = {"answer": "ANSWER", "end": END_OF_DATA}.get(request.kind, request.command.verb)
        return JUDGES[name](self, request)

    # --- moving on --------------------------------------------------------------------------

    def greeted(self, reply: Reply) -> None:
        """Note the greeting that was sent; after a refusal only QUIT is welcome."""
        self.welcome = reply.family == 2
        self.state = next_state(State.GREETING, BANNER, reply.family)

    def conclude(self, request: Request, reply: Reply) -> None:
        """Note what was answered to a request, and move on as the table says."""
        if request.kind in ("line", "overlong"):
            return
        if request.kind == "bare-lf":
            self.state = State.QUIT
            return
        self.state = next_state(self.state, request.verb, reply.family)
        after = _AFTER.get(request.verb)
        if after is not None:
            after(self, request, reply)

    def handshaken(self) -> None:
        """Note a TLS handshake: everything known of the client is forgotten (RFC 3207 4.2)."""
        self.state = next_state(self.state, HANDSHAKE, 2)
        self.tls = True
        self.forget()


def _after_hello(side: ServerSide, request: Request, reply: Reply) -> None:
    if reply.family == 2:
        side.helo = request.command.argument.split(" ")[0]
        side.esmtp = request.verb != "HELO"
        side.transaction = Transaction()


def _after_mail(side: ServerSide, request: Request, reply: Reply) -> None:
    if reply.family == 2:
        side.transaction = Transaction(request.command.address or "", request.command.parameters)


def _after_rcpt(side: ServerSide, request: Request, reply: Reply) -> None:
    command = request.command
    if reply.family == 2:
        side.transaction.recipients.append((command.address or "", command.parameters))
    elif reply.is_refusal:
        side.transaction.refused += 1


def _after_message(side: ServerSide, _request: Request, reply: Reply) -> None:
    if side.state is State.READY and reply.family in (2, 4, 5):
        side.transaction = Transaction()


def _after_chunk(side: ServerSide, _request: Request, reply: Reply) -> None:
    if reply.is_refusal and side.state is not State.BDAT:
        side.transaction.content.clear()
        side.transaction.octets = 0


def _after_rset(side: ServerSide, _request: Request, reply: Reply) -> None:
    if reply.family == 2:
        side.transaction = Transaction()


def _after_auth(side: ServerSide, _request: Request, reply: Reply) -> None:
    if reply.family == 3:
        return
    if reply.family == 2 and side.exchange is not None:
        side.user = side.outcome.user if side.outcome is not None else ""
        side.mechanism = side.exchange.mechanism.name
    side.exchange = None


def _after_xclient(side: ServerSide, _request: Request, reply: Reply) -> None:
    if reply.family == 2:
        side.forget()


_AFTER: dict[str, Callable[[ServerSide, Request, Reply], None]] = {
    "HELO": _after_hello,
    "EHLO": _after_hello,
    "LHLO": _after_hello,
    "MAIL": _after_mail,
    "RCPT": _after_rcpt,
    END_OF_DATA: _after_message,
    BDAT_LAST: _after_message,
    "BDAT": _after_chunk,
    "RSET": _after_rset,
    "AUTH": _after_auth,
    "XCLIENT": _after_xclient,
}


def chunk_size(command: Command) -> int | None:
    """Return the octets that a BDAT command announces, None when it does not (RFC 3030 2)."""
    words = command.argument.split()
    digits = words[0] if words else ""
    if not digits.isascii() or not digits.isdigit() or len(digits) > 12:
        return None
    return int(digits) if len(words) == 1 or [words[1].upper(), *words[2:]] == ["LAST"] else None
