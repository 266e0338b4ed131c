"""`mx`: where a domain takes its mail, and with `--probe` what stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import PROBLEM, base, render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.mx import Exchanger, MxFinding


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", metavar="DOMAIN")
    base.add_probing(parser, "connect to each host and look")


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import mx

    found = await mx.lookup(scene.resolver, options.domain)
    facts, rows, status = found.to_json(), report(found), render.status(found)
    if options.probe:
        from smtpshell.conversation.lookups import probe

        places = [(each.host, address) for each in found.exchangers for address in each.addresses]
        probes = await probe.probe_all(places, options.port, scene.settings)
        facts["probes"] = [each.to_json() for each in probes]
        rows += probe.report(probes)
        if any(each.fault for each in probes) and not status:
            status = PROBLEM
    yield Result(facts, rows, status)


def report(found: MxFinding) -> Report:
    """Return a domain's mail hosts for people."""
    return [
        *render.verdict(found, _sentence(found)),
        *render.facts((_label(each), _told(each)) for each in found.exchangers),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


def _sentence(found: MxFinding) -> str:
    domain = render.shown_name(found.domain)
    first = " or ".join(render.shown_name(each.host) for each in found.first)
    if found.fate in {"mx", "implicit"}:
        tried = f"a sender tries {first} first" if first else "none of the hosts has an address"
        return f"{domain} takes mail; {tried}."
    return {
        "null": f"{domain} takes no mail (null MX).",
        "none": f"mail for {domain} bounces: there is nowhere to take it.",
        "unknown": f"the DNS did not say where {domain} takes its mail.",
    }[found.fate]


def _label(each: Exchanger) -> str:
    return "implicit" if each.preference is None else f"MX {each.preference}"


def _told(each: Exchanger) -> str:
    addresses = ", ".join(each.addresses) or {
        "none": "no address",
        "unknown": "address unknown: the DNS failed",
    }.get(each.state, "")
    return f"{render.shown_name(each.host)}  {addresses}"


LOOKUP = Lookup("mx", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
