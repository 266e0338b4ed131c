"""A server's end of a connection: octets in and out, TLS put in place when asked, an end at once.

TLS is done in memory (`ssl.MemoryBIO`) above the plain transport, so that it can begin at any
octet: what arrived before the handshake is still there to be looked at, and no closing waits.
What is held is bounded in both directions; a client that does not read is waited for.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from socket import IPPROTO_TCP, SO_LINGER, SOL_SOCKET, TCP_NODELAY

from smtpshell.protocol.values import dataclass

READ_LIMIT = 128 * 1024
"""Octets received and not yet read; beyond them the client has to wait."""

WRITE_LIMIT = 256 * 1024
"""Octets written and not yet sent; beyond them `write` waits."""


class WireError(ConnectionError):
    """The connection is lost, or its handshake failed; the text says how."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What a handshake agreed on. `unique` is the tls-unique binding, None beyond TLS 1.2."""

    version: str
    cipher: str
    unique: bytes | None = None


class SocketWire(asyncio.Protocol):
    """A wire over a transport of asyncio."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self._lost = False
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    # --- what the loop calls ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; replies shall not wait for one another."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=WRITE_LIMIT)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Keep what arrived, and stop reading when that is enough."""
        self._received += data
        if len(self._received) > READ_LIMIT and self._transport is not None:
            self._transport.pause_reading()
        self._readable.set()

    def eof_received(self) -> bool:
        """Note that the client ends its side; ours stays open for what is still to be said."""
        self._ended = True
        self._readable.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        del exc
        self._ended = self._lost = True
        self._readable.set()
        self._writable.set()

    def pause_writing(self) -> None:
        """Make `write` wait."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let `write` go on."""
        self._writable.set()

    # --- what a dialogue calls --------------------------------------------------------------

    async def read(self) -> bytes:
        """Return octets as soon as there are any, b"" when the client has ended."""
        if self._tls is None:
            return await self._raw()
        while True:
            try:
                return self._tls.read(READ_LIMIT)
            except ssl.SSLWantReadError:
                raw = await self._raw()
                if not raw:
                    return b""
                self._incoming.write(raw)
            except ssl.SSLError:
                return b""

    async def _raw(self) -> bytes:
        while not self._received and not self._ended:
            self._readable.clear()
            await self._readable.wait()
        octets = bytes(self._received)
        self._received.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        return octets

    async def write(self, octets: bytes) -> None:
        """Send octets. Raises `WireError` when the connection is lost."""
        if self._tls is not None:
            try:
                self._tls.write(octets)
            except ssl.SSLError as error:
                raise WireError(f"TLS broke: {error.reason}") from None
            octets = self._outgoing.read()
        await self._send(octets)

    async def _send(self, octets: bytes) -> None:
        if self._lost or self._transport is None:
            raise WireError("the client is gone")
        self._transport.write(octets)
        await self._writable.wait()

    async def start_tls(self, context: ssl.SSLContext) -> Channel:
        """Shake hands as the server, over what has arrived or will. Raises `WireError`."""
        layer = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                layer.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._send(self._outgoing.read())
                raw = await self._raw()
                if not raw:
                    raise WireError("the client left during the handshake") from None
                self._incoming.write(raw)
            except ssl.SSLError as error:
                await self._send(self._outgoing.read())
                raise WireError(f"the handshake failed: {error.reason}") from None
        await self._send(self._outgoing.read())
        self._tls = layer
        version = layer.version() or ""
        unique = None if version == "TLSv1.3" else layer.get_channel_binding("tls-unique")
        return Channel(version, (layer.cipher() or ("", "", 0))[0], unique)

    def close(self, *, reset: bool = False) -> None:
        """End the connection; what was written still goes out, unless it is reset."""
        if self._transport is None or self._transport.is_closing():
            return
        if reset:
            sock = self._transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
            return
        if self._tls is not None:
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                pass
            self._transport.write(self._outgoing.read())
        self._transport.close()
