"""Reports on the screen: rows of `conversation.report` as lines of fragments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smtpshell.conversation.report import Row, label_width
from smtpshell.shell.fragments import Line, wrap

STYLES = {"client": "client", "server": "server", "": "", "code": "code"}
LABEL_MOST = 30
"""Columns of a label beyond which its text goes below it, in narrow windows too."""


def report_lines(report: Iterable[Row], width: int) -> Iterator[Line]:
    """Yield a report's lines: labels aligned in their runs, long texts hanging."""
    rows = list(report)
    for index, row in enumerate(rows):
        indent = "  " * row.indent
        label = label_width(rows, index)
        if row.label and label > min(LABEL_MOST, width // 2):
            yield from _below(row, indent, width)
            continue
        margin = len(indent) + (label + 2 if row.label else 0)
        pieces = wrap(row.text, max(20, width - margin))
        for number, piece in enumerate(pieces):
            head = f"{row.label:<{label}}  " if row.label and not number else ""
            line: Line = [("", indent if head or not row.label else " " * margin)]
            if head:
                line.append(("label", head))
            line.append((row.style, piece))
            yield [(style, text) for style, text in line if text]


def _below(row: Row, indent: str, width: int) -> Iterator[Line]:
    room = width - len(indent) - len(row.label) - 2
    if len(row.text) <= room:
        padding = " " * max(0, LABEL_MOST - len(row.label))
        padding = padding if len(row.text) + len(padding) <= room else ""
        yield [("", indent), ("label", f"{row.label}{padding}  "), (row.style, row.text)]
        return
    yield [("", indent), ("label", row.label)]
    for piece in wrap(row.text, max(20, width - len(indent) - 4)):
        yield [("", indent + "    "), (row.style, piece)]
