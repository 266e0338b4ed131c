"""The port that a class shares: whose world it is, is said by the client."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.practice.library import load_scenario
from smtpshell.protocol.values import replace
from smtpshell.tutor.classroom.keys import Keys, code_maker
from smtpshell.tutor.classroom.room import Room, students_of
from smtpshell.tutor.library import load
from tests.tutor.classroom.attending import Telnet, open_room


def shared(room: Room) -> int:
    """Return the shared port of a room."""
    assert room.lobby is not None
    return room.lobby.port


def held(room: Room, student: str) -> int:
    """Return how much mail lies in a student's world."""
    return room.seats[student].server.world.stored


@pytest.mark.parametrize(
    ("hello", "sender", "recipient"),
    [
        ("HELO s002.practice.example", "a@client.example", "bob@practice.example"),
        ("EHLO S002.Practice.Example", "a@client.example", "bob@practice.example"),
        ("EHLO laptop.s002.practice.example", "", "bob@practice.example"),
        ("EHLO client.example", "a@s002.practice.example", "bob@practice.example"),
        ("EHLO client.example", "a@client.example", "bob@s002.practice.example"),
    ],
)
def test_the_first_key_decides(hello: str, sender: str, recipient: str) -> None:
    """Said in the greeting, the sender or the recipient, it leads into the student's world."""

    async def scene() -> tuple[str, list[int]]:
        async with open_room(students_of(3)) as (room, _):
            student = await Telnet.to(shared(room))
            lines = (
                hello,
                f"MAIL FROM:<{sender}>",
                f"RCPT TO:<{recipient}>",
                "DATA",
                "Hello.\r\n.",
            )
            reply = await student.type(*lines)
            return reply, [held(room, each) for each in room.seats]

    reply, mail = asyncio.run(scene())
    assert reply.startswith("250 2.0.0")
    assert mail == [0, 1, 0]


def test_a_key_decides_once_and_for_all() -> None:
    """Another student's domain later on is nothing but a domain elsewhere."""

    async def scene() -> tuple[str, str, list[int]]:
        async with open_room(students_of(2)) as (room, _):
            student = await Telnet.to(shared(room))
            await student.type("EHLO s001.practice.example", "EHLO s002.practice.example")
            done = await student.letter("bob@practice.example")
            line = "RCPT TO:<bob@s002.practice.example>"
            refused = await student.type("MAIL FROM:<a@client.example>", line)
            return done, refused, [held(room, each) for each in room.seats]

    done, refused, mail = asyncio.run(scene())
    assert done.startswith("250 ")
    assert refused.startswith("554 5.7.1")
    assert mail == [1, 0]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_login_decides_too(mechanism: str) -> None:
    """The user name with the student's domain, as a mail program is set up, over TLS."""
    import smtplib
    import ssl

    def program(port: int) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP("127.0.0.1", port, local_hostname="[192.0.2.9]", timeout=10) as client:
            client.starttls(context=context)
            client.ehlo()
            client.user, client.password = "alice@s002.practice.example", "correct horse"
            client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
            client.sendmail(
                "alice@practice.example", ["bob@practice.example"], "Subject: x\r\n\r\n"
            )

    async def scene() -> tuple[list[int], list[Any]]:
        async with open_room(students_of(2), "submission") as (room, told):
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, program, shared(room))
            events = [(each["student"], each["event"]) for each in told]
            return [held(room, each) for each in room.seats], events

    mail, events = asyncio.run(scene())
    assert mail == [0, 1]
    assert events == [("002", "connected")]


def test_a_published_login_under_ones_own_name_is_no_secret() -> None:
    """It may be shown and logged; any other password is hidden under every name."""
    from smtpshell.practice.accounts import is_published

    scenario = replace(
        load_scenario("submission"), synonyms={"s001.practice.example": "practice.example"}
    )
    for name in ("alice", "alice@practice.example", "alice@s001.practice.example"):
        for password, known in (("correct horse", True), ("secret", False)):
            line = b64encode(f"\0{name}\0{password}".encode())
            assert is_published(scenario, "PLAIN", line) is known
    line = b64encode(b"\0alice@s002.practice.example\0correct horse")
    assert not is_published(scenario, "PLAIN", line)


def test_a_login_under_a_strange_name_fails() -> None:
    """No key makes up for a wrong password, and none is made up for a name."""

    async def scene() -> list[str]:
        async with open_room(students_of(1), "submission") as (room, _):
            assert room.lobby is not None
            student = await Telnet.to(room.lobby.doors["mail.practice.example", 25][1])
            await student.type("EHLO client.example")
            wrong = b64encode(b"\0alice@s001.practice.example\0wrong").decode()
            return [await student.type(f"AUTH PLAIN {wrong}"), await student.type("NOOP")]

    refused, after = asyncio.run(scene())
    assert refused[0] == "5"
    assert after.startswith("250")


def test_whoever_says_no_key_gets_no_recipient() -> None:
    """The reply says what to do, doing it helps, and the teacher is told."""

    async def scene() -> tuple[str, str, list[Any]]:
        async with open_room(students_of(1)) as (room, told):
            student = await Telnet.to(shared(room))
            refused = await student.type("HELO client.example", "MAIL FROM:<>", RECIPIENT)
            then = await student.type("HELO s001.practice.example", "MAIL FROM:<>", RECIPIENT)
            return refused, then, [each for each in told if each["event"] == "stranger"]

    refused, then, strangers = asyncio.run(scene())
    assert refused.startswith("550 5.7.1")
    assert "EHLO sID.practice.example" in refused
    assert then.startswith("250")
    assert [(each["student"], each["text"]) for each in strangers] == [("", "")]


RECIPIENT = "RCPT TO:<bob@practice.example>"


def test_a_key_that_nobody_has_is_refused_and_told() -> None:
    """With the id that was meant, where one comes close."""

    async def scene() -> tuple[str, str, list[Any]]:
        async with open_room(students_of(2)) as (room, told):
            student = await Telnet.to(shared(room))
            close = await student.type("EHLO s2.practice.example")
            far = await student.type("HELO s999.practice.example")
            return close, far, [each["text"] for each in told]

    close, far, told = asyncio.run(scene())
    assert close == "550 5.7.1 Access denied: nobody in this class is s2: are you s002?"
    assert far.startswith("550 5.7.1 Access denied: nobody in this class is s999")
    assert told == ["s2", "s999"]


def test_two_connections_of_a_student_share_a_world_and_a_third_is_turned_away() -> None:
    """Whether they came by the shared port or by the student's own."""

    async def scene() -> tuple[int, str, str, list[str]]:
        async with open_room(students_of(2)) as (room, told):
            one = await Telnet.to(shared(room))
            two = await Telnet.to(room.seats["001"].server.port)
            await one.type("EHLO s001.practice.example")
            for each in (one, two):
                await each.type("EHLO s001.practice.example")
                await each.letter("bob@practice.example")
            third = await Telnet.to(shared(room))
            refused = await third.type("EHLO s001.practice.example")
            gone = await third.reply()
            return held(room, "001"), refused, gone, [each["event"] for each in told]

    mail, refused, gone, events = asyncio.run(scene())
    assert mail == 2
    assert refused.startswith("421 4.7.0")
    assert gone == ""
    assert "limit" in events


def test_a_lesson_is_followed_with_the_students_own_domain() -> None:
    """It stands for the lesson's client and for its server, from the greeting on."""

    async def scene() -> list[tuple[Any, ...]]:
        lesson = load("1")
        async with open_room(students_of(2), lesson.scenario, lesson) as (room, told):
            student = await Telnet.to(shared(room))
            await student.type("HELO s002.practice.example")
            await student.type("MAIL FROM:<ann@s002.practice.example>")
            await student.type(
                "RCPT TO:<bob@s002.practice.example>", "RCPT TO:<carol@practice.example>"
            )
            await student.type("DATA", "Subject: x\r\n\r\nA text.\r\n.", "QUIT")
            turns = [each for each in told if each["event"] == "turn"]
            return [(each["student"], each["verdict"], each["step"]) for each in turns]

    turns = asyncio.run(scene())
    assert {turn[:2] for turn in turns} == {("002", "right")}
    assert turns[-1][2] == 6


def test_what_came_before_the_key_is_told_as_well() -> None:
    """The teacher sees a wrong line that was typed before anybody knew whose it was."""

    async def scene() -> list[tuple[Any, ...]]:
        lesson = load("1")
        async with open_room(["001"], lesson.scenario, lesson) as (room, told):
            student = await Telnet.to(shared(room))
            await student.type("HELLO s001.practice.example", "HELO s001.practice.example")
            return [(each["event"], each.get("verdict"), each.get("line")) for each in told]

    assert asyncio.run(scene()) == [
        ("connected", None, None),
        ("turn", "wrong", "HELLO s001.practice.example"),
        ("turn", "right", "HELO s001.practice.example"),
    ]


def test_every_host_of_a_scenario_has_a_shared_door() -> None:
    """The second one is as far above the first for all as it is for each student."""

    async def scene() -> tuple[str, list[int]]:
        async with open_room(students_of(2), "rcpt") as (room, _):
            assert room.lobby is not None
            student = await Telnet.to(room.lobby.doors["open.practice.example", 25][1])
            await student.type("EHLO s002.practice.example")
            reply = await student.letter("zoe@elsewhere.example")
            return reply, [held(room, each) for each in room.seats]

    reply, mail = asyncio.run(scene())
    assert reply.startswith("250 ")
    assert mail == [0, 1]


def test_worlds_whose_hosts_change_places_are_not_shared() -> None:
    """What stands behind a door would have to be known before anybody speaks."""

    async def scene() -> bool:
        async with open_room(students_of(2), "clinic") as (room, _):
            return room.lobby is None

    assert asyncio.run(scene())


def test_rules_take_the_students_domain_for_their_own() -> None:
    """A recipient that a scenario treats in its own way is treated so under any of its names."""

    async def scene() -> tuple[str, str]:
        async with open_room(students_of(1), "rcpt") as (room, _):
            student = await Telnet.to(room.seats["001"].server.port)
            await student.type("EHLO client.example", "MAIL FROM:<>")
            usual = await student.type("RCPT TO:<dora@practice.example>")
            own = await student.type("RCPT TO:<dora@s001.practice.example>")
            return usual, own

    usual, own = asyncio.run(scene())
    assert usual[0] != "2"
    assert own == usual.replace("dora@practice", "dora@s001.practice")


def test_a_crowd_in_the_lobby_leaves_room_for_the_class() -> None:
    """Connections that never say a key are bounded; those of students at their ports go on."""

    async def scene() -> tuple[str, str]:
        async with open_room(students_of(1)) as (room, _):
            crowd = [await Telnet.to(shared(room)) for _ in range(20)]
            reader, writer = await asyncio.open_connection("127.0.0.1", shared(room))
            last = (await reader.readline()).decode()
            student = await Telnet.to(room.seats["001"].server.port)
            reply = await student.type("EHLO s001.practice.example")
            writer.close()
            assert all([await each.type("NOOP") for each in crowd])
            return last, reply

    last, reply = asyncio.run(scene())
    assert last.startswith("421 ")
    assert reply.startswith("250")


def test_codes_cannot_be_guessed_and_nobody_has_a_port() -> None:
    """With codes an id alone leads nowhere, and the reply betrays no code."""
    keys = Keys(students_of(2), code_maker(b"k" * 32))
    assert keys.domain_of("001") == Keys(["001"], code_maker(b"k" * 32)).domain_of("001")
    assert keys.domain_of("001") != Keys(["001"], code_maker(b"l" * 32)).domain_of("001")

    async def scene() -> tuple[str, str, str, int]:
        room = Room(load_scenario("plain"), students_of(2), lambda _: None, keys=keys)
        await room.open()
        try:
            student = await Telnet.to(shared(room))
            near = await student.type("EHLO s001.practice.example")
            far = await student.type("EHLO s1.practice.example")
            reply = await student.type(f"EHLO {keys.domain_of('001')}")
            await student.letter("bob@practice.example")
            assert held(room, "001") == 1
            return near, far, reply, sum(len(seat.server.doors) for seat in room.seats.values())
        finally:
            await Telnet.all_leave()
            await room.close()

    near, far, reply, ports = asyncio.run(scene())
    assert near.endswith("Access denied: nobody in this class is s001: look up your ID")
    assert far.endswith("Access denied: nobody in this class is s1: look up your ID")
    assert reply.startswith("250")
    assert ports == 0


LINE = st.sampled_from(
    [
        *(b"EHLO s001.practice.example", b"HELO s999.practice.example", b"EHLO x.example"),
        *(
            b"MAIL FROM:<a@s002.practice.example>",
            b"MAIL FROM:<>",
            b"RCPT TO:<bob@practice.example>",
        ),
        *(b"RCPT TO:<bob@s002.practice.example>", b"DATA", b".", b"RSET", b"AUTH PLAIN AAAA", b"*"),
        *(b"BDAT 5 LAST", b"HELP MAILBOX bob 1", b"HELP DEMO", b"STARTTLS", b"QUIT", b"EHLO s.s."),
    ]
) | st.binary(max_size=60)


@settings(deadline=None, max_examples=40)
@given(st.lists(LINE, max_size=15))
def test_nothing_that_is_typed_at_the_shared_port_upsets_it(lines: list[bytes]) -> None:
    """No fault anywhere, nothing left open, and the next student is served."""

    async def scene() -> None:
        async with open_room(students_of(2)) as (room, _):
            room.pair()
            reader, writer = await asyncio.open_connection("127.0.0.1", shared(room))
            writer.write(b"\r\n".join(lines) + b"\r\n")
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 10)
            writer.close()
            student = await Telnet.to(shared(room))
            assert (await student.type("EHLO s001.practice.example")).startswith("250")
            assert room.lobby is not None
            servers = [room.lobby, *(seat.server for seat in room.seats.values())]
            assert [server.faults for server in servers] == [[], [], []]

    asyncio.run(scene())
