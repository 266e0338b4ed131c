r"""Translation files in the PO format of gettext, which every translator's tool reads and writes.

    #. feedback
    #: 01-helo-to-quit.md:48
    msgctxt "hello feedback"
    msgid "Four letters only."
    msgstr ""

Only what lessons need: contexts, texts, flags and comments; no plural forms. An entry that is
flagged `fuzzy` is a guess that nobody has looked at. What a file holds beside that is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.values import dataclass, field

SYNTAX_STATUS = 2
COLUMNS = 76

_KEYWORD = re.compile(r'(msgctxt|msgid|msgstr)\s+"(.*)"\s*')
_STRING = re.compile(r'"(.*)"\s*')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


class PoError(SmtpshellError):
    """A file that is no translation file; `where` is file:line."""

    status = SYNTAX_STATUS


@dataclass(frozen=True, slots=True)
class Entry:
    """One text and its translation, "" for none. `line` is where its text stands in the file."""

    source: str
    translation: str = ""
    context: str = ""
    comments: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    line: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the others."""
        return self.context, self.source


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A whole file: the fields of its head, and its entries."""

    entries: tuple[Entry, ...]
    head: Mapping[str, str] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """The language that it translates into; "" if it does not say."""
        return self.head.get("Language", "")


def parse_po(text: str, name: str) -> Catalogue:
    """Read the text of a file; raises `PoError`."""
    entries: list[Entry] = []
    head: dict[str, str] = {}
    seen: dict[tuple[str, str], int] = {}
    for entry in _entries(text, name):
        if not entry.source and not entry.context:
            head = _head(entry.translation)
            continue
        if entry.key in seen:
            first = seen[entry.key]
            raise PoError(f"this text stands already at line {first}", f"{name}:{entry.line}")
        seen[entry.key] = entry.line
        entries.append(entry)
    return Catalogue(tuple(entries), head)


def _entries(text: str, name: str) -> Iterator[Entry]:
    words: dict[str, str] = {}
    flags: tuple[str, ...] = ()
    now, line = "", 0

    def entry() -> Iterator[Entry]:
        if not words:
            return
        if "msgid" not in words or "msgstr" not in words:
            raise PoError("an entry has a msgid and a msgstr", f"{name}:{line}")
        context = words.get("msgctxt", "")
        yield Entry(words["msgid"], words["msgstr"], context, flags=flags, line=line)

    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if match := _KEYWORD.fullmatch(raw):
            if match[1] in words or (match[1] == "msgctxt" and words):
                yield from entry()
                words, flags = {}, flags if now == "#" else ()
            now = match[1]
            line = number if now == "msgid" else line or number
            words[now] = _unescaped(match[2])
        elif (match := _STRING.fullmatch(raw)) and now in words:
            words[now] += _unescaped(match[1])
        elif raw.startswith("#") or not raw.strip():
            if now != "#":
                yield from entry()
                words, flags, now = {}, (), "#"
            if raw.startswith("#,"):
                flags += tuple(flag.strip() for flag in raw[2:].split(","))
        else:
            raise PoError(
                "this is neither a comment nor msgctxt, msgid, msgstr or a text in double quotes",
                f"{name}:{number}",
            )
    yield from entry()


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)


def _head(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def po_text(catalogue: Catalogue) -> str:
    """Return the text of a file."""
    head = "".join(f"{name}: {value}\n" for name, value in catalogue.head.items())
    entries = (Entry("", head), *catalogue.entries)
    return "\n".join("".join(f"{line}\n" for line in _lines(entry)) for entry in entries)


def _lines(entry: Entry) -> Iterator[str]:
    yield from (f"#. {comment}" for comment in entry.comments)
    yield from (f"#: {place}" for place in entry.places)
    if entry.flags:
        yield f"#, {', '.join(entry.flags)}"
    if entry.context:
        yield from _string("msgctxt", entry.context)
    yield from _string("msgid", entry.source)
    yield from _string("msgstr", entry.translation)


def _string(keyword: str, text: str) -> Iterator[str]:
    pieces = list(_pieces(text))
    if len(pieces) == 1 and len(keyword) + len(pieces[0]) < COLUMNS:
        yield f"{keyword} {pieces[0]}"
        return
    yield f'{keyword} ""'
    yield from pieces


def _pieces(text: str) -> Iterable[str]:
    """Yield a text as strings of bearable length, broken behind spaces and line ends."""
    held = ""
    for word in re.findall(r"[^ \n]*(?:\n|[ ]+|$)", text):
        piece = _escaped(word)
        if held and len(held) + len(piece) > COLUMNS:
            yield f'"{held}"'
            held = ""
        held += piece
        if word.endswith("\n"):
            yield f'"{held}"'
            held = ""
    if held or not text:
        yield f'"{held}"'


def _escaped(text: str) -> str:
    for raw, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(raw, written)
    return text
