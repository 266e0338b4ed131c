"""The practice clock: time as an input, so that five minutes can pass at once.

A lesson on greylisting must not wait five minutes, and a test must give the same bytes each time
that it runs. So the practice server never looks at the wall: it reads a clock that stands still
until somebody moves it, and whoever waits for a moment is woken when it is reached. A delay of the
server's own (a slow banner) moves the clock and takes no time. Where other programs are served, and
their time-outs are what is tested, the clock is made to run, and a delay is a real one.
"""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = r"\+?([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(ms|s|m|h|d)"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def parse_duration(text: str) -> float:
    """Return the seconds that a text such as "200ms", "8s", "+6m" or "2h" stands for.

    Raises `ValueError` for anything else.
    """
    match = re.fullmatch(_DURATION, text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration; write it as 200ms, 8s, 5m, 2h or 1d")
    return float(match[1]) * _UNITS[match[2]]


def describe_duration(seconds: float) -> str:
    """Return seconds in the largest unit that gives a whole number.

    >>> describe_duration(300), describe_duration(0.2)
    ('5m', '200ms')
    """
    for unit in ("d", "h", "m", "s"):
        if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:g}s"


def parse_moment(text: str) -> float:
    """Return seconds since 1970 for an ISO 8601 moment; without an offset it is UTC.

    Raises `ValueError` when the text is none.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def mail_date(moment: float) -> str:
    """Return a moment as a date of RFC 5322 section 3.3, in UTC and in English.

    >>> mail_date(1893834000)
    'Sun, 05 Jan 2030 09:00:00 +0000'
    """
    then = time.gmtime(moment)
    return (
        f"{_DAYS[then.tm_wday]}, {then.tm_mday:02} {_MONTHS[then.tm_mon - 1]} {then.tm_year}"
        f" {then.tm_hour:02}:{then.tm_min:02}:{then.tm_sec:02} +0000"
    )


class PracticeClock:
    """A clock that stands still until it is moved, or that runs when `running` is true.

    `start` is in seconds since 1970, UTC.
    """

    def __init__(self, start: float = 0.0, *, running: bool = False) -> None:
        self._moment = start
        self._since = time.monotonic() if running else None
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    @property
    def running(self) -> bool:
        """Whether time passes by itself."""
        return self._since is not None

    def now(self) -> float:
        """Return the moment that the clock shows, in seconds since 1970."""
        if self._since is None:
            return self._moment
        return self._moment + time.monotonic() - self._since

    def advance(self, seconds: float) -> None:
        """Move the clock forward and wake whoever waited for the moments passed."""
        self._moment += max(0.0, seconds)
        self._wake()

    def set(self, moment: float) -> None:
        """Put the clock to a moment, also an earlier one, as the undoing of a step does."""
        self._moment = moment
        if self._since is not None:
            self._since = time.monotonic()
        self._wake()

    async def delay(self, seconds: float) -> None:
        """Spend time: on a running clock by waiting, on a still one by moving it."""
        if self._since is not None:
            await asyncio.sleep(seconds)
        else:
            self.advance(seconds)
            await asyncio.sleep(0)

    async def wait_until(self, moment: float) -> None:
        """Return when the clock shows the moment, however it gets there."""
        while (left := moment - self.now()) > 0:
            woken = asyncio.get_running_loop().create_future()
            entry = (moment, woken)
            self._waiting.append(entry)
            try:
                await asyncio.wait_for(woken, left if self.running else None)
            except TimeoutError:
                continue
            finally:
                self._waiting.remove(entry)

    def _wake(self) -> None:
        now = self.now()
        for moment, woken in self._waiting:
            if moment <= now and not woken.done():
                woken.set_result(None)
