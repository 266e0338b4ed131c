"""How quickly the program starts: `python -m tests.benchmarks.bench_startup [ROUNDS]`.

Two moments: `--help` has ended, and the first prompt stands in a terminal. Beside them the floor
(an interpreter that does nothing) and other shells built on prompt_toolkit, where installed.
"""

from __future__ import annotations

import contextlib
import shutil
import socketserver
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect

from .measuring import in_turns, run, show

FLOOR = "python -c pass"
SMTPSHELL = (sys.executable, "-m", "smtpshell")
PROMPT = r"practice(\x1b\[[\d;]*m)*>"


def help_of(*command: str) -> Callable[[], float]:
    """Return a contestant: a command that runs to its end."""
    return lambda: run(*command)


def prompt_of(pattern: str, *command: str) -> Callable[[], float]:
    """Return a contestant: a command in a terminal, until its prompt shows."""

    def once() -> float:
        with tempfile.TemporaryDirectory() as home:
            environment = {"HOME": home, "TERM": "xterm-256color", "PATH": "/usr/bin:/bin"}
            begun = time.perf_counter()
            child = pexpect.spawn(
                command[0], [*command[1:]], env=environment, dimensions=(24, 100), timeout=30
            )
            try:
                child.expect(pattern)
                return time.perf_counter() - begun
            finally:
                child.close(force=True)

    return once


def beside(name: str) -> str | None:
    """Return the path of a peer's command, beside this interpreter or on the path."""
    here = Path(sys.executable).parent / name
    return str(here) if here.exists() else shutil.which(name)


class NoDatabase(socketserver.StreamRequestHandler):
    """What iredis wants to connect to: answers every line of the Redis protocol with an error."""

    def handle(self) -> None:
        """Answer until the client leaves."""
        with contextlib.suppress(ConnectionError):
            while self.request.recv(4096):
                self.request.sendall(b"-ERR no database here\r\n")


@contextlib.contextmanager
def peers() -> Iterator[dict[str, Callable[[], float]]]:
    """Yield the other shells that are installed, as contestants."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), NoDatabase) as server:
        server.daemon_threads = True
        port = str(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found: dict[str, Callable[[], float]] = {}
        if litecli := beside("litecli"):
            found["litecli, first prompt"] = prompt_of(r"\(none\)>", litecli)
        if iredis := beside("iredis"):
            prompt = rf":{port}[^>]*>"
            found["iredis, first prompt"] = prompt_of(prompt, iredis, "--no-greetings", "-p", port)
        yield found
        server.shutdown()


def main(rounds: int) -> None:
    """Measure and print."""
    floor = {FLOOR: help_of(sys.executable, "-c", "pass")}
    show(
        "The help page",
        in_turns({**floor, "smtpshell --help": help_of(*SMTPSHELL, "--help")}, rounds),
        FLOOR,
    )
    ours = {"smtpshell, first prompt": prompt_of(PROMPT, *SMTPSHELL)}
    with peers() as others:
        results = in_turns({**floor, **ours, **others}, rounds)
    show("The first prompt in a terminal", results, "smtpshell, first prompt")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
