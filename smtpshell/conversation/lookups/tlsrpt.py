"""`tlsrpt`: where senders report that they failed to encrypt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import base, render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.tlsrpt import TlsRptFinding
    from smtpshell.lookup.tlsrpt_record import TlsRptRecord


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", metavar="DOMAIN")
    base.add_record(parser)


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import tlsrpt, tlsrpt_record

    base.one_of(options, "domain", "record")
    if options.record is not None:
        parsed = tlsrpt_record.parse_record(base.record_text(options.record))
        yield Result(parsed.to_json(), _record_report(parsed), render.status(parsed))
        return
    found = await tlsrpt.lookup(scene.resolver, options.domain)
    yield Result(render.with_unicode(found.to_json()), report(found), render.status(found))


def report(found: TlsRptFinding) -> Report:
    """Return a TLS reporting finding for people."""
    domain = render.shown_name(found.domain)
    sentence = {
        "ok": f"TLS failures of mail to {domain} are reported.",
        "none": f"TLS failures of mail to {domain} are reported to nobody.",
        "invalid": f"the TLS reporting of {domain} is broken.",
        "temperror": f"the DNS did not say where TLS failures of {domain} are reported.",
    }[found.result]
    return [
        *render.verdict(found, sentence),
        *render.facts(_facts(found.record)),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


def _facts(record: TlsRptRecord | None) -> list[tuple[str, str]]:
    if record is None:
        return []
    return [("record", record.text), ("reports to", ", ".join(record.rua))]


def _record_report(record: TlsRptRecord) -> Report:
    sentence = "the record is valid." if record.valid else "the record is not valid."
    return [
        *render.verdict(record, sentence),
        *render.facts(_facts(record)),
        *render.problems(record.problems),
    ]


LOOKUP = Lookup("tlsrpt", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
