"""A student of a class, followed through every lesson of the course."""

from __future__ import annotations

import asyncio

import pytest

from smtpshell.protocol.events import Connected, Event, Sent
from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.values import replace
from smtpshell.tutor.classroom.following import Follower
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.library import lesson_paths, load
from smtpshell.tutor.performance import perform
from smtpshell.tutor.reader import read_file
from tests.tutor.classroom.attending import Telnet, open_room

LESSONS = [read_file(path) for path in lesson_paths()]
OWN = "s017.practice.example"
SEED = 5

BY_RAW_OCTETS = {"smuggling"}
"""Lessons whose letters go by a command of the shell, which a server cannot tell from mistakes."""


def as_said_by_a_student(event: Event) -> Event:
    """Return an event as if the client had greeted with the student's own domain."""

    def known(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, helo=OWN) if snapshot.helo == "client.example" else snapshot

    event = replace(event, after=known(event.after))
    if isinstance(event, Sent) and event.verb in ("HELO", "EHLO"):
        return replace(event, line=event.line.replace("client.example", OWN))
    return event


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.id for lesson in LESSONS])
def test_the_solution_of_every_lesson_is_right_under_ones_own_domain(lesson: Lesson) -> None:
    """Every turn is right, and behind the last one the lesson is done."""
    canonical = asyncio.run(perform(lesson, seed=SEED))
    assert canonical.problems == ()
    follower = Follower(lesson, canonical, SEED, OWN)
    connection = 0
    turns = []
    for event in canonical.events:
        connection += isinstance(event, Connected)
        turns.append(follower.hear(connection, as_said_by_a_student(event)))
    assert follower.step == len(lesson.steps) + 1
    assert set(follower.done) <= {step.id for step in lesson.steps}
    wrong = [turn.line for turn in turns if turn is not None and turn.verdict == "wrong"]
    assert wrong == [] or lesson.id in BY_RAW_OCTETS


def test_a_letter_has_to_be_as_the_lesson_wants_it() -> None:
    """One that does not name the king is wrong; the next one leads on, with a domain of her own."""
    king = f"From: king@palace.example\r\nTo: bob@{OWN}"

    async def scene() -> list[tuple[str, int]]:
        async with open_room(["017"], "plain", load("3")) as (room, told):
            student = await Telnet.to(room.seats["017"].server.port)
            await student.type(f"EHLO {OWN}")
            for header in (f"From: ann@{OWN}\r\nTo: bob@practice.example", king):
                lines = ("MAIL FROM:<ann@client.example>", "RCPT TO:<carol@practice.example>")
                await student.type(*lines, "DATA", f"{header}\r\n\r\nHail.\r\n.")
            return [(each["verdict"], each["step"]) for each in told if each["event"] == "turn"]

    first = [("right", 2), ("right", 2), ("right", 2), ("right", 2), ("wrong", 2)]
    assert asyncio.run(scene()) == [*first, ("again", 2), ("again", 2), ("again", 2), ("right", 4)]
