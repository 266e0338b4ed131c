"""`smtpshell practice`: what it lists, checks and serves."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator

import pytest

from smtpshell.conversation.serving import main
from smtpshell.conversation.settings import Settings
from smtpshell.protocol.errors import SmtpshellError


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


@contextlib.contextmanager
def served(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[int, tuple[str, int]]]]:
    """Run `practice` with `words`; yields the process and where each pretended port listens."""
    command = [sys.executable, "-m", "smtpshell", "--json", "practice", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            doors = json.loads(server.stdout.readline())["doors"]
            yield server, {door["port"]: (door["address"], door["listens"]) for door in doors}
        finally:
            server.terminate()


@pytest.mark.skipif(os.name != "posix", reason="ends the server with a signal")
def test_sink_takes_everything_and_keeps_it_in_files(tmp_path) -> None:
    """Mail from anybody for anybody is written with its envelope, octet for octet, over TLS."""
    folder, authority = tmp_path / "mail", tmp_path / "ca.pem"
    words = ("--scenario", "sink", "--mail", str(folder), "--ca-file", str(authority))
    body = "Subject: caf\u00e9\r\n\r\n..leading dot\r\n".encode("latin-1")
    with served(*words) as (_, doors):
        context = ssl.create_default_context(cafile=str(authority))
        with smtplib.SMTP(*doors[587], timeout=10) as smtp:
            smtp.starttls(context=context)
            smtp.login("tester", "practice")
            smtp.sendmail("a@client.example", ["x@one.example", "y@two.example"], body)
    (path,) = folder.iterdir()
    text = path.read_bytes()
    assert text.startswith(b"Delivered-To: x@one.example\r\nDelivered-To: y@two.example\r\n")
    assert b"Return-Path: <a@client.example>\r\n" in text
    assert text.endswith(body)
    assert path.suffix == ".eml"


@pytest.mark.skipif(os.name != "posix", reason="ends the server with a signal")
def test_same_queue_id_never_replaces_a_file(tmp_path) -> None:
    """A second run with the same seed gives the same queue id and another file."""
    for _ in range(2):
        with (
            served("--scenario", "sink", "--mail", str(tmp_path)) as (_, doors),
            smtplib.SMTP(*doors[25], timeout=10) as smtp,
        ):
            smtp.sendmail("a@client.example", "x@one.example", "Subject: twice\r\n\r\n")
    first, second = sorted(path.name for path in tmp_path.iterdir())
    assert first.startswith(second.removesuffix(".eml")) or second.startswith(
        first.removesuffix(".eml")
    )


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--listen", "8.8.8.8"], "anybody may reach"),
        (["--listen", "here"], "no IP address"),
        (["--mail", "{file}/below"], "cannot write"),
        (["--ca-file", "{file}/below"], "cannot write"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_served(words, what, tmp_path) -> None:
    """A public address, a folder or a file that cannot be written ends with a clear error."""
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SmtpshellError, match=what):
        main([word.format(file=file) for word in words], Settings())
