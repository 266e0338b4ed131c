"""Reports on the screen: rows laid out in columns."""

from __future__ import annotations

import pytest

from smtpshell.conversation.help import help_on
from smtpshell.conversation.report import Row
from smtpshell.shell.fragments import width_of
from smtpshell.shell.reports import report_lines


def drawn(rows: list[Row], width: int) -> list[str]:
    """Return a report as text."""
    return ["".join(text for _, text in line) for line in report_lines(rows, width)]


def test_short_labels_are_aligned() -> None:
    """The texts of a run of labels begin in one column, and what is long hangs there."""
    rows = [Row("one two three four five", label="a"), Row("six", label="long")]
    assert drawn(rows, 26) == ["a     one two three four", "      five", "long  six"]


def test_a_long_label_stands_on_a_line_of_its_own() -> None:
    """A label that is too long for the column does not push its text out of it."""
    rows = [Row("first", label="x"), Row("second", label="y" * 40, indent=0)]
    assert drawn(rows, 90) == [f"{'x':<32}first", "y" * 40, f"{'':32}second"]


@pytest.mark.parametrize("width", [40, 59, 79, 99])
@pytest.mark.parametrize("page", ["", "commands", "keys", "MAIL", "/spf"])
def test_help_fits(page: str, width: int) -> None:
    """No line of help is wider than the window, but for a command's arguments."""
    for line in report_lines(help_on(page), width):
        words = "".join(text for style, text in line if style not in ("label", "code"))
        assert width_of(line) <= width or not words.strip()


def test_the_overview_is_one_page() -> None:
    """What `?` shows fits a common window: nobody has to scroll to begin."""
    assert len(drawn(help_on(""), 99)) <= 32
    assert len(drawn(help_on(""), 79)) <= 36


def test_code_in_prose_is_styled_and_loses_its_backticks() -> None:
    """Across the ends of lines, too, and no letter of the text is lost."""
    text = "Type `/mailbox bob` and then `DATA`, which begins the letter."
    lines = list(report_lines([Row(text, "prose")], 20))
    assert all(width_of(line) <= 20 for line in lines)
    code = " ".join(piece for line in lines for style, piece in line if style == "code")
    assert code == '"/mailbox bob" DATA'
    shown = " ".join("".join(piece for _, piece in line) for line in lines)
    assert shown == 'Type "/mailbox bob" and then DATA, which begins the letter.'


@pytest.mark.parametrize("mark", ["- ", "12. "])
def test_the_item_of_a_list_hangs_on_its_mark(mark) -> None:
    """What follows of a long item stands under its first word, and nothing of it is lost."""
    text = f"{mark}A ward whose server wants `STARTTLS` first."
    lines = list(report_lines([Row(text, "prose", indent=1)], 24))
    shown = ["".join(piece for _, piece in line) for line in lines]
    hang = "  " + " " * len(mark)
    assert shown[0].startswith(f"  {mark}A ward")
    assert all(line.startswith(hang) and line[len(hang)] != " " for line in shown[1:])
    assert " ".join(line.strip() for line in shown) == text.replace("`", "")
