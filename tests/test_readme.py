"""The README is true: its commands are run, and its sessions are what they print.

`python -m tests.test_readme` writes the sessions anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
WIDTH, HEIGHT = 96, 80
CALM = 4
"""Tenths of a second in which nothing comes, before a screen is taken to be finished."""

_FENCE = re.compile(
    r"(?:<!-- typed: (?P<typed>.*?) -->\n)?```(?P<kind>console|text)\n(?P<body>.*?)```\n", re.DOTALL
)
_CHANGING = (
    (re.compile(r"(<1|\d+(\.\d+)?) m?s\b"), "N ms"),
    (re.compile(r'"ms": [0-9.]+'), '"ms": N'),
    (re.compile(r"port \d+"), "port N"),
    (re.compile(r'"port": \d+'), '"port": N'),
)


@dataclass(frozen=True)
class Session:
    """One fence: what is typed or run, and what it shows."""

    kind: str
    typed: str
    body: str
    start: int
    end: int

    @property
    def commands(self) -> list[str]:
        """The commands behind `$ `, each with the lines of its here-document."""
        found: list[str] = []
        ending = ""
        for line in self.body.splitlines():
            if ending:
                found[-1] += "\n" + line
                ending = "" if line == ending else ending
            elif line.startswith("$ "):
                found.append(line[2:])
                here = re.search(r"<<'(\w+)'", line)
                ending = here[1] if here else ""
        return found


def sessions() -> Iterator[Session]:
    """Yield the sessions of the README."""
    for match in _FENCE.finditer(README.read_text(encoding="utf-8")):
        kind = "typed" if match["typed"] else match["kind"]
        if match["typed"] or match["kind"] == "console":
            yield Session(kind, match["typed"] or "", match["body"], *match.span("body"))


def steady(text: str) -> list[str]:
    """Return the words of a session without what changes from run to run.

    Words, because a time of two digits in place of one may fold a line elsewhere.
    """
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text.split()


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which the program is found and nothing of the user is touched."""
    bin_folder = Path(sys.executable).parent
    outside = {name: value for name, value in os.environ.items() if name != "LINES"}
    return {
        **outside,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "TERM": "xterm",
        "COLUMNS": "80",
    }


def run_commands(session: Session) -> str:
    """Run the commands of a console session in a folder of their own; return what it shows."""
    shown = ""
    with tempfile.TemporaryDirectory() as name:
        for command in session.commands:
            done = subprocess.run(
                ["bash", "-c", command],
                capture_output=True,
                text=True,
                timeout=60,
                cwd=name,
                env=environment(Path(name)),
                stdin=subprocess.DEVNULL,
                check=False,
            )
            shown += f"$ {command}\n{done.stderr}{done.stdout}"
    return shown


def type_session(session: Session) -> str:
    """Type the lines of a session at a real terminal; return what the screen shows."""
    import pexpect
    import pyte

    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory() as name:
        child = pexpect.spawn(
            f"{sys.executable} -m smtpshell",
            dimensions=(HEIGHT, WIDTH),
            env=environment(Path(name)),
            cwd=name,
            timeout=10,
        )

        def settle() -> None:
            """Read until a prompt waits with nothing behind it, and nothing more comes."""
            calm, deadline = 0, time.monotonic() + 30
            while calm < CALM and time.monotonic() < deadline:
                try:
                    stream.feed(child.read_nonblocking(65536, timeout=0.1))
                    calm = 0
                except pexpect.TIMEOUT:
                    waits = screen.display[screen.cursor.y].rstrip().endswith(">")
                    calm = calm + 1 if waits else 0
                except pexpect.EOF:
                    return

        settle()
        for line in session.typed.split("|"):
            child.send(line.strip() + "\r")
            settle()
        lines = [line.rstrip() for line in screen.display]
        child.close(force=True)
    text = "\n".join(lines).rstrip()
    return text.rsplit("\nnot connected>", 1)[0].rstrip() + "\n"


def shown_by(session: Session) -> str:
    """Return what a session really shows."""
    return type_session(session) if session.kind == "typed" else run_commands(session)


@pytest.mark.parametrize("session", list(sessions()), ids=lambda session: f"at-{session.start}")
def test_sessions_are_real(session: Session) -> None:
    """Running what the README shows gives what it shows."""
    assert steady(shown_by(session)) == steady(session.body)


def test_subcommands_named_in_the_readme_exist() -> None:
    """Every `smtpshell WORD` of the README is a sub-command, a target or an option."""
    from smtpshell.cli import SUBCOMMANDS

    text = README.read_text(encoding="utf-8")
    words = {match[1] for match in re.finditer(r"`smtpshell ([a-z-]+)[ `]", text)}
    assert words <= set(SUBCOMMANDS)


def rewrite() -> None:
    """Write every session of the README anew."""
    text = README.read_text(encoding="utf-8")
    for session in reversed(list(sessions())):
        text = text[: session.start] + shown_by(session) + text[session.end :]
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
