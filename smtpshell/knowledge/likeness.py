"""What a text that no rule knows is most like, among phrases whose class is known.

Multinomial naive Bayes, trained at the first text that needs it, in a fraction of a second, from
two sources of our own and from nothing else: the examples that stand beside the rules, and the
folder `phrases`, with a file per class and on each line a way in which servers put that reason.
Words that vary are taken out first (reading.py). What is counted of the rest:

- each word;
- its beginning, at half the weight, so that "blacklisting" is like "blacklisted";
- each word group it stands in, at half the weight, so that "overfull" is like "full";
- each pair of neighbours, because "user unknown" and "unknown command" share a word.

A feature counts once for each text, and an unseen one as SMOOTHING. The beliefs of naive Bayes are
far too sure of themselves, since the features are not independent, and the more so the longer the
text; CALM and MORE_CALM flatten them. It explains itself by the words that spoke for its choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp, log
from pathlib import Path

from smtpshell.knowledge.reading import read
from smtpshell.knowledge.rulebook import Rulebook
from smtpshell.protocol.values import dataclass

PHRASES = Path(__file__).parent / "phrases"
"""The folder of phrases: a file for each class, named for it."""

SMOOTHING = 0.15
"""Added to each count: how much an unseen feature is believed."""

PAIR = 0.7
"""The weight of a pair of neighbours beside a single word."""

KIN = 0.5
"""The weight of a word's beginning and of each of its groups."""

BEGINNING = 5
"""Letters of a word's beginning."""

CALM = 1.0
"""Divides the logarithms of the beliefs before they are compared ..."""

MORE_CALM = 8.0
"""... with one more for each so many features known: a long text says the same thing twice."""

LEAST = 0.02
"""A class is not spoken of when it is believed less than this, the best class being 1."""

MOST_WORDS = 14
"""Words of a text that are looked at; a reason stands at its beginning."""

Gains = dict[int, float]
"""How much something speaks for each class that knows it, the classes by number."""

Known = tuple[float, Gains, dict[str, Gains]]
"""Of a word: the weight of what is known, how it speaks, and how with each word behind it."""

NO_PAIRS: dict[str, Gains] = {}
"""What is known of the words behind a word never seen."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The class a text is most like, with its share of the belief (0 to 1) and the words why.

    `shares` holds each class with a share worth speaking of, this one's among them.
    """

    class_: str
    share: float
    words: tuple[str, ...]
    shares: tuple[tuple[str, float], ...] = ()


class Guesser:
    """The trained table: for each feature, how much it speaks for each class that knows it.

    `groups` are the word groups of a rulebook: which words mean the same.
    """

    def __init__(
        self,
        examples: Iterable[tuple[str, Sequence[str]]],
        groups: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._groups: dict[str, list[str]] = {}
        for group, members in (groups or {}).items():
            for word in members:
                self._groups.setdefault(word, []).append(f"{{{group}}}")
        counts: dict[str, Counter[str]] = {}
        documents: Counter[str] = Counter()
        for class_, words in examples:
            counts.setdefault(class_, Counter()).update(set(self._features(words)))
            documents[class_] += 1
        size = len(set().union(*counts.values())) if counts else 0
        self._classes = tuple(counts)
        self._prior = [0.5 * log(documents[class_]) for class_ in self._classes]
        self._unseen = [
            log(SMOOTHING / (counts[class_].total() + SMOOTHING * size)) for class_ in self._classes
        ]
        most = max((max(each.values()) for each in counts.values()), default=0)
        gains = [log((count + SMOOTHING) / SMOOTHING) for count in range(most + 1)]
        self._gains: dict[str, Gains] = {}
        self._pairs: dict[str, dict[str, Gains]] = {}
        for number, class_ in enumerate(self._classes):
            for name, count in counts[class_].items():
                word, pair, second = name.partition(" ")
                table = self._pairs.setdefault(word, {}) if pair else self._gains
                table.setdefault(second if pair else word, {})[number] = gains[count]
        self._of_word: dict[str, Known] = {}

    def _kin(self, word: str) -> list[str]:
        """Return what a word is related to: its beginning, and its groups."""
        groups = self._groups.get(word, [])
        return [f"{word[:BEGINNING]}*", *groups] if len(word) > BEGINNING else groups

    def _features(self, words: Sequence[str]) -> Iterator[str]:
        before = ""
        for word in words:
            yield word
            yield from self._kin(word)
            if before:
                yield f"{before} {word}"
            before = word

    def _weigh_word(self, word: str) -> Known:
        """Return what is known about a word."""
        found = self._of_word.get(word)
        if found is None:
            known = 0.0
            total: dict[int, float] = {}
            for name in (word, *self._kin(word)):
                gains = self._gains.get(name)
                if gains is not None:
                    weight = 1.0 if name == word else KIN
                    known += weight
                    for number, gain in gains.items():
                        total[number] = total.get(number, 0.0) + weight * gain
            found = known, total, self._pairs.get(word, NO_PAIRS)
            if word in self._gains:
                self._of_word[word] = found
        return found

    def guess(self, words: Sequence[str]) -> Likeness | None:
        """Return what the words are most like, or None when none of them was ever seen."""
        scores = list(self._prior)
        told: list[tuple[str, Gains]] = []
        known = 0.0
        before = ""
        pairs = NO_PAIRS
        for word in words[:MOST_WORDS]:
            pair = pairs.get(word)
            weight, gains, pairs = self._weigh_word(word)
            if gains:
                known += weight
                told.append((word, gains))
                for number, gain in gains.items():
                    scores[number] += gain
            if pair is not None:
                known += PAIR
                told.append((f"{before} {word}", pair))
                for number, gain in pair.items():
                    scores[number] += PAIR * gain
            before = word
        if not told:
            return None
        scores = [
            score + known * unseen for score, unseen in zip(scores, self._unseen, strict=True)
        ]
        top = max(range(len(scores)), key=scores.__getitem__)
        calm = CALM + known / MORE_CALM
        beliefs = [exp((score - scores[top]) / calm) for score in scores]
        total = sum(beliefs)
        shares = [
            (class_, belief / total)
            for class_, belief in zip(self._classes, beliefs, strict=True)
            if belief > LEAST
        ]
        words_for = sorted(((gains.get(top, 0.0), name) for name, gains in told), reverse=True)
        words_told = tuple(name for gain, name in words_for[:3] if gain)
        return Likeness(self._classes[top], 1 / total, words_told, tuple(shares))


def read_phrases() -> Iterator[tuple[str, str]]:
    """Yield every phrase of the folder with its class."""
    for path in sorted(PHRASES.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield path.stem, line


def train(book: Rulebook) -> Guesser:
    """Train on the phrases and on the examples of the rules."""
    examples = [
        (rule.class_, split_example(example)[1]) for rule in book.rules for example in rule.examples
    ]
    return Guesser(
        ((class_, read(text).words) for class_, text in (*read_phrases(), *examples)), book.groups
    )


def split_example(example: str) -> tuple[str, str]:
    """Split an example into the command that it answers ("" if none is named) and the reply.

    >>> split_example("RCPT: 550 5.1.1 User unknown")
    ('RCPT', '550 5.1.1 User unknown')
    """
    verb, colon, reply = example.partition(": ")
    if colon and verb.isalpha() and verb.isupper():
        return verb, reply
    return "", example
