"""A room: one practice world for each student, all in one process and one loop.

A world belongs to a student in two ways, and both survive address translation. At the port that all
share (`lobby`) by a name that the student says, `s017.practice.example`. And by a port of its own,
base + 17 for student 017, which needs nothing of the client and is known before the first octet.
Worlds share nothing but the scenario, and none of them can send anything anywhere: there is no code
for that. Partners are linked: a letter to the other's domain lies in the other's world.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smtpshell.practice.clock import PracticeClock
from smtpshell.practice.server import LOOPBACK, PracticeServer
from smtpshell.protocol.errors import FileError
from smtpshell.protocol.events import Connected, Received
from smtpshell.protocol.values import dataclass, field, replace
from smtpshell.tutor.classroom.bulletin import (
    Bulletin,
    ClassSteward,
    is_of_class,
    without_teacher,
)
from smtpshell.tutor.classroom.keys import DOMAIN, Keys
from smtpshell.tutor.classroom.lobby import Lobby
from smtpshell.tutor.classroom.submission import seed_of

if TYPE_CHECKING:
    from smtpshell.practice.scenario import Host, Limits, Scenario
    from smtpshell.protocol.events import Event
    from smtpshell.tutor.classroom.following import Follower

MESSAGE = 64 * 1024
MESSAGES = 20
CONNECTIONS = 2
"""One for the student and a spare one."""

IDLE = 300.0

STEP = 1_000
"""Ports between a door of a scenario and its next one; a class has fewer students."""

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


def class_world(scenario: Scenario, farewell: str = "", student: str = "ID") -> Scenario:
    """Return a scenario with the limits of a class, and with what is said when it ends."""
    world = scenario.with_limits(class_limits(scenario.limits))
    if not farewell:
        return world
    goodbye = f"421 4.3.2 {{host}} {farewell.replace('{student}', student)}"
    return replace(world, replies={**world.replies, "shutdown": goodbye})


def students_of(count: int) -> list[str]:
    """Return the ids of a class of so many, 001 and up.

    >>> students_of(2)
    ['001', '002']
    """
    width = max(3, len(str(count)))
    return [f"{number:0{width}}" for number in range(1, count + 1)]


@dataclass(slots=True)
class Seat:
    """One student's world, and how far the student is, where there is a lesson.

    `partners` are the students whose worlds are linked with this one, `receipt` is the latest.
    """

    student: str
    domain: str
    server: PracticeServer
    partners: list[str] = field(default_factory=list)
    receipt: str = ""
    follow: Callable[[], Follower] | None = None
    follower: Follower | None = None

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The hosts of this world."""
        return self.server.scenario.hosts

    def begin(self) -> None:
        """Begin again, with a new world."""
        self.server.world.reset()
        self.follower = self.follow() if self.follow is not None else None


class Room:
    """The worlds of a class.

    Each student's world has the student's seed, and where it is `dealt`, hosts change places by it,
    if the scenario says so; otherwise they stay where a lesson that does not vary looks for them.
    Where they do change places there is no shared port: what is behind a door has to be known
    before anybody speaks.

    `farewell` is what connected students are told when the room closes, `{student}` their id.
    A `witness` is told of each step that a student has done, and gives a receipt for it. Where the
    `keys` are secret nobody has a port of their own, because that could be guessed.
    """

    def __init__(
        self,
        scenario: Scenario,
        students: Sequence[str],
        tell: Tell,
        *,
        address: str = LOOPBACK,
        followers: Mapping[str, Callable[[], Follower]] | None = None,
        farewell: str = "",
        witness: Callable[[str, tuple[str, ...], float], str] | None = None,
        keys: Keys | None = None,
        dealt: bool = True,
    ) -> None:
        self._tell = tell
        self._witness = witness
        self._closing = False
        self.keys = keys or Keys(students)
        self.bulletin = Bulletin()
        self.demonstrated: list[str] = []
        self.seats: dict[str, Seat] = {}
        world = class_world(scenario, farewell)
        shuffled = bool(world.shuffled and dealt)
        for student in students:
            clock = PracticeClock(world.clock, running=True)
            domain = self.keys.domain_of(student)
            server = PracticeServer(
                replace(class_world(scenario, farewell, student), synonyms={domain: DOMAIN}),
                seed_of(student) if shuffled or not world.shuffled else None,
                clock,
                address=address,
                steward=ClassSteward(self, student),
                certified=("localhost", address),
            )
            seat = Seat(student, domain, server, follow=(followers or {}).get(student))
            server.observer = self._observer(seat)
            self.seats[student] = seat
        lobby = replace(world, synonyms=self.keys.domains)
        self.lobby = None if shuffled else Lobby(lobby, self, address)

    async def open(self, base: int = 0) -> None:
        """Listen for all: at `base` for the class, at `base` + n for student number n.

        A scenario's second door is `STEP` above the first, and so on. Without a base, any free
        ports are taken. Raises `SmtpshellError` when a port cannot be had; then nothing listens.
        """
        worlds = () if self.keys.secret else self.seats.values()
        doors = sum(len(host.ports) for seat in worlds for host in seat.hosts)
        make_room_for(doors + 4 * len(self.seats) + 128)
        try:
            if self.lobby is not None:
                await self.lobby.start(base, STEP)
            for number, seat in enumerate(self.seats.values(), 1):
                seat.begin()
                if self.keys.secret:
                    seat.server.attend()
                else:
                    await seat.server.start(base + number if base else 0, STEP)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End everything, politely."""
        self._closing = True
        for server in self._servers:
            await server.stop(politely=True)

    def pair(self) -> list[tuple[str, ...]]:
        """Link the worlds of neighbours, two by two, an odd one with the last two; return them."""
        students = list(self.seats)
        groups = [tuple(students[at : at + 2]) for at in range(0, len(students), 2)]
        if len(groups) > 1 and len(groups[-1]) == 1:
            groups[-2:] = [groups[-2] + groups[-1]]
        for group in groups:
            for student in group:
                seat = self.seats[student]
                seat.partners = [each for each in group if each != student]
                seat.server.world.neighbours = {
                    self.seats[each].domain: self.seats[each].server.world for each in seat.partners
                }
        return groups

    # --- what the teacher says --------------------------------------------------------------

    def say(self, text: str) -> int:
        """Have a text wait for everybody's next reply; return how many are connected."""
        self.say_of("", "said", text=text)
        return self.bulletin.say(
            text, [each for server in self._servers for each in server.dialogues]
        )

    def pause(self, *, on: bool) -> None:
        """Put off whatever students do, or let them go on."""
        if on != self.bulletin.paused:
            self.bulletin.paused = on
            self.say_of("", "paused", on=on)

    def show(self, line: str) -> None:
        """Show the class one more line of the demonstration."""
        self.demonstrated.append(line)
        self.say_of("", "demo", text=line)

    def reset(self, students: Iterable[str]) -> list[str]:
        """Give students a new world, by their ids or domains; return the ids of those there are."""
        wanted = dict.fromkeys(map(self.keys.student_of, students))
        known = [student for student in wanted if student in self.seats]
        for student in known:
            self.seats[student].begin()
            self.say_of(student, "reset")
        return known

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return sum(server.connections for server in self._servers)

    @property
    def _servers(self) -> list[PracticeServer]:
        servers = [seat.server for seat in self.seats.values()]
        return servers if self.lobby is None else [self.lobby, *servers]

    def _observer(self, seat: Seat) -> Callable[[int, Event], None]:
        return lambda connection, event: self._hear(seat, connection, event)

    def _hear(self, seat: Seat, connection: int, event: Event) -> None:
        if isinstance(event, Connected):
            self.say_of(seat.student, "connected")
        elif isinstance(event, Received) and event.reply.code == _BUSY and not self._closing:
            text = event.reply.text.partition("\n")[0]
            self.say_of(seat.student, "limit", text=f"421 {text}"[:200])
        elif isinstance(event, Received) and event.reply.code == _FULL and seat.server.world.full:
            text = (
                f"452 {seat.server.world.stored} letters, and no more; reset {seat.student} helps"
            )
            self.say_of(seat.student, "limit", text=text)
        if isinstance(event, Received):
            if is_of_class(event):
                if seat.follower is not None:
                    seat.follower.forget(connection)
                return
            event = without_teacher(event)
        if seat.follower is not None:
            followed = seat.follower.hear(connection, event)
            if followed is not None:
                self.say_of(
                    seat.student,
                    "turn",
                    step=followed.step,
                    verdict=followed.verdict,
                    line=followed.line[:200],
                )
                if followed.moved:
                    self._sign(seat, seat.follower.done)
        elif isinstance(event, Received) and event.reply.is_refusal and event.line:
            self.say_of(seat.student, "turn", verdict="wrong", line=event.line[:200])

    def _sign(self, seat: Seat, steps: tuple[str, ...]) -> None:
        if self._witness is None:
            return
        try:
            seat.receipt = self._witness(seat.student, steps, time.time())
        except OSError as error:
            text = f"no receipt could be written for {seat.student}: {error.strerror}"
            self.say_of("", "trouble", text=text)

    def say_of(self, student: str, event: str, **facts: object) -> None:
        """Tell of something that a student did, or ("") the class."""
        self._tell({"at": round(time.time(), 3), "student": student, "event": event, **facts})


_BUSY, _FULL = 421, 452


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
        """Close the file; what could not be written has been told."""
        with suppress(OSError):
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
