"""What is remembered from session to session: commands, and nothing that is secret.

Kept are command lines and local commands. Not kept are lines of a message, answers to a challenge
and octets of a chunk; an AUTH line is kept up to its mechanism, and a local command whose argument
may hold a password without that argument. The file lies in the state folder, is readable by its
owner alone (mode 0600), and is trimmed when it grows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from prompt_toolkit.history import History

from smtpshell.conversation.local import is_local, split
from smtpshell.protocol.secrets import HIDDEN

KEPT = 5_000
"""Lines kept when the file is trimmed."""

TRIM_OCTETS = 1 << 20
"""The file's size beyond which it is trimmed."""

SECRET_ARGUMENTS = frozenset({"b64", "unb64"})
"""Local commands whose arguments are likely to be passwords, as they are or encoded."""


def keepable(line: str, shown: str | None = None) -> str:
    """Return what may be kept of a line; "" for nothing.

    `shown` is the line as the session understood it, with secrets hidden, for a line that was sent.

    >>> keepable("AUTH PLAIN AGEAYg==", "AUTH PLAIN [hidden]")
    'AUTH PLAIN'
    >>> keepable("/b64 swordfish")
    '/b64'
    """
    line = (line if shown is None else shown).strip()
    if HIDDEN in line:
        line = line[: line.index(HIDDEN)].rstrip()
    if not is_local(line):
        return line
    name, argument = split(line)
    hidden = name in SECRET_ARGUMENTS or re.search(r"\bAUTH\s+\S+\s+\S", argument, re.IGNORECASE)
    return f"/{name}" if hidden else line


class ShellHistory(History):
    """The history of one user, in a file.

    What is typed at a prompt is kept by `remember` alone, once it is known what the line was;
    prompt_toolkit's own way of adding every accepted line does nothing.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def append_string(self, string: str) -> None:
        """Keep nothing: an accepted line may be a secret."""

    def newest_first(self) -> Sequence[str]:
        """Return the lines held, the newest first."""
        return self._loaded_strings

    def remember(self, line: str) -> None:
        """Keep a line, unless the one before is the same."""
        if line and line.isprintable() and self._loaded_strings[:1] != [line]:
            super().append_string(line)

    def load_history_strings(self) -> Iterable[str]:
        """Yield the lines of the file, the newest first; a file that cannot be read has none."""
        try:
            octets = self._path.read_bytes()
        except OSError:
            return
        lines = [line for line in octets.decode("utf-8", "replace").split("\n") if line]
        if len(octets) > TRIM_OCTETS:
            self._rewrite(lines[-KEPT:])
        yield from reversed(lines)

    def store_string(self, string: str) -> None:
        """Add a line to the file; where that cannot be done, it is forgotten at the end."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(string.encode("utf-8", "replace") + b"\n")
        except OSError:
            return

    def _rewrite(self, lines: list[str]) -> None:
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
            aside.replace(self._path)
        except OSError:
            return
