"""A command as the server: its streams, its standard error, and its end."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import time

import pytest

from smtpshell.net.endpoint import Endpoint
from smtpshell.net.link import Link, LinkError, LinkOptions
from tests.net.helpers import read_until, run

PYTHON = shlex.quote(sys.executable)


def command(code: str) -> Endpoint:
    """Make the endpoint of a small Python program."""
    return Endpoint("pipe", command=f"{PYTHON} -c {shlex.quote(code)}")


TALK = """
import sys
print("220 piped ESMTP", flush=True)
for line in sys.stdin:
    print("250 you said", line.strip(), flush=True)
    if line.startswith("QUIT"):
        break
"""


def test_a_command_speaks_over_its_streams():
    """A conversation passes over standard input and output, and the command ends by itself."""

    async def work():
        link = await Link.open(command(TALK))
        assert await read_until(link, b"\n") == b"220 piped ESMTP\n"
        link.write(b"QUIT\r\n")
        assert await read_until(link, b"\n") == b"250 you said QUIT\n"
        assert await link.read() == b""
        assert await link.close()
        assert link._command.status == 0
        assert (link.address, link.port) == ("", 0)

    run(work())


def test_lines_of_standard_error_are_handed_on_printable():
    """Each line of standard error is told once, printable, also the last without a newline."""
    lines: list[str] = []
    code = r"import sys; sys.stderr.write('one\ntwo\x1b[31m\r\n' + 'x' * 10000 + '\nlast')"

    async def work():
        link = await Link.open(command(code), LinkOptions(on_error_line=lines.append))
        assert await link.read() == b""
        await link.close()

    run(work())
    assert lines[:2] == ["one", r"two\x1b[31m"]
    assert len(lines[2]) <= 4096
    assert lines[-1] == "last"


def test_a_stubborn_command_is_ended_within_a_second():
    """A command that ignores the end of its input and SIGTERM is gone after close()."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', flush=True)\n"

    async def work():
        link = await Link.open(command(code + "time.sleep(60)"))
        await read_until(link, b"\n")
        process_id = link._command.process_id
        started = time.perf_counter()
        assert not await link.close()
        assert time.perf_counter() - started < 1.5
        return process_id

    process_id = run(work())
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_abort_ends_the_command():
    """After abort() the command is killed."""

    async def work():
        link = await Link.open(command("print('x', flush=True); import time; time.sleep(60)"))
        await read_until(link, b"\n")
        process_id = link._command.process_id
        link.abort()
        await link.close()
        return process_id

    process_id = run(work())
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_a_command_that_dies_is_an_end_or_a_reset():
    """Writing to a command that has gone is told as a loss, not as a traceback."""

    async def write_on(link):
        for _ in range(100):
            link.write(b"x" * 65536)
            await link.drain()
            await asyncio.sleep(0.01)

    async def work():
        link = await Link.open(command("pass"))
        while await link.read():
            pass
        with pytest.raises(LinkError) as caught:
            await write_on(link)
        await link.close()
        return caught.value.kind

    assert run(work()) in ("reset", "closed")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no command"),
        ("'unbalanced", "not well quoted"),
        ("/nonexistent/exim -bs", "cannot run the command: no such file"),
        ("/etc/hostname", "cannot run the command"),
        ("nul\0", r"pipe:nul\\0"),
    ],
)
def test_commands_that_cannot_run(text, words):
    """Each reason why a command cannot start is kind file, in one printable line."""
    with pytest.raises(LinkError, match=words) as caught:
        run(Link.open(Endpoint("pipe", command=text)))
    assert caught.value.kind == "file"
    assert str(caught.value).isprintable()


def test_no_shell_is_involved():
    """What a shell would expand reaches the command untouched."""
    code = "import sys; print(sys.argv[1:])"

    async def work():
        endpoint = Endpoint("pipe", command=f"{PYTHON} -c {shlex.quote(code)} $HOME '*' ; true")
        link = await Link.open(endpoint)
        octets = await read_until(link, b"\n")
        await link.close()
        return octets

    assert run(work()) == b"['$HOME', '*', ';', 'true']\n"
