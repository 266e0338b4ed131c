r"""The program in a real pseudo-terminal: keys go in, a screen comes out.

    with Tty("127.0.0.1:2525", home=tmp_path) as tty:
        tty.wait_for("S: 220")
        tty.type("EHLO client.example\r")

A `pyte` screen plays the terminal: it answers what a terminal is asked (the cursor's position), and
keeps every octet that was written, so that a test can hold the program to what reaches the user.
Tests wait for what the screen shows, never for time to pass.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import Self

import pexpect
import pyte

PATIENCE = 12.0
"""Seconds after which a screen that does not come is a failure; much, for a busy machine."""

KEYS = {
    "enter": "\r",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "escape": "\x1b",
    "ctrl-c": "\x03",
    "ctrl-d": "\x04",
    "ctrl-r": "\x12",
    "ctrl-]": "\x1d",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
}


class _Screen(pyte.HistoryScreen):
    """A screen that answers the program's questions."""

    def __init__(self, columns: int, rows: int, tty: Tty) -> None:
        super().__init__(columns, rows, history=5000, ratio=0.5)
        self._tty = tty

    def write_process_input(self, data: str) -> None:
        """Answer, as a terminal does, on its standard input."""
        self._tty.child.send(data)


_OUTSIDE = frozenset({"NO_COLOR", "COLUMNS", "LINES"})
"""Variables of whoever runs the tests that would tell the program of another terminal."""


class Tty:
    """One run of the program."""

    def __init__(
        self,
        *arguments: str,
        home: Path,
        columns: int = 100,
        rows: int = 40,
        env: dict[str, str] | None = None,
    ) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if name not in _OUTSIDE},
            "TERM": "xterm-256color",
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "SMTPSHELL_TIMEOUT": "20",
            **(env or {}),
        }
        self.home = home
        self.raw = bytearray()
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "smtpshell", *arguments],
            env=environment,
            dimensions=(rows, columns),
            timeout=PATIENCE,
        )
        self.child.delaybeforesend = None
        self._screen = _Screen(columns, rows, self)
        self._stream = pyte.ByteStream(self._screen)

    # --- keys --------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Send text as it is."""
        self.child.send(text)

    def press(self, *keys: str) -> None:
        """Press named keys."""
        for key in keys:
            self.child.send(KEYS[key])

    def line(self, text: str, expect: str = "") -> None:
        """Type a line and Enter, and wait for what it leads to."""
        self.type(f"{text}\r")
        if expect:
            self.wait_for(expect)

    def paste(self, text: str) -> None:
        """Paste as terminals do that know bracketed paste."""
        self.child.send(f"\x1b[200~{text}\x1b[201~")

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        self._screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    # --- screen ------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """All that the screen shows and has scrolled away, line by line."""
        top = [
            "".join(line[x].data for x in range(self._screen.columns)).rstrip()
            for line in self._screen.history.top
        ]
        return "\n".join([*top, *(line.rstrip() for line in self._screen.display)])

    @property
    def display(self) -> list[str]:
        """The lines that the screen shows now."""
        return [line.rstrip() for line in self._screen.display]

    def prompt_line(self) -> str:
        """Return the line on which the cursor stands, spaces before the cursor included."""
        cursor = self._screen.cursor
        line = self._screen.display[cursor.y]
        return line[: max(cursor.x, len(line.rstrip()))]

    def _pump(self, seconds: float) -> bool:
        """Take what the program writes; False when it has ended."""
        try:
            octets = self.child.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += octets
        self._stream.feed(octets)
        return True

    def wait_for(self, pattern: str, *, times: int = 1) -> str:
        """Wait until a pattern stands on the screen, so many times; return the screen."""
        return self._wait(
            lambda: len(re.findall(pattern, self.text, re.MULTILINE)) >= times,
            f"{pattern!r} ({times} times)",
        )

    def wait_prompt(self, pattern: str) -> str:
        """Wait until the cursor stands on a line that matches; return that line."""
        self._wait(
            lambda: re.search(pattern, self.prompt_line()) is not None, f"prompt {pattern!r}"
        )
        return self.prompt_line()

    def wait_gone(self, pattern: str) -> None:
        """Wait until a pattern stands on the screen no more."""
        self._wait(lambda: not re.search(pattern, "\n".join(self.display)), f"no {pattern!r}")

    def _wait(self, condition, what: str) -> str:
        limit = time.monotonic() + PATIENCE
        while not condition():
            alive = self._pump(0.05)
            if condition():
                break
            assert alive, f"ended before {what}:\n{self.text}"
            assert time.monotonic() < limit, f"no {what} on:\n{self.text}"
        return self.text

    def wait_end(self) -> int:
        """Wait until the program has ended; return its exit status."""
        limit = time.monotonic() + PATIENCE
        while self._pump(0.05):
            assert time.monotonic() < limit, f"did not end:\n{self.text}"
        self.child.close()
        assert self.child.exitstatus is not None, f"killed by signal {self.child.signalstatus}"
        return self.child.exitstatus

    @property
    def history(self) -> list[str]:
        """The lines of the history file."""
        path = self.home / "state" / "smtpshell" / "history"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.close(force=True)
