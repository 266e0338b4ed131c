"""A pygments lexer for conversations: `pygmentize -l smtp-session session.txt`.

It reads the notation of the transcripts (`C: `, `S: `, `# `) and, where no mark stands, a command
or a reply by its first word. It is registered as a plug-in, and knows its verbs from the protocol's
table. Whatever the text, the pieces add up to it.
"""

from __future__ import annotations

import re
from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import (
    Comment,
    Generic,
    Keyword,
    Literal,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
)

from smtpshell.protocol.verbs import VERBS

_VERB = words(tuple(VERBS), suffix=r"(?![^\s:])")


class SmtpSessionLexer(RegexLexer):
    """Colours an SMTP session written as C:, S: and # lines."""

    name = "SMTP session"
    aliases: ClassVar[list[str]] = ["smtp-session"]
    filenames: ClassVar[list[str]] = ["*.smtp-session"]
    mimetypes: ClassVar[list[str]] = ["text/x-smtp-session"]
    url = "https://www.rfc-editor.org/rfc/rfc5321"
    flags = re.IGNORECASE

    tokens: ClassVar[dict[str, list[object]]] = {
        "root": [
            (r"#.*\n?", Comment.Single),
            (r"(C)(:)( ?)", bygroups(Generic.Prompt, Punctuation, Text), "client"),
            (r"(S)(:)( ?)", bygroups(Generic.Prompt, Punctuation, Text), "server"),
            (r"(?=[2-5][0-9]{2}(?:[ -]|$))", Text, "server"),
            (r"\n", Text),
            (r"(?=.)", Text, "client"),
        ],
        "client": [
            (r"\n", Text, "#pop"),
            (_VERB, Keyword, ("#pop", "arguments")),
            (r"\.(?=\n|\Z)", Operator, "#pop"),
            (r"(\.)(\..*)", bygroups(Operator, Text)),
            (r"([\x21-\x39\x3b-\x7e]+)(:)(.*)", bygroups(Name.Attribute, Punctuation, String)),
            (r".+", Text),
        ],
        "arguments": [
            (r"\n", Text, "#pop"),
            (r"[ \t]+", Text),
            (r"\[hidden\]", Comment.Special),
            (r"(FROM|TO)(:)", bygroups(Keyword.Pseudo, Punctuation)),
            (r"<[^>\n]*>?", Name.Entity),
            (
                r"([A-Z0-9][A-Z0-9-]*)(=)(\S*)",
                bygroups(Name.Attribute, Operator, Literal),
            ),
            (r"[^\s<]+", String),
            (r"<", Punctuation),
        ],
        "server": [
            (r"\n", Text, "#pop"),
            (
                r"([23][0-9]{2})([ -]?)([245]\.[0-9]{1,3}\.[0-9]{1,3})?",
                bygroups(Number, Punctuation, Number.Float),
            ),
            (
                r"([45][0-9]{2})([ -]?)([245]\.[0-9]{1,3}\.[0-9]{1,3})?",
                bygroups(Generic.Error, Punctuation, Number.Float),
            ),
            (r".+", Text),
        ],
    }
