"""`dmarc`: the policy for a domain, and the walk that leads to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import base, render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.dmarc import DmarcFinding
    from smtpshell.lookup.dmarc_record import DmarcRecord


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", metavar="DOMAIN", help="the domain of the From field")
    parser.add_argument(
        "--spf", action="append", default=[], metavar="DOMAIN", help="does an SPF pass align?"
    )
    parser.add_argument(
        "--dkim", action="append", default=[], metavar="DOMAIN", help="does a signature's d= align?"
    )
    base.add_record(parser)


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import dmarc, dmarc_record

    base.one_of(options, "domain", "record")
    if options.record is not None:
        parsed = dmarc_record.parse_record(base.record_text(options.record))
        yield Result(parsed.to_json(), _record_report(parsed), render.status(parsed))
        return
    found = await dmarc.lookup(scene.resolver, options.domain, spf=options.spf, dkim=options.dkim)
    yield Result(render.with_unicode(found.to_json()), report(found), render.status(found))


def report(found: DmarcFinding) -> Report:
    """Return a DMARC finding for people."""
    record = found.record
    return [
        *render.verdict(found, _sentence(found)),
        *render.facts(
            [
                ("record", record.text if record else "none"),
                ("stands at", f"_dmarc.{found.policy_domain}" if found.policy_domain else ""),
                ("organization", found.org or "unknown"),
                *(_tags(record) if record else []),
            ]
        ),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


def _sentence(found: DmarcFinding) -> str:
    domain = render.shown_name(found.domain)
    if found.result == "temperror":
        return f"the DNS did not say which DMARC policy {domain} has."
    if found.result == "none":
        return f"DMARC does not apply to {domain}."
    source = "its own record" if found.policy_domain == found.domain else found.policy_domain
    return f"the DMARC policy for {domain} is {found.policy} ({found.tag} of {source})."


def _tags(record: DmarcRecord) -> list[tuple[str, str]]:
    modes = {"r": "relaxed", "s": "strict"}
    return [
        ("policies", ", ".join(_policies(record))),
        ("alignment", f"DKIM {modes[record.adkim]}, SPF {modes[record.aspf]}"),
        ("reports to", ", ".join(record.rua)),
        ("failures to", ", ".join(record.ruf)),
        ("psd, test", f"psd={record.psd}, t={record.t}"),
    ]


def _policies(record: DmarcRecord) -> list[str]:
    given = (("p", record.p), ("sp", record.sp), ("np", record.np))
    return [f"{name}={value}" for name, value in given if value] or ["none that can be used"]


def _record_report(record: DmarcRecord) -> Report:
    words = {
        "apply": "the record can be used.",
        "p=none because rua is valid": "the record is faulty; receivers act as if p=none.",
        "no DMARC processing": "the record cannot be used; receivers do no DMARC processing.",
        "not a DMARC record": "this is no DMARC record.",
    }[record.action]
    return [
        *render.verdict(record, words),
        *render.facts([("record", record.text), *(_tags(record) if record.is_dmarc else [])]),
        *render.problems(record.problems),
    ]


LOOKUP = Lookup("dmarc", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
