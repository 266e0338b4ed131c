r"""A link: one connection to a server, over TCP, a UNIX socket or a command, upgradable to TLS.

    link = await Link.open(endpoint, options, on_attempt=print)
    greeting = await link.read()
    link.write(b"EHLO client.example\r\n")
    await link.drain()
    injected = await link.start_tls(context, "mx.example", timeout=10)
    await link.close()

Nothing but LinkError and TlsError leaves it, closing takes a second at most, and what it keeps in
memory is bounded in both directions.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

from smtpshell.net import faults, opening, pipe
from smtpshell.net.endpoint import Endpoint
from smtpshell.net.errors import Attempt, LinkError, TlsError
from smtpshell.net.hello import key_exchange_group
from smtpshell.net.options import DEFAULTS, LinkOptions, ignore
from smtpshell.net.proxy import Proxy, socks5
from smtpshell.net.wire import Wire, lost

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Attempt", "Endpoint", "Link", "LinkError", "LinkOptions", "TlsError"]


class Link:
    """An open connection; make one with `Link.open`."""

    def __init__(self, wire: Wire, endpoint: Endpoint, command: pipe.Command | None = None) -> None:
        self._wire = wire
        self._endpoint = endpoint
        self._command = command
        self._closing: asyncio.Task[bool] | None = None
        self._spoken = False
        self._peer = _name_of(wire.transport.get_extra_info("peername"))
        self._local = _name_of(wire.transport.get_extra_info("sockname"))

    @classmethod
    async def open(
        cls,
        endpoint: Endpoint,
        options: LinkOptions = DEFAULTS,
        on_attempt: Callable[[Attempt], None] = ignore,
    ) -> Link:
        """Connect; `on_attempt` is told each address tried, as it ends. Raises LinkError."""
        deadline = asyncio.get_running_loop().time() + options.timeout
        command: pipe.Command | None = None
        if endpoint.kind == "pipe":
            command = await pipe.start(endpoint.command, options.on_error_line)
            sock = command.socket
        else:
            sock = await opening.connected_socket(endpoint, options, deadline, on_attempt)
        link = await cls._adopt(sock, endpoint, command)
        try:
            async with asyncio.timeout_at(deadline):
                await link._introduce(options)  # noqa: SLF001  # our own class
        except TimeoutError as error:
            link.abort()
            raise opening.no_answer(endpoint, options) from error
        except BaseException:
            link.abort()
            raise
        return link

    @classmethod
    async def _adopt(
        cls, sock: socket.socket, endpoint: Endpoint, command: pipe.Command | None
    ) -> Link:
        """Give a connected socket its transport."""
        loop = asyncio.get_running_loop()
        try:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire = Wire(endpoint.label, sock)
            await loop.create_connection(lambda: wire, sock=sock)
        except BaseException as error:
            sock.close()
            if command is not None:
                command.kill()
            if isinstance(error, OSError):
                raise lost(error, endpoint.label) from error
            raise
        return cls(wire, endpoint, command)

    async def _introduce(self, options: LinkOptions) -> None:
        """Say what goes before SMTP: the SOCKS5 negotiation, then the PROXY header."""
        if options.proxy is not None and self._endpoint.kind == "tcp":
            await self._negotiate(options.proxy)
        if options.proxy_protocol is not None:
            local = (self.local_address or "0.0.0.0", self._local[1])  # noqa: S104  # as text only
            remote = (self.address or "0.0.0.0", self.port)  # noqa: S104  # as text only
            self._wire.send(options.proxy_protocol.encode(local, remote))

    async def _negotiate(self, proxy: Proxy) -> None:
        steps = socks5(proxy, self._endpoint.host, self._endpoint.port)
        try:
            step = next(steps)
            while True:
                self._wire.send(step.send)
                step = steps.send(await self._read_exactly(step.need))
        except StopIteration:
            return
        except LinkError as error:
            if error.kind != "reset":
                raise
            raise LinkError(
                "proxy",
                "it closed the connection during the negotiation",
                proxy.label,
                "Check that this is a SOCKS5 proxy, and its log.",
            ) from error

    async def _read_exactly(self, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            more = await self.read()
            if not more:
                raise lost(ConnectionResetError(), self._endpoint.label)
            octets += more
        self._wire.give_back(octets[count:])
        return octets[:count]

    # Reading and writing.

    async def read(self) -> bytes:
        """Return what has arrived, waiting for at least one octet; b"" at the end of the stream.

        Raises LinkError (kind `reset` or `timeout`) when the connection broke, and TlsError when
        TLS did; what arrived before that is returned first.
        """
        wire = self._wire
        while True:
            octets = wire.take()
            if octets:
                return octets
            if wire.failure is not None:
                raise wire.failure
            if wire.ended:
                return b""
            wire.readable.clear()
            await wire.readable.wait()

    def write(self, octets: bytes) -> None:
        """Send octets; after the end of the connection they go nowhere, and drain() tells."""
        self._spoken = True
        self._wire.send(octets)

    async def drain(self) -> None:
        """Wait until little enough is unsent; raises LinkError when the connection is gone.

        It always lets the loop run once, so that a server's last words are read in the middle of
        a long message.
        """
        wire = self._wire
        await asyncio.sleep(0)
        if not wire.gone.is_set():
            await wire.writable.wait()
        if wire.failure is not None:
            raise wire.failure
        if wire.gone.is_set():
            raise LinkError.lost(
                "closed", "the connection is closed", self._endpoint.label, "Connect again."
            )

    # TLS.

    async def start_tls(
        self,
        context: ssl.SSLContext,
        server_hostname: str | None,
        timeout: float,  # noqa: ASYNC109  # a handshake that takes too long has words of its own
    ) -> bytes:
        """Upgrade to TLS in place; return the plain octets that had come before the handshake.

        Those octets are discarded: they never reach TLS or the reader (an attacker on the way may
        have injected them). On a link on which nothing was written yet such octets are the
        server's answer to TLS, most likely a greeting in plain text, and are taken for that.
        Without `server_hostname` no name is sent, and a context that verifies names is refused.
        Raises TlsError, and the link is then closed.
        """
        wire = self._wire
        label = self._endpoint.label
        if wire.layer is not None:
            raise TlsError("settings", "TLS is already in use", label, "It cannot be nested.")
        wire.upgrading = True
        try:
            for _ in range(2):  # one turn finds what is readable, the next delivers it
                await asyncio.sleep(0)
        finally:
            wire.upgrading = False
        early = wire.take()
        injected = early if self._spoken else b""
        try:
            await self._shake_hands(context, server_hostname, timeout, early[len(injected) :])
        except TlsError as error:
            self.abort()
            error.injected = injected
            raise
        except ssl.SSLError as error:
            self.abort()
            raise faults.known_reason(faults.reason_of(error), label) from error
        except (ValueError, TypeError) as error:
            self.abort()
            raise faults.unusable_name(server_hostname, label) from error
        except BaseException:
            self.abort()
            raise
        return injected

    async def _shake_hands(
        self,
        context: ssl.SSLContext,
        server_hostname: str | None,
        seconds: float,
        early: bytes,
    ) -> None:
        wire = self._wire
        label = self._endpoint.label
        if wire.ended and not early:
            raise faults.closed(label, spoke=False)
        layer = wire.start_tls(context, server_hostname, early)
        try:
            async with asyncio.timeout(seconds):
                await wire.handshaken.wait()
        except TimeoutError as error:
            raise faults.timed_out(label, seconds, spoke=bool(layer.first_octets)) from error
        if wire.failure is not None:
            raise wire.failure

    # The end.

    async def close(self, timeout: float = 1.0) -> bool:  # noqa: ASYNC109  # it never raises
        """Close; returns whether both sides ended it in order. Takes `timeout` seconds at most.

        Under TLS "in order" includes the peer's close_notify. A command that does not end by
        itself is ended.
        """
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close(timeout))
        try:
            return await asyncio.shield(self._closing)
        except asyncio.CancelledError:
            self.abort()
            raise

    async def _close(self, seconds: float) -> bool:
        wire = self._wire
        clean = wire.failure is None
        wire.discarding = True
        wire.take()
        share = seconds / 2 if self._command else seconds
        try:
            async with asyncio.timeout(share):
                if clean and wire.layer is not None:
                    wire.shut_tls()
                    while not (wire.ended or wire.gone.is_set()):
                        wire.readable.clear()
                        await wire.readable.wait()
                wire.transport.close()
                await wire.gone.wait()
        except TimeoutError:
            clean = False
        wire.abort()
        await asyncio.sleep(0)
        if self._command is not None:
            clean = await self._command.end(seconds / 4) and clean
        tls_cut = wire.layer is not None and not wire.layer.ended
        return clean and wire.failure is None and not tls_cut

    def abort(self) -> None:
        """Drop the connection at once."""
        self._wire.abort()
        if self._command is not None:
            self._command.kill()

    # What it is.

    @property
    def endpoint(self) -> Endpoint:
        """Where it was asked to lead."""
        return self._endpoint

    @property
    def address(self) -> str:
        """The address at the other end; a proxy's, a socket's path, or empty for a command."""
        return self._peer[0] or self._endpoint.path

    @property
    def port(self) -> int:
        """The port at the other end; 0 without one."""
        return self._peer[1]

    @property
    def local_address(self) -> str:
        """This end's address; empty where there is none."""
        return self._local[0]

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """The TLS connection once the handshake is done."""
        layer = self._wire.layer
        return layer.object if layer is not None and layer.established else None

    @property
    def group(self) -> str | None:
        """The key exchange group of the handshake, where it can be known."""
        layer = self._wire.layer
        if layer is None or not layer.established:
            return None
        told = getattr(layer.object, "group", None)
        return told() if told is not None else key_exchange_group(layer.first_octets)

    @property
    def unsent(self) -> int:
        """Octets written that the system has not taken yet."""
        return self._wire.transport.get_write_buffer_size()

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._wire.gone.is_set() or self._wire.transport.is_closing()


def _name_of(name: object) -> tuple[str, int]:
    """Return (address, port) of a socket name; of a UNIX socket its path and 0."""
    if isinstance(name, tuple):
        return str(name[0]), int(name[1])
    return (name, 0) if isinstance(name, str) else ("", 0)
