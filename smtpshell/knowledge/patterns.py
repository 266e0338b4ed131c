"""The patterns of the rules, and one pass over a reading that finds all that match.

A pattern is a phrase of words as a `Reading` gives them, with three liberties:

    user|mailbox unknown      one of several words at this place
    {person} ~ not exist      {person}: any word of that group; ~ up to four words between
    message ~~ virus          ~~ up to twelve words between

All patterns grow into one trie whose edges are words. A word may lead to many places of the trie at
once (it stands in several groups); such a set of places is a `_State`, made when it is first met
and kept, so that a step through all patterns is one look-up. From each word of a reading the states
are walked as far as they go: the cost follows the length of the text and of the longest pattern,
not the number of rules. Two limits bound what a text made to trouble us can do, and no honest text
reaches them: the steps of one reading, and the states that are kept.

The trie grows as it is walked: a pattern waits under the word it begins with until a text holds
that word, so that the first refusal of a session does not wait for patterns it has no use for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from smtpshell.knowledge.reading import FILLERS, read
from smtpshell.protocol.errors import UsageError

GAPS: dict[str, int] = {"~": 4, "~~": 12}
"""The gap signs, and how many words each may leap over."""

MOST_STEPS = 6_000
"""Steps for one reading; the longest honest reply needs a few hundred."""

MOST_KEPT = 100_000
"""Transitions kept; beyond, all states are forgotten and made anew."""


class PatternError(UsageError):
    """A pattern that cannot be read; the message says why."""


BY_LENGTH = (0.0, 0.0, 0.35, 0.7, 1.05, 1.4, 1.75)
"""Added to the weight of a pattern for the words that it names, up to six."""

End = tuple[int, float]
"""The end of a pattern: its owner, and its weight with what its length adds."""

Hits = tuple[int, list[End]]
"""The patterns that matched from one word on: that word's place, and their ends."""

Item = tuple[str, ...] | int
"""A place of a pattern: the words that may stand there, or the reach of a gap."""


class _Node:
    """One place in the trie: where each word leads, and the patterns that end here."""

    __slots__ = ("children", "ends", "gaps", "items")

    def __init__(self) -> None:
        self.children: dict[str, list[_Node]] = {}
        self.gaps: dict[int, _Node] = {}
        self.ends: list[End] = []
        self.items: dict[str, _Node] = {}

    def by_words(self, item: str, words: Sequence[str]) -> _Node:
        node = self.items.get(item)
        if node is None:
            node = self.items[item] = _Node()
            children = self.children
            for word in words:
                if word in children:
                    children[word].append(node)
                else:
                    children[word] = [node]
        return node

    def by_gap(self, reach: int) -> _Node:
        node = self.gaps.get(reach)
        if node is None:
            node = self.gaps[reach] = _Node()
        return node


class _State:
    """Several places of the trie at once, with the transitions met so far."""

    __slots__ = ("after_gap", "ends", "expects", "following", "nodes", "open")

    def __init__(self, nodes: Sequence[_Node]) -> None:
        self.nodes = nodes
        best: dict[int, float] = {}
        for node in nodes:
            for owner, weight in node.ends:
                best[owner] = max(weight, best.get(owner, weight))
        self.ends = list(best.items())
        self.following: dict[str, _State] = {}
        reaches = sorted({reach for node in nodes for reach in node.gaps})
        self.after_gap = [
            (reach + 1, _State([node.gaps[reach] for node in nodes if reach in node.gaps]))
            for reach in reaches
        ]
        self.expects = frozenset().union(*[node.children for node in nodes])
        self.open = bool(self.after_gap or self.expects)


Place = tuple[str, Item]
"""A place of a pattern with what stands there in writing, which names it in the trie."""


class Grammar:
    """Reads patterns; what it has read of one place it remembers, for places repeat."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self._groups = groups
        self._read: dict[str, tuple[Place, ...]] = {sign: ((sign, n),) for sign, n in GAPS.items()}

    def places(self, pattern: str) -> list[Place]:
        """Split a pattern into its places.

        Raises PatternError for an unknown group, a gap at either end, or too few words that count.
        """
        places: list[Place] = []
        read_before = self._read
        items = pattern.split()
        for item in items:
            places += read_before.get(item) or self.places_of(item)
        counted = sum(written not in GAPS for written, _ in places)
        alone = sum(item not in GAPS for item in items) == 1
        if counted == 0 or (counted == 1 and not alone):
            raise PatternError("only one word counts; write it alone if that is meant", pattern)
        if places[0][0] in GAPS or places[-1][0] in GAPS:
            raise PatternError("a gap at the end of a pattern", pattern)
        return places

    def places_of(self, item: str) -> tuple[Place, ...]:
        """Return the places that one item of a pattern makes: none when it is a filler."""
        places = self._read.get(item)
        if places is None:
            places = self._read[item] = self._read_item(item)
        return places

    def _read_item(self, item: str) -> tuple[Place, ...]:
        choices = item.split("|")
        words: list[str] = []
        for choice in choices:
            found = self._words_of(choice)
            if len(found) > 1 and len(choices) > 1 and choice[0] != "{":
                raise PatternError(f"{choice!r} is more than one word", item)
            words.extend(found)
        if len(choices) == 1 and item[0] != "{":
            return tuple((word, (word,)) for word in words)
        return ((item, tuple(dict.fromkeys(words))),) if words else ()

    def _words_of(self, choice: str) -> Sequence[str]:
        if choice.isascii() and choice.isalpha() and choice.islower() and choice != "cannot":
            return () if choice in FILLERS else (choice,)
        if not (choice.startswith("{") and choice.endswith("}")):
            return read(choice).words
        if choice[1:-1] not in self._groups:
            raise PatternError(f"no word group {choice}", choice)
        return self._groups[choice[1:-1]]


class Matcher:
    """Every pattern of every rule, grown into one trie."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self._grammar = Grammar(groups)
        self._root = _Node()
        self._waiting: dict[Place, list[tuple[int, str, float]]] = {}
        self._begins: dict[str, list[Place]] = {}
        self._forget()

    def _forget(self) -> None:
        self._states: dict[tuple[int, ...], _State] = {}
        self._start = _State([self._root])
        self._unseen = set(self._begins)
        self._kept = 0

    def add(self, owner: int, patterns: Iterable[str], weight: float = 0.0) -> None:
        """Let `patterns` report `owner` when they match.

        Raises PatternError for the beginning of a pattern; `check` finds faults in the rest.
        """
        for pattern in patterns:
            first = pattern.split(" ", 1)[0]
            places = self._grammar.places_of(first) if first and first not in GAPS else ()
            begin = places[0] if places else self._grammar.places(pattern)[0]
            words = begin[1]
            assert isinstance(words, tuple)
            row = (owner, pattern, weight)
            if begin in self._waiting:
                self._waiting[begin].append(row)
            else:
                self._waiting[begin] = [row]
                for word in words:
                    self._begins.setdefault(word, []).append(begin)
                self._unseen.update(words)

    def check(self, patterns: Iterable[str]) -> None:
        """Read patterns to their ends; raises PatternError for one that means nothing."""
        for pattern in patterns:
            self._grammar.places(pattern)

    def _grow(self, word: str) -> None:
        """Put the patterns that begin with a word into the trie."""
        for begin in self._begins[word]:
            for owner, pattern, weight in self._waiting.pop(begin, ()):
                node = self._root
                length = 0
                for written, item in self._grammar.places(pattern):
                    if isinstance(item, int):
                        node = node.by_gap(item)
                    else:
                        node = node.by_words(written, item)
                        length += 1
                node.ends.append((owner, weight + BY_LENGTH[min(length, 6)]))

    def _step(self, state: _State, word: str) -> _State:
        """Make the transition of a state by a word that it expects, and keep it."""
        nodes = [child for node in state.nodes for child in node.children.get(word, ())]
        key = tuple(map(id, nodes))
        after = self._states.get(key)
        if after is None:
            after = self._states[key] = _State(nodes)
        state.following[word] = after
        self._kept += 1
        return after

    def _begin(self, words: Iterable[str]) -> None:
        """Make the transitions of the start for words that begin patterns and are new."""
        for word in self._unseen.intersection(words):
            self._unseen.discard(word)
            self._grow(word)
            self._step(self._start, word)

    def hits(self, words: Sequence[str]) -> list[Hits]:
        """Return what matches, in the order in which it begins."""
        if self._kept > MOST_KEPT:
            self._forget()
        if not self._unseen.isdisjoint(words):
            self._begin(words)
        count = len(words)
        found: list[Hits] = []
        steps = 0
        for start, state in enumerate(map(self._start.following.get, words)):
            if state is None:
                continue
            at = start + 1
            waiting: list[tuple[_State, int]] = []
            while True:
                if state.ends:
                    found.append((start, state.ends))
                if state.open and at < count:
                    steps += 1
                    word = words[at]
                    if word in state.expects:
                        after = state.following.get(word) or self._step(state, word)
                        waiting.append((after, at + 1))
                    for reach, gap in state.after_gap:
                        window = words[at : at + reach]
                        if gap.expects.isdisjoint(window):
                            continue
                        for place, word in enumerate(window, at + 1):
                            if word in gap.expects:
                                after = gap.following.get(word) or self._step(gap, word)
                                waiting.append((after, place))
                if not waiting:
                    break
                state, at = waiting.pop()
            if steps > MOST_STEPS:
                break
        return found
