"""The other end of the socket: words to the classroom server that runs on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from smtpshell.conversation.settings import state_folder
from smtpshell.protocol.errors import SmtpshellError

LONGEST_ANSWER = 8 << 20
"""Octets of an answer: the ports of a class of 999 in a world of 40 doors."""

SECONDS = 5.0
EVERYBODY = "all"
NOT_DONE, ENVIRONMENT = 1, 3


def socket_path() -> Path:
    """Return where the socket of this user's classroom lies."""
    return state_folder() / "classroom.sock"


async def ask(words: list[str], path: Path | None = None) -> dict[str, Any]:
    """Say words to the classroom server that runs, return its answer; raises `SmtpshellError`."""
    async with _line_to_the_server(path) as (reader, writer):
        writer.write(json.dumps(words).encode() + b"\n")
        answer = _object(await _soon(reader.readline()))
    if "error" in answer:
        raise SmtpshellError(str(answer["error"]), f"classroom {words[0]}", status=NOT_DONE)
    return answer


async def overhear(path: Path | None = None) -> AsyncIterator[str]:
    """Yield what the running server tells its teacher, where everybody is first."""
    async with _line_to_the_server(path) as (reader, writer):
        writer.write(b'["watch"]\n')
        line = await _soon(reader.readline())
        while line:
            yield str(_object(line).get("line", ""))
            line = await reader.readline()


async def _soon(line: Awaitable[bytes]) -> bytes:
    """Return what is read; raises `TimeoutError` where the server says nothing at all."""
    return await asyncio.wait_for(line, SECONDS)


def _object(line: bytes) -> dict[str, Any]:
    """Return an answer; raises `ValueError` for what is none, so that it counts as no answer."""
    answer = json.loads(line)
    if not isinstance(answer, dict):
        raise ValueError("an answer is an object")  # noqa: TRY004 - as for what is no JSON
    return answer


@asynccontextmanager
async def _line_to_the_server(
    path: Path | None,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_unix_connection(path or socket_path(), limit=LONGEST_ANSWER), SECONDS
        )
        try:
            yield reader, writer
        finally:
            writer.close()
    except (OSError, ValueError, AttributeError, TimeoutError) as error:
        raise SmtpshellError(
            "no classroom server answers here",
            next="Start one with smtpshell classroom serve.",
            status=ENVIRONMENT,
        ) from error
