"""Reports: anything of ours that takes more than a line, as rows that any screen can lay out.

A row's style names what it is, never how it looks; colour only repeats what the words say, so rows
styled good, warn or bad carry a word for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from smtpshell.protocol.values import dataclass

STYLES = ("", "title", "good", "warn", "bad", "dim", "code", "client", "server", "prose", "said")
"""What a row can be; "prose" is of a lesson, "said" tells its role by its own first word."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a report: its text, its style, how far it is indented, and a label before it.

    Labels of neighbouring rows are aligned by whoever draws them. Text from the wire must have
    passed `text.visible` before it gets here.
    """

    text: str
    style: str = ""
    indent: int = 0
    label: str = ""


Report = list[Row]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 message", "2 messages"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def plain_lines(report: Iterable[Row], *, prefix: str = "", listed: bool = False) -> list[str]:
    """Lay a report out as plain lines, each behind `prefix`, labels aligned in their runs.

    `listed` makes a list of each table, "label: text", which a voice can read; what is `said`
    needs no prefix.
    """
    rows = list(report)
    lines: list[str] = []
    for index, row in enumerate(rows):
        if row.style == "said":
            lines.append(row.text)
            continue
        if listed and row.label:
            lines.append(f"{prefix}{'  ' * row.indent}{row.label.strip()}: {row.text}".rstrip())
            continue
        width = label_width(rows, index)
        label = f"{row.label:<{width}}  " if row.label else " " * (width + 2) if width else ""
        lines.append((prefix + "  " * row.indent + label + row.text).rstrip())
    return lines


def label_width(rows: list[Row], index: int) -> int:
    """Return the width of the labels in the run of labelled rows around a row; 0 outside one."""
    if not rows[index].label:
        return 0
    first = last = index
    while first > 0 and rows[first - 1].label and rows[first - 1].indent == rows[index].indent:
        first -= 1
    while (
        last + 1 < len(rows)
        and rows[last + 1].label
        and rows[last + 1].indent == rows[index].indent
    ):
        last += 1
    return max(len(row.label) for row in rows[first : last + 1])
