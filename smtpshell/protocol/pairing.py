"""Lines and their replies: what a line was taken for, what a reply answers, and who spoke too soon.

Client and server take turns (RFC 5321 section 4.3.1). A reply that comes while the line, the
message, the chunk or the group of commands that it is about is not yet whole is *early*: the server
gave up on the rest. A client that sends on where it must wait is *hasty*: before the greeting, or
behind a command that has to end a group (RFC 2920 section 3.1). Both are worth knowing, because
servers refuse for the second, and the first tells what a refusal is about.
"""

from __future__ import annotations

from collections.abc import Iterable

from smtpshell.protocol.commands import Command
from smtpshell.protocol.extensions import Extensions
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.values import dataclass

EARLY: dict[str, str] = {
    "message": "the message was not finished yet",
    "chunk": "the chunk was not finished yet",
    "command": "the command was not finished yet",
    "group": "the group of commands was not sent whole yet",
}
"""What was not whole when an early reply came, and how it is told."""

HASTY: dict[str, str] = {
    "greeting": "a command was sent before the greeting had come",
    "reply": "commands were sent where a reply had to be waited for",
}
"""What a hasty client did not wait for, and how it is told."""

INSIDE_A_GROUP = frozenset({"RSET", "MAIL", "SEND", "SOML", "SAML", "RCPT", "BDAT"})
"""Commands behind which others may follow without waiting (RFC 2920 3.1, RFC 3030 section 2)."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One line as the session understood it when it was sent.

    `shown` is the line with secrets hidden, without its line end; `kind` is as in `events.Sent`.
    `replies` is how many replies it will get, as far as is known: 0 for message data, one per
    recipient for the end of a message in LMTP.
    """

    kind: str
    verb: str
    shown: str
    ending: str = "\r\n"
    command: Command | None = None
    replies: int = 0
    out_of_order: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """How a reply was understood: the line it answers, or None when nothing waited for it."""

    outgoing: Outgoing | None
    recipient: str | None = None
    unasked: bool = False

    @property
    def verb(self) -> str | None:
        """The verb answered; None for the greeting and for unasked replies."""
        return (self.outgoing.verb or None) if self.outgoing is not None else None


@dataclass(slots=True)
class Waiting:
    """A line that waits; how many replies are `left` is known when its turn comes, 0 until then."""

    outgoing: Outgoing
    left: int = 0
    recipients: tuple[str, ...] = ()


def too_early(reply: Reply, answer: Answer, begun: str, *, unsent: bool, more: bool) -> str:
    """Return what a reply came too early for, a key of `EARLY`; "" for a reply in its time.

    `begun` is what the client had begun and not finished, `unsent` whether octets had not left yet,
    `more` whether other lines still wait for their replies.
    """
    if reply.code is None or reply.family == 3 or (answer.outgoing is None and not answer.unasked):
        return ""
    if begun == "chunk" and answer.verb == "BDAT" and not more:
        return begun
    if begun and answer.unasked:
        return begun
    if not unsent or answer.outgoing is None:
        return ""
    return "group" if more else _WHOLE.get(answer.outgoing.verb, "command")


_WHOLE = {".": "message", "BDAT": "chunk"}


def not_waited_for(waiting: Iterable[str], offered: Extensions | None, *, greeted: bool) -> str:
    """Return what a command that is sent now does not wait for, a key of `HASTY`; "" for nothing.

    `waiting` are the verbs that wait for their replies, `offered` is what the server announced.
    """
    if not greeted:
        return "greeting"
    before = frozenset(waiting)
    if not before:
        return ""
    may = offered is not None and "PIPELINING" in offered and before <= INSIDE_A_GROUP
    return "" if may else "reply"
