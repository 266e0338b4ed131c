"""The client's side of a session: octets sent and replies received, to state.

A `Session` does no input or output. It is told of every octet that is sent (`send`) and every reply
that arrives (`receive`), and keeps what follows from them: the state, the envelope, what the server
announced, who is logged in, and which commands still wait for a reply. Commands may be pipelined;
replies are matched to them in order (RFC 2920 section 3.1). A line is taken for what the server
will take it for: command, message data, an answer to a 334, or octets of a BDAT chunk.

What a line was is not always known when it is sent: lines sent behind DATA are message data only
if DATA is granted, and a line sent behind AUTH is an answer only if there is a challenge. The reply
decides; until then such lines wait in the queue, and whatever may be a secret is hidden.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from smtpshell.protocol.commands import VERBS, Command
from smtpshell.protocol.extensions import Extensions, parse_ehlo
from smtpshell.protocol.loginwatch import LoginWatch
from smtpshell.protocol.pairing import Answer, Outgoing, Waiting, not_waited_for, too_early
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.secrets import redact_answer, redact_command
from smtpshell.protocol.state import (
    BANNER,
    BDAT_LAST,
    END_OF_DATA,
    GOODBYE,
    HANDSHAKE,
    Mode,
    State,
    next_state,
)
from smtpshell.protocol.text import decode, encode
from smtpshell.protocol.values import dataclass, replace

_HELLOS = frozenset({"HELO", "EHLO", "LHLO"})
_OPENERS = frozenset({"MAIL", "SEND", "SOML", "SAML"})
_CHUNK_DIGITS = 18
CHALLENGE = 334
"""The reply that asks for the next line of a login (RFC 4954 section 4)."""
_LINE_HELD = 1 << 20
"""Octets of one unfinished line that are held; a longer line is judged by its head."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of a session at one moment.

    `recipients` were accepted in this transaction, `refused` were not. `banner` is the text of the
    greeting. `pending` counts the commands that wait for a reply. `sender` is None outside a
    transaction and "" for the null reverse-path. `trying` is the mechanism of a login under way,
    and `challenges` how many 334s it has got. `early` and `hasty` are as in `pairing`: what was not
    whole yet when the last reply came, and what the client did not wait for on this connection.
    """

    state: State = State.CLOSED
    mode: Mode = Mode.CLOSED
    target: str = ""
    address: str = ""
    port: int = 0
    banner: str | None = None
    helo: str | None = None
    esmtp: bool = False
    lmtp: bool = False
    tls: bool = False
    user: str | None = None
    mechanism: str | None = None
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    extensions: Extensions | None = None
    pending: int = 0
    trying: str | None = None
    challenges: int = 0
    early: str = ""
    hasty: str = ""

    @property
    def connected(self) -> bool:
        """Whether there is a server to talk to."""
        return self.state is not State.CLOSED


class Session:
    """The mutable record of one conversation, from the client's side."""

    def __init__(
        self, *, lmtp: bool = False, published: Callable[[str, bytes], bool] | None = None
    ) -> None:
        """Start out closed.

        `published(mechanism, line)` tells whether an AUTH argument or answer (a base64 line) holds
        only credentials that everyone may know, so that it need not be hidden.
        """
        self._published = published or (lambda _mechanism, _line: False)
        self._now = Snapshot(lmtp=lmtp)
        self._told: tuple[Snapshot, tuple[object, ...], Snapshot] | None = None
        self._forget()

    def _forget(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._partial = bytearray()
        self._octets_left = 0
        self._body_open = False
        self._greeted = False
        self._login = LoginWatch()

    # --- what is known ---------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._now.state

    @property
    def mode(self) -> Mode:
        """What the next line will be taken for."""
        if self.state is State.CLOSED:
            return Mode.CLOSED
        if self._octets_left:
            return Mode.OCTETS
        if self.state is State.DATA and self._body_open:
            return Mode.DATA
        if self.state is State.AUTH:
            return Mode.ANSWER
        return Mode.COMMAND

    @property
    def octets_left(self) -> int:
        """Octets of the current BDAT chunk that are still to be sent."""
        return self._octets_left

    @property
    def pending(self) -> int:
        """How many lines wait for a reply, the greeting included."""
        waits_for_greeting = self.state is State.GREETING and not self._greeted
        return len(self._waiting) + waits_for_greeting

    def snapshot(self) -> Snapshot:
        """Return what is known now, as a value; the same one as long as nothing changes."""
        facts = (self.mode, self.pending, self._login.mechanism, self._login.challenges)
        if self._told is None or self._told[0] is not self._now or self._told[1] != facts:
            mode, pending, trying, challenges = facts
            snapshot = replace(
                self._now, mode=mode, pending=pending, trying=trying, challenges=challenges
            )
            self._told = (self._now, facts, snapshot)
        return self._told[2]

    # --- what happens ----------------------------------------------------------------------

    def opened(self, target: str, address: str = "", port: int = 0, *, tls: bool = False) -> None:
        """Note a new connection; the greeting is awaited."""
        self._forget()
        self._now = Snapshot(
            state=State.GREETING,
            target=target,
            address=address,
            port=port,
            tls=tls,
            lmtp=self._now.lmtp,
        )

    def closed(self) -> None:
        """Note the end of the connection."""
        self._forget()
        self._set(state=State.CLOSED, sender=None, recipients=(), refused=())

    def encrypted(self) -> None:
        """Note that the channel was encrypted before the greeting (RFC 8314 section 3)."""
        self._set(tls=True)

    def tls_started(self) -> None:
        """Note a handshake: all that was learnt before it is forgotten (RFC 3207 section 4.2)."""
        self._reset_session()
        self._waiting.clear()
        self._partial.clear()
        self._octets_left = 0
        self._set(state=next_state(self.state, HANDSHAKE, 2), tls=True)

    def send(self, octets: bytes) -> list[Outgoing]:
        """Note octets as they are sent; return the lines that they complete, as understood."""
        lines: list[Outgoing] = []
        start = 0
        while start < len(octets):
            if self._octets_left:
                taken = octets[start : start + self._octets_left]
                lines += self._send_chunk_octets(taken)
                start += len(taken)
                continue
            end = octets.find(b"\n", start) + 1
            if not end:
                if len(self._partial) < _LINE_HELD:
                    self._partial += octets[start:]
                break
            line = bytes(self._partial) + octets[start:end]
            self._partial.clear()
            lines.append(self._send_line(line))
            start = end
        return lines

    def send_body(self, octets: int) -> None:
        """Note octets of a message, or of a chunk, that are streamed past line by line reading."""
        if self._octets_left:
            self._octets_left = max(0, self._octets_left - octets)

    def receive(self, reply: Reply, *, unsent: bool = False) -> Answer:
        """Note a reply, move on as the table says, and return what it answers.

        `unsent` says that octets noted as sent have not all left yet.
        """
        begun = self._begun()
        answer = self._answered(reply)
        early = too_early(reply, answer, begun, unsent=unsent, more=bool(self._waiting))
        if early != self._now.early:
            self._set(early=early)
        return answer

    def _begun(self) -> str:
        """Return what has been begun and is not whole yet."""
        if self._octets_left:
            return "chunk"
        if self._body_open and self.state is State.DATA:
            return "message"
        return "command" if self._partial else ""

    def _answered(self, reply: Reply) -> Answer:
        if self._is_greeting(reply):
            self._greeted = True
            if reply.code is not None:
                self._set(banner=reply.text)
            self._move(BANNER, reply)
            return Answer(None)
        if reply.code is None or not self._waiting:
            return Answer(None, unasked=True)
        waiting = self._waiting[0]
        if not waiting.left:
            waiting.recipients = self._reporting(waiting.outgoing)
            waiting.left = max(1, len(waiting.recipients))
        recipient = waiting.recipients[-waiting.left] if waiting.recipients else None
        waiting.left -= 1
        if not waiting.left:
            self._waiting.popleft()
            self._apply(waiting.outgoing, reply)
        return Answer(waiting.outgoing, recipient)

    def _is_greeting(self, reply: Reply) -> bool:
        """Tell whether a reply greets; one with a code may still do so behind one without."""
        if self.state is not State.GREETING:
            return False
        return not self._greeted or (reply.code is not None and not self._waiting)

    def _reporting(self, outgoing: Outgoing) -> tuple[str, ...]:
        """Return whom the replies to a line are about, one by one (RFC 2033 section 4.2)."""
        ends_message = _in_table(outgoing.verb, outgoing.command) in (END_OF_DATA, BDAT_LAST)
        return self._now.recipients if self._now.lmtp and ends_message else ()

    # --- sending ---------------------------------------------------------------------------

    def _send_chunk_octets(self, octets: bytes) -> list[Outgoing]:
        self._octets_left -= len(octets)
        pieces = octets.splitlines(keepends=True) if b"\n" in octets else [octets]
        texts = (piece.rstrip(b"\r\n") for piece in pieces)
        return [
            Outgoing("octets", "", decode(text), decode(piece[len(text) :]))
            for piece, text in zip(pieces, texts, strict=True)
        ]

    def _send_line(self, octets: bytes) -> Outgoing:
        text = octets.removesuffix(b"\n").removesuffix(b"\r")
        line, ending = decode(text), decode(octets[len(text) :])
        if self.mode is Mode.DATA:
            return self._send_data(line, ending)
        if self.mode is Mode.ANSWER or self._answers_blindly(line):
            known = self._published(self._login.mechanism or "", text)
            self._login.answered(line)
            shown = line if known else redact_answer(line)
            return self._await(Outgoing("answer", "AUTH", shown, ending, replies=1))
        return self._send_command(line, ending)

    def _answers_blindly(self, line: str) -> bool:
        """Tell whether a line follows an AUTH that has no reply yet, and so may hold a secret."""
        if not self._waiting or self._waiting[-1].outgoing.verb != "AUTH":
            return False
        return Command.parse(line).verb not in VERBS

    def _send_data(self, line: str, ending: str) -> Outgoing:
        if not _ends_data(Outgoing("end", line, line, ending)):
            return Outgoing("data", "", line, ending)
        self._body_open = False
        return self._await(Outgoing("end", END_OF_DATA, line, ending, replies=1))

    def _send_command(self, line: str, ending: str) -> Outgoing:
        command = Command.parse(line)
        verb = VERBS.get(command.verb)
        if verb is not None:
            self._login.refused = False
        elif self._login.refused and len(line.split()) == 1:
            return self._await(Outgoing("command", "", redact_answer(line), ending, replies=1))
        self._note_haste()
        legal = verb is None or self.state.name in verb.states or bool(self._waiting)
        shown = line
        if verb is not None and verb.secret and not self._is_published(command):
            shown = redact_command(line)
            command = Command.parse(shown)
        if command.verb == "BDAT":
            self._octets_left = _chunk_size(command)
        return self._await(
            Outgoing(
                "command", command.verb, shown, ending, command, replies=1, out_of_order=not legal
            )
        )

    def _is_published(self, command: Command) -> bool:
        """Note the mechanism that an AUTH tries; tell whether its initial response is no secret."""
        if command.verb != "AUTH":
            return False
        mechanism, response = self._login.begin(command.argument)
        return self._published(mechanism, encode(response))

    def _note_haste(self) -> None:
        greeted = self._greeted or self.state is not State.GREETING
        waiting = (line.outgoing.verb for line in self._waiting)
        hasty = not_waited_for(waiting, self._now.extensions, greeted=greeted)
        if hasty and not self._now.hasty:
            self._set(hasty=hasty)

    def _await(self, outgoing: Outgoing) -> Outgoing:
        count = max(1, len(self._reporting(outgoing)))
        if count != outgoing.replies:
            outgoing = replace(outgoing, replies=count)
        self._waiting.append(Waiting(outgoing))
        return outgoing

    # --- receiving -------------------------------------------------------------------------

    def _apply(self, outgoing: Outgoing, reply: Reply) -> None:
        command = outgoing.command
        verb = _in_table(outgoing.verb, command)
        if self.state is State.AUTH and reply.code != GOODBYE:
            verb = "AUTH"  # whatever was sent, the server took it for the answer to its 334
        before = self.state
        self._move(verb, reply)
        if verb == "RCPT" and command is not None:
            self._note_recipient(command, reply)
        elif self.state is not before or reply.family == 2:
            self._note_success(verb, command, reply)
        if verb == "AUTH" and reply.code == CHALLENGE:
            self._login.challenged(reply.lines[-1])
        elif verb == "AUTH":
            self._login.ended(refused=reply.is_refusal)

    def _move(self, verb: str, reply: Reply) -> None:
        self._set(state=next_state(self.state, verb, reply.family))

    def _note_recipient(self, command: Command, reply: Reply) -> None:
        address = command.address or command.argument
        if reply.family == 2:
            self._set(recipients=(*self._now.recipients, address))
        elif reply.is_refusal:
            self._set(refused=(*self._now.refused, address))

    def _note_success(self, verb: str, command: Command | None, reply: Reply) -> None:
        if verb == "DATA" and self.state is State.DATA:
            self._open_body()
        elif verb in _HELLOS and reply.family == 2:
            self._note_hello(verb, command, reply)
        elif verb in _OPENERS and reply.family == 2 and command is not None:
            self._set(sender=command.address or "", recipients=(), refused=())
        elif verb in ("RSET", END_OF_DATA, BDAT_LAST):
            self._set(sender=None, recipients=(), refused=())
        elif verb == "XCLIENT" and reply.family == 2:
            self._reset_session()
        elif verb == "AUTH" and reply.family == 2:
            self._set(user=self._login.user or "", mechanism=self._login.mechanism)

    def _open_body(self) -> None:
        """Begin message data, and count the lines sent behind DATA as part of it, up to the dot."""
        self._body_open = True
        while self._waiting and self._body_open:
            if _ends_data(self._waiting[0].outgoing):
                self._body_open = False
            else:
                self._waiting.popleft()

    def _note_hello(self, verb: str, command: Command | None, reply: Reply) -> None:
        self._set(
            helo=command.argument if command is not None else None,
            esmtp=verb != "HELO",
            lmtp=self._now.lmtp or verb == "LHLO",
            extensions=parse_ehlo(reply) if verb != "HELO" else None,
            sender=None,
            recipients=(),
            refused=(),
        )

    def logged_in_as(self, user: str) -> None:
        """Note whose login succeeded, where the operation that logged in knows it."""
        self._set(user=user)

    def _reset_session(self) -> None:
        self._set(
            helo=None,
            esmtp=False,
            extensions=None,
            user=None,
            mechanism=None,
            sender=None,
            recipients=(),
            refused=(),
        )

    def _set(self, **changes: object) -> None:
        self._now = replace(self._now, **changes)  # type: ignore[arg-type] # names are our own


def _ends_data(outgoing: Outgoing) -> bool:
    """Tell whether a line ends message data: a dot and CRLF, not LF alone (RFC 5321 2.3.8)."""
    return outgoing.verb == END_OF_DATA and outgoing.ending == "\r\n"


def _chunk_size(command: Command) -> int:
    """Return the octets that follow a BDAT command (RFC 3030 section 2); 0 when it states none."""
    size = command.argument.partition(" ")[0]
    plausible = size.isascii() and size.isdigit() and len(size) <= _CHUNK_DIGITS
    return int(size) if plausible else 0


def _in_table(verb: str, command: Command | None) -> str:
    """Return what a line is called in the table of transitions."""
    if verb == "BDAT" and command is not None and command.arguments[1:2]:
        return BDAT_LAST if command.arguments[1].upper() == "LAST" else verb
    return verb
