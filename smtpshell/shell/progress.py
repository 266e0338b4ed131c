"""How far a long work is, in one line of ASCII."""

from __future__ import annotations

CELLS = 20


def progress_text(label: str, done: int, total: int | None) -> str:
    """Return the bar of a work that has done so many of `total` octets; None: nobody knows.

    >>> progress_text("letter.eml", 512, 1024)
    'letter.eml [##########..........]  50%, 512 octets'
    """
    if not total:
        return f"{label} {done} octets"
    share = min(1.0, done / total)
    filled = int(CELLS * share)
    return f"{label} [{'#' * filled}{'.' * (CELLS - filled)}] {share:4.0%}, {done} octets"
