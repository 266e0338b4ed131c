"""DMARC for one domain: which record applies, what it asks for here, and how that was found.

Policy discovery (RFC 9989 section 4.10.1) prefers the author domain's own record, then that of its
Organizational Domain, then that of its Public Suffix Domain. An inherited record speaks through
`sp` when the author domain exists and through `np` when it does not; `t=y` then takes the policy
one level down. A DNS failure on the way is neither "no record" nor a policy: the result is
`temperror`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from smtpshell.lookup import dmarc_align, dmarc_reports, dmarc_story, dmarc_walk
from smtpshell.lookup.dmarc_tags import milder
from smtpshell.lookup.finding import Problem, Step, problems_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.dmarc_align import Alignment
    from smtpshell.lookup.dmarc_record import DmarcRecord
    from smtpshell.lookup.dmarc_reports import Destination
    from smtpshell.lookup.dmarc_walk import Stop, Walk
    from smtpshell.lookup.resolver import Resolver

Result = Literal["apply", "none", "temperror"]


@dataclass(frozen=True, slots=True)
class DmarcFinding:
    """What DMARC says about one author domain.

    `result` is `apply` (a policy is in force), `none` (DMARC does not apply) or `temperror`.
    `policy` is the policy for this very name after `t=y`, `tag` the tag it came from (`p`, `sp` or
    `np`), `policy_domain` where the record stands, `org` the Organizational Domain. `queries` are
    the names policy discovery needs, in order; those of the walk for `org` are in `walk`.
    `exists` tells whether the author domain exists, None when the DNS did not say.
    """

    domain: str
    result: Result
    walk: Walk
    policy_domain: str | None = None
    policy: str | None = None
    tag: str | None = None
    queries: tuple[str, ...] = ()
    record: DmarcRecord | None = None
    exists: bool | None = None
    alignments: tuple[Alignment, ...] = ()
    destinations: tuple[Destination, ...] = ()
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def org(self) -> str | None:
        """The Organizational Domain, or None when the DNS did not let it be found."""
        return self.walk.org

    @property
    def unanswered(self) -> bool:
        """True when the DNS gave no answer that decides."""
        return self.result == "temperror"

    def to_json(self) -> dict[str, object]:
        """Return the finding as a JSON object."""
        return {
            "domain": self.domain,
            "result": self.result,
            "org": self.org,
            "policy_domain": self.policy_domain,
            "policy": self.policy,
            "tag": self.tag,
            "queries": list(self.queries),
            "org_walk_queries": list(self.walk.queries),
            "record": self.record.text if self.record else None,
            "exists": self.exists,
            "walk": [stop.to_json() for stop in self.walk.stops],
            "parsed": self.record.to_json() if self.record else None,
            "aligned": self.alignments[0].aligned if len(self.alignments) == 1 else None,
            "alignment": [each.to_json() for each in self.alignments],
            "external": [each.to_json() for each in self.destinations],
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


async def lookup(
    resolver: Resolver,
    domain: str,
    *,
    spf: Sequence[str] = (),
    dkim: Sequence[str] = (),
    reports: bool = True,
) -> DmarcFinding:
    """Find the DMARC policy for an author domain; never raises.

    `spf` and `dkim` are domains to judge the alignment of. With `reports`, the destinations of
    reports outside the domain are asked whether they agree.
    """
    author = dmarc_walk.fold(domain)
    question = asyncio.ensure_future(resolver.ask(author, "A"))
    try:
        walk = await dmarc_walk.walk(resolver, author)
        decided = _discover(author, walk)
        inherits = decided is not None and decided.domain != author
        address = await question if inherits or (decided is None and not walk.failed) else None
    finally:
        question.cancel()
    record = decided.record if decided else None
    strictness = (record.aspf, record.adkim) if record else ("r", "r")
    alignments, destinations = await asyncio.gather(
        asyncio.gather(
            *(dmarc_align.align(resolver, walk, name, "spf", strictness[0]) for name in spf),
            *(dmarc_align.align(resolver, walk, name, "dkim", strictness[1]) for name in dkim),
        ),
        dmarc_reports.destinations(resolver, decided.domain, record)
        if reports and decided and record
        else _nothing(),
    )
    finding = replace(
        _conclude(author, walk, decided, existence(address)),
        alignments=tuple(alignments),
        destinations=destinations,
    )
    return replace(
        finding, problems=dmarc_story.problems(finding), trace=dmarc_story.trace(finding, address)
    )


async def _nothing() -> tuple[Destination, ...]:
    return ()


def _discover(author: str, walk: Walk) -> Stop | None:
    """Return the stop whose record holds the policy (RFC 9989 section 4.10.1)."""
    own = walk.at(author)
    if own is not None and own.record is not None:
        return own
    if walk.failed is not None or walk.org is None:
        return None
    at_org = walk.at(walk.org)
    return at_org if at_org is not None and at_org.record is not None else walk.psd


def _conclude(author: str, walk: Walk, decided: Stop | None, exists: bool | None) -> DmarcFinding:
    record = decided.record if decided else None
    if decided is None or record is None:
        result: Result = "temperror" if walk.failed else "none"
        return DmarcFinding(author, result, walk, queries=walk.queries, exists=exists)
    own = decided.domain == author
    tag, policy = effective(record, own=own, exists=exists) if record.usable else (None, None)
    return DmarcFinding(
        domain=author,
        result="apply" if record.usable else "none",
        walk=walk,
        policy_domain=decided.domain,
        policy=policy,
        tag=tag,
        queries=walk.queries[:1] if own else walk.queries,
        record=record,
        exists=exists,
    )


def existence(address: Answer | None) -> bool | None:
    """Tell whether a name exists, from a question for any type; None when the DNS did not say.

    Only NXDOMAIN at the name itself means that it does not exist: with a CNAME in between, the
    name exists and its target does not (RFC 9989 appendix A.4).
    """
    if address is None or address.failed:
        return None
    return address.status != "nxdomain" or bool(address.chain)


def effective(record: DmarcRecord, *, own: bool, exists: bool | None) -> tuple[str, str]:
    """Return the tag that counts and the policy it asks for, `t=y` applied.

    `own`: the record stands at the author domain itself. A name of which nobody knows whether it
    exists is taken to exist. The record must be usable.
    """
    order: tuple[str, ...] = ("p",)
    if not own:
        order = ("np", "sp", "p") if exists is False else ("sp", "p")
    values = {"p": record.p, "sp": record.sp, "np": record.np}
    tag = next(name for name in order if values[name] is not None)
    policy = values[tag] or "none"
    return tag, milder(policy) if record.t == "y" else policy
