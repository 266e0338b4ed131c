"""Command-line parsing whose errors are ours: one line, an exit status, no usage page."""

from __future__ import annotations

import argparse
from typing import NoReturn

from smtpshell.protocol.errors import UsageError


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `UsageError`."""

    def error(self, message: str) -> NoReturn:
        """Raise a `UsageError` in place of printing a usage page and leaving."""
        raise UsageError(message, next=f"{self.prog} --help lists the options.")
