"""Weighing the evidence: which class everything that is known points at.

Four kinds of evidence speak, each with a weight, and the class with the most wins:

- the rules whose patterns stand in the text; the best of each class counts, longer and earlier
  phrases a little more, because servers say the reason first and the boilerplate afterwards;
- the enhanced status code, strong where it has one use, weak where it stands for everything;
- the basic code for the command that it answers, strongest where the command leaves little else
  (a refusal of AUTH is about the login);
- sites that the text names, such as a block list.

A class about something that the server cannot have heard of yet loses weight, and so does one that
the first digit seldom goes with (stages.py). Where no rule speaks, only a weak one, or several
that disagree, the likeness to known phrases votes too, for each class by its share (likeness.py).
What decided is kept as facts in words, so that a person can judge the judgement.

Which class a rule names when a text has words of several goes by whom the text blames: the
client's address before the content ("spam comes from your host" is ip_blocked), the proof of the
sender's domain before the sender ("the domain's policy rejects this host" is sender_auth), the
mailbox before the message ("would exceed the quota" is mailbox_full). The rules carry that order
in their `unless` patterns. The weights were chosen by figures on several lists of replies that no
rule was written from. Changing PER_PLACE, SUPPORT, DECISIVE, CLEAR or LIKENESS by a third moves the
share of right answers by less than one in a hundred: what matters is the order, not the weight.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from smtpshell.knowledge.codes import code_row
from smtpshell.knowledge.enhanced import enhanced_row
from smtpshell.knowledge.likeness import Likeness
from smtpshell.knowledge.reading import Reading
from smtpshell.knowledge.rulebook import Rule, Rulebook, Speaker
from smtpshell.knowledge.stages import unlikely

PER_PLACE = 0.03
"""Taken away for each word that stands before the phrase, up to thirty."""

SUPPORT = 0.6
"""Added to a class for each further rule of its that speaks too ..."""

MOST_SUPPORT = 1.2
"""... up to this."""

NAMED = 2.5
"""Added to the class of a site that a text names, such as a block list."""

DECISIVE = 4.0
"""With less than this from the rules, likeness to the examples is asked as well ..."""

CLEAR = 1.5
"""... and also with less than this between the two best classes."""

LIKENESS = 3.5
"""The weight of the likeness to the examples when it is certain."""

BESIDE_RULES = 2.5
"""Its weight where it only settles which of several strong rules is right."""

ENOUGH = 0.45
"""With less evidence than this for any class, the verdict is "unknown"."""


class Verdict:
    """The class that won, the rule that decided (None when none did), and how sure it is.

    This and the two classes below are made for every reply of a log of millions, and live no longer
    than its explanation: plain slots take half the time of a frozen value.
    """

    __slots__ = ("class_", "confidence", "facts", "rule")

    def __init__(
        self, class_: str, rule: Rule | None, confidence: float, facts: tuple[str, ...]
    ) -> None:
        self.class_ = class_
        self.rule = rule
        self.confidence = confidence
        self.facts = facts


class Heard:
    """What was heard besides the text: both codes, the command answered, and who is speaking.

    `owner` is the provider whose private enhanced codes are meant; `speakers` are the names of all
    who were recognised.
    """

    __slots__ = ("code", "enhanced", "owner", "speakers", "verb")

    def __init__(
        self,
        code: int | None,
        enhanced: str | None,
        verb: str,
        owner: str | None,
        speakers: set[str | None],
    ) -> None:
        self.code = code
        self.enhanced = enhanced
        self.verb = verb
        self.owner = owner
        self.speakers = speakers


class Voices:
    """Who is heard in a text: the rules with their scores, and the speakers recognised."""

    __slots__ = ("rules", "speakers")

    def __init__(self, rules: dict[int, float], speakers: list[Speaker]) -> None:
        self.rules = rules
        self.speakers = speakers


def listen(book: Rulebook, reading: Reading) -> Voices:
    """Match a reading against the rulebook: the best score per rule, and the speakers."""
    best: dict[int, float] = {}
    silenced: list[int] = []
    speakers: list[Speaker] = []
    count = len(book.rules)
    for start, ends in book.matcher.hits(reading.words):
        late = PER_PLACE * start if start < 30 else PER_PLACE * 30
        for owner, weight in ends:
            if 0 <= owner < count:
                score = weight - late
                if owner not in best or score > best[owner]:
                    best[owner] = score
            elif owner < 0:
                silenced.append(-owner - 1)
            else:
                speakers.append(book.speakers[owner - count])
    for number in silenced:
        best.pop(number, None)
    for name in reading.names:
        speaker = _by_domain(book, name)
        if speaker is not None:
            speakers.append(speaker)
    return Voices(best, speakers)


def _by_domain(book: Rulebook, name: str) -> Speaker | None:
    domains = book.domains
    while True:
        speaker = domains.get(name)
        if speaker is not None:
            return speaker
        _, dot, name = name.partition(".")
        if not dot:
            return None


def decide(
    book: Rulebook, voices: Voices, heard: Heard, guess: Callable[[], Likeness | None]
) -> Verdict:
    """Weigh everything and return the class with the most evidence.

    `guess` is called only when the rules leave it open, or disagree.
    """
    scores, rules = _weigh_rules(book, voices, heard)
    decisive = max(scores.values(), default=0.0) >= DECISIVE
    facts: list[str] = []
    for class_, likely, fact in _of_codes(heard.enhanced, heard.owner, heard.code, heard.verb):
        scores[class_] = scores.get(class_, 0.0) + likely
        facts.append(fact)
    if voices.speakers:
        for class_ in {speaker.class_ for speaker in voices.speakers if speaker.class_}:
            scores[class_] = scores.get(class_, 0.0) + NAMED
    less = unlikely(heard.verb, heard.code // 100 if heard.code else 0)
    for class_ in scores:
        if class_ in less:
            scores[class_] -= less[class_]
    if not decisive or _close(scores):
        likeness = guess()
        if likeness is not None:
            weight = BESIDE_RULES if decisive else LIKENESS
            for class_, share in likeness.shares:
                scores[class_] = scores.get(class_, 0.0) + weight * share
            words = ", ".join(map(repr, likeness.words))
            facts.append(f"the words {words} are most like {likeness.class_}")
    scores.pop("ok", None)
    return _verdict(scores, rules, facts)


@lru_cache(maxsize=4096)
def _of_codes(
    enhanced: str | None, owner: str | None, code: int | None, verb: str
) -> tuple[tuple[str, float, str], ...]:
    """Return what both codes point at: a class, a weight and a fact in words for each."""
    evidence: list[tuple[str, float, str]] = []
    detail = enhanced_row(enhanced, owner)
    if detail is not None and detail.likely:
        evidence.append((detail.class_, detail.likely, f"{enhanced}: {detail.meaning}"))
    row = code_row(code, verb)
    if row is not None:
        answering = f" to {verb}" if verb and row.verbs else ""
        evidence.append((row.class_, row.likely, f"{row.code}{answering}: {row.meaning}"))
    return tuple(evidence)


def _close(scores: dict[str, float]) -> bool:
    """Tell whether the two best classes are near each other."""
    if len(scores) < 2:
        return False
    *_, second, first = sorted(scores.values())
    return first - second < CLEAR


def _weigh_rules(
    book: Rulebook, voices: Voices, heard: Heard
) -> tuple[dict[str, float], dict[str, Rule]]:
    """Return what the rules say for each class, and the strongest rule of each."""
    best: dict[str, float] = {}
    rules: dict[str, Rule] = {}
    support: dict[str, float] = {}
    for number, score in voices.rules.items():
        rule = book.rules[number]
        if (rule.codes or rule.verbs or rule.speaker) and not _fits(rule, heard):
            continue
        class_ = rule.class_
        if class_ not in best:
            best[class_], rules[class_] = score, rule
            continue
        support[class_] = min(support.get(class_, 0.0) + SUPPORT, MOST_SUPPORT)
        if score > best[class_]:
            best[class_], rules[class_] = score, rule
    for class_, more in support.items():
        best[class_] += more
    return best, rules


def _fits(rule: Rule, heard: Heard) -> bool:
    """Tell whether the command, the codes and the speaker are those that a rule asks for."""
    if rule.verbs and heard.verb not in rule.verbs:
        return False
    if rule.codes and not _codes_fit(rule.codes, heard.code, heard.enhanced):
        return False
    return not rule.speaker or not rule.speaker.isdisjoint(heard.speakers)


@lru_cache(maxsize=4096)
def _codes_fit(wanted: tuple[str, ...], code: int | None, enhanced: str | None) -> bool:
    basic = str(code or "")
    return any(basic.startswith(one) or _within(enhanced, one) for one in wanted)


def _within(enhanced: str | None, wanted: str) -> bool:
    if enhanced is None or "." not in wanted:
        return False
    if wanted.endswith("*"):
        return enhanced.startswith(wanted[:-1])
    return enhanced == wanted


def _verdict(scores: dict[str, float], rules: dict[str, Rule], facts: list[str]) -> Verdict:
    class_ = "unknown"
    top = second = 0.0
    for name, score in scores.items():
        if score > top:
            class_, top, second = name, score, top
        elif score > second:
            second = score
    if top < ENOUGH:
        return Verdict("unknown", None, 0.1, tuple(facts))
    rule = rules.get(class_)
    if rule is not None:
        facts.insert(0, f"the text matches the rule {rule.name!r}")
    confidence = top / (top + 0.6 * second + 0.8)
    confidence = round(confidence, 2) if confidence < 0.99 else 0.99
    return Verdict(class_, rule, confidence, tuple(facts))
