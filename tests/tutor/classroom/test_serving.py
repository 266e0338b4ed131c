"""A teacher's server: worlds of their own, limits, and what the teacher sees."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import smtplib
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smtpshell.cli import guarded
from smtpshell.practice.library import load_scenario
from smtpshell.practice.world import World
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.tutor.classroom.asking import ask
from smtpshell.tutor.classroom.control import Control
from smtpshell.tutor.classroom.room import Room, RoomLog, class_limits, students_of
from smtpshell.tutor.classroom.submission import seed_of
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.library import load
from tests.tutor.classroom.attending import LETTER, open_room, raw, send
from tests.tutor.classroom.handing_in import BOB, LESSON


@pytest.mark.parametrize("lesson", [None, load("clinic")], ids=["scenario", "lesson"])
def test_each_student_has_a_clinic_of_another_form(lesson: Lesson | None) -> None:
    """The same as when they play the lesson alone, so its steps lead to the right wards."""

    async def scene() -> dict[str, tuple[str, ...]]:
        async with open_room(students_of(9), "clinic", lesson) as (room, _):
            return {
                student: tuple(rule.host for rule in seat.server.scenario.rules)
                for student, seat in room.seats.items()
            }

    alone = {
        student: tuple(
            rule.host for rule in World(load_scenario("clinic"), seed=seed).scenario.rules
        )
        for student in students_of(9)
        for seed in [load("clinic").world_seed(seed_of(student))]
    }
    assert asyncio.run(scene()) == alone
    assert len(set(alone.values())) > 4


def test_each_student_has_a_mailbox_nobody_else_sees() -> None:
    """Eight programs at once, each at its own port: each world has one letter, the ninth none."""

    async def scene() -> list[int]:
        async with open_room(students_of(9)) as (room, _):
            ports = [seat.server.port for seat in room.seats.values()]
            loop = asyncio.get_running_loop()
            with ThreadPoolExecutor(8) as pool:
                await asyncio.gather(
                    *(loop.run_in_executor(pool, send, port) for port in ports[:8])
                )
            return [len(seat.server.world.mailbox("bob")) for seat in room.seats.values()]

    assert asyncio.run(scene()) == [1] * 8 + [0]


def test_a_third_connection_of_a_student_is_turned_away() -> None:
    """One and a spare; the others of the class are not concerned."""

    async def scene() -> tuple[list[str], list[str], list[str]]:
        async with open_room(students_of(2)) as (room, told):
            ports = [seat.server.port for seat in room.seats.values()]
            held = [await asyncio.open_connection("127.0.0.1", ports[0]) for _ in range(2)]
            for reader, _ in held:
                await reader.readline()
            third, other = await raw(ports[0]), await raw(ports[1])
            for _, writer in held:
                writer.close()
            return third, other, [each["event"] for each in told if each["student"] == "001"]

    third, other, events = asyncio.run(scene())
    assert third[0].startswith("421 ")
    assert other[0].startswith("220 ")
    assert "limit" in events


def test_messages_are_few_and_small() -> None:
    """The twenty-first message is refused, and both are told; so is one of more than 64 KB."""

    async def scene() -> tuple[list[int], int, list[str]]:
        async with open_room(students_of(1)) as (room, told):
            port = room.seats["001"].server.port
            loop = asyncio.get_running_loop()

            said: list[str] = []

            def flood() -> list[int]:
                codes = []
                with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                    try:
                        client.sendmail("a@client.example", ["bob@practice.example"], "x" * 70_000)
                    except smtplib.SMTPResponseException as error:
                        codes.append(error.smtp_code)
                    client.ehlo()
                    for _ in range(21):
                        try:
                            client.sendmail("a@client.example", ["bob@practice.example"], LETTER)
                        except smtplib.SMTPException as error:
                            codes.append(getattr(error, "smtp_code", 0))
                    said.append(client.docmd("HELP CLASS")[1].decode())
                return codes

            codes = await loop.run_in_executor(None, flood)
            said += [each["text"] for each in told if each["event"] == "limit"]
            return codes, room.seats["001"].server.world.stored, said

    codes, stored, said = asyncio.run(scene())
    assert codes[0] == 552
    assert len(codes) == 2
    assert stored == 20
    student, *teacher = said
    assert "This world is full" in student
    assert teacher == ["452 20 letters, and no more; reset 001 helps"]


def test_limits_of_a_scenario_are_never_widened() -> None:
    """A class may have less than a scenario gives, never more."""
    limits = class_limits(
        load_scenario("plain").with_limits(class_limits(load_scenario().limits)).limits
    )
    assert (limits.connections, limits.messages, limits.message) == (2, 20, 65536)
    narrow = class_limits(type(limits)(message=100, messages=1, connections=1, idle=5.0))
    assert (narrow.connections, narrow.messages, narrow.message, narrow.idle) == (1, 1, 100, 5.0)


def test_nothing_is_relayed() -> None:
    """A recipient elsewhere is refused, and no world keeps anything for later."""

    async def scene() -> str:
        async with open_room(students_of(1)) as (room, _):
            port = room.seats["001"].server.port
            lines = ("HELO x.example", "MAIL FROM:<a@x.example>", "RCPT TO:<z@elsewhere.example>")
            return (await raw(port, *lines))[-1]

    assert asyncio.run(scene()).startswith("554 5.7.1")


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "--students", "2", "--roster", "r.csv", "--lesson", "1"],
        [],
        ["teach"],
        ["serve", "--students", "3"],
        ["serve", "--lesson", "1"],
        ["serve", "--students", "0", "--lesson", "1"],
        ["serve", "--students", "-5", "--lesson", "1"],
        ["serve", "--students", "1000", "--lesson", "1"],
        ["serve", "--students", "3", "--scenario", "plain", "--receipts", "/nonexistent/r"],
        ["serve", "--students", "3", "--lesson", "1", "--listen", "8.8.8.8"],
        ["serve", "--students", "3", "--lesson", "1", "--listen", "localhost"],
        ["serve", "--students", "3", "--lesson", "1", "--port", "65535"],
        ["serve", "--students", "3", "--lesson", "no-such-lesson"],
        ["serve", "--students", "3", "--lesson", "1", "--codes", "--pairs"],
        ["serve", "--students", "3", "--scenario", "clinic", "--codes"],
        ["serve", "--students", "3", "--lesson", "starttls", "--port", "60000"],
        ["reset"],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is opened, and the status is 2."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert guarded(["classroom", *words]) == 2


def test_a_port_that_is_taken_ends_everything() -> None:
    """No half of a class is served."""

    async def scene() -> None:
        async with open_room(students_of(1)) as (room, _):
            taken = room.seats["001"].server.port
            other = Room(load_scenario("plain"), students_of(3), lambda _record: None)
            with pytest.raises(SmtpshellError, match="cannot listen"):
                await other.open(taken - 2)
            assert other.connections == 0
            assert all(seat.server.port == 0 for seat in other.seats.values())

    asyncio.run(scene())


def test_no_student_is_named_like_a_host(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An id whose domain a scenario has for a server is refused before anything is opened."""
    roster = tmp_path / "roster.csv"
    roster.write_text("student\nann\ntrict\n")
    serve = ["classroom", "serve", "--roster", str(roster), "--scenario", "pipe"]
    assert guarded(serve) == 2
    assert "the host strict.practice.example" in capsys.readouterr().err


def test_programs_can_trust_a_class(tmp_path: Path) -> None:
    """With the authority in a file a client verifies the certificate, by the address too."""
    import ssl

    authority = tmp_path / "ca.pem"
    serve = ["classroom", "serve", "--students", "1", "--scenario", "tls", "--port", "0"]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "smtpshell",
            *serve,
            "--ca-file",
            str(authority),
            "--json",
        ],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        shared = json.loads(process.stdout.readline())
        port = shared["doors"][0]["listens"]
        context = ssl.create_default_context(cafile=authority)
        with smtplib.SMTP("127.0.0.1", port, "s001.practice.example", timeout=10) as client:
            client.starttls(context=context)
            client.sendmail("ann@client.example", ["bob@practice.example"], LETTER)
            code, mailbox = client.docmd("HELP", "MAILBOX bob")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        process.stdout.close()
    assert code == 214
    assert b"1 letter" in mailbox


@pytest.mark.skipif(os.name != "posix", reason="limits of files are set by ulimit")
def test_too_few_files_are_told_with_what_to_do(tmp_path: Path) -> None:
    """Where the system lets a process open too little for a class, nothing is half served."""
    serve = f"{sys.executable} -m smtpshell classroom serve --students 99 --lesson starttls"
    done = subprocess.run(
        ["sh", "-c", f"ulimit -n 100; exec {serve} --port 0"],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "too many open files. Raise" in done.stderr
    assert "ulimit -n" in done.stderr


def test_the_teacher_sees_how_far_each_student_is() -> None:
    """Right lines move on, wrong ones are told, lines done again are neither."""

    async def scene() -> list[tuple[Any, Any, Any]]:
        async with open_room([BOB], "submission", LESSON) as (room, told):
            seat = room.seats[BOB]
            lines = ("EHLO client.example", "MAIL TO:<x>", "EHLO client.example", "QUIT")
            port = next(iter(seat.server.doors.values()))[1]
            await raw(port, *lines)
            return [(e["verdict"], e["step"], e["line"]) for e in told if e["event"] == "turn"]

    turns = asyncio.run(scene())
    assert turns == [
        ("right", 1, "EHLO client.example"),
        ("wrong", 1, "MAIL TO:<x>"),
        ("again", 1, "EHLO client.example"),
        ("again", 1, "QUIT"),
    ]


def test_the_first_lesson_is_followed_to_its_end() -> None:
    """A client that knows nothing of lessons does all steps; the teacher sees each of them."""
    from smtpshell.tutor.library import load

    async def scene() -> list[int]:
        lesson = load("1")
        async with open_room(["001"], lesson.scenario, lesson) as (room, told):
            lines = ["HELO client.example", "MAIL FROM:<ann@client.example>"]
            lines += [f"RCPT TO:<{who}@practice.example>" for who in ("bob", "carol")]
            lines += ["DATA", "Subject: x\r\n\r\nA text.\r\n.", "QUIT"]
            await raw(room.seats["001"].server.port, *lines)
            assert len(lesson.steps) == 5
            return [each["step"] for each in told if each["event"] == "turn"]

    assert asyncio.run(scene()) == [3, 3, 3, 4, 4, 5, 6]


def test_reset_gives_a_new_world_through_the_socket(tmp_path: Path) -> None:
    """The mailbox is empty again, and only its owner can open the socket."""
    path = tmp_path / "c.sock"

    async def scene() -> tuple[int, dict[str, Any], int]:
        async with open_room(students_of(2)) as (room, _):
            control = Control(room, path)
            assert await control.open()
            assert not await Control(room, path).open()
            mode = stat.S_IMODE(path.stat().st_mode)
            seat = room.seats["001"]
            await asyncio.get_running_loop().run_in_executor(None, send, seat.server.port)
            assert seat.server.world.stored == 1
            done = await ask(["reset", "001", "999"], path)
            with pytest.raises(SmtpshellError, match="no such word"):
                await ask(["fail"], path)
            await control.close()
            return mode, done, seat.server.world.stored

    mode, done, stored = asyncio.run(scene())
    assert mode == 0o600
    assert done == {"reset": ["001"], "unknown": ["999"]}
    assert stored == 0
    assert not path.exists()


def test_without_a_server_the_teacher_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every word for a server, with nobody there, ends with 3 and advice."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for words in (["reset", "001"], ["say", "hello"], ["pause"], ["demo"], ["ports"], ["watch"]):
        assert guarded(["classroom", *words]) == 3
        assert "classroom serve" in capsys.readouterr().err


def test_a_log_is_private_and_holds_no_secret(tmp_path: Path) -> None:
    """Mode 0600; a password that is not published does not get into it."""
    path = tmp_path / "room.jsonl"

    async def scene() -> None:
        log = RoomLog(path)
        room = Room(load_scenario("submission"), ["001"], log)
        await room.open()
        try:
            port = room.seats["001"].server.port
            await raw(port, "EHLO x.example", "AUTH PLAIN AGFsaWNlAHdyb25n", "QUIT")
        finally:
            await room.close()
            log.close()

    asyncio.run(scene())
    text = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "AHdyb25n" not in text
    assert all(isinstance(json.loads(line), dict) for line in text.splitlines())


def test_the_server_runs_until_it_is_told_to_end(tmp_path: Path) -> None:
    """As a process: it tells the seats, serves real clients, writes its log, and ends with 0."""
    command = [sys.executable, "-m", "smtpshell", "classroom", "serve", "--students", "2"]
    log = tmp_path / "room.jsonl"
    process = subprocess.Popen(
        [*command, "--lesson", "1", "--port", "0", "--json", "--log", str(log)],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        shared, *seats = [json.loads(process.stdout.readline()) for _ in range(3)]
        ports = [seat["doors"][0]["listens"] for seat in seats]
        for port in ports:
            send(port)
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(10)
        process.stdout.close()
    assert status == 0
    assert shared["doors"][0]["host"] == "mail.practice.example"
    assert [seat["domain"] for seat in seats] == ["s001.practice.example", "s002.practice.example"]
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events.count("connected") == 2
    assert "limit" not in events
