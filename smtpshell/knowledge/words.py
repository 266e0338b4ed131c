"""The words of the field, for `/explain WORD`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from smtpshell.knowledge.codes import FOLDER
from smtpshell.knowledge.rulebook import read_plain
from smtpshell.protocol.values import dataclass

NEAR = 0.8
"""How alike a misspelt word must be to count as one that is known (difflib's ratio)."""


@dataclass(frozen=True, slots=True)
class Word:
    """One term: its name, other names for it, what it is, and where to read on."""

    name: str
    also: tuple[str, ...]
    text: str
    section: str


@cache
def glossary() -> Mapping[str, Word]:
    """Return every word by its name, in alphabetical order."""
    document = read_plain((FOLDER / "glossary.toml").read_text(encoding="utf-8"))
    words = (
        Word(row["name"], tuple(row.get("also", ())), row["text"], row["section"])
        for row in document["word"]
    )
    return {word.name: word for word in sorted(words, key=lambda word: word.name.lower())}


@cache
def _by_any_name() -> Mapping[str, Word]:
    words: dict[str, Word] = {}
    for word in glossary().values():
        for name in (word.name, *word.also):
            words.setdefault(_key(name), word)
    return words


def _key(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def lookup_word(text: str) -> Word | None:
    """Return the word that a text names: its name, another name for it, or nearly so.

    Case, spaces and punctuation do not count, nor does a plural's "s".

    >>> lookup_word("Grey Listing").name
    'greylisting'
    """
    key = _key(text[:60])
    if not key:
        return None
    words = _by_any_name()
    found = words.get(key) or words.get(key.removesuffix("s"))
    if found is not None:
        return found
    from difflib import get_close_matches

    near = get_close_matches(key, words, 1, NEAR) if len(key) > 3 else []
    return words[near[0]] if near else None
