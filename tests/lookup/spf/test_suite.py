"""The shared SPF cases, through a zone in memory and through a real DNS server."""

from __future__ import annotations

import asyncio
import json

import pytest

from smtpshell.lookup import spf
from smtpshell.lookup.resolver import Resolver
from smtpshell.lookup.spf.evaluate import DEFAULT_EXPLANATION
from smtpshell.lookup.spf.findings import SpfFinding
from smtpshell.lookup.zone import Zone
from tests.conftest import shared_data
from tests.lookup.cases import DEFAULT, Case, load
from tests.lookup.dnsserver import DnsServer


async def check(resolver: Resolver, case: Case) -> SpfFinding:
    """Run one case against a resolver."""
    return await spf.lookup(resolver, ip=case.host, sender=case.mailfrom, helo=case.helo)


def verdict(case: Case, finding: SpfFinding) -> str:
    """Say what is wrong with a finding, or nothing when it is what the case expects."""
    if finding.result not in case.results:
        return f"{case.name}: {finding.result} ({finding.reason}), expected {case.results}"
    wanted = DEFAULT_EXPLANATION if case.explanation == DEFAULT else case.explanation
    if wanted is not None and finding.explanation != wanted:
        return f"{case.name}: explained {finding.explanation!r}, expected {wanted!r}"
    return ""


def test_suite_in_memory():
    """Every case of the suite comes out as expected, with zones held in memory."""
    scenarios, cases = load()

    async def run():
        faults = []
        for case in cases:
            scenario = scenarios[case.scenario]
            resolver = Resolver(zone=Zone(scenario.records, scenario.faults))
            finding = await check(resolver, case)
            json.dumps(finding.to_json())
            faults.append(verdict(case, finding))
        return [fault for fault in faults if fault]

    assert asyncio.run(run()) == []
    assert len(cases) > 100


def test_suite_over_the_wire():
    """Every case comes out the same through a real server, with real silence for time-outs."""
    scenarios, cases = load()

    async def scenario_faults(number: int) -> list[str]:
        scenario = scenarios[number]
        async with DnsServer(scenario.records, scenario.faults) as server:
            findings = [
                (case, await check(Resolver([server.address], timeout=0.2), case))
                for case in cases
                if case.scenario == number
            ]
        return [fault for case, finding in findings if (fault := verdict(case, finding))]

    async def run():
        found = await asyncio.gather(*(scenario_faults(n) for n in range(len(scenarios))))
        return [fault for faults in found for fault in faults]

    assert asyncio.run(run()) == []


def test_trace_and_counts_do_not_depend_on_the_path():
    """In memory and over the wire the same look-ups, void look-ups and steps are reported."""
    scenarios, cases = load()
    chosen = [case for case in cases if "timeout" not in scenarios[case.scenario].faults.values()]

    def shape(step):
        asked = [(each["name"], each["type"], each["status"]) for each in step.get("asked", ())]
        below = [shape(each) for each in step.get("steps", ())]
        return (step["step"], step.get("outcome"), asked, below)

    async def run():
        differences = []
        for case in chosen:
            scenario = scenarios[case.scenario]
            inside = await check(Resolver(zone=Zone(scenario.records)), case)
            async with DnsServer(scenario.records) as server:
                outside = await check(Resolver([server.address]), case)
            one, other = (json.loads(json.dumps(each.to_json())) for each in (inside, outside))
            if (inside.lookups, inside.void_lookups) != (outside.lookups, outside.void_lookups):
                differences.append(case.name)
            if [shape(step) for step in one["trace"]] != [shape(step) for step in other["trace"]]:
                differences.append(f"{case.name}: trace")
        return differences

    assert asyncio.run(run()) == []
    assert chosen


def rows(kind: str) -> list[tuple[str, str, dict[str, object]]]:
    """Return the rows of one kind: identity, input, expectation."""
    lines = shared_data("dns/records.tsv").read_text(encoding="utf-8").splitlines()
    fields = [line.split("\t") for line in lines[1:]]
    return [(row[0], row[2], json.loads(row[3])) for row in fields if row[1] == kind]


def test_syntax_rows():
    """Every row of the shared syntax cases is judged as stated, and says why when it is bad."""
    found = rows("spf-syntax")
    for identity, text, expected in found:
        parsed = spf.parse_record(text).to_json()
        assert parsed["valid"] == expected["valid"], (identity, text)
        assert ("why" in parsed) == (not expected["valid"])
    assert len(found) > 20


@pytest.mark.parametrize("workers", [1, 8])
def test_prefetching_changes_nothing(workers):
    """With one question at a time and with many at once the findings are the same."""
    scenarios, cases = load()

    async def run(concurrency):
        seen = []
        for case in cases[::3]:
            scenario = scenarios[case.scenario]
            zone = Zone(scenario.records, scenario.faults)
            finding = await check(Resolver(zone=zone, concurrency=concurrency), case)
            seen.append((case.name, finding.result, finding.lookups, finding.void_lookups))
        return seen

    assert asyncio.run(run(workers)) == asyncio.run(run(128))
