"""Lists of `tag=value` pairs: the form DKIM gave to mail's DNS records.

DKIM keys and signatures and BIMI share one grammar (RFC 6376 section 3.2): pairs parted by
semicolons, blanks allowed around names, signs and values, a final semicolon allowed, and the whole
list invalid when a name occurs twice. Names and values keep their case.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

FOLDING_WHITE_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Tag:
    """One pair as published: `name` and `value` without the blanks around them."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class TagList:
    """A parsed list: the pairs in their order, and what does not fit the grammar.

    `junk` holds pieces that are not `tag=value`, `duplicates` the names given more than once.
    """

    tags: tuple[Tag, ...]
    junk: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()

    def get(self, name: str) -> str | None:
        """Return the first value of `name`, or None when the tag is absent."""
        return next((tag.value for tag in self.tags if tag.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of the record."""
        return tuple(tag.name for tag in self.tags)


def parse_tags(text: str) -> TagList:
    """Read a tag list (RFC 6376 section 3.2) without ever raising."""
    tags: list[Tag] = []
    junk: list[str] = []
    pieces = text.split(";")
    for position, piece in enumerate(pieces):
        bare = piece.strip(FOLDING_WHITE_SPACE)
        if not bare and position == len(pieces) - 1:
            continue
        name, sign, value = bare.partition("=")
        name = name.rstrip(FOLDING_WHITE_SPACE)
        if sign and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            tags.append(Tag(name, value.strip(FOLDING_WHITE_SPACE)))
        else:
            junk.append(bare)
    counts = Counter(tag.name for tag in tags)
    duplicates = tuple(name for name, count in counts.items() if count > 1)
    return TagList(tuple(tags), tuple(junk), duplicates)


def squeeze(value: str) -> str:
    """Take all folding white space out of a value, as base64 values allow it anywhere."""
    return re.sub(r"[ \t\r\n]+", "", value)


def split_list(value: str, separator: str = ":") -> tuple[str, ...]:
    """Split a value such as `sha1 : sha256` into its items without the blanks around them."""
    return tuple(item.strip(FOLDING_WHITE_SPACE) for item in value.split(separator))
