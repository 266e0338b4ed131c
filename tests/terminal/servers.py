"""Servers for the shell to meet: scripted by verb, and late or talkative where a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.net.rogue import Connection

Answer = bytes | Callable[[Connection], bytes]


@dataclass
class Scripted:
    """A server that answers each verb as told, and takes messages.

    `answers` maps a verb to its reply, or to a function that makes it. `gate` is what a function
    may wait for, so that a test decides when a reply comes.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    greeting: bytes = b"220 mx.example ESMTP\r\n"
    gate: threading.Event = field(default_factory=threading.Event)
    connection: Connection | None = None
    lines: list[str] = field(default_factory=list)

    def __call__(self, connection: Connection) -> None:
        """Serve one connection."""
        self.connection = connection
        connection.sendall(self.greeting)
        in_data = False
        for octets in connection.inner.makefile("rb"):
            line = octets.decode("utf-8", "replace").rstrip("\r\n")
            self.lines.append(line)
            if in_data:
                in_data = line != "."
                if in_data:
                    continue
                line = "."
            reply = self.answers.get(verb := line.split(" ")[0].upper(), DEFAULTS.get(verb, OK))
            reply = reply if isinstance(reply, bytes) else reply(connection)
            in_data = reply.startswith(b"354")
            connection.sendall(reply)
            if verb == "QUIT":
                return

    def say(self, octets: bytes) -> None:
        """Say something that nobody asked for."""
        assert self.connection is not None
        self.connection.sendall(octets)

    def hang_up(self) -> None:
        """Close the connection."""
        assert self.connection is not None
        self.connection.inner.shutdown(2)

    def late(self, reply: bytes) -> Callable[[Connection], bytes]:
        """Return an answer that waits for the gate."""

        def answer(_connection: Connection) -> bytes:
            self.gate.wait(20)
            return reply

        return answer


OK = b"250 2.0.0 Ok\r\n"
DEFAULTS: dict[str, bytes] = {
    "EHLO": b"250-mx.example\r\n250-SIZE 1000000\r\n250-AUTH PLAIN LOGIN\r\n250 DSN\r\n",
    "DATA": b"354 Go on\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n",
}
