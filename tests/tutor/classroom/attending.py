"""Attending a class in tests: a room on free ports, and students with telnet or a program."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar

from smtpshell.practice.library import load_scenario
from smtpshell.tutor.classroom.keys import Keys
from smtpshell.tutor.classroom.room import Room
from smtpshell.tutor.classroom.serving import followers_of
from smtpshell.tutor.lesson import Lesson

LETTER = "Subject: hello\r\n\r\nA text.\r\n"


@asynccontextmanager
async def open_room(
    students: list[str], scenario: str = "plain", lesson: Lesson | None = None
) -> AsyncIterator[tuple[Room, list[Mapping[str, Any]]]]:
    """Open a room on free ports, and close it; what it tells is kept."""
    told: list[Mapping[str, Any]] = []
    followers = await followers_of(lesson, Keys(students)) if lesson is not None else {}
    dealt = lesson is None or lesson.varies
    scene = load_scenario(scenario)
    room = Room(scene, students, told.append, followers=followers, dealt=dealt)
    await room.open()
    try:
        yield room, told
    finally:
        await Telnet.all_leave()
        await room.close()


def send(port: int, recipient: str = "bob@practice.example", text: str = LETTER) -> None:
    """Send a message with smtplib, as a student's own program would."""
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("ann@client.example", [recipient], text)


async def raw(port: int, *lines: str) -> list[str]:
    """Send lines as telnet would, one after the other, and return the last line of each reply."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    replies = []
    for line in ("", *lines):
        if line:
            writer.write(f"{line}\r\n".encode())
        while True:
            reply = (await reader.readline()).decode()
            if reply[3:4] != "-":
                break
        replies.append(reply.rstrip())
    writer.close()
    return replies


class Telnet:
    """A student who types lines, and reads each reply whole; all leave before a room closes."""

    _here: ClassVar[list[Telnet]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._here.append(self)

    @classmethod
    async def to(cls, port: int) -> Telnet:
        """Connect, and read the greeting."""
        telnet = cls(*await asyncio.open_connection("127.0.0.1", port))
        await telnet.reply()
        return telnet

    async def reply(self) -> str:
        """Return a reply, with its lines as on the wire; "" when the server has hung up."""
        lines: list[str] = []
        while not lines or lines[-1][3:4] == "-":
            line = (await asyncio.wait_for(self._reader.readline(), 10)).decode()
            if not line:
                break
            lines.append(line.rstrip("\r\n"))
        return "\n".join(lines)

    async def type(self, *lines: str) -> str:
        """Type lines, one after the other, and return the last reply."""
        reply = ""
        for line in lines:
            self._writer.write(f"{line}\r\n".encode())
            reply = await self.reply()
        return reply

    async def letter(self, recipient: str, text: str = LETTER) -> str:
        """Send a letter and return the last reply."""
        envelope = ("MAIL FROM:<alice@client.example>", f"RCPT TO:<{recipient}>", "DATA")
        return await self.type(*envelope, f"{text}.")

    async def leave(self) -> None:
        """Hang up."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    @classmethod
    async def all_leave(cls) -> None:
        """Hang up everywhere."""
        while cls._here:
            await cls._here.pop().leave()
