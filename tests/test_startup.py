"""Start-up is a feature: which modules a way of running may load, as lists, not as clocks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from smtpshell.cli import SUBCOMMANDS
from tests.interop.servers import MailServer, Sink

HEAVY = {"prompt_toolkit", "dns", "cryptography", "OpenSSL", "pygments", "idna"}
"""Run-time dependencies; each has a room, or a moment, of its own."""

RUN = """
import sys
sys.argv[0] = "smtpshell"
before = set(sys.modules)
from smtpshell.__main__ import main
try:
    status = main()
except SystemExit as exit:
    status = exit.code
with open({report!r}, "w") as report:
    print(*sorted(set(sys.modules) - before), file=report)
sys.exit(status)
"""


def loaded(report: Path, *words: str, typed: str = "") -> set[str]:
    """Run the program with `words` and standard input `typed`; return the modules it loaded.

    Fails unless the program succeeds.
    """
    program = RUN.format(report=str(report))
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "XDG_CONFIG_HOME": str(report.parent), "COVERAGE_PROCESS_START": ""},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(report.read_text().split())


def heavy(modules: set[str]) -> set[str]:
    """Return which of HEAVY, or what they need, are among the modules."""
    return {name.split(".")[0] for name in modules} & HEAVY


def test_help_loads_little(tmp_path: Path) -> None:
    """`--help` needs no dependency, no loop, no TLS, no package metadata, and no large helper."""
    modules = loaded(tmp_path / "modules", "--help")
    assert "smtpshell.cli" in modules
    assert not heavy(modules)
    assert not modules & {"asyncio", "ssl", "importlib.metadata", "email", "tomllib"}
    assert not modules & {"dataclasses", "inspect", "typing", "pathlib", "shutil"}


@pytest.mark.parametrize("name", list(SUBCOMMANDS))
def test_subcommands_load_no_terminal(tmp_path: Path, name: str) -> None:
    """A sub-command that only tells how it is used loads no dependency either."""
    assert not heavy(loaded(tmp_path / "modules", name, "--help"))


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("-c", "EHLO client.example"), id="-c"),
        pytest.param(("--json", "-c", "NOOP"), id="--json"),
        pytest.param(("send", "--from", "a@client.example", "--to", "b@sink.example"), id="send"),
    ],
)
def test_scripts_load_no_terminal(
    tmp_path: Path, sink_server: Sink, words: tuple[str, ...]
) -> None:
    """Scripts and `send` load no prompt_toolkit, no DNS and, without TLS, no certificates."""
    target = f"smtp://{sink_server.host}:{sink_server.port}"
    modules = loaded(tmp_path / "modules", *words, target)
    assert "smtpshell.conversation.driver" in modules
    assert not heavy(modules)
    assert not modules & {"email", "tomllib", "dataclasses", "datetime"}


def test_verified_tls_loads_no_certificate_library(
    tmp_path: Path, postfix_server: MailServer
) -> None:
    """Where the ssl module verifies, a login loads neither cryptography nor pyOpenSSL."""
    password = tmp_path / "password"
    password.write_text(postfix_server.password)
    target = f"submission://{postfix_server.host}:{postfix_server.ports['submission']}"
    words = ("--from", postfix_server.user, "--to", postfix_server.user)
    login = ("--auth", "PLAIN", "--user", postfix_server.user, "--password-file", str(password))
    security = ("--tls", "verify", "--ca", str(postfix_server.authority))
    modules = loaded(tmp_path / "modules", "send", *words, *login, *security, target)
    assert "ssl" in modules
    assert not heavy(modules)


def test_first_prompt_loads_little(tmp_path: Path) -> None:
    """The first prompt, with its practice server, needs no DNS, certificates or metadata."""
    report = tmp_path / "modules"
    child = pexpect.spawn(
        sys.executable,
        ["-c", RUN.format(report=str(report))],
        env={**os.environ, "TERM": "xterm-256color", "HOME": str(tmp_path), "NO_COLOR": "1"},
        dimensions=(24, 100),
        timeout=30,
    )
    try:
        child.expect("practice>")
        child.sendeof()
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    modules = set(report.read_text().split())
    assert "prompt_toolkit" in modules
    assert heavy(modules) <= {"prompt_toolkit", "pygments"}
    assert not modules & {"importlib.metadata", "email.message"}
    allowed = ("pygments.lexer", "pygments.token", "pygments.util", "pygments.filter")
    beyond = {name for name in modules if name.startswith("pygments.")}
    assert not {name for name in beyond if not name.startswith(allowed)}
