"""The patterns of the rules, and one pass over a reading that finds all that match.

A pattern is a phrase of words as a `Reading` gives them, with three liberties:

    user|mailbox unknown      one of several words at this place
    {person} ~ not exist      {person}: any word of that group; ~ up to four words between
    message ~~ virus          ~~ up to twelve words between

All patterns grow into one trie whose edges are words. From each word of a reading the trie is
walked as far as it goes, so the cost follows the length of the text and of the longest pattern, not
the number of rules; the steps of one reading are capped as well (`MOST_STEPS`), which a text made
to trouble us can reach and an honest one cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from smtpshell.knowledge.reading import read
from smtpshell.protocol.errors import UsageError

GAPS: dict[str, int] = {"~": 4, "~~": 12}
"""The gap signs, and how many words each may leap over."""

MOST_STEPS = 4_000
"""Steps through the trie for one reading; the longest honest reply needs a few hundred."""


class PatternError(UsageError):
    """A pattern that cannot be read; the message says why."""


Hit = tuple[int, int, int]
"""A pattern that matched: its owner, the word where it began, how many words it names."""


class _Node:
    """One place in the trie: the edges by word, the edges after a gap, and the patterns ended."""

    __slots__ = ("children", "ends", "gaps", "items")

    def __init__(self) -> None:
        self.children: dict[str, list[_Node]] = {}
        self.gaps: list[tuple[int, _Node]] = []
        self.ends: list[tuple[int, int]] = []
        self.items: dict[tuple[str, ...] | int, _Node] = {}

    def by_words(self, words: tuple[str, ...]) -> _Node:
        node = self.items.get(words)
        if node is None:
            node = self.items[words] = _Node()
            for word in words:
                self.children.setdefault(word, []).append(node)
        return node

    def by_gap(self, reach: int) -> _Node:
        node = self.items.get(reach)
        if node is None:
            node = self.items[reach] = _Node()
            self.gaps.append((reach, node))
        return node


def _words_of(choice: str, pattern: str, groups: Mapping[str, Sequence[str]]) -> Sequence[str]:
    if not (choice.startswith("{") and choice.endswith("}")):
        return read(choice).words
    if choice[1:-1] not in groups:
        raise PatternError(f"no word group {choice}", repr(pattern))
    return groups[choice[1:-1]]


def parse_pattern(pattern: str, groups: Mapping[str, Sequence[str]]) -> list[tuple[str, ...] | int]:
    """Split a pattern into its items: tuples of words, and numbers for gaps.

    Raises PatternError for an unknown group, a gap at either end, or a pattern without words.
    """
    items: list[tuple[str, ...] | int] = []
    for item in pattern.split():
        if item in GAPS:
            items.append(GAPS[item])
            continue
        choices = item.split("|")
        words: list[str] = []
        for choice in choices:
            found = _words_of(choice, pattern, groups)
            if len(found) > 1 and len(choices) > 1 and choice[0] != "{":
                raise PatternError(f"{choice!r} is more than one word", repr(pattern))
            words.extend(found)
        if len(choices) == 1 and item[0] != "{":
            items.extend((word,) for word in words)
        elif words:
            items.append(tuple(dict.fromkeys(words)))
    if not any(isinstance(item, tuple) for item in items):
        raise PatternError("a pattern without a word that counts", repr(pattern))
    if isinstance(items[0], int) or isinstance(items[-1], int):
        raise PatternError("a gap at the end of a pattern", repr(pattern))
    return items


class Matcher:
    """Every pattern of every rule, grown into one trie."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self._groups = groups
        self._root = _Node()

    def add(self, owner: int, patterns: Iterable[str]) -> None:
        """Let `patterns` report `owner` when they match; raises PatternError."""
        for pattern in patterns:
            node = self._root
            length = 0
            for item in parse_pattern(pattern, self._groups):
                if isinstance(item, int):
                    node = node.by_gap(item)
                else:
                    node = node.by_words(item)
                    length += 1
            node.ends.append((owner, length))

    def hits(self, words: Sequence[str]) -> list[Hit]:
        """Return what matches, in the order in which it begins."""
        found: list[Hit] = []
        root = self._root.children
        steps = 0
        for start, word in enumerate(words):
            nodes = root.get(word)
            if nodes is None:
                continue
            waiting = [(node, start + 1) for node in nodes]
            while waiting:
                steps += 1
                if steps > MOST_STEPS:
                    return found
                node, at = waiting.pop()
                for owner, length in node.ends:
                    found.append((owner, start, length))
                if node.children and at < len(words):
                    following = node.children.get(words[at])
                    if following:
                        waiting += [(child, at + 1) for child in following]
                for reach, child in node.gaps:
                    for position in range(at, min(at + reach + 1, len(words))):
                        following = child.children.get(words[position])
                        if following:
                            waiting += [(other, position + 1) for other in following]
        return found
