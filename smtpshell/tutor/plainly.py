"""Lessons in plain lines: what a screen reader, a pipe and a saved file get.

Every line begins with what it is: `C:` and `S:` for the wire, `Step 3 of 5:`, `Text:`, `Correct.`,
`Not yet.`, `Hint 1 of 3:`, `Question:`. Nothing is drawn, moved or repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from smtpshell.conversation.markup import unmarked
from smtpshell.conversation.report import Row
from smtpshell.protocol.values import replace
from smtpshell.tutor.functions import TemplateError, fill

ROLES = (
    "C:",
    "S:",
    "#",
    "Lesson:",
    "Text:",
    "Step ",
    "Question:",
    "Choice ",
    "Correct.",
    "Not yet.",
    "Hint ",
    "Note:",
    "Answer:",
    "Place:",
    "Score:",
    "Skipped.",
    "Done.",
)
"""How the lines of a lesson begin."""

ALONE = ("    ", "\t", "- ", "* ", "|", "#", ">")
"""How lines of Markdown begin that are not joined to a paragraph."""


def filled(line: str, values: Mapping[str, str]) -> str:
    """Return a line of prose with the captures filled in; what is not known yet stays as it is."""
    try:
        return fill(line, values)
    except TemplateError:
        return line


def paragraphs(lines: Iterable[str], values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield prose with each paragraph joined to one line; code and lists keep their lines.

    Code keeps its indentation too. With each text goes what it is: "code" of a fence and "item"s
    stand alone, others are "".
    """
    held: list[str] = []
    fenced = False
    for raw in (*lines, ""):
        line = filled(raw, values)
        fence = line.lstrip().startswith(("```", "~~~"))
        stands_alone = fenced or fence or line.startswith(ALONE)
        if (not line.strip() or stands_alone) and held:
            yield " ".join(held), ""
            held = []
        if fence:
            fenced = not fenced
        elif fenced:
            yield line.rstrip(), "code"
        elif stands_alone:
            yield line.removeprefix("    ").rstrip(), "item"
        elif line.strip():
            held.append(line.strip())


def prose_rows(lines: Iterable[str], values: Mapping[str, str]) -> list[Row]:
    """Return prose as rows, a paragraph each, with an empty row before each paragraph.

    Code of a fence is not indented, so that it can be copied.
    """
    rows: list[Row] = []
    before = ""
    for text, kind in paragraphs(lines, values):
        if not kind or kind != before:
            rows.append(Row(""))
        rows.append(Row(text, "prose", indent=int(kind == "item")))
        before = kind
    return rows


def spoken(rows: Iterable[Row]) -> list[str]:
    """Return rows as plain lines, each beginning with its role; empty rows are left out.

    A table becomes a list: what stands in its first column, then the rest.
    """
    return [_spoken(row) for row in rows if row.text]


def _spoken(row: Row) -> str:
    if row.style == "code":
        return row.text
    text = unmarked(f"{row.label}: {row.text}" if row.label else row.text)
    role = "Text: " if row.style == "prose" else "Note: " if row.label else ""
    return role + text


def shown(rows: Iterable[Row], *, plain: bool) -> list[Row]:
    """Return rows for a screen: plain ones are spoken, others keep code of prose for the screen."""
    if plain:
        return [Row(text, "said") for text in spoken(rows)]
    return [
        row if row.style in ("prose", "code") else replace(row, text=unmarked(row.text))
        for row in rows
    ]
