"""Events: a conversation as data.

Everything that is shown, saved, checked or taught is a sequence of these values. Each tells `at`
which moment it happened (seconds since the conversation began) and what state it left behind
(`after`). Secrets are redacted before an event is made; an event may be stored and shown freely,
except that text from the wire must pass `text.visible` before it meets a terminal.
"""

from __future__ import annotations

from smtpshell.protocol.replies import Reply
from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events share: the moment, in seconds since the start, and the state after it."""

    at: float
    after: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(Event):
    """One try to reach an address; `outcome` is a word such as "connected" or "refused"."""

    address: str
    port: int
    outcome: str
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected(Event):
    """A connection stands. `address` is the peer's; `port` is 0 for sockets without one."""

    target: str
    address: str
    port: int
    tls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Event):
    """One line that the client sent, without its line end and with secrets hidden.

    `kind` is "command", "data", "end", "answer" (to a challenge) or "octets" (of a chunk). `ending`
    holds the octets that ended the line on the wire: CRLF, or less where a user sent less.
    `oddities` say, in words, how a command departs from the grammar.
    """

    line: str
    verb: str
    kind: str
    ending: str = "\r\n"
    out_of_order: bool = False
    stuffed: bool = False
    oddities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySent(Event):
    """A message, or a chunk of one, that was streamed and is not kept line by line."""

    octets: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Event):
    """A reply. `command` is the verb that it answers, None where it answers none.

    `line` is the (redacted) command line that it answers. `unasked` marks a reply that nothing was
    waiting for. `by` names the operation that drives the dialogue, such as "auth", and is "" where
    somebody sends line by line. `recipient` names whom one of LMTP's replies after the dot is about
    (RFC 2033 section 4.2). `ms` counts from the sending of the command, or from the connection.
    """

    reply: Reply
    command: str | None
    ms: float
    line: str = ""
    unasked: bool = False
    recipient: str | None = None
    by: str = ""
    before: Snapshot

    @property
    def early(self) -> str:
        """What was not whole yet when the reply came, a key of `pairing.EARLY`; else ""."""
        return self.after.early

    @property
    def flaws(self) -> tuple[str, ...]:
        """The flaws of the reply, with that of coming too early; names from `replies.FLAWS`."""
        return (*self.reply.flaws, "early") if self.early else self.reply.flaws


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsStarted(Event):
    """The channel is encrypted. `verified` is the verdict, None where nobody gave one.

    `problems` say what is wrong with the server's certificate.
    """

    version: str
    cipher: str
    verified: bool | None
    problems: tuple[str, ...] = ()
    ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    """The connection ended, `by` "client" or "server"; `clean` after a QUIT and its 221.

    Who hung up first after a 221 is a matter of microseconds, so that end counts as the client's,
    who asked for it.
    """

    by: str
    clean: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """Something went wrong with the connection itself.

    `stage` is one of "connect", "banner", "tls", "wait", "write"; `status` the exit status that it
    leads to. `kind` names the way it failed, for the explainer.
    """

    stage: str
    status: int
    what: str
    next: str
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark(Event):
    """A note of the program's own; `kind` is "note", "warning" or "flaw"."""

    text: str
    kind: str = "note"
