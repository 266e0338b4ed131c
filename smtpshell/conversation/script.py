"""Scripts: lines from `-c`, from a file or from standard input, sent as if typed, with no terminal.

A command waits for the reply to the one before. Message lines go out without waiting, and the dot
waits; where DATA was refused, the lines up to and including the dot are skipped, because the server
would take them for commands. At the end of the input QUIT is sent, or, inside a message, the
connection is dropped, so that half a message is never delivered. Nothing is ever asked.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from smtpshell.conversation import local
from smtpshell.conversation.driver import Conversation
from smtpshell.conversation.operations import open_target, options_from, resolve_target
from smtpshell.conversation.outcome import Outcome
from smtpshell.conversation.report import Row, plain_lines
from smtpshell.conversation.targets import PRACTICE
from smtpshell.conversation.terms import Broken, ReplyTimeout
from smtpshell.protocol.errors import FileError, SmtpshellError, Status
from smtpshell.protocol.events import Event, Failed
from smtpshell.protocol.secrets import CANCEL
from smtpshell.protocol.state import Mode, State
from smtpshell.protocol.text import decode, visible
from smtpshell.transcript.plain import plain_lines as event_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from smtpshell.conversation.settings import Settings

NAME = "smtpshell"

STDIN_BLOCK = 1 << 16
"""Octets of standard input that are read at once."""

STDIN_BLOCKS = 4
"""Blocks of lines that are read ahead of what is sent."""


class Printer:
    """A sink that writes events to standard output, and failures to standard error."""

    def __init__(self, settings: Settings, out: TextIO, errors: TextIO) -> None:
        self._settings = settings
        self._out = out
        self.errors = errors
        self.failed: FileError | None = None
        self.unread = False
        """Whether whoever read standard output has gone."""

    def __call__(self, event: Event) -> None:
        """Write one event."""
        settings = self._settings
        if settings.json:
            from smtpshell.transcript.jsonl import as_json, object_of

            self.line(as_json(object_of(event)))
        elif not isinstance(event, Failed):
            notes = "off" if settings.quiet else settings.notes
            for line in event_lines(
                event,
                notes,
                timing=settings["timing"],
                ascii_only=settings.plain,
                spell=settings["spell"],
            ):
                self.line(line)
        if isinstance(event, Failed):
            self.error(f"{event.what}. {event.next}".strip())

    def line(self, text: str) -> None:
        """Write one line to standard output, at once.

        When nobody reads any more (`| head -1`) the script goes on silently to its proper end: a
        message half sent would be worse than lines unread. An output that cannot be written is told
        once, and counts.
        """
        try:
            self._out.write(text + "\n")
            self._out.flush()
        except OSError as error:
            self._out = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for good
            os.dup2(self._out.fileno(), sys.stdout.fileno())
            self.unread = isinstance(error, BrokenPipeError)
            if not self.unread:
                self.failed = FileError.from_os(error, "standard output", "write")
                self.error(str(self.failed))

    def error(self, text: str) -> None:
        """Write one line to standard error."""
        try:
            self.errors.write(f"{NAME}: {visible(text)}\n")
            self.errors.flush()
        except OSError:
            return


class ScriptDesk:
    """The desk of a script: reports are `# ` lines or JSON objects, and every question is a no."""

    interactive = False
    scripted = True
    """Whether a message follows a DATA that was refused, because nobody reads the replies."""

    def __init__(
        self, conversation: Conversation, settings: Settings, out: TextIO, errors: TextIO
    ) -> None:
        self.conversation = conversation
        self.settings = settings
        self.printer = Printer(settings, out, errors)
        self.outcome = Outcome()
        self.worst_error: int = Status.OK
        self.practice: Any = None
        self.leaving = False
        self._skipping = False
        conversation.subscribe(self.printer)
        conversation.subscribe(self.outcome)

    # --- what local commands use -------------------------------------------------------------

    async def start_practice(self, scenario: str = "plain", *, seed: int | None = None) -> Any:  # noqa: ANN401 - see Desk
        """Start the practice server, replacing one that runs."""
        from smtpshell.conversation.embedded import start

        await self.stop_practice()
        self.practice = await start(scenario, seed=seed)
        return self.practice

    async def stop_practice(self) -> None:
        """Stop the practice server if it runs."""
        if self.practice is not None:
            server, self.practice = self.practice, None
            await server.stop()

    def show(self, report: Iterable[Row], facts: dict[str, Any] | None = None) -> None:
        """Write a report as `# ` lines, or its facts as one JSON object."""
        if self.settings.json:
            from smtpshell.transcript.jsonl import as_json

            text = "\n".join(plain_lines(report))
            self.printer.line(as_json(facts or {"event": "note", "text": text}))
            return
        for line in plain_lines(report, prefix="# ", listed=self.settings.plain):
            self.printer.line(visible(line, ascii_only=self.settings.plain))

    def say(self, text: str, style: str = "") -> None:
        """Write one line of ours."""
        self.show([Row(text, style)])

    async def ask(self, question: str, *, flag: str) -> bool:
        """Answer yes where the flag was given, no otherwise, naming the flag."""
        if flag in self.settings.allowed:
            return True
        self.printer.error(f"refused: {question} Without a terminal, {flag} says yes.")
        return False

    async def ask_text(self, prompt: str, default: str = "") -> str | None:
        """Nobody is there to be asked; the default, if any, is the answer."""
        return default or None

    async def ask_secret(self, prompt: str) -> str | None:
        """Nobody is there to be asked."""
        return None

    async def send_lines(self, lines: Iterable[str]) -> None:
        """Send lines one after the other, each as if it had been typed."""
        for line in lines:
            await self.take(line)

    def progress(
        self, label: str, total: int | None
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Show a bar where standard error is a terminal."""
        from smtpshell.conversation.progressbar import progress_bar

        return progress_bar(label, total, self.printer.errors)

    def put_text(self, text: str) -> None:
        """Show what a person would find on the prompt."""
        self.say(text, "code")

    def leave(self) -> None:
        """Read no further lines."""
        self.leaving = True

    def report_error(self, error: SmtpshellError) -> None:
        """Tell an error that no event has told, and count it."""
        self.worst_error = self.worst_error or int(error.status)
        self.printer.error(str(error))
        if self.settings.json:
            from smtpshell.transcript.jsonl import as_json, failure_object

            self.printer.line(as_json(failure_object(error)))

    # --- the lines ---------------------------------------------------------------------------

    async def take(self, line: str) -> None:
        """Do what one line says; raises `SmtpshellError` when the script cannot go on."""
        conversation = self.conversation
        if self._skipping:
            self._skipping = line != "."
            return
        mode = conversation.mode
        if mode in (Mode.COMMAND, Mode.CLOSED) and local.is_local(line):
            await self._run_local(line)
            return
        if mode is Mode.DATA:
            await self._send_message_line(line)
            return
        outgoing = await conversation.send_line(
            local.literal(line) if mode is Mode.COMMAND else line
        )
        if conversation.mode is Mode.OCTETS:
            return  # the reply comes after the last octet of the chunk (RFC 3030 section 2)
        await conversation.settle()
        refused = outgoing and outgoing[-1].verb == "DATA" and conversation.mode is not Mode.DATA
        if refused and self.scripted:
            self._skipping = True
            conversation.remark("DATA was refused: the lines up to the final dot are skipped.")

    async def _run_local(self, line: str) -> None:
        try:
            await local.run(self, line)
        except (Broken, ReplyTimeout):
            raise
        except SmtpshellError as error:
            self.report_error(error)
        self.conversation.options = options_from(self.settings)

    async def _send_message_line(self, line: str) -> None:
        doubled = line.startswith(".") and line != "." and self.settings.stuffing
        await self.conversation.send_line("." + line if doubled else line)
        if line == ".":
            await self.conversation.settle()

    async def finish(self) -> None:
        """End as a script ends: QUIT, or a dropped connection inside a message."""
        conversation = self.conversation
        if not conversation.connected:
            return
        mode = conversation.mode
        if mode is Mode.ANSWER:
            await conversation.send_line(CANCEL)
            await conversation.settle()
            mode = conversation.mode
        if mode is not Mode.COMMAND:
            conversation.remark("The input ended inside a message: the connection was dropped.")
        elif conversation.snapshot.state is not State.QUIT:
            await conversation.send_line("QUIT")
            await conversation.settle()
        await conversation.close()

    @property
    def status(self) -> int:
        """The exit status so far."""
        unwritten = self.printer.failed
        return (
            self.outcome.status or self.worst_error or (int(unwritten.status) if unwritten else 0)
        )


async def run_script(desk: ScriptDesk, target: str, lines: AsyncIterator[str]) -> int:
    """Connect, send the lines, and return the exit status. Errors have been told by then."""
    try:
        await open_target(desk, await resolve_target(desk, target))
        async for line in lines:
            await desk.take(line)
            if desk.leaving:
                break
        await desk.finish()
    except Broken:
        pass
    except ReplyTimeout:
        await desk.conversation.close()
    except SmtpshellError as error:
        desk.report_error(error)
    finally:
        await desk.conversation.close()
        await desk.stop_practice()
    return desk.status


async def run_lines(target: str | None, sources: list[tuple[str, str]], settings: Settings) -> int:
    """Run a script from its sources: pairs of "line", "file" or "stdin" and the text or name."""
    conversation = Conversation(options_from(settings))
    desk = ScriptDesk(conversation, settings, sys.stdout, sys.stderr)
    return await run_script(desk, target or PRACTICE, lines_of(sources))


async def lines_of(sources: list[tuple[str, str]]) -> AsyncIterator[str]:
    """Yield the lines of all sources in order, without their ends; raises `FileError`."""
    for kind, text in sources:
        if kind == "line":
            for line in text.split("\n"):
                yield line.removesuffix("\r")
        elif text == "-":
            async for line in _read_stdin():
                yield line
        else:
            try:
                with Path(text).open("rb") as file:
                    for octets in file:
                        yield _line(octets)
            except OSError as error:
                raise FileError.from_os(error, text, "read") from error


def _line(octets: bytes) -> str:
    return decode(octets.removesuffix(b"\n").removesuffix(b"\r"))


def _stdin_blocks() -> Iterator[list[bytes]]:
    """Yield the lines of standard input from its descriptor, those that came at once together.

    A thread that waits inside `sys.stdin` holds its lock, and the interpreter that ends meanwhile
    aborts; nothing is held while `os.read` waits.
    """
    pieces: list[bytes] = []
    while octets := os.read(sys.stdin.fileno(), STDIN_BLOCK):
        first, *others = octets.split(b"\n")
        pieces.append(first)
        if others:
            yield [b"".join(pieces), *others[:-1]]
            pieces = [others[-1]]
    if any(pieces):
        yield [b"".join(pieces)]


async def _read_stdin() -> AsyncIterator[str]:
    """Yield the lines of standard input as they come, without holding up the loop.

    A thread reads, because a pipe, a file and a terminal can all be read that way; it is a daemon,
    so that a script which ends early does not wait for the end of its input.
    """
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[list[bytes] | OSError | None] = asyncio.Queue()
    room = threading.Semaphore(STDIN_BLOCKS)

    def pump() -> None:
        end: OSError | None = None
        with suppress(RuntimeError):  # the loop ended first
            try:
                for block in _stdin_blocks():
                    room.acquire()
                    loop.call_soon_threadsafe(blocks.put_nowait, block)
            except OSError as error:
                end = error
            loop.call_soon_threadsafe(blocks.put_nowait, end)

    threading.Thread(target=pump, daemon=True).start()
    while block := await blocks.get():
        room.release()
        if isinstance(block, OSError):
            raise FileError.from_os(block, "standard input", "read") from block
        for octets in block:
            yield _line(octets)
