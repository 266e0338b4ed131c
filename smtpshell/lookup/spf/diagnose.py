"""What is wrong with a record as the DNS stands: the survey turned into problems and a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from smtpshell.lookup import names
from smtpshell.lookup.finding import Problem, Severity, Step
from smtpshell.lookup.spf.change import Change, cost
from smtpshell.lookup.spf.context import LOOKUP_LIMIT, VOID_LIMIT
from smtpshell.lookup.spf.grammar import printable
from smtpshell.lookup.spf.lint import lint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from smtpshell.lookup.spf.evaluate import Checked
    from smtpshell.lookup.spf.survey import Survey
    from smtpshell.lookup.spf.walk import Branch, Node

NEAR: Final = 9  # look-ups from which the next include of a provider's may break the record


def problems(survey: Survey, change: Change | None) -> tuple[Problem, ...]:
    """Return what is wrong with the surveyed record, the gravest kinds first."""
    root = survey.root
    if root.record is None:
        return (missing(root.domain, root.error or "none", root.reason),)
    found = [*_limits(survey, change), *_broken(root, survey)]
    known = {problem.code for problem in found}
    found += [problem for problem in lint(root.record) if problem.code not in known]
    found += [*_inner(root, survey), *_hidden(survey)]
    order = ("error", "warning", "info")
    return tuple(sorted(found, key=lambda problem: order.index(problem.severity)))


VERDICTS: Final[Mapping[str, tuple[Severity, str, str]]] = {  # result: severity, why, advice
    "permerror": (
        "error",
        "The record cannot be evaluated for this sender; many receivers take it for fail.",
        "Mend the term that the reason names; the survey without --ip shows the whole.",
    ),
    "temperror": (
        "error",
        "Receivers put the mail off, or take it as if there were no record.",
        "Ask again later, or ask another name server with --nameserver.",
    ),
    "fail": (
        "error",
        "The domain says that this host may not send its mail; receivers may refuse it.",
        "If the host is one of the domain's, add it to the record.",
    ),
    "softfail": (
        "warning",
        "The domain says that this host probably may not send its mail.",
        "If the host is one of the domain's, add it to the record.",
    ),
}


def sender_problems(domain: str, checked: Checked) -> tuple[Problem, ...]:
    """Return what is wrong for one sender: a result that is bad for it, then the record's lint."""
    if checked.root is None:
        return (missing(domain, checked.result, checked.reason),)
    found = lint(checked.root)
    if not checked.root.valid or checked.result not in VERDICTS:
        return found
    severity, why, advice = VERDICTS[checked.result]
    said = f"{checked.result}: {checked.reason}."
    return (Problem(severity, checked.result, said, why, advice, "RFC 7208 8"), *found)


def missing(domain: str, result: str, reason: str) -> Problem:
    """Return the problem of a domain without one readable record, by check_host's result."""
    shown = names.both_forms(domain)
    if result == "temperror":
        return Problem(
            "error",
            "dns-failure",
            f"The record of {shown} cannot be fetched: {reason}.",
            "Receivers put mail off until it can (temperror).",
            "Ask again, or ask another name server with --nameserver.",
            "RFC 7208 4.4",
        )
    if result == "permerror":
        return Problem(
            "error",
            "several-records",
            f"{reason[:1].upper()}{reason[1:]}.",
            "Receivers cannot know which one is meant: permerror, and no host passes.",
            "Merge them into one record.",
            "RFC 7208 4.5",
        )
    return Problem(
        "warning",
        "no-record",
        f"{reason}.",
        "Anybody can send in the domain's name without SPF noticing.",
        'Publish a TXT record at the domain: "v=spf1 mx -all", or "v=spf1 -all" if it sends none.',
        "RFC 7208 4.5",
    )


def _limits(survey: Survey, change: Change | None) -> Iterator[Problem]:
    worst = survey.worst_case
    if worst > LOOKUP_LIMIT:
        advice = f"{change}. Publish: {change.record}" if change else MOVE
        yield Problem(
            "error",
            "too-many-lookups",
            f"{worst} look-ups in the worst case, {LOOKUP_LIMIT} are allowed.",
            "Hosts that no early term matches get permerror, which many receivers take for fail.",
            advice,
            "RFC 7208 4.6.4",
        )
    elif worst >= NEAR:
        yield Problem(
            "info",
            "near-the-limit",
            f"{worst} look-ups in the worst case, {LOOKUP_LIMIT} are allowed.",
            "The next include, or a change in somebody else's record, may break this one.",
            "Replace an a or mx by its addresses now.",
            "RFC 7208 4.6.4",
        )
    for version, family in survey.families.items():
        if family.worst_voids > VOID_LIMIT:
            yield Problem(
                "error" if version == 4 else "warning",
                f"too-many-voids-ip{version}",
                f"{family.worst_voids} void look-ups for IPv{version} senders in the worst case, "
                f"{VOID_LIMIT} are allowed.",
                "Receivers that apply this limit answer permerror.",
                f"Write addresses instead of names without an IPv{version} address, or remove the "
                f"terms: {', '.join(_void(survey, version))}.",
                "RFC 7208 4.6.4",
            )


MOVE: Final = (
    "No change of single terms is enough: give each kind of mail a subdomain with a record of "
    "its own."
)


def _void(survey: Survey, version: int) -> list[str]:
    return [
        node.term.text
        for node in survey.root.below()
        if node.voids[version == 6] and id(node) in survey.reached
    ]


def _broken(branch: Branch, survey: Survey) -> Iterator[Problem]:
    """Yield the terms that end the evaluation with an error, in this record and below."""
    for node in branch.all_nodes:
        if id(node) not in survey.reached:
            continue
        if node.error == "temperror" and (node.child is None or node.child.record is None):
            yield Problem(
                "error",
                "dns-failure",
                f"{node.term.text} in the record of {branch.domain}: {node.reason}.",
                "Hosts that no earlier term matches get temperror, and their mail is put off.",
                "Ask again; if it stays so, remove the term or mend the name server.",
                "RFC 7208 5",
            )
        elif node.error is not None and (node.child is None or node.child.error is not None):
            loop = node.child is not None and node.child.loop
            yield Problem(
                "error",
                "include-loop" if loop else "broken-term",
                f"{node.term.text} in the record of {branch.domain}: {node.reason}.",
                "Hosts that no earlier term matches get permerror.",
                f"Remove {node.term.text}, or mend what it names.",
                node.term.kind.section,
            )
        if node.child is not None and not node.child.loop:
            yield from _broken(node.child, survey)


def _inner(root: Branch, survey: Survey) -> Iterator[Problem]:
    """Yield what included records do that their includer answers for."""
    for node in root.below():
        record = node.child.record if node.child is not None else None
        if record is None or id(node) not in survey.reached or node.child is None:
            continue
        everyone = record.all
        if everyone is not None and everyone.qualifier == "+" and node.term.name == "include":
            yield Problem(
                "error",
                "include-passes-all",
                f"{node.term.text}: that record ends in {everyone.text} and passes every host.",
                "So does this one, then.",
                f"Remove {node.term.text}.",
                "RFC 7208 5.2",
            )
        if any(term.name == "ptr" for term in record.mechanisms):
            yield Problem(
                "info",
                "ptr-included",
                f"The record of {node.child.domain} uses the ptr mechanism.",
                "It is slow and unreliable, and some receivers skip it.",
                "Tell the owner of that record.",
                "RFC 7208 5.5",
            )


def _hidden(survey: Survey) -> Iterator[Problem]:
    """Yield the terms of the record itself that no sender reaches, `all` in it apart."""
    record = survey.root.record
    unreached = [node.term.text for node in survey.root.all_nodes if id(node) not in survey.reached]
    if unreached and record is not None and record.all is None:
        yield Problem(
            "warning",
            "unreached",
            f"No sender reaches {', '.join(map(printable, unreached))}.",
            "A term before matches every host.",
            "Remove what matches every host, or what stands behind it.",
            "RFC 7208 4.6.2",
        )


def trace(survey: Survey) -> Step:
    """Return the whole tree as steps; totals count what a sender that nothing matches spends."""
    spent = {"lookups": 0, "voids": 0}
    return _branch_step(survey.root, survey, spent)


def _branch_step(branch: Branch, survey: Survey, spent: dict[str, int]) -> Step:
    text = branch.published.text
    facts: tuple[tuple[str, object], ...] = (("domain", branch.domain),)
    if text is not None:
        facts = (*facts, ("record", printable(text)))
    if branch.reason:
        facts = (*facts, ("reason", branch.reason))
    steps = tuple(_node_step(node, survey, spent) for node in branch.all_nodes)
    return Step(
        f"record of {names.both_forms(branch.domain)}",
        branch.error or "",
        branch.published.section,
        branch.published.answers,
        steps,
        facts,
    )


def _node_step(node: Node, survey: Survey, spent: dict[str, int]) -> Step:
    reached = id(node) in survey.reached
    facts: list[tuple[str, object]] = [("reached", reached)]
    if node.target:
        facts.append(("target", node.target))
    if node.reason:
        facts.append(("reason", node.reason))
    before = dict(spent)
    if reached:
        spent["lookups"] += node.term.kind.asks
        spent["voids"] += max(node.voids)
    steps = () if node.child is None else (_branch_step(node.child, survey, spent),)
    if node.term.kind.asks:
        facts += [
            ("lookups", spent["lookups"] - before["lookups"] if reached else cost(node)),
            ("lookups_total", spent["lookups"]),
            ("void_lookups", spent["voids"] - before["voids"]),
            ("void_lookups_total", spent["voids"]),
        ]
    said = node.error or ("" if reached else "never reached")
    answers = node.answers if node.child is None else ()
    return Step(node.term.text, said, node.term.kind.section, answers, steps, tuple(facts))
