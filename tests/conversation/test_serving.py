"""`smtpshell practice`: what it lists, checks and serves."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import subprocess
import sys

import pytest

from smtpshell.conversation.serving import main
from smtpshell.conversation.settings import Settings


def test_list_names_every_scenario(capsys) -> None:
    """Each scenario stands on a line of its own, with its title."""
    assert main(["--list"], Settings()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("plain ") for line in lines)
    assert lines == sorted(lines)


def test_check_tells_what_is_wrong(capsys, tmp_path) -> None:
    """A sound scenario gives 0, another one 1 and its problems with file and line."""
    assert main(["--check"], Settings()) == 0
    assert capsys.readouterr().out == "plain is sound.\n"
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ntitle = "t"\n[host."a.example"]\n[[rule]]\non = "RCPT"\n')
    assert main(["--scenario", str(path), "--check"], Settings()) == 1
    assert capsys.readouterr().out == "mine.toml:4: rule 1 does nothing\n"


@pytest.mark.skipif(os.name != "posix", reason="ends the server with a signal")
def test_whoever_connects_is_shown_and_dismissed() -> None:
    """A client's conversation appears as JSON; the end of the server is a 421 and status 0."""
    command = [sys.executable, "-m", "smtpshell", "--json", "practice", "--scenario", "greylist"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        (door,) = json.loads(server.stdout.readline())["doors"]
        smtp = smtplib.SMTP(door["address"], door["listens"], timeout=10)
        smtp.helo("client.example")
        server.send_signal(signal.SIGINT)
        events = [json.loads(line) for line in server.stdout]
        code, _ = smtp.getreply()
        smtp.close()
    assert server.returncode == 0
    assert code == 421
    assert [event["event"] for event in events][:4] == ["connected", "reply", "sent", "reply"]
    assert events[2]["line"] == "helo client.example"
