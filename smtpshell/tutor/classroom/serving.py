"""`smtpshell classroom serve`: a teacher's server, with a world for each student.

Students need nothing but telnet and a port of their own. The server tells who sits where, once, and
then one line for each event that is worth a teacher's eye. It listens on loopback unless an address
is named, and on a public one only where that is asked for twice.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smtpshell.conversation.options import Parser
from smtpshell.practice.listening import check_address
from smtpshell.practice.server import LOOPBACK
from smtpshell.protocol.errors import SmtpshellError, UsageError
from smtpshell.protocol.text import visible
from smtpshell.tutor.classroom.control import ENVIRONMENT, Control, socket_path
from smtpshell.tutor.classroom.room import Room, RoomLog, students_of
from smtpshell.tutor.classroom.submission import check_student, seed_of
from smtpshell.tutor.classroom.watching import Watch, clock_of

if TYPE_CHECKING:
    import argparse

    from smtpshell.conversation.settings import Settings
    from smtpshell.practice.scenario import Scenario
    from smtpshell.tutor.classroom.following import Follower
    from smtpshell.tutor.lesson import Lesson

BASE = 2500
MOST_STUDENTS = 1_000
SUMMARY_SECONDS = 30.0


def build_parser() -> Parser:
    """Return the parser of `classroom serve`."""
    parser = Parser(
        prog="smtpshell classroom serve",
        description="Serve a practice world to each student of a class, by port. Nothing is "
        "relayed, and nobody sees another one's world.",
        epilog="Any client will do, telnet too. Published practice passwords alone: a class must "
        "never type real ones, because the network between is not the teacher's.",
        allow_abbrev=False,
    )
    parser.add_argument("--students", metavar="N", type=int, help="how many, called 001 and up")
    parser.add_argument("--roster", metavar="FILE", help="CSV with student, instead of a number")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--lesson", metavar="NAME|FILE", help="the world of a lesson, with its steps")
    what.add_argument("--scenario", metavar="NAME|FILE", help="a world alone")
    parser.add_argument(
        "--listen", metavar="ADDRESS", default=LOOPBACK, help="an IP address of this machine"
    )
    parser.add_argument(
        "--i-know", action="store_true", help="listen on an address that anybody may reach"
    )
    parser.add_argument(
        "--port",
        metavar="BASE",
        type=int,
        default=BASE,
        help=f"student 17 is at BASE+17; {BASE} by default, 0 takes any free ports",
    )
    parser.add_argument("--log", metavar="FILE", help="keep what happens, for classroom watch")
    return parser


def main(words: list[str], settings: Settings) -> int:
    """Serve until interrupted; returns the exit status."""
    options = build_parser().parse_args(words)
    students = _students(options)
    check_address(options.listen, public=options.i_know)
    if options.port and not 0 < options.port <= 65535 - len(students):
        raise UsageError(f"there are no {len(students)} ports above {options.port}", "--port")
    return asyncio.run(_serve(options, students, settings))


def _students(options: argparse.Namespace) -> list[str]:
    if options.roster:
        from smtpshell.tutor.classroom.gradebooks import read_roster

        people = read_roster(options.roster).values()
        return [check_student(person.student) for person in people]
    if options.students is None:
        raise UsageError("how many students?", "classroom serve", "Add --students N or --roster.")
    if not 1 <= options.students <= MOST_STUDENTS:
        raise UsageError(f"a class has 1 to {MOST_STUDENTS} students", "--students")
    return students_of(options.students)


async def _serve(options: argparse.Namespace, students: list[str], settings: Settings) -> int:
    scenario, followers, lesson = await _world(options, students)
    log = RoomLog(Path(options.log)) if options.log else None
    desk = Desk(settings, log)
    room = Room(scenario, students, desk, address=options.listen, followers=followers)
    control = Control(room, socket_path())
    stopped = _stop_signal()
    try:
        await room.open(options.port)
        desk.opened(room, scenario, lesson, controlled=await control.open())
        while not stopped.is_set():
            try:
                async with asyncio.timeout(SUMMARY_SECONDS):
                    await stopped.wait()
            except TimeoutError:
                desk.sum_up()
    except SmtpshellError as error:
        raise SmtpshellError(error.what, error.where, error.next, status=ENVIRONMENT) from error
    finally:
        await control.close()
        await room.close()
        if log is not None:
            log.close()
    return 0


async def _world(
    options: argparse.Namespace, students: list[str]
) -> tuple[Scenario, dict[str, Callable[[], Follower]], Lesson | None]:
    from smtpshell.practice.library import load_scenario

    if options.scenario:
        return load_scenario(options.scenario), {}, None
    from smtpshell.tutor.library import load

    lesson = load(options.lesson)
    return load_scenario(lesson.scenario), await followers_of(lesson, students), lesson


async def followers_of(lesson: Lesson, students: list[str]) -> dict[str, Callable[[], Follower]]:
    """Return, for each student, what makes a follower through the student's form of a lesson."""
    from functools import partial

    from smtpshell.tutor.classroom.following import Follower
    from smtpshell.tutor.classroom.replaying import Canonicals

    canonicals = Canonicals()
    return {
        student: partial(
            Follower, lesson, await canonicals.of(lesson, seed_of(student)), seed_of(student)
        )
        for student in students
    }


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # Windows: Ctrl-C arrives as KeyboardInterrupt
            break
    return stopped


class Desk:
    """What the teacher sees, and the log gets."""

    def __init__(self, settings: Settings, log: RoomLog | None) -> None:
        self._settings = settings
        self._log = log
        self._watch = Watch()
        self._said = ""

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Take in a record of the room."""
        if self._log is not None:
            self._log(record)
        line = self._watch.note(record)
        if self._settings.json:
            self._object(record)
        elif line:
            self._timed(line)

    def opened(
        self, room: Room, scenario: Scenario, lesson: Lesson | None, *, controlled: bool
    ) -> None:
        """Tell who sits where."""
        steps = len(lesson.steps) if lesson is not None else 0
        record = {"at": round(time.time(), 3), "event": "opened", "steps": steps}
        self._watch.note(record)
        if self._log is not None:
            self._log(record)
        for student, seat in room.seats.items():
            doors = seat.server.doors
            if self._settings.json:
                ports = [
                    {"host": host, "port": port, "address": address, "listens": listens}
                    for (host, port), (address, listens) in doors.items()
                ]
                self._object({"event": "seat", "student": student, "doors": ports})
                continue
            (address, first), *rest = doors.values()
            names = list(doors)[1:]
            others = [f"{host}:{port} at {rest[n][1]}" for n, (host, port) in enumerate(names)]
            more = f"  ({', '.join(others)})" if others else ""
            self._line(f"{student}  {address} port {first}{more}")
        if self._settings.json:
            return
        logins = ", ".join(f"{user.name} / {user.password}" for user in scenario.users)
        if logins:
            self._line(f"# Published logins: {logins}.")
        self._line(
            "# Nothing is relayed. "
            f"{'smtpshell classroom reset ID gives a new world. ' if controlled else ''}"
            "Ctrl-C stops the server."
        )

    def sum_up(self) -> None:
        """Tell where everybody is, if that is news."""
        now = time.time()
        if self._settings.json:
            return
        for line in self._watch.newly_stuck(now):
            self._timed(line)
        summary = self._watch.summary(now)
        if summary != self._said:
            self._timed(summary)
        self._said = summary

    def _timed(self, text: str) -> None:
        self._line(f"{clock_of(time.time())} {text}")

    def _line(self, text: str) -> None:
        print(visible(text, ascii_only=self._settings.plain), flush=True)

    def _object(self, facts: Mapping[str, Any]) -> None:
        from smtpshell.transcript.jsonl import as_json

        print(as_json(dict(facts)), flush=True)
