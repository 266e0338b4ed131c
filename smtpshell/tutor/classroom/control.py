"""Words for a classroom server that runs, through a socket that its owner alone can open.

The socket lies in the state folder with mode 0600. One line in, one line out; both JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smtpshell.conversation.options import Parser
from smtpshell.conversation.settings import state_folder
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.tutor.classroom.room import Room

LONGEST = 10_000
SECONDS = 5.0
EVERYBODY = "all"
ENVIRONMENT = 3


def socket_path() -> Path:
    """Return where the socket of this user's classroom lies."""
    return state_folder() / "classroom.sock"


class Control:
    """The socket of a room."""

    def __init__(self, room: Room, path: Path) -> None:
        self._room = room
        self._path = path
        self._server: asyncio.Server | None = None
        self._words: dict[str, Callable[[list[str]], dict[str, Any]]] = {"reset": self._reset}

    async def open(self) -> bool:
        """Listen; False where another classroom does already, or the system has no such sockets."""
        if not hasattr(asyncio, "start_unix_server") or await _answers(self._path):
            return False
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = os.umask(0o177)
        try:
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LONGEST)
        except OSError:
            return False
        finally:
            os.umask(before)
        return True

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                answer = self._answer(await reader.readline())
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError, TimeoutError):
            pass
        finally:
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            words = json.loads(line)
        except (ValueError, RecursionError):
            words = None
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return {"error": "no list of words"}
        if not words or words[0] not in self._words:
            return {"error": "no such word"}
        return self._words[words[0]](words[1:])

    def _reset(self, students: list[str]) -> dict[str, Any]:
        everybody = students == [EVERYBODY]
        done = self._room.reset(self._room.seats if everybody else students)
        return {"reset": done}


async def _answers(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True


async def ask(words: list[str], path: Path | None = None) -> dict[str, Any]:
    """Say words to the classroom server that runs, return its answer; raises `SmtpshellError`."""
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_unix_connection(path or socket_path())
            try:
                writer.write(json.dumps(words).encode() + b"\n")
                answer = json.loads(await reader.readline())
            finally:
                writer.close()
    except (OSError, ValueError, AttributeError, TimeoutError) as error:
        raise SmtpshellError(
            "no classroom server answers here",
            next="Start one with smtpshell classroom serve.",
            status=ENVIRONMENT,
        ) from error
    return answer if isinstance(answer, dict) else {}


def main(words: list[str], settings: Settings) -> int:
    """Do `classroom reset ID ...`; returns the exit status."""
    parser = Parser(
        prog="smtpshell classroom reset",
        description="Give students of the running classroom server a new world.",
        allow_abbrev=False,
    )
    parser.add_argument("students", nargs="+", metavar="ID", help=f"their ids, or {EVERYBODY}")
    options = parser.parse_args(words)
    done = asyncio.run(ask(["reset", *options.students])).get("reset") or []
    unknown = [each for each in options.students if each not in done and each != EVERYBODY]
    for name in unknown:
        print(f"{visible(name)}: no such student.")
    if done and not settings.quiet:
        print(f"Begun again: {', '.join(map(visible, done))}.")
    return 1 if unknown or not done else 0
