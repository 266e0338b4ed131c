"""Being the server: a person types the replies, a client believes them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys

import pytest

from smtpshell.cli import guarded
from smtpshell.conversation.answering import choices
from smtpshell.protocol.events import Sent
from smtpshell.protocol.session import Session

COMMAND = [sys.executable, "-m", "smtpshell", "practice", "--be-the-server"]


def run(replies: str, *options: str) -> str:
    """Type replies, each when the client waits for one, and return what is shown."""
    done = subprocess.run(
        [*COMMAND, *options], input=replies, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_client_takes_the_replies_at_their_word() -> None:
    """Its lines, its reasons, what may be answered, and what became of the letter."""
    shown = run(
        "220 mail.practice.example\n250-mail.practice.example\n250 SIZE 1000\n250 ok\n250 ok\n"
        "550 5.1.1 nobody\n354 go\n250 taken\n221 bye\n"
    )
    lines = shown.splitlines()
    assert [line for line in lines if line.startswith("C: ")][:5] == [
        "C: EHLO client.example",
        "C: MAIL FROM:<ann@client.example>",
        "C: RCPT TO:<bob@practice.example>",
        "C: RCPT TO:<carol@practice.example>",
        "C: DATA",
    ]
    assert "S: 250-mail.practice.example" in lines
    assert "# DATA: 354 yes; 450 451 452 not now; 550 552 554 never." in lines
    assert "# bob@practice.example: delivered, 250 taken." in lines
    assert "# carol@practice.example: returned to the sender, 550 5.1.1 nobody." in lines


def test_who_is_put_off_comes_again() -> None:
    """A second connection, for those who are left."""
    first = "220 hi\n250 hi\n250 ok\n250 ok\n451 later\n354 go\n250 taken\n221 bye\n"
    shown = run(first + "220 hi\n250 hi\n250 ok\n250 ok\n354 go\n250 taken\n221 bye\n")
    assert shown.count("C: EHLO") == 2
    story = [shown.index(f"# {words}") for words in ("The server has hung up.", "Some time later")]
    assert story == sorted(story)
    assert "# Some time later the client comes again." in shown
    assert "# carol@practice.example: delivered, 250 taken." in shown


def test_what_is_no_reply_is_told() -> None:
    """The client hangs up, three times, and gives the reason each time."""
    shown = run("hello\nhello again\nand again\n")
    assert shown.count("It cannot read this and hangs up.") == 3
    assert "C: " not in shown


def test_json_gives_events_and_notes() -> None:
    """One object on a line: what was sent and replied, and what the client thinks."""
    shown = run("554 go away\n221 bye\n554 no\n221 bye\n554 no\n221 bye\n", "--json")
    events = [json.loads(line) for line in shown.splitlines()]
    assert {"note", "connected", "reply", "sent", "closed"} <= {each["event"] for each in events}


@pytest.mark.skipif(os.name != "posix", reason="a terminal of our own is needed")
def test_a_partner_comes_by_telnet() -> None:
    """With --wait another person is the client; what they type is shown, what we type is sent."""
    import pty

    master, slave = pty.openpty()
    process = subprocess.Popen([*COMMAND, "--wait"], stdin=slave, stdout=subprocess.PIPE, text=True)
    os.close(slave)
    assert process.stdout is not None
    try:
        while not (found := re.search(r"telnet (\S+) (\d+)", process.stdout.readline())):
            pass
        with socket.create_connection((found[1], int(found[2])), timeout=10) as partner:
            while "waits" not in process.stdout.readline():
                pass
            os.write(master, b"220 come in\n")
            assert partner.recv(100) == b"220 come in\r\n"
            partner.sendall(b"HELLO\r\n")
            assert process.stdout.readline() == "C: HELLO\n"
            assert "500" in process.stdout.readline()
            with socket.create_connection((found[1], int(found[2])), timeout=10) as second:
                assert second.recv(100).startswith(b"421 ")
            os.write(master, b"500 what\n")
            assert partner.recv(100) == b"500 what\r\n"
        os.write(master, b"\x04")
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(master)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("STARTTLS", "no hand can do"),
        ("HELLO", "no command"),
        ("VRFY bob", "VRFY: 250"),
        ("QUIT", "QUIT: 221 yes."),
    ],
)
def test_what_may_be_answered_comes_from_the_table_of_verbs(line: str, told: str) -> None:
    """For each line of the client there is a word for the server."""
    session = Session()
    session.opened("mail.practice.example", "127.0.0.1", 25)
    (outgoing,) = session.send(f"{line}\r\n".encode())
    sent = Sent(at=0.0, after=session.snapshot(), line=line, verb=outgoing.verb, kind="command")
    assert told in choices(sent)


def test_waiting_alone_makes_no_sense() -> None:
    """`--wait` belongs to `--be-the-server`; a public address has to be asked for twice."""
    assert guarded(["practice", "--wait"]) == 1
    assert guarded(["practice", "--be-the-server", "--listen", "0.0.0.0"]) == 1
