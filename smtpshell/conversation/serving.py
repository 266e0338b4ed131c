"""`smtpshell practice`: the practice server alone, and the conversation of whoever connects.

Telnet, a script with smtplib or a mail client can be pointed at it; what they say and what they are
told appears here with the same notes as in the shell, and the messages may be kept as files. Time
passes by itself, so that a delay in a scenario is a real one. Nothing is ever relayed.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.embedded import DEFAULT_SCENARIO
from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import SmtpshellError, Status, UsageError
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    import argparse

    from smtpshell.conversation.settings import Settings
    from smtpshell.practice.mailbox import Message
    from smtpshell.practice.server import PracticeServer
    from smtpshell.protocol.events import Event


def build_parser() -> Parser:
    """Return the parser of `practice`."""
    parser = Parser(
        prog="smtpshell practice",
        description="Run the practice server and show the conversation of whoever connects.",
        epilog="To catch whatever a program sends: --scenario sink --mail FOLDER.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port", type=int, default=0, help="port to listen on; any free one by default"
    )
    parser.add_argument(
        "--scenario", default=DEFAULT_SCENARIO, metavar="NAME", help="which world to serve"
    )
    parser.add_argument("--seed", type=int, help="same seed and input, same bytes")
    parser.add_argument(
        "--listen", metavar="ADDRESS", default="127.0.0.1", help="an IP address of this machine"
    )
    parser.add_argument(
        "--i-know", action="store_true", help="listen on an address that anybody may reach"
    )
    parser.add_argument(
        "--mail", metavar="FOLDER", type=Path, help="write each message accepted to a file there"
    )
    parser.add_argument(
        "--ca-file",
        metavar="FILE",
        type=Path,
        help="write the authority that a program needs, to trust this server's certificate",
    )
    parser.add_argument(
        "--be-the-server",
        action="store_true",
        help="type the replies yourself: a client connects, and says what it makes of them",
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="with --be-the-server: wait for a partner's client, telnet for one",
    )
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    parser.add_argument(
        "--check", action="store_true", help="tell what is wrong with the scenario, serve nothing"
    )
    return parser


def main(arguments: list[str], settings: Settings) -> int:
    """Run the server until it is interrupted; returns the exit status."""
    options = build_parser().parse_args(arguments)
    if not 0 <= options.port < 65536:
        raise UsageError(f"{options.port} is not a port", "--port", "Use 0 to 65535.")
    if options.list:
        return _list(settings)
    if options.check:
        return _check(options.scenario, settings)
    from smtpshell.practice.listening import check_address

    check_address(options.listen, public=options.i_know)
    if options.be_the_server:
        from smtpshell.conversation.answering import answer_by_hand

        return asyncio.run(answer_by_hand(options, settings))
    if options.wait:
        raise UsageError("there is nobody to wait for", "--wait", "Add --be-the-server.")
    return asyncio.run(_serve(options, settings))


def _list(settings: Settings) -> int:
    from smtpshell.practice.library import list_scenarios
    from smtpshell.transcript.jsonl import as_json

    for name, title in list_scenarios().items():
        row = {"scenario": name, "title": title}
        print(as_json(row) if settings.json else f"{name:<16} {title}")
    return 0


def _check(name: str, settings: Settings) -> int:
    """Write every problem of a scenario; returns 1 when there is one."""
    from smtpshell.practice.checking import check_scenario
    from smtpshell.practice.library import load_scenario
    from smtpshell.transcript.jsonl import as_json

    scenario = load_scenario(name)
    problems = [str(problem) for problem in check_scenario(scenario)]
    if settings.json:
        print(as_json({"scenario": scenario.name, "ok": not problems, "problems": problems}))
    else:
        print("\n".join(visible(line) for line in problems) or f"{scenario.name} is sound.")
    return int(bool(problems))


class Watcher:
    """Writes the events of every connection, each marked with its number."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def line(self, text: str) -> None:
        """Write one line at once."""
        print(visible(text, ascii_only=self._settings.plain), flush=True)

    def remark(self, text: str) -> None:
        """Write something that is no part of a conversation."""
        if self._settings.json:
            from smtpshell.transcript.jsonl import as_json

            print(as_json({"event": "note", "text": text}), flush=True)
        else:
            self.line(f"# {text}")

    def __call__(self, connection: int, event: Event) -> None:
        """Write one event."""
        if self._settings.json:
            from smtpshell.transcript.jsonl import as_json, object_of

            print(as_json({"connection": connection, **object_of(event)}), flush=True)
            return
        from smtpshell.transcript.plain import plain_lines

        notes = "off" if self._settings.quiet else self._settings.notes
        for line in plain_lines(event, notes, timing=False, ascii_only=self._settings.plain):
            self.line(f"[{connection}] {line}")


class Cabinet:
    """Keeps every message that the server answers for, as `QUEUE-ID.eml` in a folder.

    A file begins with the envelope: a Delivered-To field for each recipient, then Return-Path and
    Received (RFC 5321 section 4.4). The rest are the octets as they came.
    """

    def __init__(self, folder: Path, watcher: Watcher) -> None:
        self._folder = folder
        self._watcher = watcher
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _no_file(error, folder) from None

    def __call__(self, message: Message) -> None:
        """Write one message; a file that cannot be written is told, and the server goes on."""
        path = self._folder / f"{message.queue_id}.eml"
        number = 1
        while path.exists():
            number += 1
            path = self._folder / f"{message.queue_id}-{number}.eml"
        try:
            path.write_bytes(self._octets(message))
        except OSError as error:
            self._watcher.remark(str(_no_file(error, path)))
            return
        self._watcher.remark(f"Message kept in {path}, {len(message.content):,} octets.")

    def _octets(self, message: Message) -> bytes:
        recipients = (f"Delivered-To: {address}\r\n" for address in message.envelope.recipients)
        return "".join(recipients).encode("utf-8", "surrogateescape") + message.raw


def _no_file(error: OSError, path: Path) -> SmtpshellError:
    return SmtpshellError(
        f"cannot write: {(error.strerror or str(error)).lower()}",
        str(path),
        "Name a place where you may write.",
        status=Status.FILE,
    )


async def _serve(options: argparse.Namespace, settings: Settings) -> int:
    from smtpshell.practice.clock import PracticeClock
    from smtpshell.practice.library import load_scenario
    from smtpshell.practice.server import PracticeServer

    watcher = Watcher(settings)
    world = load_scenario(options.scenario)
    clock = PracticeClock(world.clock, running=True)
    server = PracticeServer(
        world,
        options.seed,
        clock,
        observer=watcher,
        address=options.listen,
        certified=("localhost", options.listen),
    )
    if options.mail is not None:
        server.world.on_accepted = Cabinet(options.mail, watcher)
    if options.ca_file is not None:
        try:
            options.ca_file.write_bytes(server.ca_pem())
        except OSError as error:
            raise _no_file(error, options.ca_file) from None
    await server.start(options.port)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # Windows: Ctrl-C arrives as KeyboardInterrupt
            break
    try:
        _announce(server, settings, watcher)
        await stopped.wait()
    finally:
        await server.stop(politely=True)
    return 0


def _announce(server: PracticeServer, settings: Settings, watcher: Watcher) -> None:
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        doors = [
            {"host": host, "port": pretended, "address": address, "listens": port}
            for (host, pretended), (address, port) in server.doors.items()
        ]
        print(as_json({"event": "listening", "doors": doors}), flush=True)
        return
    for (host, pretended), (address, port) in server.doors.items():
        watcher.line(f"# {host} port {pretended} listens on {address} port {port}.")
    if server.credentials:
        users = ", ".join(f"{name} / {word}" for name, word in server.credentials.items())
        watcher.line(f"# Published logins: {users}.")
    watcher.line("# Nothing is relayed. Ctrl-C stops the server.")
    sys.stdout.flush()
