"""The front end that only appends: pure ASCII, no colour, no redrawing, no cursor.

For screen readers, dumb terminals and whoever asks for `--plain`. Lines begin with `C:`, `S:` or
`#`, or are the prompt with what was typed behind it. What arrives while a prompt stands goes on a
line of its own, and the prompt is written again below it. The terminal does the line editing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from smtpshell.conversation.markup import unmarked
from smtpshell.conversation.report import plain_lines as report_lines
from smtpshell.protocol.events import Failed, Received, Sent
from smtpshell.protocol.text import decode, visible
from smtpshell.shell.console import Key, Typed
from smtpshell.shell.prompt import Prompt, question_prompt
from smtpshell.transcript.plain import plain_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smtpshell.conversation.report import Row
    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.events import Event

PATIENCE = 3.0
"""Seconds of waiting after which a line says what for."""

WIRE = ("C: ", "S: ")
"""How lines begin that went over the wire."""

OURS = "# "
"""How lines begin that are ours."""

WHY = "More: /why."
"""What follows a refusal or a failure."""

LOCAL_KEY = "\x1d"
"""What Ctrl-] sends; at the start of a line of a message it makes the rest a local command."""


class PlainConsole:
    """A `Console` that reads whole lines and appends whole lines."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._prompt: Callable[[], Prompt] = lambda: question_prompt("", secret=False)
        self._standing = False
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._interrupted: Callable[[], None] = lambda: None

    @property
    def width(self) -> int:
        """The columns of the terminal."""
        return get_terminal_size().columns

    def earlier(self) -> Sequence[str]:
        """Return nothing: there is no history here."""
        return ()

    # --- showing -----------------------------------------------------------------------------

    def _write(self, lines: Iterable[str]) -> None:
        texts = [
            piece for line in lines for piece in folded(visible(line, ascii_only=True), self.width)
        ]
        if not texts:
            return
        if self._standing:
            texts = ["", *texts]
        prompt = self._shown_prompt() if self._standing else ""
        sys.stdout.write("".join(f"{text}\n" for text in texts) + prompt)
        sys.stdout.flush()

    def _shown_prompt(self) -> str:
        return visible(self._prompt().text, ascii_only=True)

    def event(self, event: Event, *, typed: bool) -> None:
        """Show an event."""
        settings = self._settings
        notes = "off" if settings.quiet else settings.notes
        if isinstance(event, Failed):
            self.trouble(event.what, f"{event.next} {WHY}".lstrip())
            return
        level = notes if isinstance(event, Received | Sent) else "short"
        lines = list(
            plain_lines(
                event,
                level,
                timing=settings["timing"],
                ascii_only=True,
                spell=settings["spell"],
            )
        )
        if isinstance(event, Received):
            lines = [unmarked(line) if line.startswith(OURS) else line for line in lines]
        if typed and isinstance(event, Sent):
            del lines[0]
        if isinstance(event, Sent) and event.out_of_order and notes != "off":
            state = event.after.state.value
            lines.append(f"# Out of order: {event.verb} is not expected now ({state}).")
        if isinstance(event, Received) and event.reply.is_refusal and level != "off":
            lines[-1] += f" {WHY}" if not event.unasked else ""
        self._write(lines)

    def report(self, rows: Iterable[Row]) -> None:
        """Show a report."""
        self._write(report_lines(rows, prefix="# ", listed=True))

    def trouble(self, what: str, advice: str) -> None:
        """Show what went wrong."""
        self._write([f"# Failed: {visible(what)}. {visible(advice)}".rstrip()])

    def echo(self, prompt: Prompt, line: str) -> None:
        """Show nothing: the terminal has echoed what was pasted."""

    def remember(self, line: str, shown: str | None = None) -> None:
        """Keep nothing."""

    def refresh(self) -> None:
        """Draw nothing: a prompt that was written stands."""

    # --- reading -----------------------------------------------------------------------------

    async def read(self, prompt: Callable[[], Prompt], text: str = "") -> Typed:
        """Read a line; text that belongs on the prompt is shown before it, to be typed."""
        if text:
            self._write([f"# To be sent as it is or changed: {text}"])
        now = prompt()
        line = await self._line(prompt, hidden=now.secret)
        if line is None:
            return Typed(key=Key.END)
        if line.startswith(LOCAL_KEY) and now.kind in ("data", "octets", "answer"):
            return Typed((line.removeprefix(LOCAL_KEY),), key=Key.LOCAL)
        return Typed((line,))

    async def ask(self, question: str, default: str = "", *, secret: bool = False) -> str | None:
        """Ask for a line; an empty one takes the default, which the question names."""
        if default:
            question = f"{question.rstrip(': ')} [{default}]: "
        prompt = question_prompt(question, secret=secret)
        line = await self._line(lambda: prompt, hidden=secret, gives_up=True)
        return line if line is None else line or default

    async def _line(
        self, prompt: Callable[[], Prompt], *, hidden: bool = False, gives_up: bool = False
    ) -> str | None:
        """Write a prompt and return the line typed; None at its end (Ctrl-D), or when given up."""
        self._prompt, self._standing = prompt, True
        sys.stdout.write(self._shown_prompt())
        sys.stdout.flush()

        def interrupted() -> None:
            if gives_up:
                self._lines.put_nowait(b"")
            else:
                sys.stdout.write(f"\n{self._shown_prompt()}")
                sys.stdout.flush()

        before, self._interrupted = self._interrupted, interrupted
        try:
            with _echo(on=not hidden):
                octets = await self._lines.get()
        finally:
            self._standing = False
            self._interrupted = before
        if hidden or not octets:  # neither was echoed with its line end
            sys.stdout.write("\n")
        return decode(octets.rstrip(b"\r\n")) if octets else None

    # --- waiting -----------------------------------------------------------------------------

    async def wait(self, work: Awaitable[None], waiting: Callable[[], str]) -> bool:
        """Do something that takes time; what for is said once, and not while it asks something."""
        task = asyncio.ensure_future(work)
        stopped = False

        def stop() -> None:
            nonlocal stopped
            stopped = True
            self._write([""])
            task.cancel()

        before, self._interrupted = self._interrupted, stop
        try:
            told = ""
            while not (await asyncio.wait({task}, timeout=PATIENCE))[0]:
                if waiting() != told and not self._standing:
                    told = waiting()
                    self._write([f"# {told} Ctrl-C stops waiting."])
        finally:
            self._interrupted = before
            task.cancel()
        if task.cancelled() and stopped:
            return False
        await task
        return True

    @contextmanager
    def progress(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Tell each quarter of a long work on a line of its own."""
        told = 0

        def step(done: int) -> None:
            nonlocal told
            quarter = 4 * done // total if total else 0
            if quarter > told:
                told = quarter
                self._write([f"# {label}: {25 * quarter}%, {done} octets."])

        yield step

    @contextmanager
    def running(self) -> Iterator[None]:
        """Read standard input in a thread, and take Ctrl-C, for as long as the context lasts."""
        loop = asyncio.get_running_loop()

        def pump() -> None:
            with suppress(RuntimeError, OSError):  # the loop ended first, or the terminal is gone
                for octets in _terminal_lines():
                    loop.call_soon_threadsafe(self._lines.put_nowait, octets)

        threading.Thread(target=pump, daemon=True).start()
        with suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGINT, lambda: self._interrupted())
        try:
            yield
        finally:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGINT)


def folded(line: str, width: int) -> list[str]:
    """Break a line of ours between words where it is too long; lines of the wire stay whole.

    >>> folded("# the server speaks first", 21)
    ['# the server speaks', '#   first']
    >>> folded("Text: you speak to it now", 21)
    ['Text: you speak to', '#   it now']
    """
    if line.startswith(WIRE) or len(line) < width:
        return [line]
    from textwrap import wrap

    begin = OURS if line.startswith(OURS) else ""
    text = line.removeprefix(OURS)
    indent = " " * (len(text) - len(text.lstrip()))
    return wrap(
        text,
        max(20, width - 1),
        initial_indent=begin,
        subsequent_indent=f"{OURS}{indent}  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _terminal_lines() -> Iterator[bytes]:
    """Yield what is typed line by line, b"" for each Ctrl-D.

    It reads the descriptor itself: a thread that waits inside `sys.stdin` would hold its lock while
    the interpreter ends, which aborts it.
    """
    held = b""
    while True:
        octets = os.read(sys.stdin.fileno(), 65536)
        if not octets:
            yield held
            held = b""
            continue
        *lines, held = (held + octets).split(b"\n")
        yield from (line + b"\n" for line in lines)


@contextmanager
def _echo(*, on: bool) -> Iterator[None]:
    """Switch the terminal's echo off, unless it shall be on."""
    if on or not sys.stdin.isatty():
        yield
        return
    try:
        import termios
    except ImportError:
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    hidden = [*before]
    hidden[3] = before[3] & ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSADRAIN, hidden)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
