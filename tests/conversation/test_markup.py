"""Inline code in texts of ours: no backtick reaches an eye or an ear."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtpshell.conversation.markup import spans_of, unmarked
from smtpshell.conversation.report import Row, plain_lines


@given(st.text(alphabet='ab `"', max_size=40))
def test_spans_hold_all_of_a_text(text: str) -> None:
    """Nothing but paired backticks is lost, and quotes are added for code of several words."""
    pieces = spans_of(text)
    assert unmarked(text) == "".join(piece for piece, _ in pieces)
    kept = [letter for letter in text if letter not in '`"']
    assert [letter for letter in unmarked(text) if letter not in '`"'] == kept


def test_code_of_several_words_is_quoted() -> None:
    """A single word stands for itself."""
    assert unmarked("Type `/b64 alice`, then `DATA`.") == 'Type "/b64 alice", then DATA.'
    assert unmarked("a lone ` stays") == "a lone ` stays"


def test_a_table_has_a_list_form() -> None:
    """Where a voice reads, no column is filled up; what says its own role needs no mark."""
    rows = [
        Row("ready", label="state"),
        Row("no", label="encrypted", indent=1),
        Row("x.", "said"),
    ]
    listed = plain_lines(rows, prefix="# ", listed=True)
    assert listed == ["# state: ready", "#   encrypted: no", "x."]
    assert plain_lines(rows, prefix="# ")[0] == "# state  ready"
