"""Real mail servers as private instances: what all of them share.

Each server of this package runs from a folder of its own under the system's temporary folder, on
free ports of the loopback address, with a certificate of an authority made for the occasion. It
never sees the machine's own mail configuration, queue or log, and sends nothing further than
loopback. A server is a context manager: leaving it ends exactly the processes it started.

Where a server's program is absent the test is skipped and the reason names it; `SMTPSHELL_NO_SKIPS`
turns that skip into a failure (see tests/conftest.py).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

HOST = "127.0.0.1"
USER, PASSWORD = "ann", "correct horse"  # of every server here; "bob" is a second mailbox
SECOND_USER = "bob"
UNPACKED = "/var/cache/smtpshell-tests"
PATIENCE = 20.0  # seconds a server may need to start, to stop or to deliver


@dataclass(frozen=True, slots=True)
class MailServer:
    """A running server: where it listens, whom it knows, where its files lie.

    `ports` maps the name of a service ("smtp", "submission", "smtps", ...) to its TCP port, and
    `sockets` to the path of its UNIX socket. `mailboxes` maps a user to the maildir of delivered
    mail. `user` with `password` may log in; `domain` is the one it accepts mail for.
    """

    name: str
    domain: str
    folder: Path
    authority: Path
    log: Path
    ports: Mapping[str, int]
    mailboxes: Mapping[str, Path] = field(default_factory=dict)
    sockets: Mapping[str, Path] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    host: str = HOST
    user: str = USER
    password: str = PASSWORD

    @property
    def address(self) -> str:
        """The address of the user that can log in."""
        return f"{self.user}@{self.domain}"

    def context(self) -> ssl.SSLContext:
        """Return a client context that trusts this server's authority (name: localhost)."""
        return ssl.create_default_context(cafile=str(self.authority))

    def log_text(self) -> str:
        """Return what the server has logged so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def delivered(self, user: str = USER) -> list[bytes]:
        """Return the messages now in a user's mailbox, oldest first."""
        files = (self.mailboxes[user] / "new").glob("*")
        return [path.read_bytes() for path in sorted(files, key=lambda path: path.stat().st_mtime)]

    def wait_for(self, text: str, user: str = USER) -> bytes:
        """Return the first delivered message that contains `text`; fail after PATIENCE seconds."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for message in self.delivered(user):
                if text.encode() in message:
                    return message
            time.sleep(0.05)
        raise AssertionError(f"{self.name} delivered no message with {text!r}:\n{self.log_text()}")


def unpacked(path: str) -> Path:
    """Return where `path` of a package lies that was unpacked beside the system's, or itself.

    Mail transport agents exclude each other as packages; `.ci/run` unpacks some into the folder
    that SMTPSHELL_SERVERS names.
    """
    inside = Path(os.environ.get("SMTPSHELL_SERVERS", UNPACKED)) / path.lstrip("/")
    return inside if inside.exists() else Path(path)


def require(server: str, *programs: str | Path, root: bool = True) -> None:
    """Skip the test, with the reason, unless `programs` are there and may be run."""
    for program in programs:
        if shutil.which(str(program), path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
            pytest.skip(f"{server} is not installed: {program} not found")
    if root and os.geteuid() != 0:
        pytest.skip(f"{server} needs root to start as a private instance")


@contextlib.contextmanager
def private_folder(name: str) -> Iterator[Path]:
    """Yield a new folder that server accounts may enter; the path is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_ports(
    *names: str, host: str = HOST, fixed: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Return a free TCP port of `host` for each name, but for those that `fixed` gives one."""
    with contextlib.ExitStack() as held:
        ports = {}
        for name in names:
            listener = held.enter_context(socket.socket())
            listener.bind((host, 0))
            ports[name] = listener.getsockname()[1]
        return {**ports, **(fixed or {})}


def write_certificates(
    folder: Path, *names: str, key: trustme.KeyType = trustme.KeyType.ECDSA
) -> dict[str, Path]:
    """Write a throw-away authority, a server and a client certificate; return their paths.

    Keys: "authority", "certificate" and "key" (for `names` and localhost), "client".
    """
    authority = trustme.CA(organization_name="smtpshell tests", key_type=key)
    server = authority.issue_cert("localhost", *names, key_type=key)
    client = authority.issue_cert(f"{USER}@client.example", common_name=USER)
    paths = {name: folder / f"{name}.pem" for name in ("authority", "certificate", "key", "client")}
    authority.cert_pem.write_to_path(str(paths["authority"]))
    for number, blob in enumerate(server.cert_chain_pems):
        blob.write_to_path(str(paths["certificate"]), append=number > 0)
    server.private_key_pem.write_to_path(str(paths["key"]))
    client.private_key_and_cert_chain_pem.write_to_path(str(paths["client"]))
    return paths


def wait_for_ports(
    host: str,
    ports: Iterable[int],
    log: Path,
    process: subprocess.Popen[bytes] | None = None,
) -> None:
    """Return when something listens on each of `ports` of `host`.

    Fails, showing the log, when `process` has ended or PATIENCE seconds have passed.
    """
    for port in ports:
        wait_for_port(host, port, log, process)


def wait_for_port(
    host: str, port: int, log: Path, process: subprocess.Popen[bytes] | None = None
) -> None:
    """Return when something listens on `port` of `host`; see wait_for_ports."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.02)
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else "(no log)"
    raise AssertionError(f"nothing listens on {host}:{port}:\n{text}")


@contextlib.contextmanager
def running(command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in the foreground, its output to `log`; end it, and its process group, after."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, wait for it, and kill what is left of its group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
