"""The bar at the bottom."""

from __future__ import annotations

import pytest

from smtpshell.conversation.settings import Settings
from smtpshell.shell.bar import Moment, bar_line
from smtpshell.shell.fragments import width_of
from tests.shell.stage import HELLO, after


def bar(text: str = "", kind: str = "command", width: int = 200, **more: object) -> str:
    """Return the bar as text."""
    moment = Moment(kind, text, after(HELLO), Settings(), **more)  # type: ignore[arg-type] # its fields
    return "".join(text for _, text in bar_line(moment, width))


def test_syntax_of_the_verb() -> None:
    """While a verb is typed, in any case, the bar shows its syntax, its section and its sense."""
    shown = bar("mail from:<")
    assert shown.startswith("MAIL FROM:<address> [parameters], RFC 5321 4.1.1.2")
    assert "begin a message" in shown
    assert "out of order now" in bar("DATA")
    assert "ETRN not announced" in bar("ETRN x")


def test_state_otherwise() -> None:
    """Otherwise it tells the state, TLS and the toggles."""
    shown = bar()
    assert shown.startswith("ready   no TLS")
    for words in ("F1 help", "F2 notes short", "F3 timing on", "F4 keys emacs"):
        assert words in shown


def test_ways_out() -> None:
    """In every other mode it says how to get out."""
    assert "a dot alone" in bar(kind="data")
    assert "* cancels" in bar(kind="answer")
    assert "/connect HOST" in bar(kind="closed")
    assert "/status" in bar("/status", kind="local")


def test_not_connected_in_a_narrow_window() -> None:
    """The way to a connection stays when there is no room for the rest."""
    shown = bar(kind="closed", width=59)
    assert "/connect HOST opens a connection" in shown
    assert ".." not in shown
    assert "/connect practice" in bar(kind="closed", width=110)


def test_stuffing_off_is_told_unless_a_guest_wants_it() -> None:
    """A toggle that the user set is told; in a lesson, which sets it for itself, it is not."""
    settings = Settings()
    settings.set("stuffing", "off")
    moment = Moment("command", "", after(HELLO), settings)
    lesson = Moment("command", "", after(HELLO), settings, guest={})
    assert "stuffing off" in "".join(text for _, text in bar_line(moment, 200))
    assert "stuffing" not in "".join(text for _, text in bar_line(lesson, 200))


@pytest.mark.parametrize("width", [1, 10, 30, 60, 80, 120])
@pytest.mark.parametrize("text", ["", "MAIL", "/connect x", "AUTH PLAIN"])
def test_fits(width: int, text: str) -> None:
    """However narrow the window, the bar fits it and begins with what counts."""
    moment = Moment("command", text, after(HELLO), Settings())
    line = bar_line(moment, width)
    assert width_of(line) <= max(width, 2)
    assert line[0][1][:1].strip()
