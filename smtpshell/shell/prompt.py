"""The prompt: whom we talk to, then where that talk stands. It never hides the mode.

practice>                              a command is expected
practice  from ann> RCPT ...           in a transaction
practice  from ann to bob, carol>      with its recipients
message>                               message data, up to the line with a dot
answer>                                base64 for a 334; typed without echo
chunk (12 octets left)>                octets of a BDAT chunk
not connected>                         nobody is there
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.protocol.state import Mode, State
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass
from smtpshell.shell.fragments import Fragment, Line, shortened

if TYPE_CHECKING:
    from smtpshell.protocol.session import Snapshot

NAME_MOST = 40
ADDRESS_MOST = 16
RECIPIENTS_MOST = 2
NARROW = 70
"""Columns below which a transaction is told by counts alone."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What stands before the line, and what the line will be.

    `kind` is "command", "data", "answer", "octets", "closed", "local", "question"
    (of ours) or "asking" (a guest's). `secret` lines are typed without being shown.
    """

    kind: str
    line: tuple[Fragment, ...]
    secret: bool = False

    @property
    def text(self) -> str:
        """The prompt as plain text."""
        return "".join(text for _, text in self.line)


KINDS: dict[Mode, str] = {
    Mode.COMMAND: "command",
    Mode.DATA: "data",
    Mode.OCTETS: "octets",
    Mode.ANSWER: "answer",
    Mode.CLOSED: "closed",
}


def prompt_of(
    now: Snapshot, *, octets_left: int = 0, prefix: str = "", asking: str = "", width: int = 80
) -> Prompt:
    """Return the prompt for the state of the moment."""
    before: Line = [("prompt.prefix", f"{prefix}  ")] if prefix else []
    if asking:
        return Prompt("asking", (*before, ("prompt.mode", f"{asking}> ")))
    kind = KINDS[now.mode]
    return Prompt(kind, (*before, *_BODY[kind](now, octets_left, width)), secret=kind == "answer")


def local_prompt(now: Snapshot) -> Prompt:
    """Return the prompt of a local command in the middle of something else."""
    words = {"data": "message", "octets": "chunk"}.get(KINDS[now.mode], KINDS[now.mode])
    return Prompt("local", (("prompt.mode", words), ("prompt.detail", "  /command> ")))


def question_prompt(question: str, *, secret: bool) -> Prompt:
    """Return the prompt of a question."""
    return Prompt("question", (("prompt.mode", question),), secret)


def name_of(now: Snapshot) -> str:
    """Return the name of whom we talk to."""
    return shortened(visible(now.target), NAME_MOST)


def _command(now: Snapshot, _left: int, width: int) -> Line:
    line: Line = [("prompt", name_of(now))]
    if now.sender is not None:
        line.append(("prompt.detail", f"  {_transaction(now, width)}"))
    elif now.state is State.QUIT:
        line.append(("prompt.mode", "  said goodbye"))
    if now.pending:
        line.append(("prompt.mode", f"  {_awaited(now)}"))
    return [*line, ("prompt", "> ")]


def _awaited(now: Snapshot) -> str:
    return "1 reply awaited" if now.pending == 1 else f"{now.pending} replies awaited"


def _transaction(now: Snapshot, width: int) -> str:
    """Tell the envelope: names where there are few, counts where there are many."""
    count = len(now.recipients)
    if width < NARROW and count:
        return f"mail to {count}"
    sender = f"from {_short(now.sender or '')}"
    if not count:
        return sender
    if count > RECIPIENTS_MOST:
        return f"{sender} to {count}"
    return f"{sender} to {', '.join(_short(address) for address in now.recipients)}"


def _short(address: str) -> str:
    """Return an address's local part, which is what people remember; <> for none."""
    local = visible(address).rpartition("@")[0] or visible(address)
    return shortened(local, ADDRESS_MOST) if address else "<>"


def _data(_now: Snapshot, _left: int, _width: int) -> Line:
    return [("prompt.mode", "message> ")]


def _answer(_now: Snapshot, _left: int, _width: int) -> Line:
    return [("prompt.mode", "answer> ")]


def _octets(_now: Snapshot, left: int, _width: int) -> Line:
    count = f"{left} octet" if left == 1 else f"{left} octets"
    return [("prompt.mode", f"chunk ({count} left)> ")]


def _closed(_now: Snapshot, _left: int, _width: int) -> Line:
    return [("prompt.closed", "not connected> ")]


_BODY = {
    "command": _command,
    "data": _data,
    "answer": _answer,
    "octets": _octets,
    "closed": _closed,
}
