"""`spf`: who may send for a domain, for one sender or for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import base, render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene
from smtpshell.protocol.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.spf import RecordFinding, SpfFinding


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", metavar="DOMAIN")
    parser.add_argument("--ip", metavar="IP", help="the client's address; without it, all senders")
    parser.add_argument("--sender", metavar="ADDRESS", help="reverse-path; empty: the HELO name's")
    parser.add_argument("--helo", metavar="NAME", help="the name the client greets with")
    parser.add_argument("--receiver", metavar="NAME", default="unknown", help="for explanations")
    base.add_record(parser)


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import spf

    base.one_of(options, "domain", "sender", "helo", "record")
    record = None if options.record is None else base.record_text(options.record)
    domain = options.domain or ""
    if record is not None and not (domain or options.ip or options.sender or options.helo):
        parsed = spf.parse_record(record)
        yield Result(parsed.to_json(), _record_report(parsed), render.status(parsed))
        return
    try:
        found = await spf.lookup(
            scene.resolver,
            domain,
            ip=options.ip,
            sender=options.sender or None,
            helo=options.helo,
            receiver=options.receiver,
            record=record,
        )
    except ValueError as fault:
        raise UsageError(str(fault), options.ip or "") from None
    yield Result(render.with_unicode(found.to_json()), report(found), render.status(found))


def report(found: SpfFinding) -> Report:
    """Return an SPF finding for people."""
    return [
        *render.verdict(found, _sentence(found)),
        *render.facts(_facts(found)),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


def _sentence(found: SpfFinding) -> str:
    who = found.identity
    domain = render.shown_name(who.domain)
    if who.ip is None:
        cost = found.worst_case or 0
        return f"SPF of {domain}: at worst {cost} of 10 look-ups; strangers get {found.result}."
    return f"SPF says {found.result} for {who.ip} sending as {who.sender}: {found.reason}."


def _facts(found: SpfFinding) -> list[tuple[str, str]]:
    families = [
        f"{name}: {worst.result}, at worst {worst.lookups} look-ups, {worst.void_lookups} void"
        for name, worst in found.families
    ]
    return [
        ("record", found.record or "none"),
        ("explanation", found.explanation or ""),
        ("look-ups", f"{found.lookups} of 10, void {found.void_lookups} of 2"),
        *((family.partition(":")[0], family.partition(": ")[2]) for family in families),
    ]


def _record_report(found: RecordFinding) -> Report:
    words = "is valid" if found.valid else "is not valid"
    terms = [(term.text, term.kind.summary) for term in found.record.terms]
    return [
        *render.verdict(found, f"the SPF record {words}; it asks the DNS {found.lookups} times."),
        *render.facts([("record", found.record.text), *terms]),
        *render.problems(found.problems),
    ]


LOOKUP = Lookup("spf", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
