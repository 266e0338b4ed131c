r"""A misbehaving server for the tests: every way in which a server can be wrong, on loopback.

    with rogue.serve(rogue.banner(b"SSH-2.0-OpenSSH_9.2\r\n")) as server:
        ... connect to 127.0.0.1, server.port ...

A behaviour is a function that is given the accepted socket; each connection runs it in a thread of
its own, so that tests may use it from a loop, from plain code, or for another process. Sockets time
out after ten seconds, and leaving the block ends everything.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Behaviour = Callable[["Connection"], None]

_TIMEOUT = 10.0


class Connection:
    """The server's end: a socket that keeps what is received through it, in clear text.

    `over` is set when the test has ended.
    """

    def __init__(self, inner: socket.socket, record: bytearray, over: threading.Event) -> None:
        self.inner = inner
        self.over = over
        self._record = record

    def recv(self, size: int) -> bytes:
        """Receive and record."""
        octets = self.inner.recv(size)
        self._record += octets
        return octets

    def sendall(self, octets: bytes) -> None:
        """Send."""
        self.inner.sendall(octets)

    def upgrade(self, context: ssl.SSLContext) -> None:
        """Go on under TLS."""
        self.inner = context.wrap_socket(self.inner, server_side=True)

    def close(self) -> None:
        """Close."""
        self.inner.close()


@dataclass
class Rogue:
    """A running server: where it listens, what it received, and how many connections it had."""

    host: str
    port: int
    path: str = ""
    received: bytearray = field(default_factory=bytearray)
    connections: int = 0


@contextlib.contextmanager
def serve(
    behaviour: Behaviour, *, host: str = "127.0.0.1", port: int = 0, path: str = ""
) -> Iterator[Rogue]:
    """Serve on a free port of loopback, or on a UNIX socket, until the block is left."""
    if path:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen(16)
        rogue = Rogue("", 0, path)
    else:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=16)
        rogue = Rogue(host, listener.getsockname()[1])
    listener.settimeout(_TIMEOUT)
    connections: list[Connection] = []
    threads: list[threading.Thread] = []
    over = threading.Event()

    def attend(connection: Connection) -> None:
        with contextlib.suppress(OSError, ValueError):  # ssl.SSLError is an OSError
            behaviour(connection)
        with contextlib.suppress(OSError):
            connection.close()

    def accept() -> None:
        while not over.is_set():
            try:
                accepted, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            accepted.settimeout(_TIMEOUT)
            rogue.connections += 1
            connection = Connection(accepted, rogue.received, over)
            connections.append(connection)
            thread = threading.Thread(target=attend, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield rogue
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.inner.shutdown(socket.SHUT_RDWR)
        acceptor.join(_TIMEOUT)
        for thread in threads:
            thread.join(_TIMEOUT)
        for connection in connections:
            connection.close()


# Behaviours that speak no SMTP.


def banner(octets: bytes, *, then_close: bool = False) -> Behaviour:
    """Say these octets at once; then hang up, or keep quiet until the client does."""

    def behave(connection: Connection) -> None:
        connection.sendall(octets)
        if not then_close:
            drain(connection)

    return behave


def silent() -> Behaviour:
    """Accept, and never say a word."""
    return drain


def deaf() -> Behaviour:
    """Accept, and neither read nor write (a slow reader of the worst kind)."""

    def behave(connection: Connection) -> None:
        connection.over.wait(_TIMEOUT)

    return behave


def slow_reader(rate: int = 4 * 1024 * 1024, piece: int = 64 * 1024) -> Behaviour:
    """Greet, then read what comes at a bounded rate in octets per second."""

    def behave(connection: Connection) -> None:
        connection.sendall(b"220 slow.example\r\n")
        while got := len(connection.inner.recv(piece)):  # unrecorded, on purpose
            time.sleep(got / rate)

    return behave


def reset(after: bytes = b"") -> Behaviour:
    """Say something perhaps, then reset the connection."""

    def behave(connection: Connection) -> None:
        if after:
            connection.sendall(after)
            time.sleep(0.05)
        cut(connection)

    return behave


def drip(octets: bytes, pause: float = 0.02) -> Behaviour:
    """Say these octets one at a time."""

    def behave(connection: Connection) -> None:
        for octet in octets:
            connection.sendall(bytes([octet]))
            time.sleep(pause)
        drain(connection)

    return behave


def after_hello(behaviour: Behaviour) -> Behaviour:
    """Wait for the client's first message, then behave."""

    def behave(connection: Connection) -> None:
        connection.recv(65536)
        behaviour(connection)

    return behave


def flood(line: bytes = b"220-" + b"x" * 500 + b"\r\n", megabytes: int = 50) -> Behaviour:
    """Say the same line for many megabytes: a reply that hardly ends."""

    def behave(connection: Connection) -> None:
        block = line * (65536 // len(line))
        for _ in range(megabytes * 1024 * 1024 // len(block)):
            connection.sendall(block)
        connection.sendall(b"220 end\r\n")
        drain(connection)

    return behave


def drain(connection: Connection) -> None:
    """Read until the client hangs up."""
    while connection.recv(65536):
        pass


def cut(connection: Connection) -> None:
    """Reset the connection."""
    linger = struct.pack("ii", 1, 0)
    connection.inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()


# Behaviours that speak a little SMTP.


@dataclass(frozen=True)
class Smtp:
    """A small SMTP server with switches for everything that may go wrong around TLS.

    `context` gives STARTTLS (or TLS at once with `at_once`); `injected` are plain octets right
    behind the 220 of STARTTLS; `instead` is sent in place of the handshake; `cut_at` ends the
    connection at `handshake` (as it begins), `hello` (after the client's first message), `tls`
    (right after the handshake, without close_notify) or `rset` (in the middle of a reply);
    `answers` maps a verb to the octets that answer it.
    """

    context: ssl.SSLContext | None = None
    at_once: bool = False
    greeting: bytes = b"220 rogue.example ESMTP\r\n"
    starttls_reply: bytes = b"220 2.0.0 Go ahead\r\n"
    injected: bytes = b""
    instead: bytes | None = None
    cut_at: str = ""
    close_notify: bool = True
    answers: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, connection: Connection) -> None:
        """Serve one connection."""
        if self.at_once and not self._start_tls(connection):
            return
        connection.sendall(self.greeting)
        buffer = b""
        while True:
            while b"\n" not in buffer:
                more = connection.recv(65536)
                if not more:
                    return
                buffer += more
            line, _, buffer = buffer.partition(b"\n")
            verb = line.strip().split(b" ")[0].decode("latin-1").upper()
            if verb == "STARTTLS" and self.context is not None:
                connection.sendall(self.starttls_reply + self.injected)
                buffer = b""
                if not self._start_tls(connection):
                    return
                continue
            connection.sendall(self.answers.get(verb) or self._answer(verb))
            if verb == "RSET" and self.cut_at == "rset":
                cut(connection)
                return
            if verb == "QUIT":
                break
        if isinstance(connection.inner, ssl.SSLSocket) and self.close_notify:
            connection.inner.unwrap()

    def _answer(self, verb: str) -> bytes:
        if verb == "EHLO":
            offer = b"250-STARTTLS\r\n" if self.context is not None else b""
            return b"250-rogue.example\r\n" + offer + b"250 SIZE 1000000\r\n"
        if verb == "RSET" and self.cut_at == "rset":
            return b"250-half a rep"
        return {"QUIT": b"221 2.0.0 Bye\r\n", "DATA": b"354 Go on\r\n"}.get(
            verb, b"250 2.0.0 Ok\r\n"
        )

    def _start_tls(self, connection: Connection) -> bool:
        if self.cut_at == "handshake":
            return False
        if self.instead is not None:
            connection.sendall(self.instead)
            drain(connection)
            return False
        if self.cut_at == "hello":
            connection.recv(65536)
            return False
        if self.cut_at == "hello-reset":
            connection.recv(65536)
            cut(connection)
            return False
        assert self.context is not None
        connection.upgrade(self.context)
        return self.cut_at != "tls"
