"""The front end that only appends: how it lays out what it writes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtpshell.shell.plain import folded


def test_lines_of_the_wire_stay_whole() -> None:
    """What was sent or answered is never broken, however narrow the window."""
    reply = "S: 250 " + "word " * 40
    assert folded(reply, 40) == [reply]


def test_rows_hang_under_their_indent() -> None:
    """A long row goes on behind the mark, further in than it began."""
    assert folded("#   1.  a cause that is told at length", 24) == [
        "#   1.  a cause that is",
        "#     told at length",
    ]


@given(st.text("ab \t-:.", max_size=200), st.integers(1, 120))
def test_every_piece_is_marked_and_no_word_is_lost(text: str, width: int) -> None:
    """Each line begins with the mark; the words are those that came, none broken."""
    pieces = folded(f"# {text}", width)
    assert all(piece.startswith("#") for piece in pieces)
    assert " ".join(piece[1:] for piece in pieces).split() == text.split()
