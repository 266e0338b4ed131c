"""The files that author tools write: new ones never over an old one, old ones whole or not."""

from __future__ import annotations

import os
from pathlib import Path

from smtpshell.protocol.errors import FileError


def write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet; raises `FileError`."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise FileError.from_os(error, path, "write") from error


def read_octets(path: Path) -> bytes:
    """Return what a file holds; raises `FileError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error


def replace_whole(path: Path, octets: bytes) -> None:
    """Put a file in place of another, or of none, whole or not at all; raises `FileError`.

    A file that is there keeps its permissions, and a link stays a link to the file that it names.
    """
    path = path.resolve()
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            aside.chmod(path.stat().st_mode)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise FileError.from_os(error, path, "write") from error
