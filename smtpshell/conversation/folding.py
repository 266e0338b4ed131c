"""Reports as text of a given width, for output that is no screen of the shell's."""

from __future__ import annotations

from collections.abc import Iterable

from smtpshell.conversation.report import Row, label_width


def folded_lines(report: Iterable[Row], width: int) -> list[str]:
    """Lay a report out as lines of at most `width` columns; texts hang below their beginning."""
    rows = list(report)
    lines: list[str] = []
    for index, row in enumerate(rows):
        column = label_width(rows, index)
        head = "  " * row.indent + (f"{row.label:<{column}}  " if row.label else "")
        lines += folded(head + row.text, width, len(head))
    return lines


def folded(line: str, width: int, hang: int) -> list[str]:
    """Break a line between words; what follows the first piece hangs by so many columns.

    >>> folded("1.  You have not logged in here", 24, 4)
    ['1.  You have not logged', '    in here']
    """
    if len(line) <= width:
        return [line.rstrip()]
    from textwrap import wrap

    pieces = wrap(
        line[hang:], max(20, width - hang), break_long_words=False, break_on_hyphens=False
    )
    first, *rest = pieces or [""]
    return [(line[:hang] + first).rstrip(), *(" " * hang + piece for piece in rest)]
