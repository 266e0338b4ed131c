"""The pygments lexer for transcripts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name

from smtpshell.transcript.lexer import SmtpSessionLexer

SESSION = """\
S: 220 mx.example ESMTP
# The server speaks first.
C: mail FROM:<a@b.example> SIZE=10
S: 550 5.1.1 No
EHLO x
"""


def test_kinds() -> None:
    """Marks, verbs, addresses, refusals and notes are told apart, with and without marks."""
    found = list(SmtpSessionLexer().get_tokens(SESSION))
    for token in (
        (Generic.Prompt, "S"),
        (Comment.Single, "# The server speaks first.\n"),
        (Keyword, "mail"),
        (Name.Entity, "<a@b.example>"),
        (Generic.Error, "550"),
        (Keyword, "EHLO"),
    ):
        assert token in found


def test_plug_in() -> None:
    """Pygments finds it by its name where the program is installed."""
    assert get_lexer_by_name("smtp-session").name == "SMTP session"


@given(st.text(alphabet="CS:# \n.<>25-=MAIL\x1bé", max_size=80))
def test_pieces_add_up(text: str) -> None:
    """Whatever the text, it ends, and the pieces are the text."""
    lexer = SmtpSessionLexer(stripnl=False, ensurenl=False)
    assert "".join(piece for _, piece in lexer.get_tokens(text)) == text
