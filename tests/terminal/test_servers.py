"""The shell with servers that are late, rude or hostile, in a real terminal."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.net import rogue
from tests.terminal.servers import Scripted
from tests.terminal.tty import Tty

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

ALLOWED = re.compile(
    rb"\x1b\[[0-9;?]*[ABCDHJKhlmnr]|\x1b\[\?[0-9;]*\$p|\x1b[=>78]|\x1b\[[0-9 ]*q|\x1b\]133;.\x07?"
)
"""What the line editor itself sends: cursor, erasing, modes and colours."""


def test_late_421_above_the_prompt(tmp_path: Path) -> None:
    """A 421 that comes while a line is typed appears above it; the line stays, the prompt tells."""
    server = Scripted()
    with rogue.serve(server) as place, Tty(f"127.0.0.1:{place.port}", home=tmp_path) as tty:
        tty.wait_prompt(r"127\.0\.0\.1:\d+> $")
        tty.type("EHLO half")
        tty.wait_prompt("> EHLO half$")
        server.say(b"421 4.3.2 Going down\r\n")
        server.hang_up()
        tty.wait_for("^Unasked: ")
        tty.wait_for("^S: 421 4.3.2 Going down$")
        tty.wait_for("^Connection closed by the server")
        tty.wait_prompt("^not connected> EHLO half$")
        lines = tty.text.split("\n")
        assert lines.index("S: 421 4.3.2 Going down") < lines.index("not connected> EHLO half")


def test_ctrl_c_stops_waiting(tmp_path: Path) -> None:
    """Ctrl-C gives the prompt back while the reply is out; the reply still comes, in its place."""
    server = Scripted()
    server.answers["NOOP"] = server.late(b"250 2.0.0 At last\r\n")
    with rogue.serve(server) as place, Tty(f"127.0.0.1:{place.port}", home=tmp_path) as tty:
        tty.wait_prompt(r"> $")
        tty.line("NOOP", "Waiting for 127.0.0.1:.* Ctrl-C stops waiting")
        tty.press("ctrl-c")
        tty.wait_for("Stopped waiting")
        tty.wait_prompt("1 reply awaited> $")
        tty.type("EHLO x")
        tty.wait_prompt("> EHLO x$")
        server.gate.set()
        tty.wait_for("^S: 250 2.0.0 At last")
        tty.wait_prompt(r"127\.0\.0\.1:\d+> EHLO x$")
        assert "Unasked" not in tty.text
        tty.press("ctrl-c")
        tty.wait_prompt("> $")
        tty.line("EHLO y", "S: 250-SIZE")


def test_a_silent_server_may_want_tls(tmp_path: Path) -> None:
    """While no greeting comes, the likeliest cause is told; Ctrl-C gives the prompt back."""
    with (
        rogue.serve(Scripted(greeting=b"")) as place,
        Tty(f"127.0.0.1:{place.port}", home=tmp_path) as tty,
    ):
        tty.wait_for(r"perhaps it wants TLS first \(smtps://\)\. Ctrl-C stops waiting")
        tty.press("ctrl-c")
        tty.wait_prompt("1 reply awaited> $")


def test_typed_ahead(tmp_path: Path) -> None:
    """Keys pressed while a reply is awaited stand on the next prompt."""
    server = Scripted()
    server.answers["NOOP"] = server.late(b"250 2.0.0 At last\r\n")
    with rogue.serve(server) as place, Tty(f"127.0.0.1:{place.port}", home=tmp_path) as tty:
        tty.wait_prompt(r"> $")
        tty.line("NOOP", "Waiting for")
        tty.type("EHLO ahead")
        server.gate.set()
        tty.wait_prompt("> EHLO ahead$")


def test_hostile_text_moves_nothing(tmp_path: Path) -> None:
    """No escape sequence of a server reaches the terminal, in any reply, keyword or banner."""
    evil = b"\x1b]0;owned\x07\x1b[31;5mred\x1b[2J\x9b31m\x07\xe2\x80\xae\xff\x00"
    server = Scripted(
        {
            "EHLO": b"250-" + evil + b"\r\n250-AUTH LOGIN " + evil + b"\r\n250 " + evil + b"\r\n",
            "AUTH": b"334 " + evil + b"\r\n",
            "*": b"501 " + evil + b"\r\n",
            "VRFY": evil + b"\r\n",
        },
        greeting=b"220 " + evil + b"\r\n",
    )
    with rogue.serve(server) as place, Tty(f"127.0.0.1:{place.port}", home=tmp_path) as tty:
        tty.wait_prompt(r"> $")
        tty.line("EHLO x", "S: 250 ")
        tty.wait_prompt(r"> $")
        tty.type("AUTH ")
        tty.wait_for("offered:")
        tty.line("LOGIN")
        tty.wait_prompt("answer> $")
        tty.line("*", "S: 501")
        tty.line("VRFY x", "S: ")
        tty.line("/status", "announced")
        tty.line("/transcript", "C: VRFY x")
        tty.wait_prompt(r"> $")
        raw = bytes(tty.raw)
        assert b"\\x1b]0;owned\\x07" in raw
        for sequence in (b"]0;owned\x07", b"\x1b[31;5m", b"\x9b31m", b"\xe2\x80\xae", b"\x07"):
            assert sequence not in raw
        assert not re.search(rb"\x1b", ALLOWED.sub(b"", raw))


def test_cleartext_password_is_asked_about_once(tmp_path: Path) -> None:
    """A typed secret over an open channel goes out after a yes only, and one yes is enough."""
    server = Scripted({"AUTH": b"535 5.7.8 No\r\n"})
    with rogue.serve(server) as place, Tty(f"127.0.0.1:{place.port}", home=tmp_path) as tty:
        tty.wait_prompt(r"> $")
        tty.line("EHLO x", "S: 250 DSN")
        tty.line("AUTH PLAIN AGEAYg==", "may hold a password.*not encrypted")
        tty.line("", "^Not sent")
        assert not any(line.startswith("AUTH") for line in server.lines)
        tty.line("AUTH PLAIN AGEAYg==")
        tty.wait_prompt(r"\[y/N\] $")
        tty.line("y", "S: 535")
        tty.line("AUTH PLAIN AGEAYg==")
        tty.wait_for("S: 535", times=2)


def test_a_question_of_a_command(tmp_path: Path) -> None:
    """A command's question stands whole above its prompt, and nothing tells of waiting then."""
    server = Scripted({"AUTH": b"235 2.7.0 In\r\n"})
    with (
        rogue.serve(server) as place,
        Tty(f"127.0.0.1:{place.port}", home=tmp_path, columns=50) as tty,
    ):
        tty.wait_prompt(r"> $")
        tty.line("EHLO x", "S: 250 DSN")
        tty.line("/auth PLAIN ann", "Send it[?]$")
        tty.wait_prompt(r"^\[y/N\] $")
        time.sleep(1.5)  # longer than the patience after which waiting is told
        tty.line("y")
        tty.wait_prompt("^password for ann.*: $")
        tty.press("ctrl-c")
        tty.wait_for("/auth asks again")
        tty.wait_prompt(r"\d> $")
        tty.line("/auth PLAIN ann")
        tty.wait_prompt(r"^\[y/N\] $")
        tty.line("y")
        tty.wait_prompt("^password for ann.*: $")
        tty.line("secret", "S: 235")
        assert "Working" not in tty.raw.decode()
        said = tty.text.replace("\n", " ")
        assert "PLAIN sends the password as good as in the clear" in said


def test_narrow_window_and_resize(tmp_path: Path) -> None:
    """In a narrow window nothing runs past the edge, and a new size is taken up at once."""
    with rogue.serve(Scripted()) as place:
        target = f"127.0.0.1:{place.port}"
        with Tty(target, home=tmp_path, columns=44, rows=24) as tty:
            tty.wait_prompt(r"> $")
            tty.line("EHLO client.example", "S: 250 DSN")
            tty.wait_prompt(r"> $")
            tty.type("MAIL FROM:<a@b.example>")
            tty.wait_for("MAIL FROM:<address>")
            tty.resize(90, 30)
            tty.wait_for("F1 help")
            tty.wait_prompt("> MAIL FROM:<a@b.example>$")
            tty.press("enter")
            tty.wait_prompt("from a> $")


def test_no_connection_leaves_the_shell_open(tmp_path: Path) -> None:
    """A connection that fails is explained, the shell stays, and leaving is no error."""
    with rogue.serve(rogue.reset()) as place:
        port = place.port
    with Tty(f"127.0.0.1:{port}", home=tmp_path) as tty:
        tty.wait_for("^Failed: .*127.0.0.1")
        tty.wait_prompt("^not connected> $")
        tty.wait_for("/connect HOST opens a connection")
        tty.line("/connect 127.0.0.1:1", "Failed: ")
        tty.wait_prompt("^not connected> $")
        tty.press("ctrl-d")
        assert tty.wait_end() == 0


def test_no_color(tmp_path: Path) -> None:
    """With NO_COLOR no colour is ever set, by whatever code."""
    with rogue.serve(Scripted()) as place:
        target = f"127.0.0.1:{place.port}"
        with Tty(target, home=tmp_path, env={"NO_COLOR": "1"}) as tty:
            tty.wait_prompt(r"> $")
            tty.line("EHLO x", "S: 250 DSN")
            tty.type("MAIL")
            tty.wait_for("begin a message")
            codes = re.findall(rb"\x1b\[([0-9;]*)m", bytes(tty.raw))
            numbers = {int(number) for code in codes for number in code.split(b";") if number}
            assert numbers <= {0, 1, 2, 3, 4, 7}
