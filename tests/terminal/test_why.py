"""The cases that every help page lists, at a real terminal: refused, explained, and settled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.net import rogue
from tests.terminal.servers import Scripted
from tests.terminal.tty import Tty

EHLO, MAIL, RCPT = "EHLO me.example", "MAIL FROM:<ann@shop.example>", "RCPT TO:<zoe@else.example>"
OPEN = b"250-mx.example\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN\r\n"
LOCKED = b"250-mx.example\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"
BARE = b"250-mx.example\r\n250 SIZE 1000\r\n"

CASES: dict[str, tuple[dict[str, bytes], list[str], str, str]] = {
    "535 authentication failed": (
        {"EHLO": OPEN, "AUTH": b"535 5.7.8 Error: authentication failed\r\n"},
        [EHLO, "AUTH CRAM-MD5"],
        "CRAM-MD5 is not among what the server offers: PLAIN, LOGIN",
        "/auth PLAIN",
    ),
    "encryption required": (
        {"EHLO": LOCKED, "MAIL": b"530 5.7.0 Must issue a STARTTLS command first\r\n"},
        [EHLO, MAIL],
        "The connection is not encrypted yet",
        "/starttls",
    ),
    "encryption not supported": (
        {"EHLO": BARE, "STARTTLS": b"502 5.5.1 Error: command not implemented\r\n"},
        [EHLO, "STARTTLS"],
        "Try the port where TLS begins at once",
        "/connect submissions://127.0.0.1:465",
    ),
    "550 5.1.1": (
        {"EHLO": BARE, "RCPT": b"550 5.1.1 <zoe@else.example>: User unknown\r\n"},
        [EHLO, MAIL, RCPT],
        "The address is misspelt",
        "VRFY zoe@else.example",
    ),
    "553 5.7.1 sender not owned": (
        {"EHLO": OPEN, "MAIL": b"553 5.7.1 <ann@shop.example>: not owned by user bob\r\n"},
        [EHLO, MAIL],
        "log in as that user",
        "/auth",
    ),
    "552 5.3.4 too big": (
        {"EHLO": BARE, "MAIL": b"552 5.3.4 Message size exceeds fixed limit\r\n"},
        [EHLO, f"{MAIL} SIZE=5000"],
        "The message has 5000 octets, the server takes 1000",
        "EHLO me.example",
    ),
    "554 5.7.1 relay denied": (
        {"EHLO": BARE, "RCPT": b"554 5.7.1 <zoe@else.example>: Relay access denied\r\n"},
        [EHLO, MAIL, RCPT],
        "not in mynetworks, and else.example is neither in relay_domains",
        "RCPT TO:<postmaster>",
    ),
}
"""For each case: what the server answers, what is typed, the first cause, and what settles it."""


def told(tty: Tty) -> str:
    """Return the screen as running text."""
    return " ".join(tty.text.split())


@pytest.mark.parametrize("columns", [60, 140])
@pytest.mark.parametrize("case", CASES)
def test_a_refusal_is_explained_and_its_first_cause_is_settled(
    case: str, columns: int, tmp_path: Path
) -> None:
    """/why names the cause by this session's facts; /why 1 runs the very command that it names."""
    answers, lines, cause, command = CASES[case]
    server = Scripted(dict(answers), b"220 mx.example ESMTP Postfix\r\n")
    with (
        rogue.serve(server) as place,
        Tty(f"127.0.0.1:{place.port}", home=tmp_path, columns=columns, rows=60) as tty,
    ):
        tty.wait_prompt(r"> $")
        for number, line in enumerate(lines, 1):
            tty.line(line)
            tty.wait_for(r"^S: \d{3} ", times=number + 1)
            tty.wait_prompt(r"> $")
        tty.line("/why", "^Likely causes")
        tty.wait_for("/why 1  runs")
        tty.wait_prompt(r"> $")
        assert cause in told(tty)
        assert f"/why 1 runs {command}" in told(tty)
        assert max(map(len, tty.text.split("\n"))) <= columns
        tty.line("/why 1", "^Running: ")
        assert command in told(tty).partition("Running: ")[2]


def test_a_refused_connection_is_explained_by_its_port(tmp_path: Path) -> None:
    """Nothing listens: the port's meaning is told, and the other ports to try."""
    with Tty("127.0.0.1:25", home=tmp_path) as tty:
        tty.wait_for("^Failed: ")
        tty.wait_prompt("^not connected> $")
        tty.line("/why", "nothing listens on port 25 .mail between servers")
        tty.wait_for("/why 1  runs  /connect 127.0.0.1:587")


def test_a_silent_port_is_explained_with_the_time_waited(tmp_path: Path) -> None:
    """No greeting: how long was waited, and that the port may want TLS or be no mail server."""
    with (
        rogue.serve(rogue.silent()) as place,
        Tty(f"127.0.0.1:{place.port}", home=tmp_path, env={"SMTPSHELL_TIMEOUT": "1"}) as tty,
    ):
        tty.wait_for("^Failed: no greeting")
        tty.wait_prompt(r"> $")
        tty.line("/why", r"sent no greeting within 1(\.\d+)? seconds")
        tty.wait_for("/why 1  runs  /connect submissions://127.0.0.1")


def test_nothing_is_sent_into_a_message(tmp_path: Path) -> None:
    """In the middle of a message /why explains, and refuses to run what would become part of it."""
    server = Scripted({"EHLO": BARE, "VRFY": b"550 5.1.1 <zoe@else.example>: User unknown\r\n"})
    with rogue.serve(server) as place, Tty(f"127.0.0.1:{place.port}", home=tmp_path) as tty:
        tty.wait_prompt(r"> $")
        for line in (EHLO, "VRFY zoe@else.example", MAIL, RCPT, "DATA"):
            tty.line(line)
            tty.wait_prompt(r"> $")
        tty.wait_prompt("message> $")
        tty.press("ctrl-]")
        tty.wait_prompt("/command> /$")
        tty.line("why 1", "would become a part of the message")
        tty.wait_prompt("message> $")
        tty.line(".", "S: 250")
        assert "VRFY zoe@else.example" in server.lines
        assert server.lines.count("VRFY zoe@else.example") == 1


def test_plain_mode_tells_the_same(tmp_path: Path) -> None:
    """Line by line, in ASCII, each line of ours marked: cause, command, and what it shows."""
    answers, lines, cause, command = CASES["552 5.3.4 too big"]
    with (
        rogue.serve(Scripted(dict(answers))) as place,
        Tty("--plain", f"127.0.0.1:{place.port}", home=tmp_path, columns=60) as tty,
    ):
        tty.wait_prompt(r"> $")
        for line in (*lines, "/why"):
            tty.line(line)
            tty.wait_prompt(r"> $")
        tty.wait_for("/why 1  runs")
        ours = " ".join(line.removeprefix("#") for line in tty.text.split("\n"))
        assert cause in " ".join(ours.split())
        tty.line("/why 1", f"Running: {command}")
        tty.wait_for("^S: 250 SIZE 1000", times=2)
