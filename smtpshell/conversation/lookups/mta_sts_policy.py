"""`mta-sts-policy`: a policy alone, fetched from the domain's web server or given as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import FINE, NO_ANSWER, PROBLEM, base, render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene
from smtpshell.conversation.lookups.mta_sts import add_fetching, context, policy_facts
from smtpshell.conversation.report import Row

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.mta_sts_fetch import Fetch
    from smtpshell.lookup.mta_sts_record import StsPolicy


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", metavar="DOMAIN")
    base.add_record(parser, "policy, its lines parted by \\n")
    add_fetching(parser)


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import mta_sts_fetch, mta_sts_record, names

    base.one_of(options, "domain", "record")
    if options.record is not None:
        policy = mta_sts_record.parse_policy(base.record_text(options.record, lines=True))
        yield Result(policy.to_json(), _report(policy), render.status(policy))
        return
    domain = names.normal(options.domain)
    trust = context(scene, options)
    fetched = await mta_sts_fetch.fetch(scene.resolver, domain, port=options.port, context=trust)
    if not fetched.valid:
        yield _unfetched(domain, fetched)
        return
    policy = mta_sts_record.parse_policy(fetched.text)
    facts = {"domain": domain, **policy.to_json(), "http": fetched.to_json()}
    status = FINE if policy.valid else PROBLEM
    yield Result(render.with_unicode(facts), [*_report(policy), _source(fetched)], status)


def _unfetched(domain: str, fetched: Fetch) -> Result:
    facts = {
        "domain": domain,
        "valid": False,
        "why": fetched.fault,
        "http": fetched.to_json(),
        "problems": [],
    }
    word, style = render.STANDINGS["unanswered" if fetched.unanswered else "error"]
    rows = render.wrapped(f"{word}: no policy at {fetched.url}: {fetched.fault}.", style)
    status = NO_ANSWER if fetched.unanswered else PROBLEM
    return Result(render.with_unicode(facts), rows, status)


def _source(fetched: Fetch) -> Row:
    return Row(f"fetched from {fetched.url} in {fetched.ms:.0f} ms", "dim", 1)


def _report(policy: StsPolicy) -> Report:
    sentence = "the policy is valid." if policy.valid else f"not a valid policy ({policy.why})."
    return [
        *render.verdict(policy, sentence),
        *policy_facts(policy),
        *render.problems(policy.problems),
    ]


LOOKUP = Lookup("mta-sts-policy", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
