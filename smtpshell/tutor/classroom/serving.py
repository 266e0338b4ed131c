"""`smtpshell classroom serve`: a teacher's server, with a world for each student.

Students need nothing but telnet, and a domain or a port of their own. The server tells who sits
where, once, and then one line for each event that is worth a teacher's eye. It listens on loopback
unless an address is named, and on a public one only where that is asked for twice.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.options import Parser
from smtpshell.practice.listening import check_address
from smtpshell.practice.server import LOOPBACK
from smtpshell.protocol.errors import FileError, SmtpshellError, UsageError
from smtpshell.tutor.classroom.asking import ENVIRONMENT, socket_path
from smtpshell.tutor.classroom.control import Control
from smtpshell.tutor.classroom.demo import Demo
from smtpshell.tutor.classroom.desk import Desk
from smtpshell.tutor.classroom.keys import Keys, code_maker
from smtpshell.tutor.classroom.receipts import Witness, load_key
from smtpshell.tutor.classroom.room import STEP, Room, RoomLog, students_of
from smtpshell.tutor.classroom.submission import check_student, seed_of

if TYPE_CHECKING:
    import argparse

    from smtpshell.conversation.settings import Settings
    from smtpshell.practice.scenario import Scenario
    from smtpshell.tutor.classroom.following import Follower
    from smtpshell.tutor.lesson import Lesson

BASE = 2500
MOST_STUDENTS = STEP - 1
SUMMARY_SECONDS = 30.0


def build_parser() -> Parser:
    """Return the parser of `classroom serve`."""
    parser = Parser(
        prog="smtpshell classroom serve",
        description="Serve a practice world to each student of a class. Nothing is relayed, and\n"
        "nobody sees another one's world. Whose world it is, is said by the client:\n\n"
        "  at port BASE     by the student's own domain, s017.practice.example, in EHLO, HELO,\n"
        "                   MAIL or RCPT, or by a login as alice@s017.practice.example\n"
        "  at port BASE+17  by the port, where a lesson is about the banner\n\n"
        f"A scenario's second host is {STEP} ports above the first, and so on; classroom ports\n"
        "tells which is where.",
        epilog="Any client will do, telnet too. Published practice passwords alone: a class must\n"
        "never type real ones, because the network between is not the teacher's. A domain is a\n"
        "name and no password: whoever says s018 is in the world of 018.",
        allow_abbrev=False,
    )
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--students", metavar="N", type=int, help="how many, called 001 and up")
    who.add_argument("--roster", metavar="FILE", help="CSV with student, instead of a number")
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
        help=f"all are at BASE, student 17 at BASE+17; {BASE} by default, 0: any free ports",
    )
    parser.add_argument(
        "--codes",
        action="store_true",
        help="for exams: domains that cannot be guessed, and no ports of one's own",
    )
    parser.add_argument(
        "--pairs", action="store_true", help="link neighbours: each can write to the other's domain"
    )
    parser.add_argument("--log", metavar="FILE", help="keep what happens, for classroom watch")
    parser.add_argument(
        "--ca-file",
        metavar="FILE",
        type=Path,
        help="write the authority that students' programs need, to trust the certificates",
    )
    parser.add_argument(
        "--receipts", metavar="FILE", help="sign who has done which step, for grade --receipts"
    )
    return parser


def main(words: list[str], settings: Settings) -> int:
    """Serve until interrupted; returns the exit status."""
    options = build_parser().parse_args(words)
    students = _students(options)
    check_address(options.listen, public=options.i_know)
    if not 0 <= options.port <= 65535 - len(students):
        raise UsageError(f"there are no {len(students)} ports above {options.port}", "--port")
    return asyncio.run(_serve(options, students, settings))


def _students(options: argparse.Namespace) -> list[str]:
    if options.roster:
        from smtpshell.tutor.classroom.roster import read_roster

        people = read_roster(options.roster).values()
        students = [check_student(person.student) for person in people]
    elif options.students is None:
        raise UsageError(
            "the number of students is missing", "classroom serve", "Add --students N or --roster."
        )
    else:
        students = students_of(min(options.students, MOST_STUDENTS + 1))
    if not 1 <= len(students) <= MOST_STUDENTS:
        raise UsageError(f"a class has 1 to {MOST_STUDENTS} students", "classroom serve")
    return students


async def _serve(options: argparse.Namespace, students: list[str], settings: Settings) -> int:
    codes = code_maker(load_key(create=True)) if options.codes else None
    keys = Keys(students, codes)
    scenario, followers, lesson = await _world(options, keys)
    _check(options, keys, scenario, lesson)
    log = RoomLog(Path(options.log)) if options.log else None
    witness = _witness(options, lesson)
    desk = Desk(settings, log)
    room = Room(
        scenario,
        students,
        desk,
        address=options.listen,
        followers=followers,
        farewell=farewell(lesson),
        witness=witness,
        keys=keys,
        dealt=_is_dealt(lesson),
    )
    if options.ca_file is not None:
        _write_authority(options.ca_file)
    if options.pairs:
        room.pair()
    control = Control(room, socket_path(), Demo(room, lesson), desk)
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
        for each in (log, witness):
            if each is not None:
                each.close()
    return 0


def _write_authority(path: Path) -> None:
    from smtpshell.practice.certificates import authority_pem

    try:
        path.write_text(authority_pem(), encoding="ascii")
    except OSError as error:
        raise FileError.from_os(error, path, "write") from error


def _witness(options: argparse.Namespace, lesson: Lesson | None) -> Witness | None:
    if not options.receipts or lesson is None:
        return None
    key = load_key(create=True)
    return Witness(Path(options.receipts), key, lesson.id, lesson.digest)


def _is_dealt(lesson: Lesson | None) -> bool:
    """Tell whether each student has another form of the world, where the scenario has several."""
    return lesson is None or lesson.varies


def _check(
    options: argparse.Namespace, keys: Keys, scenario: Scenario, lesson: Lesson | None
) -> None:
    """Raise `UsageError` for options that do not go together."""
    if options.codes and options.pairs:
        raise UsageError("partners would learn the codes", "--codes --pairs", "Choose one.")
    if options.codes and scenario.shuffled and _is_dealt(lesson):
        advice = "Students need ports of their own."
        raise UsageError("the hosts of this world change places", "--codes", advice)
    if options.receipts and lesson is None:
        raise UsageError("receipts are for the steps of a lesson", "--receipts", "Add --lesson.")
    hosts = {name.casefold() for host in scenario.hosts for name in (host.name, *host.accepts)}
    if taken := hosts & set(keys.domains):
        name = min(taken)
        raise UsageError(f"a student's domain would be the host {name}", next="Choose other ids.")
    doors = sum(len(host.ports) for host in scenario.hosts)
    last = options.port + STEP * (doors - 1) + len(keys.students)
    if options.port and last > 65535:
        raise UsageError(
            f"this world has {doors} doors, and the last port would be {last}",
            "--port",
            f"Choose one up to {65535 - last + options.port}, or 0 for any free ones.",
        )


def farewell(lesson: Lesson | None) -> str:
    """Return what students are told who are connected when the server ends."""
    if lesson is None:
        return "The class is over"
    alone = f"SMTPSHELL_STUDENT={{student}} smtpshell lesson {lesson.id}"
    return f"The class is over; go on alone: {alone}"


async def _world(
    options: argparse.Namespace, keys: Keys
) -> tuple[Scenario, dict[str, Callable[[], Follower]], Lesson | None]:
    from smtpshell.practice.library import load_scenario

    if options.scenario:
        return load_scenario(options.scenario), {}, None
    from smtpshell.tutor.library import load

    lesson = load(options.lesson).as_written()
    return load_scenario(lesson.scenario), await followers_of(lesson, keys), lesson


async def followers_of(lesson: Lesson, keys: Keys) -> dict[str, Callable[[], Follower]]:
    """Return, for each student, what makes a follower through the student's form of a lesson."""
    from functools import partial

    from smtpshell.tutor.classroom.following import Follower
    from smtpshell.tutor.classroom.replaying import Canonicals

    canonicals = Canonicals()
    return {
        student: partial(
            Follower,
            lesson,
            await canonicals.of(lesson, seed_of(student)),
            seed_of(student),
            keys.domain_of(student),
        )
        for student in keys.students
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
