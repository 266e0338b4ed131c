"""Answers shared among all who ask the same: in flight by one question, later from a cache.

An answer is kept for its TTL, but at least a few seconds, so that one evaluation sees one DNS; a
failure is kept only that long. A question in flight is a task of its own: it goes on while anybody
waits for it, and is cancelled when the last one has gone.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.names import Labels

    Key = tuple[Labels, str]

ENTRIES: Final = 20_000
SHORTEST: Final = 5.0  # seconds a TTL of 0 is kept
FAILURE: Final = 15.0  # seconds; RFC 9520 section 3.2 asks for 1 at least and 300 at most


class Asked(NamedTuple):
    """One line of a log: what was asked, whether it cost a packet, and the answer.

    `how` is "sent", "shared" (it joined an equal question in flight) or "cached".
    """

    name: str
    rdtype: str
    how: str
    answer: Answer


@dataclass(slots=True)
class _Flight:
    """A question on its way and how many wait for it."""

    task: asyncio.Task[Answer]
    readers: int = 0


class Sharing:
    """A cache and the questions in flight, by folded name and type."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[float, Answer]] = {}
        self._flights: dict[Key, _Flight] = {}

    @property
    def in_flight(self) -> int:
        """The number of questions on their way."""
        return len(self._flights)

    def forget(self) -> None:
        """Drop what is kept; what is in flight goes on."""
        self._kept.clear()

    async def get(
        self, key: Key, ask: Callable[[], Coroutine[None, None, Answer]]
    ) -> tuple[Answer, str]:
        """Return the answer, and how it came: "cached", "shared" or "sent"."""
        expiry, kept = self._kept.get(key, (0.0, None))
        if kept is not None and expiry > time.monotonic():
            return kept, "cached"
        flight = self._flights.get(key)
        how = "sent" if flight is None else "shared"
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(self._ask(key, ask)))
        flight.readers += 1
        try:
            return await asyncio.shield(flight.task), how
        finally:
            flight.readers -= 1
            if not flight.readers or flight.task.done():
                flight.task.cancel()
                if self._flights.get(key) is flight:
                    del self._flights[key]

    async def _ask(self, key: Key, ask: Callable[[], Coroutine[None, None, Answer]]) -> Answer:
        answer = await ask()
        life = FAILURE if answer.failed else max(float(answer.ttl), SHORTEST)
        self._kept.pop(key, None)
        self._kept[key] = time.monotonic() + life, answer
        if len(self._kept) > ENTRIES:
            del self._kept[next(iter(self._kept))]
        return answer
