"""DMARC policy discovery, alignment and report destinations, through a zone in memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from smtpshell.lookup import dmarc, dmarc_reports, dmarc_walk
from smtpshell.lookup.resolver import Resolver
from tests.lookup.tables import Row, differences, resolver_of, rows, zone_of


def find(case: dict[str, Any], **wanted: Any) -> dmarc.DmarcFinding:
    """Run the look-up for a shared case."""
    author = case["author"].removesuffix(".")
    lines = [f"{author}. MX 0 ."] if case.get("author_exists", True) else []
    faults = {author: "nxdomain"} if not case.get("author_exists", True) else {}

    async def run() -> dmarc.DmarcFinding:
        return await dmarc.lookup(
            resolver_of(case["txt"], *lines, **faults), case["author"], **wanted
        )

    return asyncio.run(run())


def lookup(texts: dict[str, list[str]], domain: str, **faults: str) -> dmarc.DmarcFinding:
    """Run the look-up of a domain in a zone of TXT records."""

    async def run() -> dmarc.DmarcFinding:
        return await dmarc.lookup(resolver_of(texts, **faults), domain)

    return asyncio.run(run())


def test_shared_walks() -> None:
    """Every shared walk asks the right names and ends with the right record and policy."""
    wrong = {
        row.number: found
        for row in rows("dmarc.tsv", "walk")
        if (found := differences(row, find(json.loads(row.text)).to_json()))
    }
    assert not wrong


def test_shared_alignments() -> None:
    """Every shared identifier aligns, or not, as its Organizational Domain says."""

    def outcome(row: Row) -> dict[str, Any]:
        case = json.loads(row.text)
        found = find(case, **{case["mechanism"]: [case["identifier"]]})
        assert found.to_json()["aligned"] is found.alignments[0].aligned
        return differences(row, found.alignments[0].to_json())

    wrong = {row.number: found for row in rows("dmarc.tsv", "align") if (found := outcome(row))}
    assert not wrong


def test_shared_destinations() -> None:
    """Every shared report destination accepts, or not, as its own record says."""

    async def outcome(row: Row) -> dict[str, Any]:
        case = json.loads(row.text)
        resolver = resolver_of(case["txt"])
        found = await dmarc_reports.accepts(resolver, case["domain"], case["destination"])
        return differences(row, found.to_json())

    wrong = {
        row.number: found
        for row in rows("dmarc.tsv", "external")
        if (found := asyncio.run(outcome(row)))
    }
    assert not wrong


def test_walk_length() -> None:
    """A walk never asks more than eight names, begins with the whole name and ends with the top."""
    for count in range(1, 20):
        domain = ".".join(f"l{number}" for number in range(count))
        found = dmarc_walk.targets(domain)
        assert len(found) == min(count, 8)
        assert found[0] == domain
        assert found[-1] == f"l{count - 1}"
        assert len(set(found)) == len(found)


@pytest.mark.parametrize("fault", ["servfail", "timeout", "refused"])
def test_failure_is_not_absence(fault: str) -> None:
    """A question without an answer makes the result temperror, never none."""
    zone = zone_of(
        {"_dmarc.example.com": ["v=DMARC1; p=reject"]}, **{"_dmarc.a.example.com": fault}
    )

    async def run() -> dmarc.DmarcFinding:
        return await dmarc.lookup(Resolver(zone=zone, timeout=0.2), "a.example.com")

    found = asyncio.run(run())
    assert found.result == "temperror"
    assert found.unanswered
    assert found.org is None
    assert found.problems[0].code == "dns-failed"


def test_failure_beyond_the_walk_is_ignored() -> None:
    """A name asked early that the walk does not reach cannot spoil the result."""
    texts = {"_dmarc.example.com": ["v=DMARC1; p=reject; psd=n; rua=mailto:a@example.com"]}
    found = lookup(texts, "example.com", **{"_dmarc.com": "servfail"})
    assert (found.result, found.org, found.problems) == ("apply", "example.com", ())
    assert found.walk.queries == ("_dmarc.example.com",)


def test_own_record_with_a_failure_above() -> None:
    """A failure above the author's own record costs the organizational domain, not the policy."""
    texts = {"_dmarc.example.com": ["v=DMARC1; p=reject"]}
    found = lookup(texts, "example.com", **{"_dmarc.com": "servfail"})
    assert (found.result, found.policy, found.org) == ("apply", "reject", None)


def test_alias_to_nowhere_exists() -> None:
    """A name whose CNAME leads nowhere exists, so sp counts and not np."""
    texts = {"_dmarc.example.com": ["v=DMARC1; p=reject; sp=quarantine; np=none"]}

    async def run() -> dmarc.DmarcFinding:
        resolver = resolver_of(texts, "www.example.com. CNAME gone.example.net.")
        return await dmarc.lookup(resolver, "www.example.com")

    found = asyncio.run(run())
    assert (found.tag, found.policy, found.exists) == ("sp", "quarantine", True)


def test_internationalised_name() -> None:
    """A U-label is asked for as its A-label."""
    texts = {"_dmarc.xn--bcher-kva.example": ["v=DMARC1; p=reject"]}
    found = lookup(texts, "Bücher.example")
    assert found.policy_domain == "xn--bcher-kva.example"


def test_rejected_texts_are_shown() -> None:
    """A record that misses being one is shown with the reason."""
    found = lookup({"_dmarc.example.com": ["v=dmarc1; p=reject"]}, "example.com")
    assert found.result == "none"
    assert {"not-dmarc", "dmarc-missing"} <= {problem.code for problem in found.problems}
    assert found.to_json()["walk"][0]["records"] == ["v=dmarc1; p=reject"]  # type: ignore[index]  # a list of objects


def test_own_destination_needs_no_consent() -> None:
    """Reports may go to any host of the same organizational domain."""
    texts = {"_dmarc.example.com": ["v=DMARC1; p=none; rua=mailto:d@reports.example.com"]}
    found = lookup(texts, "example.com")
    assert [(each.external, each.accepts) for each in found.destinations] == [(False, True)]


def test_foreign_destination_must_agree() -> None:
    """A destination elsewhere without the agreeing record is a problem; a wildcard agrees."""
    texts = {"_dmarc.example.com": ["v=DMARC1; p=none; rua=mailto:d@reports.example"]}
    found = lookup(texts, "example.com")
    assert "report-not-authorised" in {problem.code for problem in found.problems}
    agreed = lookup({**texts, "*._report._dmarc.reports.example": ["v=DMARC1;"]}, "example.com")
    assert [each.accepts for each in agreed.destinations] == [True]


def test_trace_tells_the_story() -> None:
    """The trace names every question, the record chosen and the tag that counted."""
    texts = {"_dmarc.example.com": ["v=DMARC1; p=reject; sp=quarantine; t=y"]}
    found = lookup(texts, "a.example.com")
    steps = {step.text: step for step in found.trace}
    assert [step.text for step in steps["tree walk"].steps] == list(found.queries)
    assert "sp=quarantine" in steps["policy for this name"].outcome
    assert "none" in steps["policy for this name"].outcome
