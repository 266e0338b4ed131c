"""SPF (RFC 7208): who may send mail in a domain's name.

`lookup` answers for one sender (check_host, with a trace) or, without an address, surveys the whole
record; `parse_record` reads a record that is not published yet.

    grammar     text of a record -> terms           macro      %{...}: read and expanded
    identity    who is checked                      context    counters, limits, shared questions
    evaluate    check_host, sequential              mechanisms a, mx, ptr, exists
    prefetch    asks ahead, decides nothing         survey     the whole tree of includes
    walk        the tree as senders walk it         lint       what is wrong with a record's text
    diagnose    what is wrong with the tree         change     the cheapest way below ten look-ups
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.lookup import names
from smtpshell.lookup.spf import change, diagnose, grammar
from smtpshell.lookup.spf.context import Context
from smtpshell.lookup.spf.evaluate import check_host, explain
from smtpshell.lookup.spf.findings import RecordFinding, SpfFinding, Worst
from smtpshell.lookup.spf.identity import UNKNOWN, identify
from smtpshell.lookup.spf.lint import lint
from smtpshell.lookup.spf.survey import survey

if TYPE_CHECKING:
    from smtpshell.lookup.finding import Step
    from smtpshell.lookup.resolver import Resolver

__all__ = ["RecordFinding", "SpfFinding", "Worst", "lookup", "parse_record"]


async def lookup(
    resolver: Resolver,
    domain: str = "",
    *,
    ip: str | None = None,
    sender: str | None = None,
    helo: str | None = None,
    receiver: str = UNKNOWN,
    record: str | None = None,
    now: float | None = None,
) -> SpfFinding:
    """Check one sender against the SPF record of a domain, or survey it without an `ip`.

    Without a `domain` it is that of the sender, or the HELO name; without a `sender` it is
    postmaster at the HELO name, or at the domain. `record` stands in for the published record of
    the domain, to try it. `receiver` and `now` (seconds since 1970) are for explanations. Raises
    SetupError when `ip` is no address.
    """
    who = identify(domain, ip=ip, sender=sender, helo=helo, receiver=receiver, now=now)
    overrides = {} if record is None else {names.normal(who.domain): record}
    context = Context(resolver, who, overrides)
    return await _survey(context) if who.ip is None else await _check(context)


async def _check(context: Context) -> SpfFinding:
    checked = await check_host(context)
    explanation = None
    fetched: tuple[Step, ...] = ()
    if checked.result == "fail":
        explanation, fetched = await explain(context, checked)
    return SpfFinding(
        context.who,
        checked.result,
        context.lookups,
        context.voids,
        checked.reason,
        explanation,
        checked.matched,
        None if checked.root is None else checked.root.text,
        problems=diagnose.sender_problems(context.who.domain, checked),
        trace=(checked.step, *fetched),
    )


async def _survey(context: Context) -> SpfFinding:
    found = await survey(context)
    cheapest = change.cheapest_change(found)
    plain = max((family.plain for family in found.families.values()), key=lambda w: w.lookups)
    results = {version: family.result for version, family in found.families.items()}
    return SpfFinding(
        context.who,
        results[4],
        plain.lookups,
        max(family.plain.voids for family in found.families.values()),
        found.root.reason or "the result for a sender that nothing matches",
        record=found.root.published.text,
        worst_case=found.worst_case,
        families=tuple(
            (f"ip{version}", Worst(family.result, family.worst, family.worst_voids))
            for version, family in found.families.items()
        ),
        change=cheapest,
        problems=diagnose.problems(found, cheapest),
        trace=(diagnose.trace(found),),
    )


def parse_record(text: str) -> RecordFinding:
    """Read the text of a record, as it would stand in a TXT record. Never raises."""
    record = grammar.parse(text)
    lookups = sum(term.kind.asks for term in record.terms)
    return RecordFinding(record, lookups, lint(record))
