"""The course as a whole, and lessons of it as learners play them, mistakes included.

That each lesson is sound by itself is proven in test_proof.
"""

from __future__ import annotations

from smtpshell.tutor.library import lesson_paths
from smtpshell.tutor.reader import read_file
from tests.tutor.making import played

LESSONS = [read_file(path) for path in lesson_paths()]
DOOR = "/connect mail.practice.example:587"
HOME = ("EHLO client.example", "QUIT", "2")


def test_lessons_are_numbered_and_build_on_earlier_ones_only() -> None:
    """Each number and each id stands once, and nothing is needed that comes later."""
    numbers = [path.name.partition("-")[0] for path in lesson_paths()]
    assert len(set(numbers)) == len(numbers)
    place = {lesson.id: number for number, lesson in enumerate(LESSONS)}
    assert len(place) == len(LESSONS)
    late = [
        (lesson.id, need)
        for lesson in LESSONS
        for need in lesson.needs
        if place.get(need, -1) >= place[lesson.id]
    ]
    assert late == []


def test_every_lesson_tells_what_it_takes() -> None:
    """A learner can choose by time and level; each step leaves the teacher a note."""
    from smtpshell.tutor.lesson import Teacher

    for lesson in LESSONS:
        assert lesson.minutes > 0
        assert 1 <= lesson.level <= 4
        for step in lesson.steps:
            assert any(step.every(Teacher)), f"{lesson.id}: {step.id}"


def test_a_door_is_opened_by_the_learner_and_by_no_other_command() -> None:
    """A forgotten slash and a wrong port are told; then the right door opens."""
    run = played("ports-and-connections", DOOR[1:], "/connect mail.practice.example:24", DOOR)
    slash, port = run.said("Not yet.")
    assert "slash" in slash
    assert "what stands behind it" in port
    assert run.said("Correct.")


def test_closed_and_silent_doors_are_part_of_the_lesson() -> None:
    """A refused connection and one without a greeting are what the lesson waits for."""
    doors = ("/connect mail.practice.example:24", "2", "/connect mail.practice.example:25")
    run = played("ports-and-connections", DOOR, *HOME, *doors)
    assert not run.said("Not yet.")
    assert not any("Something else" in line for line in run.said("Note:"))
    assert run.said("Question: Nothing comes back")


def test_a_login_by_hand_survives_its_mistakes() -> None:
    """An answer that is no base64 ends the login; the learner begins it again and comes through."""
    way = ("EHLO client.example", "AUTH LOGIN", "STARTTLS", "EHLO client.example", "1")
    decoded = ("YWxpY2U=", "swordfish")
    wrong = ("AUTH LOGIN", "not base64!")
    right = ("AUTH LOGIN", "YWxpY2U=", "Y29ycmVjdCBob3JzZQ==")
    run = played("auth-plain-and-login", *way, *decoded, *wrong, *right)
    said = run.said("Not yet.")
    assert "no base64" in said[0]
    assert "first question again" in said[1]
    assert run.said("Question: Decode VXNlcm5hbWU6")


def test_undo_goes_back_behind_a_hidden_login() -> None:
    """What was hidden cannot be sent again, and the way back does not end there."""
    way = ("EHLO client.example", "AUTH PLAIN AGFsaWNlAGNvcnJlY3QgaG9yc2U=")
    stolen = ("EHLO client.example", "AUTH CRAM-MD5", "bm90IHB1Ymxpc2hlZA==")
    run = played("proof-without-password", *way, *stolen, "2", "EHLO client.example", "/undo")
    assert run.said("Note: Taken back. You are connected, encrypted")
