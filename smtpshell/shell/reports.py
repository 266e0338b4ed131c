"""Reports on the screen: rows of `conversation.report` as lines of fragments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from smtpshell.conversation.markup import spans_of
from smtpshell.conversation.report import Row, label_width
from smtpshell.shell.fragments import Line, wrap

_MARK = re.compile(r"(?:[-*]|[0-9]{1,3}[.)]) +")
"""What begins the item of a list."""

LABEL_MOST = 30
"""Columns of a label beyond which its text goes below it."""


def report_lines(report: Iterable[Row], width: int) -> Iterator[Line]:
    """Yield a report's lines: labels aligned in their runs, long texts hanging."""
    rows = list(report)
    for index, row in enumerate(rows):
        indent = "  " * row.indent
        if row.style == "prose":
            yield from _prose(row, indent, width)
            continue
        label = label_width(rows, index)
        if row.label and label > min(LABEL_MOST, width * 2 // 5):
            yield from _columned(row, indent, width)
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


def _prose(row: Row, indent: str, width: int) -> Iterator[Line]:
    """Yield a paragraph; code between backticks gets its own style, and loses them.

    The item of a list hangs on its mark.
    """
    spans = spans_of(row.text)
    text = "".join(piece for piece, _ in spans)
    code = [is_code for piece, is_code in spans for _ in piece]
    mark = _MARK.match(text)
    at = mark.end() if mark else 0
    lead = indent + text[:at]
    for piece in wrap(text[at:], max(20, width - len(lead))):
        at = text.index(piece, at)
        line: Line = [("", lead)] if lead else []
        lead = " " * len(lead)
        marked = zip(piece, code[at : at + len(piece)], strict=True)
        for is_code, run in groupby(marked, lambda pair: pair[1]):
            line.append(("code" if is_code else row.style, "".join(letter for letter, _ in run)))
        at += len(piece)
        yield line


def _columned(row: Row, indent: str, width: int) -> Iterator[Line]:
    """Yield a row of a run with long labels: the text in one column, below a label that is long."""
    column = min(LABEL_MOST, width // 3) + 2
    pieces = wrap(row.text, max(20, width - len(indent) - column))
    label: Line = [("", indent), ("label", row.label)]
    if len(row.label) + 2 <= column:
        yield [*label, ("", " " * (column - len(row.label))), (row.style, pieces.pop(0))]
    else:
        yield label
    for piece in pieces:
        yield [("", indent + " " * column), (row.style, piece)]
