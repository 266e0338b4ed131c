"""Lessons in the ordinary shell, in a real terminal, played as a learner would with mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal.tty import Tty

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def test_the_first_lesson_from_hello_to_quit(tmp_path: Path) -> None:
    """Wrong lines, hints, undo, a shown answer and the mailbox lead to the end of the lesson."""
    with Tty("lesson", "helo-to-quit", home=tmp_path, rows=60) as tty:
        tty.wait_prompt("step 1 of 5  answer> $")
        tty.line("250", "Not yet. 250 answers a command")
        tty.line("/hint", "Hint 1 of 2:")
        tty.line("220", "Step 2 of 5: Say who you are")
        tty.wait_prompt("step 2 of 5  practice> $")
        tty.line("HELLO client.example", "no double L")
        tty.line("/show", "The answer stands on the prompt")
        tty.wait_prompt("practice> HELO client.example$")
        tty.press("enter")
        tty.wait_for("Step 3 of 5: Write the envelope")
        tty.line("MAIL FROM:<dan@client.example>", "dan@client.example, it should be")
        tty.wait_prompt("step 3 of 5  practice  from dan> $")
        tty.line("/undo", "Taken back")
        tty.wait_prompt("step 3 of 5  practice> $")
        tty.line("MAIL FROM:<ann@client.example>", "Correct")
        tty.line("RCPT TO:<bob@practice.example>")
        tty.wait_prompt("from ann to bob> $")
        tty.line("RCPT TO:<carol@practice.example>", "Step 4 of 5")
        tty.line("DATA", "A line that holds only a dot ends the letter")
        for line in ("Subject: By hand", "", "Hello.", "."):
            tty.line(line)
        tty.wait_prompt("step 4 of 5  answer> $")
        tty.line("/mailbox bob", "Subject: By hand")
        tty.line("2", "Step 5 of 5")
        tty.line("QUIT", "Question: A reply begins with 5")
        tty.line("2", "Done. That was the lesson")
        tty.wait_prompt("not connected> $")
        tty.press("ctrl-d")
        assert tty.wait_end() == 0


def test_a_lesson_goes_on_where_it_was_left(tmp_path: Path) -> None:
    """Leaving in the middle of a step and coming back finds the session as it was."""
    with Tty("lesson", "1", home=tmp_path) as tty:
        tty.wait_prompt("answer> $")
        tty.line("220")
        tty.wait_prompt("step 2 of 5  practice> $")
        tty.line("HELO client.example")
        tty.wait_prompt("step 3 of 5  practice> $")
        tty.line("MAIL FROM:<ann@client.example>")
        tty.wait_prompt("from ann> $")
        tty.press("ctrl-d")
        tty.wait_end()
    with Tty("lesson", "1", home=tmp_path) as tty:
        tty.wait_for("You go on where you left it")
        tty.wait_prompt("step 3 of 5  practice  from ann> $")
        assert "HELO client.example" not in tty.text


def test_a_lesson_can_be_begun_and_left_inside_the_shell(tmp_path: Path) -> None:
    """/lesson lists, plays and leaves; the shell is the same before and after."""
    with Tty(home=tmp_path) as tty:
        tty.wait_prompt("practice> $")
        tty.line("/lesson", "helo-to-quit  +Your first message")
        tty.line("/lesson helo-to-quit", "Step 1 of 5")
        tty.wait_prompt("step 1 of 5  answer> $")
        tty.line("/lesson leave", "You left the lesson")
        tty.wait_prompt("practice> $")


def test_a_plain_terminal_gets_plain_lines(tmp_path: Path) -> None:
    """With --plain a lesson has no colour, no redrawing, and a role before each line."""
    with Tty("--plain", "lesson", "1", home=tmp_path) as tty:
        tty.wait_for("Text: You have just connected")
        tty.line("220", "Correct")
        tty.line("HELO client.example", "Step 3 of 5")
        assert b"\x1b" not in bytes(tty.raw)
