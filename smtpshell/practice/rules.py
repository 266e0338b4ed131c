"""Which rule fires: the first one, in the file's order, whose every condition holds.

Conditions are tried from the cheapest to the one that remembers most, and only a rule that got
past all before it is counted: `nth = 2` is the second time that everything else fits. Each decision
is noted in the world with its reasons, so that `/rule` can tell a teacher why the server did what
it did.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smtpshell.practice.clock import describe_duration
from smtpshell.practice.globs import matches_glob
from smtpshell.practice.world import Decision, World
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtpshell.practice.expression import Facts
    from smtpshell.practice.scenario import Rule, Scenario

_LONGEST_INSERT = 256
"""Characters of a fact put into a reply: what keeps a reply line within 512 octets."""


class Rulebook:
    """The rules of a scenario, sorted by where they look."""

    def __init__(self, scenario: Scenario) -> None:
        self._by_place: dict[str, tuple[Rule, ...]] = {}
        for rule in scenario.rules:
            for place in rule.on:
                self._by_place[place] = (*self._by_place.get(place, ()), rule)

    def looks_at(self, place: str) -> bool:
        """Tell whether any rule looks at a place."""
        return place in self._by_place

    def facts_used(self, place: str) -> frozenset[str]:
        """Return the facts that the rules of a place ask for; dear ones are got only then."""
        return frozenset(
            name
            for rule in self._by_place.get(place, ())
            for name in (*rule.memory, *(rule.when.names if rule.when else ()))
        )

    def choose(
        self,
        world: World,
        place: str,
        subject: str,
        facts: Facts,
        *,
        parameters: tuple[str, ...] = (),
        scope: Mapping[str, int] | None = None,
    ) -> Rule | None:
        """Return the rule that fires at a place, or None, and note the decision.

        `subject` is what `match` looks at: the address, the mechanism or the argument. `scope`
        gives the numbers of the connection and the transaction, to count matches within.
        """
        rules = self._by_place.get(place)
        if not rules:
            return None
        passed: list[tuple[int, str]] = []
        fired, because = None, ""
        for rule in rules:
            refusal, because = _weigh(rule, world, subject, facts, parameters, scope or {})
            if not refusal:
                fired = rule
                break
            passed.append((rule.number, refusal))
        world.note(
            Decision(
                world.clock.now(),
                (scope or {}).get("connection", 0),
                place,
                visible(subject[:_LONGEST_INSERT])[:_LONGEST_INSERT],
                fired.number if fired else None,
                because if fired else "",
                tuple(passed),
            )
        )
        return fired


def _weigh(
    rule: Rule,
    world: World,
    subject: str,
    facts: Facts,
    parameters: tuple[str, ...],
    scope: Mapping[str, int],
) -> tuple[str, str]:
    """Return (why the rule does not fire, "") or ("", why it does)."""
    reasons = []
    if rule.host and not matches_glob(rule.host, str(facts.get("host", ""))):
        return f"it is for host {rule.host}", ""
    if rule.match:
        if not matches_glob(rule.match, subject):
            return f"{rule.match!r} does not fit", ""
        reasons.append(f"{rule.match!r} fits")
    if rule.parameter:
        if not any(matches_glob(rule.parameter, parameter) for parameter in parameters):
            return f"no parameter fits {rule.parameter!r}", ""
        reasons.append(f"a parameter fits {rule.parameter!r}")
    if rule.size:
        size = facts.get("size", 0)
        if not isinstance(size, int) or size <= rule.size:
            return f"{size} octets are not more than {rule.size}", ""
        reasons.append(f"{size} octets are more than {rule.size}")
    if rule.when is not None:
        if not rule.when.holds(facts):
            return f"{rule.when.source!r} does not hold", ""
        reasons.append(f"{rule.when.source!r} holds")
    refusal = _counted(rule, world, facts, scope, reasons) or _remembered(
        rule, world, facts, reasons
    )
    if refusal:
        return refusal, ""
    if rule.chance < 1:
        if world.draw(f"rule {rule.number}") / 2**64 >= rule.chance:
            return f"chance ({rule.chance:g}) decided against it", ""
        reasons.append(f"chance ({rule.chance:g}) decided for it")
    return "", ", ".join(reasons) or "it always does here"


def _counted(
    rule: Rule, world: World, facts: Facts, scope: Mapping[str, int], reasons: list[str]
) -> str:
    if not (rule.nth or rule.times or rule.after):
        return ""
    within: object = facts.get("host", "") if rule.per == "host" else scope.get(rule.per, 0)
    number = world.count("rule", rule.number, within)
    if rule.nth and number != rule.nth:
        return f"this is match {number}, it waits for match {rule.nth}"
    if number <= rule.after:
        return f"this is match {number}, it begins after {rule.after}"
    if rule.times and number - rule.after > rule.times:
        return f"it has fired {rule.times} times"
    reasons.append(f"this is match {number}")
    return ""


def _remembered(rule: Rule, world: World, facts: Facts, reasons: list[str]) -> str:
    if not (rule.memory or rule.until or rule.rate[0]):
        return ""
    key = ("rule", rule.number, *(str(facts.get(name, "")).casefold() for name in rule.memory))
    known = f"({', '.join(map(str, key[2:]))})"
    if rule.rate[0]:
        most, seconds = rule.rate
        count = world.recent(key, seconds)
        words = f"{count} times in {describe_duration(seconds)} for {known}"
        if count <= most:
            return words
        reasons.append(words)
        return ""
    now = world.clock.now()
    first = world.remember(key, now)
    since = now - first if isinstance(first, float) else 0.0
    if rule.until and since >= rule.until:
        return f"{known} was first seen {describe_duration(since)} ago"
    if not rule.until and world.count(*key, "seen") != 1:
        return f"{known} was seen before"
    reasons.append(
        f"{known} was first seen {describe_duration(since)} ago, less than"
        f" {describe_duration(rule.until)}"
        if since
        else f"{known} is seen for the first time"
    )
    return ""


def fill(template: str, facts: Mapping[str, object]) -> str:
    """Put facts into a reply's text: `{to}`, `{from}` and every fact by its name.

    What is put in is made printable and cut, so that no client can break the line of a reply.
    Braces around anything else stay as they are.
    """
    names = {"to": "recipient", "from": "sender"}

    def value(match: re.Match[str]) -> str:
        name = names.get(match[1], match[1])
        if name not in facts:
            return match[0]
        return visible(str(facts[name])[:_LONGEST_INSERT])[:_LONGEST_INSERT]

    return re.sub(r"\{(\w+)\}", value, template)
