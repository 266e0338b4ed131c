"""check_host: what SPF says of one client, one sender and one domain (RFC 7208 section 4).

The evaluation is strictly sequential, as the RFC writes it, so that its result, its counts and its
trace are functions of what the DNS says and of nothing else. Speed comes from elsewhere: while it
runs, `prefetch` asks the questions that can be foreseen, and the resolver lets both share them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from smtpshell.lookup import names
from smtpshell.lookup.finding import Step
from smtpshell.lookup.spf import grammar, macro
from smtpshell.lookup.spf.context import RESULTS, Context, Outcome, Result, Target
from smtpshell.lookup.spf.identity import is_checkable
from smtpshell.lookup.spf.mechanisms import ASKING
from smtpshell.lookup.spf.prefetch import Prefetch

if TYPE_CHECKING:
    from smtpshell.lookup.answer import Answer

DEFAULT_EXPLANATION: Final = "The domain's SPF record does not allow this host to send its mail."


class Checked(NamedTuple):
    """The end of one evaluation: result, reason in words, trace.

    `record` and `domain` are the record that decided and whose it is: after a redirect the last
    one, because its explanation counts (6.2). `matched` is the text of the term that matched,
    `root` the record of the domain asked for.
    """

    result: Result
    reason: str
    step: Step
    record: grammar.Record | None = None
    domain: str = ""
    matched: str = ""
    root: grammar.Record | None = None


async def check_host(context: Context) -> Checked:
    """Evaluate the record of the identity's domain. Errors are results, never exceptions."""
    async with Prefetch(context, (context.who.family,)) as prefetch:
        return await _check(context, context.who.domain, prefetch)


async def _check(context: Context, domain: str, prefetch: Prefetch | None = None) -> Checked:
    """Evaluate the record of one domain (4.3 to 4.6); `prefetch` is given for the first only."""
    title = f"record of {names.both_forms(domain)}"
    if not is_checkable(domain):
        reason = f"{domain or 'an empty name'!r} is not a domain name of two labels or more"
        return Checked("none", reason, Step(title, "none", "RFC 7208 4.3"))
    found = await context.published(domain)
    if prefetch is None:
        context.count_void(found.answers)
    if found.text is None:
        step = Step(title, found.result, found.section, found.answers, (), (("domain", domain),))
        return Checked(found.result, found.reason, step)
    record = grammar.parse(found.text)
    facts = (("domain", domain), ("record", grammar.printable(record.text)))
    if not record.valid:
        step = Step(title, "permerror", "RFC 7208 4.6", found.answers, (), facts)
        reason = f"syntax error in the record of {domain}: {record.problems[0].text}"
        return Checked("permerror", reason, step, record, domain, root=record)
    if prefetch is not None:
        prefetch.start(record, domain)
    checked, steps = await _terms(context, domain, record)
    step = Step(title, checked.result, found.section, found.answers, steps, facts)
    return checked._replace(step=step, root=record)


async def _terms(
    context: Context, domain: str, record: grammar.Record
) -> tuple[Checked, tuple[Step, ...]]:
    """Go through the mechanisms from left to right, then redirect, then neutral (4.6.2, 4.7)."""
    steps: list[Step] = []

    def ended(result: Result, reason: str, matched: str = "") -> Checked:
        return Checked(result, reason, steps[-1] if steps else Step(""), record, domain, matched)

    for term in record.mechanisms:
        outcome, step = await _mechanism(context, term, domain)
        steps.append(step)
        if outcome.error is not None:
            return ended(outcome.error, outcome.reason), tuple(steps)
        if outcome.match:
            reason = f"{term.text} in the record of {domain} matched"
            return ended(RESULTS[term.qualifier], reason, term.text), tuple(steps)
    redirect = record.modifier("redirect")
    if redirect is not None:
        checked, step = await _redirect(context, redirect, domain)
        return checked, (*steps, step)
    return ended("neutral", f"nothing in the record of {domain} matched"), tuple(steps)


async def _mechanism(context: Context, term: grammar.Term, domain: str) -> tuple[Outcome, Step]:
    """Evaluate one mechanism within the limits, and write its step."""
    where = f"{term.text} in the record of {domain}"
    before = context.lookups, context.voids
    context.lookups += term.kind.asks
    target: Target | None = None
    outcome = context.broken_limit(where)
    if outcome is None and term.kind.asks:
        target = await context.expand(term, domain)
        outcome = await _ask(context, term, target)
        broken = context.broken_limit(where)
        if outcome.error is None and broken is not None:
            outcome = broken._replace(answers=outcome.answers, steps=outcome.steps)
    elif outcome is None:
        outcome = _static(context, term)
    return outcome, _step(context, term, target, outcome, before)


async def _ask(context: Context, term: grammar.Term, target: Target) -> Outcome:
    if not target.name:
        return Outcome(reason=target.fault)
    if term.name == "include":
        return await _include(context, term, target)
    if target.octets is None:
        reason = f"{target.name!r} cannot be asked, so it does not exist: {target.fault}"
        return Outcome(reason=reason)
    return await ASKING[term.name](context, term, target, target.octets)


def _static(context: Context, term: grammar.Term) -> Outcome:
    """Evaluate what needs no DNS: all, ip4 and ip6 (5.1, 5.6)."""
    if term.network is None:
        return Outcome(match=True)
    ip = context.who.ip
    return Outcome(ip is not None and ip.version == term.network.version and ip in term.network)


async def _include(context: Context, term: grammar.Term, target: Target) -> Outcome:
    """Match when the other record passes; its errors are errors here, "none" included (5.2)."""
    inner = await _check(context, target.name)
    steps = (inner.step,)
    match inner.result:
        case "temperror" | "permerror":
            return Outcome(reason=inner.reason, steps=steps, error=inner.result)
        case "none":
            reason = f"{term.text}: {inner.reason}"
            return Outcome(reason=reason, steps=steps, error="permerror")
        case result:
            return Outcome(result == "pass", f"{target.name} says {result}", steps=steps)


async def _redirect(context: Context, term: grammar.Term, domain: str) -> tuple[Checked, Step]:
    """Go on with the record of another domain, whose result is the result (6.1)."""
    where = f"{term.text} in the record of {domain}"
    before = context.lookups, context.voids
    context.lookups += 1
    target: Target | None = None
    broken = context.broken_limit(where)
    if broken is not None:
        checked = Checked(broken.error or "permerror", broken.reason, Step(""))
    else:
        target = await context.expand(term, domain)
        checked = await _check(context, target.name)
    result: Result = checked.result
    if checked.result == "none":
        result = "permerror"
        checked = checked._replace(result=result, reason=f"{term.text}: {checked.reason}")
    steps = (checked.step,) if broken is None else ()
    error = result if result in {"permerror", "temperror"} else None
    outcome = Outcome(error is None, f"{term.value} says {result}", steps=steps, error=error)
    return checked, _step(context, term, target, outcome, before)


def _step(
    context: Context,
    term: grammar.Term,
    target: Target | None,
    outcome: Outcome,
    before: tuple[int, int],
) -> Step:
    facts: list[tuple[str, object]] = [("match", outcome.match)]
    answers = outcome.answers
    if target is not None:
        facts.append(("target", target.name))
        if target.macros:
            facts.append(("macros", [list(pair) for pair in target.macros]))
        answers = (*target.answers, *answers)
    if outcome.reason:
        facts.append(("reason", outcome.reason))
    if term.kind.asks:
        facts += [
            ("lookups", context.lookups - before[0]),
            ("lookups_total", context.lookups),
            ("void_lookups", context.voids - before[1]),
            ("void_lookups_total", context.voids),
        ]
    said = outcome.error or ("match" if outcome.match else "no match")
    return Step(term.text, said, term.kind.section, answers, outcome.steps, tuple(facts))


async def explain(context: Context, checked: Checked) -> tuple[str, tuple[Step, ...]]:
    """Return the explanation of a fail, and the step that fetched it if one did (6.2)."""
    term = checked.record.modifier("exp") if checked.record is not None else None
    if term is None:
        return DEFAULT_EXPLANATION, ()
    target = await context.expand(term, checked.domain)
    if target.octets is None:
        text, fault, answers = "", f"it cannot be asked: {target.fault}", target.answers
    else:
        answer = await context.resolver.ask(target.octets, "TXT")
        text, fault = await _explanation(context, answer, checked.domain)
        answers = (*target.answers, answer)
    facts = (
        ("target", target.name),
        ("macros", [list(pair) for pair in target.macros]),
        ("reason", f"{fault}; the default explanation stands in" if fault else "expanded"),
    )
    explanation = text or DEFAULT_EXPLANATION
    return explanation, (Step(term.text, explanation, "RFC 7208 6.2", answers, (), facts),)


async def _explanation(context: Context, answer: Answer, domain: str) -> tuple[str, str]:
    """Expand the text of an explanation; any fault of it means the default one."""
    if len(answer.records) != 1:
        return "", f"it has {len(answer.records)} TXT records" if answer.ok else answer.meaning
    try:
        pieces = macro.read(grammar.decode(answer.records[0]), explanation=True, blanks=True)
    except macro.MacroError as fault:
        return "", str(fault)
    values = context.who.values(domain)
    if "p" in macro.letters(pieces):
        values["p"], _ = await context.client_name(domain)
    text = macro.expand(pieces, values)
    return text, "" if text else "it is empty"
