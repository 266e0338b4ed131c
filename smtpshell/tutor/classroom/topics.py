"""What a student may ask the teacher's server with HELP, by telnet or by any other client.

HELP takes an argument, and what a server answers to it is its own affair (RFC 5321 4.1.1.8). So the
mailbox of a world can be read, and a demonstration watched, by whoever can do no more than type:

    HELP CLASS                 whose world this is, and what the teacher said last
    HELP PORTS                 where the hosts of this world listen
    HELP DNS bob.example MX    what the name servers of this world say
    HELP MAILBOX               the mailboxes of this world
    HELP MAILBOX bob           the letters of one
    HELP MAILBOX bob 2         its second letter, as it was stored
    HELP DEMO                  the demonstration, as far as it has got
    HELP RECEIPT               the latest receipt, where the server signs some
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

from smtpshell.protocol.text import visible
from smtpshell.tutor.classroom.ports import at, name_of, places_of

if TYPE_CHECKING:
    from smtpshell.practice.world import World
    from smtpshell.tutor.classroom.room import Room

MOST_LINES = 200
QUESTIONS = ("MX", "A", "AAAA", "TXT", "CNAME", "PTR", "TLSA", "NS")

WIDEST = 490
"""Lines of one reply, and characters of each: a reply line has 512 octets (RFC 5321 4.5.3.1.5)."""


async def topic(room: Room, student: str, argument: str) -> tuple[str, ...]:
    """Return the lines of a reply, as on the wire, to HELP with an argument; none for others."""
    words = argument.split()
    tell = _TOPICS.get(words[0].upper()) if words else None
    if tell is None:
        return ()
    said = [text async for text in tell(room, student, words[1:])]
    texts = [visible(text, ascii_only=True)[:WIDEST] for text in said]
    if len(texts) > MOST_LINES:
        texts = [*texts[: MOST_LINES - 1], f"... and {len(texts) - MOST_LINES + 1} lines more"]
    *most, last = texts
    return (*(f"214-2.0.0 {text}" for text in most), f"214 2.0.0 {last}")


async def _class(room: Room, student: str, _words: list[str]) -> AsyncIterator[str]:
    if student:
        seat = room.seats[student]
        yield f"This is the world of student {student}, {seat.domain}"
        for partner in seat.partners:
            domain = room.seats[partner].domain
            yield f"Partner: {partner}; mail to bob@{domain} goes to that world"
        if seat.server.world.full:
            yield "This world is full; the teacher can give you a new one"
    else:
        yield "This world is nobody's yet. Say EHLO and your own domain"
    yield (
        f"The teacher said: {room.bulletin.said}"
        if room.bulletin.said
        else "The teacher has said nothing"
    )
    yield "HELP MAILBOX reads mail, HELP PORTS tells of other hosts, HELP DEMO shows a solution"


async def _ports(room: Room, student: str, _words: list[str]) -> AsyncIterator[str]:
    places = places_of(room, [student] if student else [])
    for place in places:
        for door in place["doors"]:
            whose = "for all" if place["event"] == "shared" else "yours alone"
            yield f"{name_of(door)} is {at(door)}, {whose}"


async def _dns(room: Room, student: str, words: list[str]) -> AsyncIterator[str]:
    server = room.seats[student].server if student else room.lobby
    name, kind = (*words, "", "")[:2]
    if server is None or not name or kind.upper() not in QUESTIONS:
        yield f"Say HELP DNS, a name and one of {' '.join(QUESTIONS)}"
        return
    answer = await server.resolver.ask(name[:WIDEST], kind.upper())
    for record in answer.records:
        parts = record if isinstance(record, tuple) else (record,)
        texts = (
            each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in parts
        )
        yield f"{answer.name} {answer.rdtype} {' '.join(map(str, texts))}"
    if not answer.records:
        yield f"{answer.name} {answer.rdtype}: {answer.status}"


async def _mailbox(room: Room, student: str, words: list[str]) -> AsyncIterator[str]:
    if not student:
        yield "Whose mailbox? Say EHLO and your own domain first"
        return
    world = room.seats[student].server.world
    if not words:
        for address, mail in world.mailboxes().items():
            yield f"{address}: {_letters(len(mail))}"
        yield "HELP MAILBOX and a name lists the letters of one"
    elif world.find_mailbox(words[0]) is None:
        yield f"There is no mailbox {words[0]} in this world"
    elif words[1:]:
        for line in _letter(world, words[0], words[1]):
            yield line
    else:
        mail = world.mailbox(words[0])
        yield f"{world.find_mailbox(words[0])}: {_letters(len(mail))}"
        for number, message in enumerate(mail, 1):
            subject = message.header("Subject") or "no subject"
            yield f"{number} from <{message.envelope.sender}>: {subject}"


def _letter(world: World, name: str, number: str) -> Iterator[str]:
    mail = world.mailbox(name)
    if not number.isdecimal() or len(number) > 6 or not 0 < int(number) <= len(mail):
        yield f"There is no letter {number}; {_letters(len(mail))} here"
        return
    message = mail[int(number) - 1]
    yield f"Letter {number} of {len(mail)}, as it was stored"
    for line in message.raw.decode("utf-8", "surrogateescape").splitlines():
        yield f"| {line.expandtabs()}"


async def _demo(room: Room, _student: str, _words: list[str]) -> AsyncIterator[str]:
    for line in room.demonstrated or ["There was no demonstration yet"]:
        yield line


async def _receipt(room: Room, student: str, _words: list[str]) -> AsyncIterator[str]:
    receipt = room.seats[student].receipt if student else ""
    if not receipt:
        yield "There is no receipt yet" if student else "Say EHLO and your own domain first"
        return
    yield "Keep this line; whoever holds the key of this server can verify it"
    yield receipt if len(receipt) <= WIDEST else "It is too long for a reply: the teacher has it"


def _letters(count: int) -> str:
    return f"{count} letter{'' if count == 1 else 's'}"


_TOPICS: dict[str, Callable[[Room, str, list[str]], AsyncIterator[str]]] = {
    "CLASS": _class,
    "PORTS": _ports,
    "DNS": _dns,
    "MAILBOX": _mailbox,
    "DEMO": _demo,
    "RECEIPT": _receipt,
}
