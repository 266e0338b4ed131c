"""What the tests of this room share: running a coroutine strictly, and opening links to rogues."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from smtpshell.net.endpoint import Endpoint
from smtpshell.net.link import Link, LinkOptions
from tests.net.authority import Authority
from tests.net.rogue import Rogue

Result = TypeVar("Result")


@functools.cache
def authority() -> Authority:
    """Return the one authority of the run."""
    return Authority()


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def run(work: Coroutine[Any, Any, Result], seconds: float = 20) -> Result:
    """Run a coroutine within some seconds; fail if asyncio has anything to complain of."""
    complaints = _Complaints()
    logger = logging.getLogger("asyncio")
    logger.addHandler(complaints)

    async def strictly() -> Result:
        async with asyncio.timeout(seconds):
            result = await work
        alone = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not alone, f"left running: {alone}"
        return result

    try:
        result = asyncio.run(strictly())
        gc.collect()
    finally:
        logger.removeHandler(complaints)
    assert complaints.lines == []
    return result


def endpoint_of(server: Rogue) -> Endpoint:
    """Return the endpoint of a rogue."""
    if server.path:
        return Endpoint("unix", path=server.path)
    return Endpoint("tcp", server.host, server.port)


@contextlib.asynccontextmanager
async def linked(server: Rogue, **options: Any) -> AsyncIterator[Link]:
    """Open a link to a rogue, and close it at the end."""
    link = await Link.open(endpoint_of(server), LinkOptions(**({"timeout": 5.0} | options)))
    try:
        yield link
    finally:
        await link.close()


async def read_until(link: Link, mark: bytes) -> bytes:
    """Read until the mark has come; fail at the end of the stream."""
    octets = b""
    while mark not in octets:
        more = await link.read()
        assert more, f"the stream ended after {octets!r}"
        octets += more
    return octets


async def to_starttls(link: Link) -> bytes:
    """Go as far as the reply to STARTTLS, and return what came with it."""
    await read_until(link, b"ESMTP\r\n")
    link.write(b"STARTTLS\r\n")
    return await read_until(link, b"\r\n")
