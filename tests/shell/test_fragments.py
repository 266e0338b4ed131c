"""Fitting text to a width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from smtpshell.shell.fragments import shortened, wrap
from smtpshell.shell.progress import progress_text

TEXT = st.text(alphabet="ab 中é́", max_size=60)


@given(TEXT, st.integers(2, 30))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    """No line is wider than the window, and all that is not space is still there."""
    lines = wrap(text, width)
    assert all(get_cwidth(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(TEXT, st.integers(2, 30))
def test_shortened_fits(text: str, width: int) -> None:
    """A shortened text fits, and one that fits is left alone."""
    short = shortened(text, width)
    assert get_cwidth(short) <= width
    assert short == text or short.endswith(".")


def test_progress() -> None:
    """The bar fills from nothing to all, and never overflows."""
    assert progress_text("x", 0, 10) == "x [....................]   0%, 0 octets"
    assert progress_text("x", 20, 10) == "x [####################] 100%, 20 octets"
    assert progress_text("x", 7, None) == "x 7 octets"
