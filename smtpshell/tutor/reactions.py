"""What a lesson expects the server to do, compared with what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from smtpshell.protocol.events import Closed, Event, Failed, Received, TlsStarted
from smtpshell.protocol.values import dataclass, field
from smtpshell.tutor.lesson import Expected, Reaction
from smtpshell.tutor.patterns import Match, match_reply

Happening: TypeAlias = Received | str

_MISSING = {
    "closed": "the connection is still open",
    "timeout": "something answered in time",
    "refused": "the connection was not refused",
    "tls": "no TLS was met",
}


def _failure(event: Failed) -> str:
    if event.kind == "timeout":
        return "timeout"
    if event.kind == "refused":
        return "refused"
    return "tls" if event.stage == "tls" or "tls" in event.kind else ""


def happenings_of(events: Iterable[Event]) -> list[Happening]:
    """Return the replies among events, and the names of what stands in place of a reply."""
    found: list[Happening] = []
    for event in events:
        match event:
            case Received():
                found.append(event)
            case Closed():
                found.append("closed")
            case TlsStarted():
                found.append("tls")
            case Failed():
                if name := _failure(event):
                    found.append(name)
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the server's doing compares: what was captured, or the first `problem` and its line."""

    captures: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    line: int = 0
    reply: Received | None = None

    def __bool__(self) -> bool:
        return not self.problem


Comparison: TypeAlias = Callable[[Expected, Received, Mapping[str, str]], Match]


def by_text(expected: Expected, received: Received, values: Mapping[str, str]) -> Match:
    """Compare codes and texts."""
    return match_reply(expected, received.reply, values, received.command or "")


def compare(
    reactions: Iterable[Reaction],
    happenings: list[Happening],
    values: Mapping[str, str],
    comparison: Comparison = by_text,
) -> Outcome:
    """Compare what happened with what was expected, in order."""
    captures: dict[str, str] = {}
    left = list(happenings)
    last: Received | None = None
    for reaction in reactions:
        if not isinstance(reaction, Expected):
            if reaction.name not in left:
                return Outcome(captures, _MISSING[reaction.name], reaction.line, last)
            del left[: left.index(reaction.name) + 1]
            continue
        while left and isinstance(left[0], str):
            left.pop(0)
        if not left:
            problem = f"no reply came, {reaction.code} was expected"
            return Outcome(captures, problem, reaction.line, last)
        received = left.pop(0)
        assert isinstance(received, Received)
        match = comparison(reaction, received, {**values, **captures})
        last = received
        if not match:
            return Outcome(captures, match.problem, reaction.line, received)
        captures |= match.captures
    return Outcome(captures, reply=last)
