"""Command-line parsing whose errors are ours: one line, an exit status, no usage page."""

from __future__ import annotations

import argparse
import os

from smtpshell.protocol.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


TOO_MANY = "unrecognized arguments"
"""How argparse begins to complain of words that are left over."""


class Page(argparse.RawDescriptionHelpFormatter):
    """A help page as wide as the window, its description and epilog as they were written.

    A parser makes one for every option that is added to it. Left to find the width by itself it
    would load the archive formats of `shutil` each time the program starts.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=window_width() - 2)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `UsageError`, and prints help as a `Page`."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - as ArgumentParser has them
        super().__init__(formatter_class=Page, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise a `UsageError` in place of printing a usage page and leaving."""
        quoting = " Quote a text that holds spaces." if message.startswith(TOO_MANY) else ""
        raise UsageError(message, next=f"{self.prog} --help lists the options.{quoting}")


def window_width() -> int:
    """Return the columns of the window: from the environment, the terminal, or 80."""
    return asked_width() or 80


def asked_width() -> int:
    """Return the columns that COLUMNS or the terminal asks for; 0 where output has no width."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 0
