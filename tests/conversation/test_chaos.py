"""Servers that answer anything at all, and scripts of any lines: an end, a status, no secret."""

from __future__ import annotations

import contextlib
import io
import random
import time

import pytest

from smtpshell.conversation import send
from smtpshell.conversation.settings import Settings
from tests.conversation.running import in_process
from tests.conversation.test_script import _lines, at
from tests.net.rogue import serve

SECRET = "hunter2"
EHLO = (
    b"250-x\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n"
    b"250-PIPELINING\r\n250-CHUNKING\r\n250 SIZE\r\n"
)
REPLIES = (
    *(EHLO, b"354 go\r\n", b"334 \r\n", b"334 VXNlcm5hbWU6\r\n", b"235 ok\r\n", b"421 bye\r\n"),
    *(b"550 5.1.1 no\r\n", b"451 later\r\n", b"220 ready\r\n", b"250-a\r\n250 b\r\n", b"\r\n"),
    *(
        b"garbage\r\n",
        b"250 a\r\n250 b\r\n",
        b"",
        b"999 x\r\n",
        b"\xff\xfe\x00\r\n",
        b"250-more\r\n",
    ),
)
LINES = (
    *("EHLO x", "HELO x", "LHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA"),
    *(".", "text", "..", "RSET", "NOOP", "AUTH LOGIN", "AUTH PLAIN =", "*", "="),
    *("BDAT 5", "BDAT 3 LAST", "", "//x"),
    *("abc", "QUIT", "/status", "/why", "/starttls", "/auth PLAIN ann", "/transcript 3", "/cert"),
    *("/pipeline NOOP | DATA", "/send --from a@b.example --to c@d.example", r"/raw NOOP\n"),
    *("STARTTLS", "TURN", "XCLIENT A=b", "/xforward A=b", "/b64 x", "/set stuffing off", "\udcff"),
)  # fmt: skip
LIMIT = 15.0  # seconds in which anything has to end


class Chaos:
    """A server that often answers as it should, and otherwise anything."""

    def __init__(self, seed: int) -> None:
        self.choices = random.Random(seed)

    def __call__(self, connection) -> None:
        """Serve one connection."""
        choose = self.choices
        connection.sendall(b"220 hi\r\n" if choose.random() < 0.9 else choose.choice(REPLIES))
        for line in _lines(connection):
            answer = b"250 ok\r\n" if choose.random() < 0.5 else choose.choice(REPLIES)
            if line[:4] == b"EHLO" and choose.random() < 0.8:
                answer = EHLO
            elif line[:4] == b"DATA" and choose.random() < 0.7:
                answer = b"354 go\r\n"
            connection.sendall(answer)
            if answer == b"421 bye\r\n" and choose.random() < 0.7:
                return


@pytest.mark.parametrize("seed", range(24))
def test_send_ends_whatever_the_server_says(seed, monkeypatch) -> None:
    """A status of the table, in time, one line for each error, and the password never shown."""
    monkeypatch.setenv("SMTPSHELL_PASSWORD", SECRET)
    choices = random.Random(-seed)
    options = ["--tls", choices.choice(["never", "never", "optional"])]
    for words in (["--pipelining"], ["--bdat"], ["--lmtp"], ["--user", "ann"]):
        options += words if choices.random() < 0.4 else []
    settings = Settings()
    settings.set("timeout", "0.3")
    settings.json = choices.random() < 0.5
    shown = io.StringIO()
    began = time.monotonic()
    words = ("--from", "a@b.example", "--to", "c@d.example,e@f.example", "--allow-cleartext-auth")
    with (
        serve(Chaos(seed)) as server,
        contextlib.redirect_stdout(shown),
        contextlib.redirect_stderr(shown),
    ):
        status = send.main([at(server), *words, *options], settings)
    assert status in (0, 6, *range(20, 30), 32)
    assert time.monotonic() - began < LIMIT
    assert SECRET not in shown.getvalue()


@pytest.mark.parametrize("seed", range(24))
def test_a_script_of_any_lines_ends(seed, monkeypatch) -> None:
    """Whatever is typed and whatever is answered, the script comes to its end."""
    monkeypatch.setenv("SMTPSHELL_PASSWORD", SECRET)
    choices = random.Random(seed)
    lines = choices.choices(LINES, k=20)
    began = time.monotonic()
    with serve(Chaos(seed)) as server:
        run = in_process(at(server), *lines, timeout="0.3", json=bool(seed % 2))
    assert run.status in (0, 1, 6, *range(20, 30), 32)
    assert time.monotonic() - began < LIMIT
    assert SECRET not in run.out + run.err
    if seed % 2:
        assert run.objects
