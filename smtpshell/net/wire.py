"""The link's asyncio protocol: what came in, what may go out, and how it all ended.

The transport is asyncio's; everything else is here, because a stream reader cannot be upgraded to
TLS in place without reading injected plain text as TLS data. Nothing in here raises towards the
loop: each way of ending becomes a `LinkError` that the next read or drain raises.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING

from smtpshell.net.errors import LinkError
from smtpshell.net.faults import tls_error
from smtpshell.net.layer import TlsLayer

if TYPE_CHECKING:
    import socket

READ_LIMIT = 256 * 1024  # octets received and not yet read; beyond it the transport pauses
WRITE_LIMIT = 256 * 1024  # octets written and not yet sent; beyond it drain() waits
_LAST_WORDS = 64 * 1024


class Wire(asyncio.Protocol):
    """Both directions of one connection, with TLS slipped in between when asked."""

    def __init__(self, label: str, sock: socket.socket) -> None:
        self.label = label
        self.layer: TlsLayer | None = None
        self.failure: LinkError | None = None
        self.ended = False
        self.gone = asyncio.Event()
        self.readable = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self.handshaken = asyncio.Event()
        self.discarding = False
        self.upgrading = False  # what arrives now is for start_tls alone
        self._sock = sock
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._paused = False

    @property
    def transport(self) -> asyncio.Transport:
        """The transport below; it is there from the moment the link is open."""
        assert self._transport is not None
        return self._transport

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=WRITE_LIMIT)

    def data_received(self, data: bytes) -> None:
        """Keep octets for the reader, through TLS where there is TLS."""
        if self.layer is None:
            self._store(data)
            return
        if self.failure is not None:
            return
        try:
            plain = self.layer.receive(data)
        except ssl.SSLError as error:
            self._fail(tls_error(error, self.layer, self.label))
            self.flush()
            self.transport.close()
            return
        self.flush()
        if self.layer.established:
            self.handshaken.set()
        self._store(plain)
        if self.layer.ended:
            self._end()

    def eof_received(self) -> bool:
        """Note the end of what the peer sends; the transport stays open until we close it."""
        layer = self.layer
        if layer is not None and not layer.established:
            self._fail(tls_error(None, layer, self.label))
        self._end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the connection; what the peer said last is still kept for the reader."""
        if exc is not None:
            self._last_words()
            if self.layer is not None and not self.layer.established:
                self._fail(tls_error(exc, self.layer, self.label))
            else:
                self._fail(lost(exc, self.label))
        self._end()
        self.gone.set()
        self.writable.set()

    def pause_writing(self) -> None:
        """Make drain() wait."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """Let drain() go on."""
        self.writable.set()

    # What the link calls.

    def take(self) -> bytes:
        """Return everything received and not yet read."""
        if self.upgrading:
            return b""
        octets = bytes(self._received)
        self._received.clear()
        self._resume()
        return octets

    def give_back(self, octets: bytes) -> None:
        """Put octets back in front of what has been received."""
        self._received[:0] = octets
        if octets:
            self.readable.set()

    def send(self, octets: bytes) -> None:
        """Write octets, encrypted where there is TLS; after the end they go nowhere."""
        if self.failure is not None or self.gone.is_set() or self.transport.is_closing():
            return
        if self.layer is None:
            self.transport.write(octets)
            return
        try:
            self.layer.send(octets)
        except ssl.SSLError as error:
            self._fail(tls_error(error, self.layer, self.label))
        self.flush()

    def flush(self) -> None:
        """Hand what TLS wants to say to the transport."""
        if self.layer is not None and not self.transport.is_closing():
            octets = self.layer.outgoing()
            if octets:
                self.transport.write(octets)

    def start_tls(
        self, context: ssl.SSLContext, server_hostname: str | None, early: bytes
    ) -> TlsLayer:
        """Put TLS between the transport and the reader, and send our first message.

        `early` is what has come already and belongs to TLS.
        Raises ValueError or ssl.SSLError when the settings or the name are unusable.
        """
        layer = TlsLayer(context, server_hostname or None)
        layer.receive(b"")
        self.layer = layer
        self.flush()
        if early:
            self.data_received(early)
        return layer

    def abort(self) -> None:
        """Drop the connection; the transport must not be asked again once it is gone."""
        if not self.gone.is_set():
            self.transport.abort()

    def shut_tls(self) -> None:
        """Announce the end of TLS to the peer."""
        if self.layer is not None:
            with contextlib.suppress(ssl.SSLError):
                self.layer.close()
            self.flush()

    # Inside.

    def _store(self, octets: bytes) -> None:
        if self.discarding or not octets:
            return
        self._received += octets
        self.readable.set()
        if len(self._received) > READ_LIMIT and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def _fail(self, error: LinkError) -> None:
        if self.failure is None:
            self.failure = error
        self._end()

    def _end(self) -> None:
        self.ended = True
        self.readable.set()
        self.handshaken.set()

    def _last_words(self) -> None:
        """Fetch what the peer had sent before a failed write made the transport stop reading."""
        with contextlib.suppress(OSError):
            octets = self._sock.recv(_LAST_WORDS)
            if octets and self.layer is None:
                self._store(octets)
            elif octets and self.layer is not None:
                with contextlib.suppress(ssl.SSLError):
                    self._store(self.layer.receive(octets))


def lost(error: Exception, label: str) -> LinkError:
    """Make the error of a connection that broke after it had been made."""
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return LinkError.lost(
            "reset",
            "the server cut the connection",
            label,
            "It may have crashed, or a firewall or a limit of the server cut in: connect again.",
        )
    if isinstance(error, TimeoutError):
        return LinkError.lost(
            "timeout", "the connection timed out", label, "Check the network and connect again."
        )
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return LinkError.lost("reset", f"the connection broke: {reason}", label, "Connect again.")
