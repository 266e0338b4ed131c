"""`mta-sts`: the record, the policy it announces, and whether that covers the MX hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import base, render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene

if TYPE_CHECKING:
    import argparse
    import ssl
    from collections.abc import AsyncIterator

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.mta_sts import StsFinding
    from smtpshell.lookup.mta_sts_record import StsPolicy, StsRecord


def add_fetching(parser: argparse.ArgumentParser) -> None:
    """Add what a fetch may need in a network of one's own."""
    group = parser.add_argument_group("fetching the policy")
    group.add_argument(
        "--port", type=base.port_number, default=443, metavar="N", help="of the web server"
    )
    group.add_argument("--ca", metavar="FILE", help="authorities to trust (PEM)")


def context(scene: Scene, options: argparse.Namespace) -> ssl.SSLContext | None:
    """Return the trust for a fetch: the authorities given, or None for the system's own."""
    given = options.ca or scene.settings["ca"]
    if not given:
        return None
    import ssl
    from pathlib import Path

    from smtpshell.protocol.errors import FileError, UsageError

    try:
        folder = Path(given).is_dir()
        return ssl.create_default_context(
            cafile=None if folder else given, capath=given if folder else None
        )
    except ssl.SSLError:
        raise UsageError("the file holds no certificates", given, "It must be PEM.") from None
    except OSError as error:
        raise FileError.from_os(error, given, "read") from error


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", metavar="DOMAIN")
    base.add_record(parser)
    add_fetching(parser)


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import mta_sts, mta_sts_record

    base.one_of(options, "domain", "record")
    if options.record is not None:
        parsed = mta_sts_record.parse_record(base.record_text(options.record))
        yield Result(parsed.to_json(), _record_report(parsed), render.status(parsed))
        return
    found = await mta_sts.lookup(
        scene.resolver, options.domain, port=options.port, context=context(scene, options)
    )
    yield Result(render.with_unicode(found.to_json()), report(found), render.status(found))


def report(found: StsFinding) -> Report:
    """Return an MTA-STS finding for people."""
    domain = render.shown_name(found.domain)
    sentence = {
        "ok": f"{domain} has an MTA-STS policy" + (f" (mode {found.mode})." if found.mode else "."),
        "none": f"{domain} has no MTA-STS policy.",
        "invalid": f"the MTA-STS policy of {domain} does not work.",
        "temperror": f"the DNS did not say whether {domain} has an MTA-STS policy.",
    }[found.result]
    return [
        *render.verdict(found, sentence),
        *render.facts([("record", found.record.text if found.record else "")]),
        *(policy_facts(found.policy) if found.policy else []),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


def policy_facts(policy: StsPolicy) -> Report:
    """Return a policy's fields."""
    return render.facts(
        [
            ("mode", policy.mode or ""),
            ("max_age", "" if policy.max_age is None else _age(policy.max_age)),
            ("mx", ", ".join(policy.mx)),
            *policy.extensions,
        ]
    )


def _age(seconds: int) -> str:
    days = seconds / 86_400
    return f"{seconds} seconds ({days:.0f} days)" if days >= 1 else f"{seconds} seconds"


def _record_report(record: StsRecord) -> Report:
    sentence = "the record is valid." if record.valid else "the record is not valid."
    return [
        *render.verdict(record, sentence),
        *render.facts([("record", record.text), ("id", record.id or ""), *record.extensions]),
        *render.problems(record.problems),
    ]


LOOKUP = Lookup("mta-sts", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
