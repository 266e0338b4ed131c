"""The last thing that went wrong, and what it followed from.

Not every refusal is a cause of its own. A server that refuses MAIL answers the RCPT behind it with
503, and DATA with "no valid recipients"; one that says why and hangs up leaves a broken connection
behind. What a user wants explained is the first of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smtpshell.protocol.events import Connected, Event, Failed, Received
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from smtpshell.knowledge.explanation import Explanation
    from smtpshell.protocol.session import Snapshot

_FOLLOWED_FROM = {"RCPT": ("MAIL",), "DATA": ("RCPT", "MAIL"), "BDAT": ("RCPT", "MAIL")}
"""For a command that came to nothing: those whose refusal explains it, the nearest first."""

_OUT_OF_ORDER = 503
_HANGING_UP = ("closed", "reset")


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of a trouble, by whose numbers checks are asked for.

    `before` is how the session stood, with the server it was about; `line` what was refused.
    `newest` is the last trouble when that was said, or when the last of its checks had ended: as
    long as nothing new has gone wrong, the numbers stand.
    """

    explanation: Explanation
    before: Snapshot
    line: str
    newest: Event | None


def last_trouble(events: Sequence[Event]) -> Event | None:
    """Return the last refusal or failure, or the refusal that it followed from."""
    newest = newest_trouble(events)
    if newest is None:
        return None
    before = events[: next(at for at, event in enumerate(events) if event is newest)]
    if isinstance(newest, Failed):
        return _said_before(before, newest) or newest
    return _root(before, newest) or newest


def newest_trouble(events: Sequence[Event]) -> Failed | Received | None:
    """Return the last refusal, or the last failure of the connection, whichever came later."""
    for event in reversed(events):
        if isinstance(event, Failed) or (isinstance(event, Received) and event.reply.is_refusal):
            return event
    return None


def is_past(events: Sequence[Event], trouble: Event) -> bool:
    """Tell whether another connection has been made since: what is known now is not about it."""
    for event in reversed(events):
        if event is trouble:
            return False
        if isinstance(event, Connected):
            return True
    return True


def _said_before(events: Sequence[Event], failed: Failed) -> Received | None:
    """Return the refusal that the server hung up behind; None where its last word was none."""
    if failed.kind not in _HANGING_UP:
        return None
    last = next((each for each in _of_connection(events) if isinstance(each, Received)), None)
    return last if last is not None and last.reply.is_refusal else None


def _root(events: Sequence[Event], refused: Received) -> Received | None:
    """Return the refusal of an earlier command that left this one without its ground."""
    lacking = refused.before.sender is None or not refused.before.recipients
    before = _FOLLOWED_FROM.get(refused.command or "", ())
    if not lacking or not (refused.reply.code == _OUT_OF_ORDER or "RCPT" in before):
        return None
    replies = [each for each in _of_connection(events) if isinstance(each, Received)]
    for verb in before:
        last = next((each for each in replies if each.command == verb), None)
        if last is not None and last.reply.is_refusal and last.reply.code != _OUT_OF_ORDER:
            return last
    return None


def _of_connection(events: Sequence[Event]) -> list[Event]:
    """Return the events of the last connection, newest first."""
    found: list[Event] = []
    for event in reversed(events):
        if isinstance(event, Connected):
            break
        found.append(event)
    return found
