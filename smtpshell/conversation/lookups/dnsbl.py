"""`dnsbl`: whether block lists hold an address, or those of a domain's mail hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.dnsbl import DnsblFinding


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", metavar="IP|DOMAIN")
    parser.add_argument("given", nargs="*", metavar="LIST", help="ask these, not the usual lists")
    parser.add_argument("--list", dest="lists", action="append", default=[], metavar="LIST")
    parser.add_argument("--test", action="store_true", help="ask whether the lists are in order")


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import dnsbl

    zones = (*options.given, *options.lists) or dnsbl.LISTS
    found = await dnsbl.lookup(scene.resolver, options.subject, zones=zones)
    facts, rows = found.to_json(), report(found)
    if options.test:
        working = {zone: await _in_order(scene, zone) for zone in zones}
        facts["in_order"] = working
        rows += render.facts((zone, _words(state)) for zone, state in working.items())
    yield Result(render.with_unicode(facts), rows, render.status(found))


async def _in_order(scene: Scene, zone: str) -> bool | None:
    from smtpshell.lookup import dnsbl

    listed, unlisted = await dnsbl.test(scene.resolver, zone)
    if "failed" in {listed.status, unlisted.status}:
        return None
    return listed.listed and not unlisted.listed


def _words(state: bool | None) -> str:
    return {True: "in order", False: "NOT in order", None: "no answer"}[state]


def report(found: DnsblFinding) -> Report:
    """Return what the lists say, for people."""
    held = [listing for listing in found.listings if listing.listed]
    subject = render.shown_name(found.domain)
    sentence = f"{subject} is on {len(held)} of {len(found.listings)} lists asked."
    if not found.listings:
        sentence = f"{subject} has no address to ask about."
    return [
        *render.verdict(found, sentence),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


LOOKUP = Lookup("dnsbl", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
