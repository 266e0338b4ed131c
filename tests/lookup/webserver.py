"""A small HTTPS server on loopback that answers every request with the same octets."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def https(
    response: bytes, *names: str, pause: float = 0.0
) -> AsyncIterator[tuple[int, ssl.SSLContext, list[bytes]]]:
    """Serve `response` for hosts `names`; yields port, a context that trusts it, the requests.

    `pause` are seconds between the response and the end of the connection.
    """
    authority = trustme.CA()
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(response)
            await writer.drain()
            await asyncio.sleep(pause)
        except (OSError, EOFError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context)
    try:
        yield server.sockets[0].getsockname()[1], client_context, requests
    finally:
        server.close()
