"""Errors that carry what happened, where, what to try next, and the exit status they lead to.

Every error of ours that may reach a user is a `SmtpshellError`; its `str()` is the one line that
the user sees. The statuses are one table, because scripts depend on them.
"""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Exit statuses of conversations and of `send`, in the order a session reaches them."""

    OK = 0
    USAGE = 1
    CONNECT = 2
    LOST = 6
    FILE = 10
    REFUSED = 20
    BANNER = 21
    HELLO = 22
    MAIL = 23
    RCPT = 24
    DATA = 25
    MESSAGE = 26
    QUIT = 27
    AUTH = 28
    TLS = 29
    HELLO_AFTER_TLS = 32
    BUG = 70
    INTERRUPTED = 130


class SmtpshellError(Exception):
    """An error with its facts: `what` happened, `where`, what to do `next`, and an exit `status`.

    `what` begins in lower case and ends without a full stop; `next` is a sentence.
    """

    status: int = Status.BUG

    def __init__(
        self,
        what: str,
        where: str = "",
        next: str = "",
        *,
        status: int | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next = next
        if status is not None:
            self.status = status

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}. {self.next}" if self.next else line


class UsageError(SmtpshellError):
    """The command line or a local command's arguments make no sense."""

    status = Status.USAGE


class FileError(SmtpshellError):
    """A local file could not be read or written."""

    status = Status.FILE

    @classmethod
    def from_os(cls, error: OSError, path: object, doing: str) -> FileError:
        """Make the error for an `OSError` met while doing "read" or "write" to `path`."""
        reason = (error.strerror or str(error)).lower()
        advice = {
            "read": "Check the name and its permissions.",
            "write": "Choose another file or check the folder's permissions.",
        }.get(doing, "")
        return cls(f"cannot {doing} the file: {reason}", str(path), advice)
