"""The programs of the lesson `programs`, run as a learner would run them.

Their code is taken from the lesson's own fences, and so are the error texts it shows: what the
lesson says is what happens.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smtpshell.practice.mailbox import Message
from smtpshell.practice.server import PracticeServer
from smtpshell.protocol.events import Event, Sent
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.lesson import Lesson, Prose, Smtp
from smtpshell.tutor.library import load

JARS = Path("/usr/share/java")
NODE_MODULES = Path("/usr/share/nodejs")
SECONDS = 60

BOB, GONE, BUSY = (f"{name}@practice.example" for name in ("bob", "nobody", "busy"))
RIGHT, WRONG = "correct horse", "battery staple"


@dataclass(frozen=True, slots=True)
class Program:
    """One of the programs: the language of its fence, its file, and the command that runs it."""

    language: str
    file: str
    command: tuple[str, ...]
    needs: Path | None = None


PROGRAMS = {
    "smtplib": Program("python", "send.py", (sys.executable, "send.py")),
    "nodemailer": Program(
        "javascript", "send.js", ("node", "send.js"), NODE_MODULES / "nodemailer"
    ),
    "javamail": Program(
        "java", "Send.java", ("java", "-cp", f"{JARS}/*", "Send.java"), JARS / "javax.mail.jar"
    ),
}
ENVIRONMENT = {"NODE_PATH": str(NODE_MODULES)}


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a program: its status and errors, the lines of its client, and Bob's mail."""

    status: int
    errors: str
    said: tuple[str, ...]
    delivered: tuple[Message, ...]

    def verbs(self) -> list[str]:
        """Return the commands' first words, in upper case and without the letter."""
        words = [line.split()[0].upper() for line in self.said if line.split()]
        verbs = ("EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", ".", "QUIT")
        return [word for word in words if word in verbs]


def fences(lesson: Lesson, language: str) -> list[str]:
    """Return the code of a lesson's fences of a language."""
    prose = "\n".join(
        line
        for step in lesson.steps
        for block in step.blocks
        if isinstance(block, Prose)
        for line in block.lines
    )
    return re.findall(rf"^```{language}\n(.*?)^```$", prose, re.DOTALL | re.MULTILINE)


def run(
    name: str,
    folder: Path,
    recipient: str = BOB,
    password: str = RIGHT,
    change: Callable[[str], str] = lambda code: code,
) -> Run:
    """Run a program of the lesson against the lesson's world; skip where it is not installed."""
    program, lesson = PROGRAMS[name], load("programs")
    executable = program.command[0]
    if shutil.which(executable) is None:
        pytest.skip(f"{executable} is not installed")
    if program.needs is not None and not program.needs.exists():
        pytest.skip(f"{program.needs} is not installed")
    (code,) = fences(lesson, program.language)
    (folder / program.file).write_text(change(code), encoding="utf-8")
    return asyncio.run(_run(program, lesson.scenario, folder, recipient, password))


async def _run(program: Program, scenario: str, folder: Path, recipient: str, password: str) -> Run:
    said: list[str] = []

    def overhear(_connection: int, event: Event) -> None:
        if isinstance(event, Sent):
            said.append(event.line)

    server = PracticeServer(scenario, observer=overhear)
    await server.start()
    try:
        process = await asyncio.create_subprocess_exec(
            *program.command,
            *(str(server.port), recipient, password),
            cwd=folder,
            env={**os.environ, **ENVIRONMENT},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(SECONDS):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    finally:
        await server.stop()
    return Run(
        process.returncode or 0,
        output.decode("utf-8", "replace"),
        tuple(said),
        server.world.mailbox("bob@practice.example"),
    )


# --- what the lesson says of them ----------------------------------------------------------------

LOGGED_IN = ["EHLO", "STARTTLS", "EHLO", "AUTH"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_letter_arrives_over_the_conversation_that_the_lesson_tells(
    name: str, tmp_path: Path
) -> None:
    """Greet, upgrade, greet, log in by PLAIN, one envelope, one letter; Bob has it."""
    done = run(name, tmp_path)
    assert (done.status, done.errors) == (0, "")
    goodbye = [] if name == "nodemailer" else ["QUIT"]
    assert done.verbs() == [*LOGGED_IN, "MAIL", "RCPT", "DATA", ".", *goodbye]
    (login,) = (line for line in done.said if line.startswith("AUTH"))
    assert login.startswith("AUTH PLAIN")
    (letter,) = done.delivered
    assert letter.envelope.sender == "alice@practice.example"
    assert letter.envelope.user == "alice"
    assert b"Subject: Sent by a program\r\n" in letter.content
    assert b"Nobody typed this." in letter.content


def test_only_one_of_them_tells_the_size(tmp_path: Path) -> None:
    """Python names the size that the lesson lets the learner name, in small letters."""
    sender = next(line for line in run("smtplib", tmp_path).said if "FROM:" in line)
    assert re.fullmatch(r"mail FROM:<alice@practice\.example> size=\d+", sender)
    blocks = load("programs").step("replay").blocks
    assert any("SIZE=201" in block.text for block in blocks if isinstance(block, Smtp))


@pytest.mark.parametrize(
    ("name", "switch"), [("nodemailer", "rejectUnauthorized"), ("javamail", "ssl.trust")]
)
def test_two_check_the_certificate_unless_told_otherwise(
    name: str, switch: str, tmp_path: Path
) -> None:
    """Without the line that switches it off they give up in the handshake, and never log in."""
    done = run(name, tmp_path, change=lambda code: re.sub(rf".*{switch}.*\n", "", code))
    assert done.status != 0
    assert done.verbs() == ["EHLO", "STARTTLS"]
    assert done.delivered == ()


@pytest.mark.parametrize(("number", "name"), list(enumerate(PROGRAMS)))
@pytest.mark.parametrize(
    ("step", "recipient", "password", "reply"),
    [
        ("wrong-password", BOB, WRONG, "535"),
        ("gone-or-busy", BUSY, RIGHT, "451"),
    ],
)
def test_errors_read_as_the_lesson_shows_them(
    number: int, name: str, step: str, recipient: str, password: str, reply: str, tmp_path: Path
) -> None:
    """Each program prints the text that stands in the lesson, with the server's code in it."""
    (shown,) = (text for text in fences(load("programs"), "text") if reply in text)
    texts = [_folded(text) for text in re.split(r"\n(?=\S)", shown)]
    assert len(texts) == len(PROGRAMS), step
    done = run(name, tmp_path, recipient, password)
    assert done.status != 0
    assert texts[number] in _folded(done.errors)
    assert reply in done.errors
    assert done.delivered == ()


@pytest.mark.parametrize(
    ("name", "exception"),
    [
        ("smtplib", "SMTPRecipientsRefused"),
        ("nodemailer", "EENVELOPE"),
        ("javamail", "SMTPAddressFailedException"),
    ],
)
def test_both_refusals_raise_the_same_exception(name: str, exception: str, tmp_path: Path) -> None:
    """For good or for now: only the reply inside tells the one from the other."""
    for recipient, reply in ((GONE, "550"), (BUSY, "451")):
        errors = run(name, tmp_path, recipient).errors
        assert exception in errors
        assert reply in errors


def _folded(text: str) -> str:
    return " ".join(text.split())
