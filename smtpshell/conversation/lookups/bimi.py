"""`bimi`: the logo that may stand beside a domain's mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import base, render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.bimi import BimiFinding
    from smtpshell.lookup.bimi_record import BimiRecord


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", metavar="DOMAIN")
    parser.add_argument("--selector", default="default", metavar="NAME")
    base.add_record(parser)


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import bimi, bimi_record

    base.one_of(options, "domain", "record")
    if options.record is not None:
        parsed = bimi_record.parse_record(base.record_text(options.record))
        yield Result(parsed.to_json(), _record_report(parsed), render.status(parsed))
        return
    found = await bimi.lookup(scene.resolver, options.domain, selector=options.selector)
    yield Result(render.with_unicode(found.to_json()), report(found), render.status(found))


def report(found: BimiFinding) -> Report:
    """Return a BIMI finding for people."""
    domain = render.shown_name(found.domain)
    sentence = {
        "ok": f"{domain} publishes a logo.",
        "declined": f"{domain} asks that no logo be shown.",
        "none": f"{domain} publishes no logo.",
        "invalid": f"the BIMI record of {domain} is broken.",
        "temperror": f"the DNS did not say whether {domain} publishes a logo.",
    }[found.result]
    enforced = {True: "enforced, so a logo may show", False: "not enforced", None: "unknown"}
    return [
        *render.verdict(found, sentence),
        *render.facts([*_facts(found.record), ("DMARC", enforced[found.enforced])]),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


def _facts(record: BimiRecord | None) -> list[tuple[str, str]]:
    if record is None:
        return []
    return [("record", record.text), ("logo", record.l or ""), ("certificate", record.a or "")]


def _record_report(record: BimiRecord) -> Report:
    sentence = "the record is valid." if record.valid else "the record is not valid."
    return [
        *render.verdict(record, sentence),
        *render.facts(_facts(record)),
        *render.problems(record.problems),
    ]


LOOKUP = Lookup("bimi", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
