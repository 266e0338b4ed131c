"""What a server announces in its reply to EHLO, and what each keyword means.

The reply's first line greets; every further line is one extension: a keyword and its parameters
(RFC 5321 section 4.1.1.1). `parse_ehlo` takes whatever comes. `gloss` says in a few plain words
what one announced line means here, with its parameters read.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from smtpshell.protocol.glosses import GLOSSES
from smtpshell.protocol.keywords import KEYWORDS, Keyword
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.protocol.replies import Reply

__all__ = ["KEYWORDS", "Extension", "Extensions", "Keyword", "difference", "gloss", "parse_ehlo"]

_SIZE_DIGITS = 20
"""RFC 1870 section 4 allows so many digits."""


@dataclass(frozen=True, slots=True)
class Extension:
    """One announced line: its keyword in upper case, its parameters, and the line as it came.

    The old form "AUTH=LOGIN PLAIN" has the keyword AUTH too; `raw` still shows the form.
    """

    keyword: str
    parameters: tuple[str, ...] = ()
    raw: str = ""


@dataclass(frozen=True)
class Extensions:
    """All that one EHLO reply announced; looked up by keyword, whatever its case.

    `domain` is the first word of the greeting line. Where a keyword is announced twice the first
    line is found by look-up, and all of them stand in `items`.

    >>> from smtpshell.protocol.replies import Reply
    >>> announced = parse_ehlo(Reply(250, ("mx.example.com hello", "SIZE 1000", "AUTH PLAIN")))
    >>> "auth" in announced, announced.size, announced.auth_mechanisms, announced.domain
    (True, 1000, ('PLAIN',), 'mx.example.com')
    """

    items: tuple[Extension, ...] = ()
    domain: str = ""

    @cached_property
    def _by_keyword(self) -> dict[str, Extension]:
        return {extension.keyword: extension for extension in reversed(self.items)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The keywords in the order of their announcement, each once."""
        return tuple(dict.fromkeys(extension.keyword for extension in self.items))

    def __contains__(self, keyword: object) -> bool:
        return isinstance(keyword, str) and keyword.upper() in self._by_keyword

    def __getitem__(self, keyword: str) -> Extension:
        return self._by_keyword[keyword.upper()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def get(self, keyword: str) -> Extension | None:
        """Return the extension announced under a keyword, or None."""
        return self._by_keyword.get(keyword.upper())

    @cached_property
    def auth_mechanisms(self) -> tuple[str, ...]:
        """The mechanisms offered, from `AUTH` and the old `AUTH=` lines, each once."""
        return tuple(
            dict.fromkeys(
                mechanism.upper()
                for extension in self.items
                if extension.keyword == "AUTH"
                for mechanism in extension.parameters
            )
        )

    @property
    def size(self) -> int | None:
        """The largest message in octets; 0 for no stated limit, None without SIZE (RFC 1870)."""
        extension = self.get("SIZE")
        return None if extension is None else _number(extension.parameters[:1])


def _number(parameters: tuple[str, ...]) -> int:
    digits = parameters[0] if parameters else ""
    usable = digits.isascii() and digits.isdigit() and len(digits) <= _SIZE_DIGITS
    return int(digits) if usable else 0


def parse_extension(line: str) -> Extension:
    """Read one line of an EHLO reply, without code and separator.

    No keyword holds "=", so KEYWORD=VALUE, as old servers write it, is a keyword and a parameter.

    >>> parse_extension("AUTH=LOGIN PLAIN")
    Extension(keyword='AUTH', parameters=('LOGIN', 'PLAIN'), raw='AUTH=LOGIN PLAIN')
    """
    words = line.split()
    if not words:
        return Extension("", (), line)
    keyword, equals, first = words[0].partition("=")
    if equals and keyword:
        words[:1] = [keyword, first] if first else [keyword]
    return Extension(words[0].upper(), tuple(words[1:]), line)


def parse_ehlo(reply: Reply) -> Extensions:
    """Read what a reply to EHLO or LHLO announces; a refusal announces nothing."""
    if reply.family != 2 or not reply.lines:
        return Extensions()
    items = (parse_extension(line) for line in reply.lines[1:])
    domain = (reply.lines[0].split() or [""])[0]
    return Extensions(tuple(item for item in items if item.keyword), domain)


def gloss(extension: Extension) -> str:
    """Say in a few words what an announced line means; "" for a keyword that nobody here knows.

    >>> gloss(parse_extension("SIZE 1048576"))
    'messages up to 1 MiB'
    >>> gloss(parse_extension("AUTH PLAIN LOGIN"))
    'login by PLAIN or LOGIN'
    """
    special = GLOSSES.get(extension.keyword)
    words = special(extension.parameters, extension.raw) if special else ""
    row = KEYWORDS.get(extension.keyword)
    return words or (row.summary if row else "")


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two EHLO replies; `changed` holds pairs (before, after)."""

    added: tuple[Extension, ...] = ()
    removed: tuple[Extension, ...] = ()
    changed: tuple[tuple[Extension, Extension], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def difference(before: Extensions, after: Extensions) -> Difference:
    """Compare what was announced before and after, as on either side of STARTTLS."""
    return Difference(
        tuple(after[name] for name in after if name not in before),
        tuple(before[name] for name in before if name not in after),
        tuple(
            (before[name], after[name])
            for name in before
            if name in after and before[name].parameters != after[name].parameters
        ),
    )
