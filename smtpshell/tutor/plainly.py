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

ITEMS = ("- ", "* ")
"""How items of a list begin; lines behind them that are indented belong to them."""

ALONE = ("    ", "\t", "- ", "* ", "|", "#", ">")
"""How lines of Markdown begin that are not joined to a paragraph."""


def filled(line: str, values: Mapping[str, str]) -> str:
    """Return a line of prose with the captures filled in; what is not known yet stays as it is."""
    try:
        return fill(line, values)
    except TemplateError:
        return line


def paragraphs(lines: Iterable[str], values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield prose with each paragraph and each item of a list joined to one line; code is not.

    Code keeps its indentation too. With each text goes what it is: "code" of a fence and "item"s
    stand alone, others are "".
    """
    held: list[str] = []
    kind = ""
    fenced = False
    for raw in (*lines, ""):
        line = filled(raw, values)
        fence = line.lstrip().startswith(("```", "~~~"))
        item = line.startswith(ITEMS) and not fenced
        goes_on = bool(held) and kind == "item" and line.startswith("  ") and not fence
        alone = fenced or fence or (line.startswith(ALONE) and not item and not goes_on)
        if held and (not line.strip() or alone or item):
            yield " ".join(held), kind
            held = []
        if fence:
            fenced = not fenced
        elif fenced:
            yield line.rstrip(), "code"
        elif alone:
            yield line.removeprefix("    ").rstrip(), "item"
        elif line.strip():
            kind = kind if held else "item" if item else ""
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
