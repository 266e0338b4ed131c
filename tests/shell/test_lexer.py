"""Colours of the typed line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtpshell.shell.lexer import coloured
from smtpshell.shell.theme import THEME
from tests.shell.stage import HELLO, after

KINDS = ("command", "data", "octets", "answer", "closed", "local", "question")


def styles(line: str, kind: str = "command") -> dict[str, str]:
    """Return the style of each piece."""
    return {text: style for style, text in coloured(line, kind, after(HELLO))}


def test_commands() -> None:
    """A verb is coloured by whether it is legal now; paths and parameters by what they are."""
    assert styles("MAIL FROM:<a@b>")["MAIL"] == "verb"
    assert styles("DATA")["DATA"] == "verb.odd"
    assert styles("GET /")["GET"] == "verb.unknown"
    found = styles("mail FROM:<a@b> SIZE=10 smtputf8")
    assert found["<a@b>"] == "address"
    assert found["SIZE"] == found["smtputf8"] == "parameter"
    assert styles("AUTH PLAIN AGEA")["AGEA"] == "secret"


def test_modes() -> None:
    """The same text is another thing in a message."""
    assert styles("/status")["/status"] == "local"
    assert styles("/status", "data") == {"/status": ""}
    assert styles("Subject: x", "data")["Subject"] == "header"
    assert styles(".", "data")["."] == "verb"


@given(st.text(max_size=60), st.sampled_from(KINDS))
def test_pieces_add_up(line: str, kind: str) -> None:
    """Whatever the line, its pieces are the line, and their styles are in the theme."""
    pieces = coloured(line, kind, after(HELLO))
    assert "".join(text for _, text in pieces) == line
    assert {style for style, _ in pieces if style} <= set(THEME)
