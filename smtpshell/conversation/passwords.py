"""Where a password or token comes from: never from an argument, where a process list shows it.

In this order: the settings `password-command` and `password-file`, the environment variable
SMTPSHELL_PASSWORD, the practice server's published ones, the user's `.netrc`, and at last a
question without echo. Only the first line of a file or of a command's output counts.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.protocol.errors import FileError, SmtpshellError, Status

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk

VARIABLE = "SMTPSHELL_PASSWORD"

COMMAND_SECONDS = 60.0
"""How long a password command may take; it may ask a person to touch a key."""

WAYS = {
    True: "/auth asks again; /set password-command and password-file spare the question.",
    False: f"Use --password-command, --password-file, {VARIABLE} or ~/.netrc.",
}
"""What to do when none was given, in the shell and in a script."""


def _first_line(text: str, where: str) -> str:
    line = text.split("\n", 1)[0].removesuffix("\r")
    if not line:
        raise SmtpshellError(
            "it gave no password", where, "Its first line is taken.", status=Status.AUTH
        )
    return line


async def _from_command(command: str) -> str:
    process = await asyncio.create_subprocess_shell(
        command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise SmtpshellError(
            f"it did not end within {COMMAND_SECONDS:g} s", "password-command", status=Status.AUTH
        ) from None
    if process.returncode:
        raise SmtpshellError(
            f"it ended with status {process.returncode}",
            "password-command",
            "Try the command by itself.",
            status=Status.AUTH,
        )
    return _first_line(output.decode("utf-8", "surrogateescape"), "password-command")


def _from_file(name: str) -> str:
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error
    return _first_line(text, str(path))


def _from_netrc(host: str, user: str) -> tuple[str, str] | None:
    """Return (user, password) of the host's entry, where it is for that user or names one."""
    import netrc

    path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    if not host or not path.exists():
        return None
    try:
        entry = netrc.netrc(str(path)).authenticators(host)
    except netrc.NetrcParseError as error:
        raise SmtpshellError(
            f"line {error.lineno} cannot be read: {error.msg}", str(path), status=Status.FILE
        ) from error
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error
    if entry is None or not entry[2] or (user and entry[0] and entry[0] != user):
        return None
    return user or entry[0], entry[2]


async def find_secret(desk: Desk, host: str, user: str, what: str = "password") -> tuple[str, str]:
    """Return the user name and the secret to log in with.

    Raises `SmtpshellError` with status AUTH when there is none, and `FileError` for a file that
    cannot be read.
    """
    settings = desk.settings
    target = desk.conversation.target
    if settings["password-command"]:
        return user, await _from_command(settings["password-command"])
    if settings["password-file"]:
        return user, _from_file(settings["password-file"])
    if os.environ.get(VARIABLE):
        return user, os.environ[VARIABLE]
    if target is not None and target.is_practice and desk.practice is not None:
        world = desk.practice
        published = dict(world.credentials if what == "password" else world.tokens)
        if user in published:
            desk.say(f"The published {what} of {user} is used.")
            return user, published[user]
    found = _from_netrc(host, user)
    if found is not None:
        return found
    secret = await desk.ask_secret(f"{what} for {user or 'login'} at {host}: ")
    if secret is None:
        raise SmtpshellError(
            f"no {what} was given",
            host,
            WAYS[desk.interactive],
            status=Status.AUTH,
        )
    return user, secret
