"""Colours of the line being typed: cheap, and aware of the state, from the protocol's own tables.

The lexer for whole transcripts, a pygments plug-in, is `smtpshell.transcript.lexer`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from prompt_toolkit.lexers import Lexer

from smtpshell.conversation.local import is_local
from smtpshell.protocol.commands import VERBS
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from smtpshell.protocol.session import Snapshot

Fragments = list[tuple[str, str]]


@cache
def _token() -> re.Pattern[str]:
    return re.compile(
        r"(?P<path>(?:FROM|TO):)|(?P<address><[^>]*>?)|(?P<key>[A-Za-z0-9][A-Za-z0-9-]*=?)"
        r"|(?P<space>\s+)|(?P<other>[^\s<]+)",
        re.IGNORECASE,
    )


STYLES = {"path": "parameter", "address": "address", "space": "", "other": "value", "key": "value"}


def colour_command(line: str, now: Snapshot) -> Fragments:
    """Return a command line in pieces: the verb by whether it is legal now, then its arguments."""
    word, space, rest = line.partition(" ")
    verb = VERBS.get(word.upper())
    if verb is None:
        starts = any(name.startswith(word.upper()) for name in VERBS)
        return [("verb" if starts and not space else "verb.unknown", word), ("", space + rest)]
    style = "verb" if now.state.name in verb.states else "verb.odd"
    pieces: Fragments = [(style, word), ("", space)]
    if verb.secret and " " in rest:
        first, gap, secret = rest.partition(" ")
        return [*pieces, ("value", first), ("", gap), ("secret", secret)]
    for match in _token().finditer(rest):
        kind, text = match.lastgroup or "other", match[0]
        if kind == "key" and text.endswith("="):
            pieces += [("parameter", text[:-1]), ("punctuation", "=")]
        elif kind == "key" and text.upper() in verb.parameters:
            pieces.append(("parameter", text))
        else:
            pieces.append((STYLES[kind], text))
    return pieces


def colour_local(line: str) -> Fragments:
    """Return a local command in pieces."""
    word, space, rest = line.partition(" ")
    return [("local", word), ("", space + rest)]


def colour_data(line: str) -> Fragments:
    """Return a line of message data in pieces: the name of a header field, a leading dot."""
    if line == ".":
        return [("verb", line)]
    if line.startswith("."):
        return [("parameter", "."), ("", line[1:])]
    name, colon, rest = line.partition(":")
    if colon and name and " " not in name and name.isascii():
        return [("header", name), ("punctuation", colon), ("", rest)]
    return [("", line)]


def coloured(line: str, kind: str, now: Snapshot) -> Fragments:
    """Return the pieces of a line typed at a prompt of a kind; see `Prompt.kind`."""
    if kind == "data":
        return colour_data(line)
    if kind in ("command", "closed", "local", "asking") and is_local(line):
        return colour_local(line)
    return colour_command(line, now) if kind == "command" else [("", line)]


class InputLexer(Lexer):
    """prompt_toolkit's way to ask for colours."""

    def __init__(self, moment: Callable[[], tuple[str, Snapshot]]) -> None:
        """`moment` returns the kind of the prompt and what is known now."""
        self._moment = moment

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return a function from a line's number to its fragments."""
        kind, now = self._moment()

        def line(number: int) -> StyleAndTextTuples:
            pieces = coloured(document.lines[number], kind, now)
            return [(f"class:{style}" if style else "", _shown(text)) for style, text in pieces]

        return line


def _shown(text: str) -> str:
    """Return text with what is not printable as single marks, so that columns stay as they are."""
    if text.isprintable():
        return text
    return "".join(character if visible(character) == character else "?" for character in text)
