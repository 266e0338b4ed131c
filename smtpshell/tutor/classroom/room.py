"""A room: one practice world for each student, all in one process and one loop.

A world belongs to a student by its port, base + 17 for student 017: that needs nothing of the
client, is known before the first octet, and survives address translation. Worlds share nothing but
the scenario, and none of them can send anything anywhere: there is no code for that.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smtpshell.practice.clock import PracticeClock
from smtpshell.practice.server import LOOPBACK, PracticeServer
from smtpshell.protocol.errors import FileError
from smtpshell.protocol.events import Connected, Received
from smtpshell.protocol.values import dataclass, replace
from smtpshell.tutor.classroom.submission import seed_of

if TYPE_CHECKING:
    from smtpshell.practice.scenario import Limits, Scenario
    from smtpshell.protocol.events import Event
    from smtpshell.tutor.classroom.following import Follower

MESSAGE = 64 * 1024
MESSAGES = 20
CONNECTIONS = 2
"""One for the student and a spare one."""

IDLE = 300.0

Tell = Callable[[Mapping[str, Any]], None]
"""Is told each record of the room as it happens."""


def class_limits(limits: Limits) -> Limits:
    """Return limits that are no wider than a class needs, nor than the scenario's own."""
    return replace(
        limits,
        message=min(limits.message or MESSAGE, MESSAGE),
        messages=min(limits.messages, MESSAGES),
        connections=min(limits.connections, CONNECTIONS),
        idle=min(limits.idle, IDLE),
    )


def students_of(count: int) -> list[str]:
    """Return the ids of a class of so many, 001 and up.

    >>> students_of(2)
    ['001', '002']
    """
    width = max(3, len(str(count)))
    return [f"{number:0{width}}" for number in range(1, count + 1)]


@dataclass(slots=True)
class Seat:
    """One student's world, and how far the student is, where there is a lesson."""

    student: str
    server: PracticeServer
    follow: Callable[[], Follower] | None = None
    follower: Follower | None = None

    def begin(self) -> None:
        """Begin again, with a new world."""
        self.server.world.reset()
        self.follower = self.follow() if self.follow is not None else None


class Room:
    """The worlds of a class.

    Each student's world has the student's seed. Only where `followers` go through a lesson, hosts
    that a seed would make change places stay where the lesson looks for them.
    """

    def __init__(
        self,
        scenario: Scenario,
        students: Sequence[str],
        tell: Tell,
        *,
        address: str = LOOPBACK,
        followers: Mapping[str, Callable[[], Follower]] | None = None,
    ) -> None:
        self._tell = tell
        self._closing = False
        world = scenario.with_limits(class_limits(scenario.limits))
        self.seats: dict[str, Seat] = {}
        for student in students:
            clock = PracticeClock(world.clock, running=True)
            seed = None if followers and world.shuffled else seed_of(student)
            server = PracticeServer(world, seed, clock, address=address)
            seat = Seat(student, server, (followers or {}).get(student))
            server.observer = self._observer(seat)
            self.seats[student] = seat

    async def open(self, base: int = 0) -> None:
        """Listen for all; student number n at `base` + n, or anywhere when `base` is 0.

        Raises `SmtpshellError` when a port cannot be had, and then nothing listens.
        """
        make_room_for(4 * len(self.seats) + 64)
        try:
            for number, seat in enumerate(self.seats.values(), 1):
                seat.begin()
                await seat.server.start(base + number if base else 0)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End everything, politely."""
        self._closing = True
        for seat in self.seats.values():
            await seat.server.stop(politely=True)

    def reset(self, students: Iterable[str]) -> list[str]:
        """Give students a new world; return the ids of those who have a seat."""
        known = [student for student in students if student in self.seats]
        for student in known:
            self.seats[student].begin()
            self._say(student, "reset")
        return known

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return sum(seat.server.connections for seat in self.seats.values())

    def _observer(self, seat: Seat) -> Callable[[int, Event], None]:
        return lambda connection, event: self._hear(seat, connection, event)

    def _hear(self, seat: Seat, connection: int, event: Event) -> None:
        if isinstance(event, Connected):
            self._say(seat.student, "connected")
        elif isinstance(event, Received) and event.reply.code == _BUSY and not self._closing:
            text = event.reply.text.partition("\n")[0]
            self._say(seat.student, "limit", text=f"421 {text}"[:200])
        if seat.follower is not None:
            followed = seat.follower.hear(connection, event)
            if followed is not None:
                self._say(
                    seat.student,
                    "turn",
                    step=followed.step,
                    verdict=followed.verdict,
                    line=followed.line[:200],
                )
        elif isinstance(event, Received) and event.reply.is_refusal and event.line:
            self._say(seat.student, "turn", verdict="wrong", line=event.line[:200])

    def _say(self, student: str, event: str, **facts: object) -> None:
        self._tell({"at": round(time.time(), 3), "student": student, "event": event, **facts})


_BUSY = 421


class RoomLog:
    """The log of a room: JSON lines, readable by the teacher alone, appended at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            descriptor = os.open(path, flags, 0o600)
            self._file = os.fdopen(descriptor, "a", encoding="ascii")
        except OSError as error:
            raise FileError.from_os(error, path, "write") from error

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Append a record."""
        self._file.write(json.dumps(record, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def make_room_for(files: int) -> None:
    """Let this process open more files, as far as the system allows without asking anybody."""
    try:
        import resource
    except ImportError:  # Windows counts handles, and has enough
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
