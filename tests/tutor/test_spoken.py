"""What a lesson says where nothing can be drawn, held to files that were read aloud once.

Each case is played by the real player and compared with tests/tutor/golden/NAME.txt, line by line.
Where a text is meant to change, `python -m tests.tutor.test_spoken` writes the files anew; read
what has changed in them before you commit it.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smtpshell.conversation.settings import Settings
from smtpshell.tutor.demonstration import demonstrate
from smtpshell.tutor.library import load
from smtpshell.tutor.plainly import ROLES
from smtpshell.tutor.quiz import run
from tests.tutor.making import FIRST, played

GOLDEN = Path(__file__).with_name("golden")

HELLO = ("220", "HELO client.example")
ENVELOPE = (
    "MAIL FROM:<ann@client.example>",
    "RCPT TO:<carol@practice.example>",
    "RCPT TO:<bob@practice.example>",
)
SLIPS = (
    "250",
    "/hint",
    "220",
    "?",
    "HELLO client.example",
    "/hint",
    "/show",
    "HELO client.example",
    "MAIL FROM:<dan@client.example>",
    "XYZZY",
    "/where",
    "/undo",
    *ENVELOPE,
    "/again",
    "DATA",
    "Hello",
    "/hint",
    ".",
    "/undo",
    "DATA",
    "Subject: By hand",
    "",
    "Hello Bob.",
    ".",
    "/mailbox bob",
    "1",
    "2",
    "/play",
    "VRFY bob",
    "/back",
    "/skip",
)
LOGIN = (
    "/skip",
    "/b64 alice",
    "YWxpY2U=",
    "swordfish",
    "AUTH LOGIN",
    "alice",
    "AUTH LOGIN",
    "YWxpY2U=",
    "Y29ycmVjdCBob3JzZQ==",
    "/read reply --spell",
    "Username:",
    "/status",
)
GREYLIST = (
    "EHLO client.example",
    "MAIL FROM:<ann@client.example>",
    "RCPT TO:<bob@practice.example>",
    "3",
    "RCPT TO:<bob@practice.example>",
    "5",
    "RCPT TO:<bob@practice.example>",
)
CLINIC = (
    "HELP",
    "/where",
    "EHLO client.example",
    "MAIL FROM:<alice@practice.example>",
    "RCPT TO:<bob@practice.example>",
    "RCPT TO:<zoe@elsewhere.example>",
    "2",
    "1",
    "It takes mail for anybody. Its list of own domains is too wide. Make it narrow.",
)
ACCENTS = (
    "EHLO client.example",
    "SMTPUTF8",
    "MAIL FROM:<ann@client.example>",
    "RCPT TO:<josé@practice.example>",
)


def told(lesson: str, *lines: str) -> str:
    """Return what is said while a lesson is played with lines."""
    return played(lesson, *lines, timing="off").out


def quiz(lesson: str, *answers: str) -> str:
    """Return what is said in a quiz."""
    out = io.StringIO()
    chosen = load(lesson)
    run(chosen, chosen.values(0), iter(answers), out, plain=True)
    return out.getvalue()


def demo(lesson: str) -> str:
    """Return what a lesson says that plays itself."""
    import asyncio

    out = io.StringIO()
    asyncio.run(demonstrate(load(lesson), Settings(), out))
    return out.getvalue()


CASES: dict[str, Callable[[], str]] = {
    "first-with-slips": lambda: told(FIRST, *SLIPS),
    "login": lambda: told("auth-plain-and-login", *LOGIN),
    "greylisting": lambda: told("greylisting", *GREYLIST),
    "clinic": lambda: told("clinic", *CLINIC),
    "accents": lambda: told("beyond-ascii", *ACCENTS),
    "quiz": lambda: quiz("reply-codes", "1", "/again", "/show", "2", "/skip", "/quit"),
    "demonstration": lambda: demo(FIRST),
}


def steady(text: str) -> str:
    """Return what is said without what changes from run to run."""
    return re.sub(r"127\.0\.0\.1 port \d+", "127.0.0.1 port N", text)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Return a case: its name, and what is said in it."""
    return request.param, steady(CASES[request.param]())


def test_what_is_said_is_as_it_was_read(case) -> None:
    """Word by word; what changes is read again by whoever changes it."""
    name, text = case
    assert text == (GOLDEN / f"{name}.txt").read_text(encoding="ascii")


def test_only_whole_lines_of_ascii_are_said(case) -> None:
    """No escape, no lone return, no letter that a braille line would lack; a role on each line."""
    _, text = case
    assert text.isascii()
    assert "\x1b" not in text
    assert "\r" not in text
    assert [line for line in text.splitlines() if not line.startswith(ROLES)] == []
    assert all(line.strip() == line.rstrip() for line in text.splitlines())


def test_the_verdict_comes_first(case) -> None:
    """Behind a reply and its notes nothing is said before it is said whether it was right."""
    _, text = case
    before = ""
    for line in text.splitlines():
        if line.startswith(("Correct.", "Not yet.")):
            assert before.startswith(("S:", "#", "C:", *VERDICT_ENDS)), before
        before = line


VERDICT_ENDS = (
    "Question:",
    "Choice ",
    "Note: Answer",
    "Note: A command",
    "Hint ",
    "Text:",
    "Place:",
    "Answer:",
    "Correct.",
    "Not yet.",
    "Skipped.",
    "Note: ",
)
"""What may stand before a verdict where the learner's own line is not echoed: the last words said
before it."""


@pytest.mark.parametrize(
    "words",
    [("lesson", FIRST), ("lesson", "demo", FIRST), ("lesson", "list"), ("lesson", FIRST, "--quiz")],
    ids=" ".join,
)
def test_a_pipe_to_head_ends_quietly(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whoever reads only the first line hears nothing more, on either stream, and nothing hangs."""
    command = f'yes x | "{sys.executable}" -m smtpshell {" ".join(words)} | head -n 1'
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, timeout=30, env=environment, check=False
    )
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


def test_nothing_but_ascii_without_a_terminal(tmp_path: Path) -> None:
    """The program itself, in a pipe, without any option: also where letters have accents."""
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    for words in (("lesson", "beyond-ascii"), ("lesson", "demo", "beyond-ascii")):
        done = subprocess.run(
            [sys.executable, "-m", "smtpshell", *words],
            input="\n".join(ACCENTS).encode(),
            capture_output=True,
            timeout=30,
            env=environment,
            check=False,
        )
        assert done.stdout.isascii()
        assert b"jos\\xe9@practice.example" in done.stdout


def write() -> None:
    """Write the files anew."""
    GOLDEN.mkdir(exist_ok=True)
    for name, make in CASES.items():
        (GOLDEN / f"{name}.txt").write_text(steady(make()), encoding="ascii")
        print(f"Wrote {GOLDEN / name}.txt.")


if __name__ == "__main__":
    write()
