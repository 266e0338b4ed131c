"""A student of a class, followed through every lesson of the course."""

from __future__ import annotations

import asyncio

import pytest

from smtpshell.protocol.events import Connected, Event, Sent
from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.values import replace
from smtpshell.tutor.classroom.following import Follower
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.library import lesson_paths
from smtpshell.tutor.performance import perform
from smtpshell.tutor.reader import read_file

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
