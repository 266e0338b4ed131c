r"""/data and /raw: a file as the message, and exact octets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.operations import send_file
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.text import encode

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk

_ESCAPES = {"r": b"\r", "n": b"\n", "0": b"\0", "t": b"\t", "\\": b"\\"}
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|[rn0t\\]|.?)", re.DOTALL)


def octets_of(text: str) -> bytes:
    r"""Return the octets that TEXT stands for; `\r \n \t \0 \xHH \\` are escapes.

    Raises `UsageError` for any other backslash.

    >>> octets_of(r"NOOP\r\n\xff")
    b'NOOP\r\n\xff'
    """
    octets = bytearray()
    end = 0
    for match in _ESCAPE.finditer(text):
        octets += encode(text[end : match.start()])
        end = match.end()
        name = match[1]
        if name in _ESCAPES:
            octets += _ESCAPES[name]
        elif name.startswith("x") and len(name) == 3:
            octets.append(int(name[1:], 16))
        else:
            raise UsageError(
                f"\\{name} is no escape", "/raw", r"There are \r \n \t \0 \xHH and \\."
            )
    return bytes(octets + encode(text[end:]))


async def data(desk: Desk, argument: str) -> None:
    """Send a file as the message."""
    if not argument:
        raise UsageError("no file is named", "/data", "Write /data FILE; DATA alone lets you type.")
    with desk.conversation.driven("data"):
        await send_file(desk, Path(argument).expanduser())


async def raw(desk: Desk, argument: str) -> None:
    """Send exact octets and wait for the replies that they ask for, if any."""
    if not argument:
        raise UsageError("nothing to send", "/raw", r"Write /raw NOOP\r\n, for example.")
    lines = await desk.conversation.send(octets_of(argument))
    if not lines:
        desk.say("Sent, without a line end: the server waits for the rest of the line.")
    await desk.conversation.settle()
