"""A command as the server: its standard input and output are one end of a socket pair.

A socket pair in place of two pipes makes the rest of the link the same as for TCP: one transport,
one flow control, and STARTTLS works through it.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import socket
from collections.abc import Callable

from smtpshell.net.errors import LinkError
from smtpshell.protocol.text import visible

OnErrorLine = Callable[[str], None]

_LINE_LIMIT = 4096  # octets of one line of standard error that are kept


class _ErrorLines(asyncio.SubprocessProtocol):
    """Hands on the lines of the command's standard error, made printable, and notes its end."""

    def __init__(self, on_error_line: OnErrorLine) -> None:
        self.exited = asyncio.Event()
        self._on_error_line = on_error_line
        self._rest = b""

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Hand on the complete lines."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()[:_LINE_LIMIT]
        for line in lines:
            self._on_error_line(visible(line[:_LINE_LIMIT].rstrip(b"\r")))

    def pipe_connection_lost(self, *_: object) -> None:
        """Hand on a last line that no newline ended."""
        if self._rest:
            self._on_error_line(visible(self._rest))
            self._rest = b""

    def process_exited(self) -> None:
        """Note the end."""
        self.exited.set()


class Command:
    """A running command; `socket` is our end of its standard input and output."""

    def __init__(
        self,
        sock: socket.socket,
        transport: asyncio.SubprocessTransport,
        protocol: _ErrorLines,
    ) -> None:
        self.socket = sock
        self._transport = transport
        self._protocol = protocol

    @property
    def process_id(self) -> int:
        """The command's process id."""
        return self._transport.get_pid()

    @property
    def status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._transport.get_returncode()

    async def end(self, seconds: float) -> bool:
        """Wait for the command to end by itself; then end it. Returns whether it ended itself."""
        by_itself = await self._wait(seconds)
        if not by_itself:
            with contextlib.suppress(ProcessLookupError):
                self._transport.terminate()
            if not await self._wait(seconds / 2):
                with contextlib.suppress(ProcessLookupError):
                    self._transport.kill()
                await self._wait(seconds / 2)
        self._transport.close()
        return by_itself

    def kill(self) -> None:
        """End the command at once, without waiting."""
        self._transport.close()

    async def _wait(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._protocol.exited.wait()
        except TimeoutError:
            return False
        return True


async def start(command: str, on_error_line: OnErrorLine) -> Command:
    """Start a command without a shell; raises LinkError of kind `file` when that cannot be."""
    label = f"pipe:{visible(command)}"
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise LinkError(
            "file",
            f"the command is not well quoted ({error})".lower(),
            label,
            "Balance the quotes.",
        ) from error
    if not words:
        raise LinkError("file", "no command is given", label, "Write pipe:COMMAND.")
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        transport, protocol = await loop.subprocess_exec(
            lambda: _ErrorLines(on_error_line),
            *words,
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
        )
    except (OSError, ValueError, NotImplementedError) as error:
        ours.close()
        reason = (getattr(error, "strerror", None) or str(error) or "not on this system").lower()
        raise LinkError(
            "file",
            f"cannot run the command: {reason}",
            label,
            "Check its name and that it may be executed; mail servers often need their full path.",
        ) from error
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return Command(ours, transport, protocol)
