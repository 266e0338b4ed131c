"""A teacher's words for the server that runs, from another terminal: a real server, real words."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from smtpshell.cli import guarded
from smtpshell.tutor.classroom.asking import socket_path


@dataclass
class Class:
    """A class that is served by a process: its shared port, and what stands on its screen."""

    process: subprocess.Popen[str]
    port: int
    screen: list[str]

    def type(self, *lines: str) -> str:
        """Connect to the shared port, type lines, and return all that the server says."""
        said = ""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            file = sock.makefile("r", newline="\r\n", encoding="utf-8")
            for line in ("", *lines):
                if line:
                    sock.sendall(f"{line}\r\n".encode())
                while (reply := file.readline())[3:4] == "-":
                    said += reply
                said += reply
            file.close()
        return said


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Class]:
    """Serve three students in lesson 1, in pairs, with a state folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    command = [sys.executable, "-m", "smtpshell", "classroom", "serve", "--students", "3"]
    process = subprocess.Popen(
        [*command, "--lesson", "1", "--port", "0", "--pairs"],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    screen: list[str] = []
    while not screen or "Ctrl-C" not in screen[-1]:
        screen.append(process.stdout.readline())
    shared = next(found for line in screen if (found := re.search(r" port (\d+) for all", line)))
    try:
        yield Class(process, int(shared[1]), screen)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
        assert not socket_path().exists()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def run(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    """Run `classroom` with words, and return what it prints."""
    assert guarded(["classroom", *words]) == status
    printed = capsys.readouterr()
    return printed.out + printed.err


def objects(text: str) -> list[dict[str, Any]]:
    """Return the objects of JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_teacher_speaks_pauses_and_goes_on(
    here: Class, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each word does what it says, and tells so, in words or as JSON."""
    assert "published" in "".join(here.screen).lower()
    with socket.create_connection(("127.0.0.1", here.port), timeout=10) as student:
        student.recv(1000)
        assert run(capsys, "say", "look", "up") == "It waits for 1 connection.\n"
        student.sendall(b"NOOP\r\n")
        assert student.recv(1000).endswith(b"250 2.0.0 Teacher: look up\r\n")
    assert objects(run(capsys, "say", "--json", "again")) == [{"reached": 0}]
    assert run(capsys, "pause") == "The class is paused.\n"
    assert "450 4.3.2" in here.type("EHLO s001.practice.example")
    assert run(capsys, "pause", "off") == "The class goes on.\n"
    assert "450" not in here.type("EHLO s001.practice.example")
    assert "no such student" in run(capsys, "reset", "999", status=1)
    assert run(capsys, "reset", "001", "s002") == "Begun again: 001, 002.\n"
    assert run(capsys, "reset", "all") == "Begun again: 001, 002, 003.\n"


@pytest.mark.parametrize(
    "words",
    [["say"], ["say", "\u00fc"], ["pause", "soon"], ["demo", "--every", "0"], ["demo", "x"]],
)
def test_words_that_make_no_sense_are_usage_errors(words: list[str]) -> None:
    """Nothing is asked of any server."""
    assert guarded(["classroom", *words]) == 2


def test_ports_tell_each_student_where_to_go(
    here: Class, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table, a student's card, and both as JSON."""
    assert f"port {here.port} for all" in run(capsys, "ports")
    card = run(capsys, "ports", "002")
    assert "002: EHLO s002.practice.example" in card
    assert "partners: 001, 003" in card
    assert f"port {here.port}, or" in card
    (seat,) = objects(run(capsys, "ports", "003", "--json"))
    assert (seat["domain"], len(seat["doors"])) == ("s003.practice.example", 1)
    assert run(capsys, "ports", "s002") == card
    assert run(capsys, "ports", "all").count("EHLO s00") == 3
    assert "no such student" in run(capsys, "ports", "009", status=1)


def test_watch_tells_of_real_students(here: Class, capsys: pytest.CaptureFixture[str]) -> None:
    """How many are where, and what goes wrong most often, without any log."""
    assert "Nobody has connected yet." in run(capsys, "watch", "--once")
    for student in ("001", "002"):
        here.type(f"HELO s{student}.practice.example", f"MAIL TO:<bob{student}@practice.example>")
    here.type("HELO s003.practice.example", "MAIL FROM:<ann@client.example>")
    assert run(capsys, "watch", "--once") == (
        "3 students on step 3; commonest wrong line: MAIL TO: (2 students).\n"
    )
    (note,) = objects(run(capsys, "watch", "--once", "--json"))
    assert note["text"].startswith("3 students")


def test_a_demonstration_is_shown_to_watchers_and_students(here: Class) -> None:
    """The lesson's own solution, line by line, on the watch and behind HELP DEMO."""
    assert "no demonstration" in here.type("HELP DEMO")
    watch = subprocess.Popen(
        [sys.executable, "-m", "smtpshell", "classroom", "watch"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watch.stdout is not None
    watch.stdout.readline()
    assert guarded(["classroom", "demo", "--every", "0.01"]) == 0
    lines: list[str] = []
    while not lines or "over" not in lines[-1]:
        lines.append(watch.stdout.readline().partition("Demo: ")[2].rstrip())
    assert [line for line in lines if line.startswith("C: ")][:2] == [
        "C: HELO client.example",
        "C: MAIL FROM:<ann@client.example>",
    ]
    assert "# Step 5 of 5" in "".join(lines)
    assert "S: 221" in here.type("HELP DEMO")
    assert guarded(["classroom", "demo", "stop"]) == 0
    watch.terminate()
    watch.wait(10)
    watch.stdout.close()


def test_a_watch_ends_with_its_server(here: Class) -> None:
    """Whoever watches is told, and neither of the two complains."""
    command = [sys.executable, "-m", "smtpshell", "classroom", "watch"]
    watch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert watch.stdout is not None
    watch.stdout.readline()
    here.process.send_signal(signal.SIGINT)
    here.process.wait(10)
    out, errors = watch.communicate(timeout=10)
    assert out.endswith("The server has ended.\n")
    assert (watch.returncode, errors) == (0, "")


def test_who_is_connected_at_the_end_is_told_how_to_go_on(here: Class) -> None:
    """The lesson and the student's id: alone they give the same variants."""
    with socket.create_connection(("127.0.0.1", here.port), timeout=10) as student:
        student.recv(1000)
        student.sendall(b"EHLO s002.practice.example\r\n")
        student.recv(1000)
        here.process.send_signal(signal.SIGINT)
        goodbye = student.recv(1000).decode()
    assert goodbye.startswith("421 4.3.2 ")
    assert "SMTPSHELL_STUDENT=002 smtpshell lesson helo-to-quit" in goodbye
    here.process.wait(10)


def test_a_scenario_alone_has_nothing_to_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no lesson, so there is no demonstration and no receipt; statuses 1 and 2."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    serve = ["classroom", "serve", "--students", "1", "--scenario", "plain", "--port", "0"]
    assert guarded([*serve, "--receipts", str(tmp_path / "r")]) == 2
    process = subprocess.Popen([sys.executable, "-m", "smtpshell", *serve], stdout=subprocess.PIPE)
    assert process.stdout is not None
    while b"Ctrl-C" not in process.stdout.readline():
        pass
    assert "nothing to show" in run(capsys, "demo", status=1)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    process.stdout.close()


def test_noise_on_the_socket_harms_nothing(here: Class, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever writes nonsense gets an answer or silence, and the server goes on."""
    for noise in (b"\n", b"[[[[\n", b"[1]\n", b'["demo", "nan"]\n', b'["say"]\n', b"x" * 50_000):
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(str(socket_path()))
            end.sendall(noise)
            end.shutdown(socket.SHUT_WR)
            assert b"error" in end.recv(1000) or len(noise) > 1000
    assert run(capsys, "pause", "off")
