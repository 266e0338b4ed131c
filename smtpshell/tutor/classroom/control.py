"""Words for a classroom server that runs, through a socket that its owner alone can open.

The socket lies in the state folder with mode 0600. One line in, one line out; both JSON. Only
`watch` goes on: one line for each event, until one of the two has enough.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smtpshell.protocol.errors import UsageError
from smtpshell.tutor.classroom.asking import EVERYBODY, SECONDS
from smtpshell.tutor.classroom.bulletin import check_text
from smtpshell.tutor.classroom.demo import Demo
from smtpshell.tutor.classroom.ports import places_of

if TYPE_CHECKING:
    from smtpshell.tutor.classroom.desk import Desk
    from smtpshell.tutor.classroom.room import Room

LONGEST = 10_000
"""Octets of what is said to a server."""

MOST_LINES = 1_000
"""Lines that wait for a watcher who does not read; then it is let go."""


class Control:
    """The socket of a room; `demo` plays what the class is shown, `desk` is what is watched."""

    def __init__(
        self, room: Room, path: Path, demo: Demo | None = None, desk: Desk | None = None
    ) -> None:
        self._room = room
        self._path = path
        self._demo = demo or Demo(room, None)
        self._desk = desk
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = asyncio.Event()
        self._words: dict[str, Callable[[list[str]], dict[str, Any]]] = {
            "reset": self._reset,
            "say": self._say,
            "pause": self._pause,
            "demo": self._show,
            "ports": lambda _words: {"ports": places_of(room)},
        }

    async def open(self) -> bool:
        """Listen; False where another classroom does already, or no socket can be made there."""
        if not hasattr(asyncio, "start_unix_server") or await _answers(self._path):
            return False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.unlink(missing_ok=True)
        except OSError:
            return False
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LONGEST)
        except OSError:
            return False
        finally:
            os.umask(before)
        return True

    async def close(self) -> None:
        """Listen no more."""
        self._demo.stop()
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        self._closing.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            async with asyncio.timeout(SECONDS):
                words = _words(await reader.readline())
            if words == ["watch"] and self._desk is not None:
                await self._watch(self._desk, reader, writer)
            else:
                writer.write(_line(self._answer(words)))
                await asyncio.wait_for(writer.drain(), SECONDS)
        except (OSError, ValueError, TimeoutError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _watch(
        self, desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Send the lines of the desk, the summary first, until the watcher leaves."""
        lines: asyncio.Queue[str] = asyncio.Queue()
        tell = lines.put_nowait
        tell(desk.summary())
        desk.watchers.add(tell)
        ends = {
            asyncio.ensure_future(reader.read(1)),
            asyncio.ensure_future(self._closing.wait()),
        }
        try:
            while lines.qsize() < MOST_LINES:
                coming = asyncio.ensure_future(lines.get())
                await asyncio.wait({coming, *ends}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    coming.cancel()
                    return
                writer.write(_line({"line": coming.result()}))
                await asyncio.wait_for(writer.drain(), SECONDS)
        finally:
            for end in ends:
                end.cancel()
            desk.watchers.discard(tell)

    def _answer(self, words: list[str] | None) -> dict[str, Any]:
        if words is None:
            return {"error": "no list of words"}
        if not words or words[0] not in self._words:
            return {"error": "no such word"}
        try:
            return self._words[words[0]](words[1:])
        except UsageError as error:
            return {"error": error.what}

    def _reset(self, students: list[str]) -> dict[str, Any]:
        everybody = students == [EVERYBODY]
        done = self._room.reset(self._room.seats if everybody else students)
        keys = self._room.keys
        unknown = [each for each in students if keys.student_of(each) not in self._room.seats]
        return {"reset": done, "unknown": [] if everybody else unknown}

    def _say(self, words: list[str]) -> dict[str, Any]:
        return {"reached": self._room.say(check_text(" ".join(words)))}

    def _pause(self, words: list[str]) -> dict[str, Any]:
        self._room.pause(on=words != ["off"])
        return {"paused": self._room.bulletin.paused}

    def _show(self, words: list[str]) -> dict[str, Any]:
        if words == ["stop"]:
            return {"stopped": self._demo.stop()}
        try:
            pace = float(words[0]) if words else 0.0
        except ValueError:
            raise UsageError("seconds are a number") from None
        return {"steps": self._demo.start(pace)}


def _words(line: bytes) -> list[str] | None:
    try:
        words = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return None
    return words


def _line(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer).encode() + b"\n"


async def _answers(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True
