"""Weighing the evidence: which class everything that is known points at.

Three kinds of evidence speak, each with a weight, and the class with the most wins:

- the rules whose patterns stand in the text; the best of each class counts, longer and earlier
  phrases a little more, because servers say the reason first and the boilerplate afterwards;
- the enhanced status code, strong where it has one use, weak where it stands for everything;
- the basic code for the command that it answers.

Where no rule speaks, the likeness to the examples of the rules does (likeness.py). What decided is
kept as facts in words, so that a person can judge the judgement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smtpshell.knowledge.codes import Code, code_row
from smtpshell.knowledge.enhanced import enhanced_row
from smtpshell.knowledge.likeness import Guesser
from smtpshell.knowledge.reading import Reading
from smtpshell.knowledge.rulebook import Rule, Rulebook, Speaker

PER_PLACE = 0.03
"""Taken away for each word that stands before the phrase, up to thirty."""

SUPPORT = 0.6
"""Added to a class when another of its rules speaks too."""

DECISIVE = 4.0
"""With less than this from the rules, likeness to the examples is asked as well."""

LIKENESS = 3.5
"""The weight of the likeness to the examples when it is certain."""

ENOUGH = 0.45
"""With less evidence than this for any class, the verdict is "unknown"."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The class that won, the rule that decided (None when none did), and how sure it is."""

    class_: str
    rule: Rule | None
    confidence: float
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Voices:
    """Who is heard in a text: the rules with their scores, and the speakers recognised."""

    rules: dict[int, float]
    speakers: tuple[Speaker, ...]


def listen(book: Rulebook, reading: Reading) -> Voices:
    """Match a reading against the rulebook: the best score per rule, and the speakers."""
    best: dict[int, float] = {}
    silenced: list[int] = []
    speakers: list[Speaker] = []
    count = len(book.rules)
    for start, ends in book.matcher.hits(reading.words):
        late = PER_PLACE * min(start, 30)
        for owner, weight in ends:
            if owner < 0:
                silenced.append(-owner - 1)
            elif owner < count:
                if owner not in best or weight - late > best[owner]:
                    best[owner] = weight - late
            else:
                speakers.append(book.speakers[owner - count])
    for number in silenced:
        best.pop(number, None)
    for name in reading.names:
        speaker = _by_domain(book, name)
        if speaker is not None:
            speakers.append(speaker)
    return Voices(best, tuple(speakers))


def _by_domain(book: Rulebook, name: str) -> Speaker | None:
    domains = book.domains
    while True:
        speaker = domains.get(name)
        if speaker is not None:
            return speaker
        _, dot, name = name.partition(".")
        if not dot:
            return None


def _fits(rule: Rule, code: int | None, enhanced: str | None, verb: str, who: set[str]) -> bool:
    if rule.codes:
        basic = str(code or "")
        if not any(basic.startswith(wanted) or _within(enhanced, wanted) for wanted in rule.codes):
            return False
    if rule.verbs and verb not in rule.verbs:
        return False
    return not rule.speaker or not rule.speaker.isdisjoint(who)


def _within(enhanced: str | None, wanted: str) -> bool:
    if enhanced is None or "." not in wanted:
        return False
    if wanted.endswith("*"):
        return enhanced.startswith(wanted[:-1])
    return enhanced == wanted


def decide(
    book: Rulebook,
    guesser: Callable[[], Guesser],
    reading: Reading,
    voices: Voices,
    code: int | None,
    enhanced: str | None,
    verb: str,
    owner: str | None,
) -> Verdict:
    """Weigh everything and return the class with the most evidence.

    `owner` is who is speaking, for private enhanced codes; `guesser` is asked for only when the
    rules leave it open.
    """
    scores: dict[str, float] = {}
    rule = _weigh_rules(book, voices, code, enhanced, verb, scores)
    best = max(scores.values(), default=0.0)
    facts: list[str] = []
    if rule is not None:
        facts.append(f"the text matches the rule {rule.name!r}")
    detail = enhanced_row(enhanced, owner)
    if detail is not None and detail.likely:
        scores[detail.class_] = scores.get(detail.class_, 0.0) + detail.likely
        facts.append(f"{enhanced}: {detail.meaning}")
    row = code_row(code, verb)
    if row is not None:
        scores[row.class_] = scores.get(row.class_, 0.0) + row.likely
        facts.append(_code_fact(row, verb))
    if best < DECISIVE and reading.words:
        likeness = guesser().guess(reading.words)
        if likeness is not None:
            scores[likeness.class_] = scores.get(likeness.class_, 0.0) + LIKENESS * likeness.share
            words = ", ".join(map(repr, likeness.words))
            facts.append(f"the words {words} are most like {likeness.class_}")
    return _verdict(scores, rule, facts)


def _weigh_rules(
    book: Rulebook,
    voices: Voices,
    code: int | None,
    enhanced: str | None,
    verb: str,
    scores: dict[str, float],
) -> Rule | None:
    """Add the rules' scores by class, and return the rule with the highest one."""
    who = {speaker.name for speaker in voices.speakers}
    rule: Rule | None = None
    top = 0.0
    for number, score in voices.rules.items():
        candidate = book.rules[number]
        if (candidate.codes or candidate.verbs or candidate.speaker) and not _fits(
            candidate, code, enhanced, verb, who
        ):
            continue
        before = scores.get(candidate.class_)
        if before is None:
            scores[candidate.class_] = score
        else:
            scores[candidate.class_] = max(before, score) + SUPPORT
        if score > top:
            rule, top = candidate, score
    return rule


def _code_fact(row: Code, verb: str) -> str:
    to = f" to {verb}" if verb and row.verbs else ""
    return f"{row.code}{to}: {row.meaning}"


def _verdict(scores: dict[str, float], rule: Rule | None, facts: list[str]) -> Verdict:
    if not scores:
        return Verdict("unknown", None, 0.0, tuple(facts))
    class_ = max(scores, key=scores.__getitem__)
    top = scores.pop(class_)
    if top < ENOUGH or class_ == "ok":
        return Verdict("unknown", None, 0.1, tuple(facts))
    second = max(scores.values(), default=0.0)
    if rule is not None and rule.class_ != class_:
        rule = None
    confidence = round(min(0.99, top / (top + 0.6 * max(second, 0.0) + 0.8)), 2)
    return Verdict(class_, rule, confidence, tuple(facts))
