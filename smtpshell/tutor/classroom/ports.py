"""Where everybody sits: which address and port leads to which host of whose world.

    smtpshell classroom ports            one line for each host of the scenario
    smtpshell classroom ports 017        what student 017 types where a lesson says @connect
    smtpshell classroom ports all        a card for everybody, to be printed and cut

A lesson with several hosts names them as the world does, `open.practice.example:25`. Whoever comes
by telnet needs the port that really listens for that one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smtpshell.conversation.options import Parser
from smtpshell.protocol.text import visible
from smtpshell.tutor.classroom.asking import EVERYBODY, ask
from smtpshell.tutor.classroom.keys import DOMAIN

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.practice.server import PracticeServer
    from smtpshell.tutor.classroom.room import Room

Place = Mapping[str, Any]
"""`event` ("shared" or "seat"), `doors`; of a seat also `student`, `domain` and `partners`.

A door has the `host` and `port` of the world, and the `address` and port where it `listens`.
"""


def places_of(room: Room, students: Iterable[str] | None = None) -> list[Place]:
    """Return the shared port and the seats of an open room, all of them or those of students."""
    shared = [] if room.lobby is None else [{"event": "shared", "doors": _doors(room.lobby)}]
    seats = [
        {
            "event": "seat",
            "student": student,
            "domain": room.seats[student].domain,
            "partners": room.seats[student].partners,
            "doors": _doors(room.seats[student].server),
        }
        for student in (room.seats if students is None else students)
    ]
    return [*shared, *seats]


def _doors(server: PracticeServer) -> list[dict[str, Any]]:
    return [
        {"host": host, "port": port, "address": address, "listens": listens}
        for (host, port), (address, listens) in server.doors.items()
    ]


def overview(places: Sequence[Place], *, projected: bool = False) -> Iterator[str]:
    """Yield a line for each door of the scenario, and what a student has to know.

    Where domains hold codes they are left out if the class can see them, `projected` on a wall.
    """
    shared = next((each for each in places if each["event"] == "shared"), None)
    seats = [each for each in places if each["event"] == "seat"]
    first, last = seats[0], seats[-1]
    if not first["doors"] and shared is not None:
        yield from (f"{name_of(door)}  {at(door)} for all" for door in shared["doors"])
        if projected:
            yield "# smtpshell classroom ports all prints each student's own domain."
        else:
            yield from (f"{seat['student']}  EHLO {seat['domain']}" for seat in seats)
        return
    if shared is not None:
        ids = "" if len(seats) == 1 else f", the next {seats[1]['domain']}"
        yield f"# At the port for all the first student says EHLO {first['domain']}{ids}."
    if not _is_regular(seats):
        if shared is not None:
            yield from (f"{name_of(door)}  {at(door)} for all" for door in shared["doors"])
        for seat in seats:
            yield "  ".join((seat["student"], *(f"{name_of(d)} {at(d)}" for d in seat["doors"])))
        return
    for number, door in enumerate(first["doors"]):
        own = f"{at(door)} for {first['student']}"
        if len(seats) > 1:
            own += f", and so on, to {last['doors'][number]['listens']} for {last['student']}"
        for_all = f"{at(shared['doors'][number])} for all; " if shared is not None else ""
        yield f"{name_of(door)}  {for_all}{own}"


def _is_regular(seats: Sequence[Place]) -> bool:
    """Tell whether each student's ports are one above those of the student before."""
    return all(
        door["listens"] == seats[0]["doors"][place]["listens"] + number
        and name_of(door) == name_of(seats[0]["doors"][place])
        for number, seat in enumerate(seats)
        for place, door in enumerate(seat["doors"])
    )


def name_of(door: Mapping[str, Any]) -> str:
    """Return a door as lessons name it."""
    return f"{door['host']}:{door['port']}"


def at(door: Mapping[str, Any]) -> str:
    """Return where a door really is."""
    return f"{door['address']} port {door['listens']}"


def card(places: Sequence[Place], seat: Place) -> Iterator[str]:
    """Yield what one student has to know."""
    yield f"{seat['student']}: EHLO {seat['domain']}"
    if seat["partners"]:
        yield f"  partners: {', '.join(seat['partners'])}"
    shared = next((each for each in places if each["event"] == "shared"), None)
    for door in shared["doors"] if shared is not None and not seat["doors"] else ():
        yield f"  {name_of(door)}  {at(door)}"
    for number, door in enumerate(seat["doors"]):
        own = f"{at(door)} is yours alone"
        both = f"{at(shared['doors'][number])}, or {own}" if shared is not None else own
        yield f"  {name_of(door)}  {both}"


# --- the command --------------------------------------------------------------------------------


def main(words: list[str], settings: Settings) -> int:
    """Do `classroom ports [ID ...]`; returns the exit status."""
    parser = Parser(
        prog="smtpshell classroom ports",
        description="Tell where the hosts of the running class listen: for all, or for students.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "students", nargs="*", metavar="ID", help=f"a card for each; or {EVERYBODY}"
    )
    wanted = parser.parse_args(words).students
    places: list[Place] = asyncio.run(ask(["ports"]))["ports"]
    seats = {each["student"]: each for each in places if each["event"] == "seat"}
    labels = {each["domain"].removesuffix(f".{DOMAIN}"): name for name, each in seats.items()}
    wanted = list(seats) if wanted == [EVERYBODY] else [labels.get(each, each) for each in wanted]
    unknown = [each for each in wanted if each not in seats]
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        for place in [seats[each] for each in wanted if each in seats] if wanted else places:
            print(as_json(dict(place)))
    else:
        lines = [line for each in wanted if each in seats for line in card(places, seats[each])]
        for line in lines if wanted else overview(places):
            print(visible(line, ascii_only=settings.plain))
        for each in unknown:
            print(f"{visible(each)}: no such student.")
    return 1 if unknown else 0
