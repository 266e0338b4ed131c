"""Scripts under hard conditions: signals, streams that are closed or full, long and odd input."""

from __future__ import annotations

import base64
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conversation.running import in_process, smtpshell
from tests.conversation.test_script import Mailish, _lines, at
from tests.net.rogue import serve, silent

FULL = Path("/dev/full")
SEND = ("--from", "a@client.example", "--to", "b@rogue.example")


def command(*words: str) -> list[str]:
    """Return the command line of a process of its own."""
    return [sys.executable, "-m", "smtpshell", *words]


@pytest.mark.parametrize("words", [(), ("-c", "NOOP"), ("send",)])
def test_an_interrupt_ends_with_130_and_one_line(words) -> None:
    """Ctrl-C while a script waits, for input or for a reply: no traceback, nothing left behind."""
    behaviour = Mailish() if not words else silent()
    with serve(behaviour) as server:
        more = SEND if words == ("send",) else ()
        target = (*words, at(server)) if words == ("send",) else (at(server), *words)
        process = subprocess.Popen(
            command(*target, *more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            process.stdout.readline()  # connected
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            process.wait(10)
            assert process.stderr is not None
            said = process.stderr.read()
    assert process.returncode == 130
    assert said == "smtpshell: interrupted\n"


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [(), ("send",), ("explain", "550")])
def test_a_full_disk_is_status_10_and_one_line(words) -> None:
    """Standard output that cannot be written is told; the session still comes to its end."""
    with serve(Mailish()) as server, FULL.open("w") as full:
        target = {(): (at(server), "-c", "NOOP"), ("send",): ("send", at(server), *SEND)}
        done = subprocess.run(
            command(*target.get(words, words)),
            stdout=full,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=30,
            check=False,
        )
        if words != ("explain", "550"):
            assert bytes(server.received).endswith(b"QUIT\r\n")
    assert done.returncode == 10
    assert len(done.stderr.splitlines()) == 1
    assert "standard output" in done.stderr


@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-"])
def test_closed_streams_are_no_bugs(closing) -> None:
    """Each standard stream may be closed by the caller."""
    with serve(Mailish()) as server:
        line = " ".join(command(at(server), *(() if closing == "<&-" else ("-c", "NOOP"))))
        done = subprocess.run(f"{line} {closing}", shell=True, timeout=30, check=False)
    assert done.returncode == 0


def test_send_into_a_closed_pipe_still_delivers() -> None:
    """Nobody reading the output is no reason to leave a message half sent."""
    with serve(Mailish()) as server:
        words = " ".join(command("send", at(server), *SEND))
        done = subprocess.run(
            f"{words} | head -1",
            shell=True,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert b"\r\n.\r\n" in bytes(server.received)
    assert done.stderr == ""


def test_chunk_octets_hold_nothing_local() -> None:
    """Lines that fill a BDAT chunk go out as typed, and the reply is awaited after the last."""

    class Chunky(Mailish):
        def __call__(self, connection) -> None:
            connection.sendall(self.greeting)
            data = b""
            while not data.endswith(b"QUIT\r\n"):
                more = connection.recv(65536)
                if not more:
                    return
                data += more
                if data.endswith(b"x\r\n/quit\r\n?\r\n"):
                    connection.sendall(b"250 taken\r\n")
            connection.sendall(b"221 bye\r\n")

    octets = b"//x\r\n/quit\r\n?\r\n"
    with serve(Chunky()) as server:
        run = in_process(at(server), f"BDAT {len(octets)} LAST", "//x", "/quit", "?", "/status")
        assert octets in bytes(server.received)
    assert run.status == 0, run.err
    assert any(line.startswith("# state") for line in run.lines)


def test_answers_to_a_challenge_hold_nothing_local() -> None:
    """Base64 may begin with a slash."""
    answer = base64.b64encode(b"\xfc\0").decode()

    class Challenging(Mailish):
        def __call__(self, connection) -> None:
            connection.sendall(self.greeting)
            for line in _lines(connection):
                connection.sendall(b"334 \r\n" if line.startswith(b"AUTH") else b"535 no\r\n")

    assert answer[0] == "/"
    for line in (answer, "/quit", "//", "?"):
        with serve(Challenging()) as server:
            in_process(at(server), "AUTH PLAIN", line)
            assert f"AUTH PLAIN\r\n{line}\r\n".encode() in bytes(server.received)


def test_input_that_ends_inside_a_login_gives_it_up() -> None:
    """The last line is a single *, then QUIT."""

    class Challenging(Mailish):
        def __call__(self, connection) -> None:
            connection.sendall(self.greeting)
            for line in _lines(connection):
                connection.sendall(b"334 \r\n" if line.startswith(b"AUTH") else b"501 ok\r\n")

    with serve(Challenging()) as server:
        in_process(at(server), "AUTH PLAIN")
        assert bytes(server.received).endswith(b"AUTH PLAIN\r\n*\r\nQUIT\r\n")


def test_a_line_of_megabytes_is_a_line() -> None:
    """Long lines pass in both directions."""
    word = b"x" * 3_000_000
    with serve(Mailish(answers={"NOOP": b"250 " + b"y" * 600_000 + b"\r\n"})) as server:
        run = smtpshell(at(server), stdin=b"NOOP " + word + b"\n")
        assert b"NOOP " + word + b"\r\n" in bytes(server.received)
    assert run.status == 0, run.err


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_long_script_has_bounded_memory(tmp_path) -> None:
    """The log is bounded, so a script of message lines a hundred times as long costs little."""
    program = (
        "import sys; from smtpshell.cli import guarded; guarded(sys.argv[1:]); "
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr)"
    )
    peaks = []
    for count in (1_000, 100_000):
        file = tmp_path / str(count)
        file.write_text("DATA\n" + "x\n" * count + ".\n")
        with serve(Mailish()) as server:
            done = subprocess.run(
                [sys.executable, "-c", program, at(server), "-f", str(file)],
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
        peaks.append(int(done.stderr.split()[-1]))
    assert peaks[1] < peaks[0] + 40_000  # kilobytes


def test_every_option_may_stand_before_and_after_a_sub_command() -> None:
    """--json, --notes, --plain, --timeout and -q are heeded in both places."""
    options = ("--json", "--notes", "off", "--plain", "--timeout", "5", "-q")
    with serve(Mailish()) as server:
        words = ("send", at(server), *SEND, "--quit-after", "mail")
        before = smtpshell(*options, *words)
        after = smtpshell(*words, *options)
    assert before.status == after.status == 0
    assert [item["event"] for item in before.objects] == [item["event"] for item in after.objects]


def test_quiet_leaves_the_wire_lines_alone() -> None:
    """With -q there is not one note."""
    with serve(Mailish()) as server:
        run = smtpshell(at(server), "-q", "-c", "EHLO x", "-c", "NOOP")
    assert run.lines == run.wire


@pytest.mark.parametrize(
    "reply",
    [b"220 mx ESMTP\r\n", b"250 turned\r\n", b"450 later\r\n", b"334 ???\r\n", b"354 go\r\n"],
)
@pytest.mark.parametrize(
    "line", ["XCLIENT NAME=x", "ATRN a.example", "TURN", "ETRN a", "BURL imap://x LAST", "NOOP"]
)
def test_odd_verbs_and_odd_replies_break_nothing(line, reply) -> None:
    """Any verb may be answered by anything: the script goes on and ends."""
    verb = line.split()[0]
    with serve(Mailish(answers={verb: reply})) as server:
        run = in_process(at(server), line, "/status", "NOOP", json=True, timeout="2")
    assert run.status in (0, 20, 26)
    assert not run.err
