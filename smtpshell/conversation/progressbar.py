"""A progress bar on standard error, where that is a terminal; elsewhere nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from smtpshell.protocol.text import visible

WIDTH = 30
STEP = 0.1  # seconds between two drawings


def bar(label: str, done: int, total: int, seconds: float) -> str:
    """Return a bar as one line of ASCII.

    >>> bar("message", 50_000_000, 100_000_000, 2.0)
    'message [###############...............]  50%  50.0 of 100.0 MB, 25.0 MB/s'
    """
    share = min(1.0, done / total) if total else 1.0
    filled = int(share * WIDTH)
    rate = done / 1e6 / seconds if seconds > 0 else 0.0
    drawn = "#" * filled + "." * (WIDTH - filled)
    sizes = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB, {rate:.1f} MB/s"
    return f"{visible(label)} [{drawn}] {share:4.0%}  {sizes}"


@contextmanager
def progress_bar(label: str, total: int | None, screen: TextIO) -> Iterator[Callable[[int], None]]:
    """Give a function to be told how many octets are done; the bar is gone afterwards."""
    if not total or not screen.isatty():
        yield lambda _done: None
        return
    began = time.monotonic()
    drawn_at = began

    def step(done: int) -> None:
        nonlocal drawn_at
        now = time.monotonic()
        if now - drawn_at >= STEP:
            drawn_at = now
            screen.write(f"\r{bar(label, done, total, now - began)}")
            screen.flush()

    try:
        yield step
    finally:
        if drawn_at > began:
            screen.write("\r" + " " * 79 + "\r")
            screen.flush()
