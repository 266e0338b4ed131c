"""Plain mode in a real terminal: whole lines, ASCII, nothing redrawn."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.net import rogue
from tests.terminal.servers import Scripted
from tests.terminal.tty import Tty

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

MARKS = ("S: ", "C: ", "#", "practice", "message>", "not connected>", "answer>", "127.0.0.1")


def assert_plain(tty: Tty) -> None:
    """Hold all that was written to ASCII, whole lines and known marks."""
    raw = bytes(tty.raw)
    assert b"\x1b" not in raw
    assert raw.isascii()
    assert b"\r" not in raw.replace(b"\r\n", b"")
    lines = [line for line in tty.text.split("\n") if line]
    assert [line for line in lines if not line.startswith(MARKS)] == []


@pytest.mark.parametrize(("arguments", "env"), [(["--plain"], {}), ([], {"TERM": "dumb"})])
def test_whole_session(tmp_path: Path, arguments: list[str], env: dict[str, str]) -> None:
    """A message goes from EHLO to QUIT, and each line says by its first word who speaks."""
    with Tty(*arguments, home=tmp_path, env=env, columns=200) as tty:
        tty.wait_prompt("practice> $")
        tty.line("EHLO client.example", "^# SIZE.*: messages")
        tty.wait_prompt("practice> $")
        tty.line("MAIL FROM:<ann@client.example>")
        tty.wait_prompt("practice  from ann> $")
        tty.line("RCPT TO:<bob@practice.example>")
        tty.wait_prompt("to bob> $")
        tty.line("DATA")
        tty.wait_prompt("message> $")
        tty.line("Subject: plain")
        tty.wait_prompt("message> $")
        tty.line("")
        tty.wait_for("^message>", times=3)
        tty.line(".dot", "# A leading dot was doubled")
        tty.type("\x1d/status\r")
        tty.wait_for("# state: message data")
        tty.line(".", "S: 250 2.0.0")
        tty.wait_prompt("practice> $")
        tty.line("/mailbox bob", "^# Subject: plain$")
        tty.wait_prompt("practice> $")
        tty.press("ctrl-d")
        assert tty.wait_end() == 0
        assert "S: 221" in tty.text
        assert_plain(tty)


def test_late_reply_and_ctrl_c(tmp_path: Path) -> None:
    """An unasked reply gets lines of its own and the prompt again; Ctrl-C never ends the shell."""
    server = Scripted()
    server.answers["NOOP"] = server.late(b"250 2.0.0 At last\r\n")
    with (
        rogue.serve(server) as place,
        Tty("--plain", f"127.0.0.1:{place.port}", home=tmp_path, columns=200) as tty,
    ):
        tty.wait_prompt("> $")
        tty.line("NOOP", "^# Waiting for .* Ctrl-C stops waiting")
        tty.press("ctrl-c")
        tty.wait_for("# Stopped waiting")
        tty.wait_prompt("1 reply awaited> $")
        server.gate.set()
        tty.wait_for("^S: 250 2.0.0 At last")
        tty.wait_prompt(r"^127\.0\.0\.1:\d+> $")
        server.say(b"421 4.3.2 \x1b[31mBye\r\n")
        server.hang_up()
        tty.wait_for(r"^S: 421 4.3.2 \\x1b\[31mBye$")
        tty.wait_prompt("^not connected> $")
        tty.line("/quit")
        assert tty.wait_end() == 0


def test_narrow_window(tmp_path: Path) -> None:
    """In a narrow window our words are broken between lines, and a refusal leads on to /why."""
    with Tty("--plain", home=tmp_path, columns=60) as tty:
        tty.wait_prompt("practice> $")
        tty.line("FOO", r"More: /why\.$")
        tty.wait_prompt("^practice> $")
        tty.line("?", "^#   /explain WORD")
        tty.wait_prompt("practice> $")
        assert_plain(tty)


def test_questions_name_their_defaults(tmp_path: Path) -> None:
    """What an empty answer stands for is said, because nothing can be put on the line."""
    with Tty("--plain", home=tmp_path) as tty:
        tty.wait_prompt("practice> $")
        tty.line("/send --body x")
        tty.wait_prompt(r"^from \[visitor@client\.example\]: $")
        time.sleep(3.2)  # longer than the patience after which waiting is told
        tty.line("")
        tty.wait_prompt(r"^to \[alice@practice\.example\]: $")
        tty.line("", "alice@practice.example: accepted")
        assert "Working" not in tty.text


def test_ctrl_c_after_a_question(tmp_path: Path) -> None:
    """A question inside a command does not take Ctrl-C away from the waiting behind it."""
    server = Scripted()
    server.answers["MAIL"] = server.late(b"250 2.1.0 At last\r\n")
    with (
        rogue.serve(server) as place,
        Tty("--plain", f"127.0.0.1:{place.port}", home=tmp_path, columns=200) as tty,
    ):
        tty.wait_prompt("> $")
        tty.line("/send --body x --to a@b.example")
        tty.wait_prompt(r"^from \[.*\]: $")
        tty.line("", "^# Waiting for .* Ctrl-C stops waiting")
        tty.press("ctrl-c")
        tty.wait_for("# Stopped waiting")
        tty.wait_prompt("1 reply awaited> $")
        server.gate.set()
        tty.wait_for("^S: 250 2.1.0 At last")


def test_secrets_are_not_echoed(tmp_path: Path) -> None:
    """What answers a challenge is typed without echo."""
    with Tty("--plain", home=tmp_path, columns=200) as tty:
        tty.wait_prompt("practice> $")
        tty.line("/starttls", "certificate good")
        tty.wait_prompt("practice> $")
        tty.line("AUTH LOGIN", "Username:")
        tty.wait_prompt("answer> $")
        tty.line("Ym9i", "Password:")
        tty.wait_prompt("answer> $")
        tty.line("c2VjcmV0", "none of the practice passwords")
        tty.line("y", "S: 535")
        assert "c2VjcmV0" not in tty.text
        assert b"c2VjcmV0" not in bytes(tty.raw)
