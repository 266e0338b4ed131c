"""A DMARC finding in words: the steps that led to it, and what is wrong with what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.lookup import dmarc_record, dmarc_reports
from smtpshell.lookup.dmarc_tags import POLICIES
from smtpshell.lookup.finding import Problem, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.dmarc import DmarcFinding


def trace(finding: DmarcFinding, address: Answer | None) -> tuple[Step, ...]:
    """Return the steps: the names asked, the record chosen, the policy for this name, alignment."""
    return tuple(_steps(finding, address))


def _steps(finding: DmarcFinding, address: Answer | None) -> Iterator[Step]:
    walk, record = finding.walk, finding.record
    needed = set(finding.queries)
    asked = tuple(
        Step(
            stop.query,
            stop.outcome,
            answers=(stop.answer,),
            facts=(("records", list(stop.texts)), ("for", _purpose(stop.query in needed))),
        )
        for stop in walk.stops
    )
    yield Step("tree walk", f"{len(asked)} names asked", "RFC 9989 4.10", steps=asked)
    yield Step(
        "organizational domain", f"{walk.org or 'unknown'}: {walk.why_org}", "RFC 9989 4.10.2"
    )
    if record is None or finding.policy_domain is None:
        words = "unknown, the DNS failed" if walk.failed else "none: DMARC does not apply"
        yield Step("policy record", words, "RFC 9989 4.10.1")
    else:
        yield Step("policy record", _chosen(finding), "RFC 9989 4.10.1")
        if finding.policy_domain != finding.domain and address is not None:
            stated = {True: "exists", False: "does not exist", None: "may exist, the DNS failed"}
            yield Step(
                "author domain",
                f"{finding.domain} {stated[finding.exists]}",
                "RFC 9989 A.4",
                answers=(address,),
            )
        yield Step("policy for this name", _policy(finding), "RFC 9989 4.7")
    for each in finding.alignments:
        verdict = {True: "aligned", False: "not aligned", None: "unknown"}[each.aligned]
        manner = "strict" if each.mode == "s" else "relaxed"
        yield Step(
            f"{each.mechanism.upper()} domain {each.identifier}",
            f"{verdict} ({manner}): {each.why}",
            "RFC 9989 4.10.2",
        )
    for place in finding.destinations:
        yield Step(
            f"{place.tag} {place.uri}",
            f"{place.host} {place.why}",
            "RFC 9990 4",
            answers=(place.answer,) if place.answer else (),
        )


def _purpose(needed: bool) -> str:
    return "policy and organizational domain" if needed else "organizational domain alone"


def _chosen(finding: DmarcFinding) -> str:
    if finding.policy_domain == finding.domain:
        return f"at {finding.policy_domain}: the author domain's own"
    if finding.policy_domain == finding.org:
        return f"at {finding.policy_domain}: the organizational domain's"
    return f"at {finding.policy_domain}: the public suffix's, as {finding.org} has none"


def _policy(finding: DmarcFinding) -> str:
    record = finding.record
    if record is None or finding.policy is None:
        return "none applied: the record cannot be used"
    published = {"p": record.p, "sp": record.sp, "np": record.np}[finding.tag or "p"]
    words = f"{finding.tag}={published}"
    if published != finding.policy:
        words = f"{words}, one level down for t=y: {finding.policy}"
    if record.action.startswith("p=none"):
        words = f"{words} (the record is faulty, but asks for reports)"
    return words


def problems(finding: DmarcFinding) -> tuple[Problem, ...]:
    """Return what is wrong: with the answers, with the record, with where it stands."""
    return tuple(_problems(finding))


def _problems(finding: DmarcFinding) -> Iterator[Problem]:
    walk, record = finding.walk, finding.record
    if walk.failed is not None:
        undecided = finding.result == "temperror"
        yield Problem(
            "error" if undecided else "warning",
            "dns-failed",
            f"{walk.failed.query}: {walk.failed.answer.meaning}.",
            "Nobody can tell which policy applies; receivers may put mail off."
            if undecided
            else "The organizational domain is unknown, so relaxed alignment cannot be judged.",
            "Mend the name server, or ask again later.",
            "RFC 9989 4.10.1",
        )
    for stop in walk.stops:
        if stop.rivals:
            yield Problem(
                "error",
                "dmarc-several",
                f"{stop.query} has {stop.rivals} DMARC records.",
                "Receivers discard all of them.",
                "Keep one.",
                "RFC 9989 4.10",
            )
        elif stop.domain == finding.domain and stop.texts and stop.record is None:
            for text in stop.texts:
                yield from dmarc_record.parse_record(text).problems
    if finding.result == "none" and record is None:
        yield Problem(
            "error",
            "dmarc-missing",
            f"No DMARC record applies to {finding.domain}.",
            "Anyone may write mail in its name, and large receivers refuse or mark bulk mail from "
            "domains without DMARC.",
            f'Publish TXT "v=DMARC1; p=none; rua=mailto:dmarc@{finding.domain}" at '
            f"_dmarc.{finding.org or finding.domain}; tighten p when the reports are clean.",
            "RFC 9989 5.1.4",
        )
    if record is not None:
        yield from record.problems
    yield from _placement(finding)
    yield from dmarc_reports.problems(finding.policy_domain or finding.domain, finding.destinations)
    for each in finding.alignments:
        if each.aligned is False:
            yield Problem(
                "error",
                f"{each.mechanism}-not-aligned",
                f"{each.identifier} does not align with {each.author}: {each.why}.",
                f"A pass of {each.mechanism.upper()} for it does not count for DMARC.",
                "Send with a domain under the same organizational domain."
                if each.mode == "r"
                else f"Use {each.author} itself, or publish relaxed alignment.",
                "RFC 9989 4.10.2",
            )


def _placement(finding: DmarcFinding) -> Iterator[Problem]:
    record = finding.record
    if record is None or record.p is None:
        return
    own = finding.policy_domain == finding.domain
    if own and finding.org not in {None, finding.domain} and (record.sp or record.np):
        yield Problem(
            "info",
            "sp-unused",
            f"sp and np in the record of {finding.domain} are never used.",
            f"Names below it inherit from {finding.org}, its organizational domain.",
            f"Publish them at _dmarc.{finding.org}, or add psd=n here.",
            "RFC 9989 4.7",
        )
    published = {"p": record.p, "sp": record.sp, "np": record.np}[finding.tag or "p"]
    if not own and finding.tag != "p" and published is not None:
        gap = POLICIES.index(record.p) - POLICIES.index(published)
        if gap > 0:
            yield Problem(
                "warning",
                "inherited-weaker",
                f"{finding.domain} gets {finding.tag}={published}, not p={record.p}.",
                "Mail forged under this name is treated more mildly than under "
                f"{finding.policy_domain}.",
                f"Strengthen {finding.tag} there, or publish a record at _dmarc.{finding.domain}.",
                "RFC 9989 4.10.1",
            )
