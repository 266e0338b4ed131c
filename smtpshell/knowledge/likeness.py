"""What a text that no rule knows is most like, among the examples that stand beside the rules.

Multinomial naive Bayes over single words and pairs of neighbours (after reading.py has taken out
what varies), with add-one-half smoothing. It is trained at the first text that needs it, in a few
milliseconds, from the examples of the rules and from nothing else: a better rulebook makes a better
guesser. It explains itself by the words that spoke for its choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import exp, log

from smtpshell.knowledge.reading import read
from smtpshell.knowledge.rulebook import Rule
from smtpshell.protocol.values import dataclass

SMOOTHING = 0.4
"""Added to each count: how much an unseen word is believed."""

PAIR = 0.7
"""The weight of a pair of neighbours beside a single word."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The class a text is most like, with its share of the belief (0 to 1) and the words why."""

    class_: str
    share: float
    words: tuple[str, ...]


def features(words: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Yield the words and the pairs of neighbours of a reading, with their weights."""
    before = ""
    for word in words:
        yield word, 1.0
        if before:
            yield f"{before} {word}", PAIR
        before = word


class Guesser:
    """The trained table: for each feature, how much it speaks for each class that knows it."""

    def __init__(self, examples: Iterable[tuple[str, Sequence[str]]]) -> None:
        counts: dict[str, Counter[str]] = {}
        documents: Counter[str] = Counter()
        for class_, words in examples:
            counts.setdefault(class_, Counter()).update(name for name, _ in features(words))
            documents[class_] += 1
        size = len(set().union(*counts.values())) if counts else 0
        self._classes = tuple(counts)
        self._prior = [0.5 * log(documents[class_]) for class_ in self._classes]
        self._unseen = [
            log(SMOOTHING / (counts[class_].total() + SMOOTHING * size)) for class_ in self._classes
        ]
        self._gains: dict[str, list[tuple[int, float]]] = {}
        for number, class_ in enumerate(self._classes):
            for name, count in counts[class_].items():
                gain = log((count + SMOOTHING) / SMOOTHING)
                self._gains.setdefault(name, []).append((number, gain))

    def guess(self, words: Sequence[str]) -> Likeness | None:
        """Return what the words are most like, or None when none of them was ever seen."""
        scores = list(self._prior)
        told: list[tuple[str, list[tuple[int, float]]]] = []
        known = 0.0
        for name, weight in features(words[:60]):
            gains = self._gains.get(name)
            if gains is None:
                continue
            known += weight
            told.append((name, gains))
            for number, gain in gains:
                scores[number] += weight * gain
        if not told:
            return None
        scores = [
            score + known * unseen for score, unseen in zip(scores, self._unseen, strict=True)
        ]
        top = max(range(len(scores)), key=scores.__getitem__)
        share = 1 / sum(exp(score - scores[top]) for score in scores)
        words_for = sorted(
            ((dict(gains).get(top, 0.0), name) for name, gains in told), reverse=True
        )
        return Likeness(
            self._classes[top], share, tuple(name for gain, name in words_for[:3] if gain)
        )


def train(rules: Iterable[Rule]) -> Guesser:
    """Train on the examples of rules."""
    return Guesser(
        (rule.class_, read(split_example(example)[1]).words)
        for rule in rules
        for example in rule.examples
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
