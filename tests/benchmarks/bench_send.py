"""How fast mail goes out: `python -m tests.benchmarks.bench_send [ROUNDS]`.

Whole processes over loopback. A small message with STARTTLS and a login goes to a real Postfix,
beside swaks. A message of 100 MB goes to Postfix's smtp-sink, which throws it away, beside curl
and swaks; peak memory is shown, and for smtpshell also with 10 MB, so that growth would show.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.interop.servers import MailServer, postfix
from tests.interop.servers.running import HOST, free_ports, private_folder, running, wait_for_ports

from .measuring import in_turns, peak_memory, run, show

SMTPSHELL = (sys.executable, "-m", "smtpshell", "send")
SENDER, RECIPIENT = "ann@client.example", "bob@sink.example"
LINE = b"A line of seventy-six characters, as a message in base64 would have. 1234567\r\n"


Commands = Mapping[str, Sequence[str | Path]]


def compare(title: str, commands: Commands, against: str, rounds: int) -> None:
    """Measure the time and the peak memory of commands, and print both."""
    contestants = {name: partial(run, *words) for name, words in commands.items()}
    results = in_turns(contestants, rounds)
    memory = {name: peak_memory(*words) for name, words in commands.items()}
    show(title, results, against, memory)


def small(server: MailServer, rounds: int) -> None:
    """Measure one transaction with STARTTLS and AUTH PLAIN."""
    password = server.folder / "password"
    password.write_text(server.password)
    port = server.ports["submission"]
    envelope = ("--from", server.user, "--to", server.user)
    login = ("--auth", "PLAIN", "--user", server.user, "--password-file", str(password))
    ours = (*SMTPSHELL, f"submission://{server.host}:{port}", *envelope, *login)
    authority = ("--ca", str(server.authority))
    commands: Commands = {
        "swaks": (
            *("swaks", "--server", f"{server.host}:{port}", *envelope, "--tls"),
            *("--auth", "PLAIN", "--auth-user", server.user, "--auth-password", server.password),
        ),
        "smtpshell send --tls required": (*ours, "--tls", "required", *authority),
        "smtpshell send --tls verify": (*ours, "--tls", "verify", *authority),
    }
    compare("A small message with STARTTLS and AUTH PLAIN", commands, "swaks", rounds)


def write_message(path: Path, size: int) -> Path:
    """Write a message of about `size` octets and return its path."""
    with path.open("wb") as file:
        file.write(f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: large\r\n\r\n".encode())
        for _ in range(size // (len(LINE) * 1000)):
            file.write(LINE * 1000)
    return path


def large(folder: Path, port: int, rounds: int) -> None:
    """Measure a message of 100 MB, and for ourselves one of 10 MB."""
    message = write_message(folder / "large.eml", 100_000_000)
    tenth = write_message(folder / "tenth.eml", 10_000_000)
    where = f"{HOST}:{port}"
    envelope = ("--from", SENDER, "--to", RECIPIENT)
    ours = (*SMTPSHELL, f"smtp://{where}", *envelope)
    commands: Commands = {
        "curl": (
            *("curl", "--silent", "--show-error", f"smtp://{where}", "--upload-file", message),
            *("--mail-from", SENDER, "--mail-rcpt", RECIPIENT),
        ),
        "smtpshell send": (*ours, "--data", message),
        "smtpshell send, a tenth of the message": (*ours, "--data", tenth),
        "swaks": ("swaks", "--server", where, *envelope, "--data", f"@{message}"),
    }
    compare("A message of 100 MB", commands, "curl", rounds)


def main(rounds: int) -> None:
    """Start the servers, measure, print."""
    for program in ("swaks", "curl", "smtp-sink", "time"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not installed; .ci/run installs it")
    with postfix() as server:
        small(server, rounds)
    with private_folder("bs") as folder:
        port = free_ports("sink")["sink"]
        sink = ["smtp-sink", "-u", "postfix", f"{HOST}:{port}", "100"]
        with running(sink, folder / "sink.log") as process:
            wait_for_ports(HOST, [port], folder / "sink.log", process)
            large(folder, port, max(1, rounds // 3))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
