"""What a teacher says to a class, and what students may ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from smtpshell.protocol.errors import UsageError
from smtpshell.tutor.classroom.bulletin import LONGEST, check_text
from smtpshell.tutor.classroom.room import students_of
from smtpshell.tutor.library import load
from tests.tutor.classroom.attending import Telnet, open_room


def test_what_is_said_comes_with_the_next_reply_that_has_room() -> None:
    """Never by itself, never among keywords, once for each who is connected."""

    async def scene() -> tuple[int, list[str]]:
        async with open_room(students_of(2)) as (room, _):
            student = await Telnet.to(room.seats["001"].server.port)
            await student.type("NOOP")
            reached = room.say("look at step 3")
            lines = ("EHLO client.example", "MAIL FROM:<>", "RCPT TO:<bob@practice.example>")
            replies = [await student.type(line) for line in lines]
            late = await Telnet.to(room.seats["002"].server.port)
            return reached, [*replies, await late.type("NOOP"), await late.type("HELP class")]

    reached, (hello, mail, rcpt, late, asked) = asyncio.run(scene())
    assert reached == 1
    assert "Teacher" not in hello + rcpt + late
    assert mail == "250-2.1.0 Ok\n250 2.1.0 Teacher: look at step 3"
    assert "The teacher said: look at step 3" in asked


def test_a_refusal_has_room_too_and_data_goes_on() -> None:
    """334 and 354 begin something, so they say nothing more."""

    async def scene() -> list[str]:
        async with open_room(students_of(1)) as (room, _):
            student = await Telnet.to(room.seats["001"].server.port)
            lines = ("EHLO x.example", "MAIL FROM:<>", "RCPT TO:<bob@practice.example>")
            await student.type(*lines)
            room.say("one")
            replies = [await student.type("DATA"), await student.type("Hello.\r\n.")]
            room.say("two")
            return [*replies, await student.type("RCPT TO:<bob@practice.example>")]

    data, end, refusal = asyncio.run(scene())
    assert data.startswith("354 ")
    assert end.splitlines()[-1] == "250 2.0.0 Teacher: one"
    assert refusal.splitlines()[-1] == "503 5.5.1 Teacher: two"


def test_a_lesson_takes_no_notice_of_the_teacher() -> None:
    """A right line stays right, whatever its reply says besides."""

    async def scene() -> list[str]:
        lesson = load("1")
        async with open_room(["001"], lesson.scenario, lesson) as (room, told):
            student = await Telnet.to(room.seats["001"].server.port)
            room.say("greet the server")
            await student.type("HELO client.example", "MAIL FROM:<ann@client.example>")
            return [each["verdict"] for each in told if each["event"] == "turn"]

    assert asyncio.run(scene()) == ["right", "right"]


def test_a_pause_puts_off_and_breaks_nothing() -> None:
    """Sessions stay open and where they are; what was put off counts for nobody."""

    async def scene() -> tuple[list[str], list[Any]]:
        lesson = load("1")
        async with open_room(["001"], lesson.scenario, lesson) as (room, told):
            student = await Telnet.to(room.seats["001"].server.port)
            await student.type("HELO client.example")
            room.pause(on=True)
            room.pause(on=True)
            replies = [
                await student.type(line) for line in ("MAIL FROM:<ann@client.example>", "NOOP")
            ]
            room.pause(on=False)
            replies.append(await student.type("MAIL FROM:<ann@client.example>"))
            return replies, [(each["event"], each.get("verdict"), each.get("on")) for each in told]

    (put_off, noop, then), told = asyncio.run(scene())
    assert put_off.startswith("450 4.3.2 Service paused")
    assert noop.startswith("250")
    assert then.startswith("250 2.1.0")
    assert told == [
        ("connected", None, None),
        ("turn", "right", None),
        ("paused", None, True),
        ("turn", "again", None),
        ("paused", None, False),
        ("turn", "right", None),
    ]


def test_a_pause_during_a_message_takes_no_half_of_it() -> None:
    """The dot is put off, and the message has to be sent again."""

    async def scene() -> tuple[str, int, str]:
        async with open_room(["001"]) as (room, _):
            student = await Telnet.to(room.seats["001"].server.port)
            lines = ("EHLO x.example", "MAIL FROM:<>", "RCPT TO:<bob@practice.example>", "DATA")
            await student.type(*lines)
            room.pause(on=True)
            reply = await student.type("Hello.\r\n.")
            room.pause(on=False)
            stored = room.seats["001"].server.world.stored
            return reply, stored, await student.letter("bob@practice.example")

    reply, stored, then = asyncio.run(scene())
    assert reply.startswith("450 ")
    assert stored == 0
    assert then.startswith("250 ")


@pytest.mark.parametrize("text", ["", "   ", "x" * (LONGEST + 1), "na\u00efve", "\x1b[2J"])
def test_what_no_reply_can_hold_is_not_said(text: str) -> None:
    """Replies are printable ASCII, and lines of bearable length."""
    with pytest.raises(UsageError):
        check_text(text)


def test_a_text_is_one_line() -> None:
    """Line ends would begin a second reply."""
    assert check_text(" one\r\n250 two ") == "one 250 two"


def test_the_mailbox_is_read_by_whoever_can_only_type() -> None:
    """The list, the letters of one, and a letter as it is stored; nothing of it ends the reply."""

    async def scene() -> list[str]:
        async with open_room(["001"]) as (room, _):
            student = await Telnet.to(room.seats["001"].server.port)
            await student.type("EHLO x.example")
            await student.letter("bob@practice.example", "Subject: \x1b[2Jhi\r\n\r\n250 Ok\tz\r\n")
            asked = ("", " bob", " bob 1", " bob 2", " nobody", " bob 99999999999", " bob x")
            return [await student.type(f"HELP MAILBOX{words}") for words in asked]

    every, bob, letter, *others = asyncio.run(scene())
    assert "bob@practice.example: 1 letter" in every
    assert r"1 from <alice@client.example>: \x1b[2Jhi" in bob
    assert "| Return-Path: <alice@client.example>" in letter
    assert letter.splitlines()[-1].startswith("214 2.0.0 | 250 Ok ")
    assert all(reply.startswith("214 2.0.0 There is no ") for reply in others)
    assert "\x1b" not in every + bob + letter


def test_a_long_letter_is_cut() -> None:
    """A reply has some hundred lines at most, and each of them fits."""

    async def scene() -> str:
        async with open_room(["001"]) as (room, _):
            student = await Telnet.to(room.seats["001"].server.port)
            await student.type("EHLO x.example")
            text = "x" * 900 + "\r\n" + "line\r\n" * 1000
            await student.letter("bob@practice.example", text)
            return await student.type("HELP MAILBOX bob 1")

    lines = asyncio.run(scene()).splitlines()
    assert len(lines) == 200
    assert max(map(len, lines)) <= 510
    assert "lines more" in lines[-1]


def test_a_student_may_ask_where_the_other_hosts_are() -> None:
    """The ports for all, and those of one's own as soon as it is known whose they are."""

    async def scene() -> tuple[str, str, dict[Any, Any]]:
        async with open_room(students_of(2), "rcpt") as (room, _):
            assert room.lobby is not None
            student = await Telnet.to(room.lobby.port)
            before = await student.type("HELP PORTS")
            after = await student.type("EHLO s002.practice.example", "HELP PORTS")
            return before, after, room.seats["002"].server.doors

    before, after, doors = asyncio.run(scene())
    own = f"open.practice.example:25 is 127.0.0.1 port {doors['open.practice.example', 25][1]}"
    assert f"{own}, yours alone" in after
    assert own not in before
    assert before.count("for all") == after.count("for all") == 2


def test_a_student_may_ask_the_name_servers_of_the_world() -> None:
    """Records as text, what there is none of, faults, and what makes no sense."""

    async def scene() -> list[str]:
        async with open_room(students_of(1), "world-mx") as (room, _):
            student = await Telnet.to(room.seats["001"].server.port)
            asked = (
                *("practice.example mx", "mx1.practice.example A", "nomail.example MX"),
                *("nobody.example A", "slow.example MX", "", "x", "x AXFR", "\xff..\x00 A"),
            )
            return [await student.type(f"HELP DNS {words}") for words in asked]

    mx, address, null, nobody, slow, *odd = asyncio.run(scene())
    assert "practice.example MX 10 mx1.practice.example" in mx
    assert address.startswith("214 2.0.0 mx1.practice.example A ")
    assert "nomail.example MX 0" in null
    assert nobody.endswith("nobody.example A: nxdomain")
    assert slow.endswith("timeout")
    assert all(reply[:3] in ("214", "500", "504") for reply in odd)


def test_other_help_is_the_servers_own() -> None:
    """HELP alone, and with a verb, is as it always was; an unknown topic is unknown."""

    async def scene() -> list[str]:
        async with open_room(["001"]) as (room, _):
            student = await Telnet.to(room.seats["001"].server.port)
            return [await student.type(line) for line in ("HELP", "HELP MAIL", "HELP MAILBOXES")]

    plain, verb, unknown = asyncio.run(scene())
    assert "This server knows these commands" in plain
    assert "MAIL FROM" in verb
    assert unknown.startswith("504 ")


def test_partners_write_to_each_other_and_to_nobody_else() -> None:
    """A letter to the partner's domain lies in the partner's world, within its limits."""

    async def scene() -> tuple[list[tuple[str, ...]], str, str, str, str]:
        async with open_room(students_of(5)) as (room, _):
            groups = room.pair()
            student = await Telnet.to(room.seats["001"].server.port)
            await student.type("EHLO s001.practice.example")
            sent = await student.letter("bob@s002.practice.example")
            await student.type("MAIL FROM:<>")
            unknown = await student.type("RCPT TO:<zoe@s002.practice.example>")
            stranger = await student.type("RCPT TO:<bob@s003.practice.example>")
            partner = await Telnet.to(room.seats["002"].server.port)
            return groups, sent, unknown, stranger, await partner.type("HELP MAILBOX bob")

    groups, sent, unknown, stranger, mailbox = asyncio.run(scene())
    assert groups == [("001", "002"), ("003", "004", "005")]
    assert sent.startswith("250 ")
    assert unknown.startswith("550 5.1.1")
    assert stranger.startswith("554 5.7.1")
    assert "bob@practice.example: 1 letter" in mailbox


def test_a_full_partner_takes_no_more() -> None:
    """The limits of a world hold for its neighbours as well."""

    async def scene() -> str:
        async with open_room(students_of(2)) as (room, _):
            room.pair()
            student = await Telnet.to(room.seats["001"].server.port)
            await student.type("EHLO s001.practice.example")
            for _ in range(20):
                await student.letter("bob@s002.practice.example")
            await student.type("MAIL FROM:<>")
            return await student.type("RCPT TO:<bob@s002.practice.example>")

    assert asyncio.run(scene()).startswith("452 ")
