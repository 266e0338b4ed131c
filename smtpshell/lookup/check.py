"""Everything about a domain's mail as one report: each area looked up at once, one verdict.

The areas are a table: what is asked, whether it concerns mail that comes in (and so does not
matter for a domain that takes none), and whether an unanswered question there leaves the verdict
open. Each area keeps its own finding; a check adds nothing to them but their sum.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal

from smtpshell.lookup import bimi, dane, dkim, dmarc, dnsbl, mta_sts, mx, names, ptr, spf, tlsrpt
from smtpshell.lookup.finding import Finding, Problem, Step, unanswered, worst

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from smtpshell.lookup.resolver import Resolver

Verdict = Literal["ok", "problem", "unanswered"]

CONCURRENCY: Final = 20  # domains looked up at once
AHEAD: Final = 10  # times as many may wait for their turn to be told
REVERSE: Final = 4  # addresses of mail hosts whose names are looked up
FETCH: Final = 10.0  # seconds for an MTA-STS policy


@dataclass(frozen=True, slots=True)
class Options:
    """What a check does beyond the DNS records of the domain itself.

    `selectors` are DKIM selectors to look for; `lists` the block lists to ask (none: not asked);
    `bimi` the BIMI selector; `fetch` bounds the fetch of an MTA-STS policy, in seconds.
    """

    selectors: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    bimi: str = "default"
    fetch: float = FETCH


@dataclass(frozen=True, slots=True)
class Kind:
    """One area: its name, its title, how it is looked up; `decides`: without it no verdict."""

    name: str
    title: str
    run: Callable[[Resolver, str, Options], Awaitable[tuple[tuple[str, Finding], ...]]]
    inbound: bool = False
    decides: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """What was found in one area; `subject` is the domain, selector or address it is about."""

    name: str
    title: str
    subject: str
    finding: Finding = field(repr=False)
    problems: tuple[Problem, ...] = ()
    decides: bool = False

    @property
    def unanswered(self) -> bool:
        """True when the DNS gave no answer that decides."""
        return unanswered(self.finding)

    @property
    def verdict(self) -> Verdict:
        """What became of this area."""
        if self.unanswered:
            return "unanswered"
        return "problem" if worst(self.problems) == "error" else "ok"


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """All areas of a domain, in a fixed order."""

    domain: str
    areas: tuple[Area, ...]

    @property
    def unanswered(self) -> bool:
        """True when an area that decides was not answered."""
        return any(area.unanswered and area.decides for area in self.areas)

    @property
    def verdict(self) -> Verdict:
        """`unanswered` when nobody knows, `problem` when an area has an error, else `ok`."""
        if self.unanswered:
            return "unanswered"
        return "problem" if worst(self.problems) == "error" else "ok"

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems of all areas, the gravest first, else in the order of the areas."""
        order = ("error", "warning", "info")
        found = [problem for area in self.areas for problem in area.problems]
        return tuple(sorted(dict.fromkeys(found), key=lambda each: order.index(each.severity)))

    @property
    def trace(self) -> tuple[Step, ...]:
        """One step for each area, with that area's own trace below it."""
        return tuple(
            Step(f"{area.title} of {area.subject}", area.verdict, steps=trace_of(area.finding))
            for area in self.areas
        )

    def area(self, name: str) -> Area | None:
        """Return the first area of that name, or None."""
        return next((area for area in self.areas if area.name == name), None)

    def to_json(self) -> dict[str, object]:
        """Return the check as a JSON object; each area under its name, lists where it repeats."""
        severities = [problem.severity for problem in self.problems]
        areas: dict[str, Any] = {}
        for area in self.areas:
            facts = {"verdict": area.verdict, **area.finding.to_json()}
            if area.name in REPEATED:
                areas.setdefault(area.name, []).append(facts)
            else:
                areas[area.name] = facts
        problems = [
            {"area": area.name, "subject": area.subject, **problem.to_json()}
            for area in self.areas
            for problem in area.problems
        ]
        return {
            "domain": self.domain,
            "verdict": self.verdict,
            "errors": severities.count("error"),
            "warnings": severities.count("warning"),
            "problems": problems,
            "areas": areas,
        }


def trace_of(finding: object) -> tuple[Step, ...]:
    """Return a finding's trace, empty where it keeps none."""
    return tuple(getattr(finding, "trace", ()))


async def _mx(resolver: Resolver, domain: str, _: Options) -> tuple[tuple[str, Finding], ...]:
    return ((domain, await mx.lookup(resolver, domain)),)


async def _spf(resolver: Resolver, domain: str, _: Options) -> tuple[tuple[str, Finding], ...]:
    return ((domain, await spf.lookup(resolver, domain)),)


async def _dmarc(resolver: Resolver, domain: str, _: Options) -> tuple[tuple[str, Finding], ...]:
    return ((domain, await dmarc.lookup(resolver, domain)),)


async def _dkim(
    resolver: Resolver, domain: str, options: Options
) -> tuple[tuple[str, Finding], ...]:
    found = await asyncio.gather(
        *(dkim.lookup(resolver, selector, domain) for selector in options.selectors)
    )
    return tuple(zip(options.selectors, found, strict=True))


async def _sts(
    resolver: Resolver, domain: str, options: Options
) -> tuple[tuple[str, Finding], ...]:
    return ((domain, await mta_sts.lookup(resolver, domain, timeout=options.fetch)),)


async def _tlsrpt(resolver: Resolver, domain: str, _: Options) -> tuple[tuple[str, Finding], ...]:
    return ((domain, await tlsrpt.lookup(resolver, domain)),)


async def _dane(resolver: Resolver, domain: str, _: Options) -> tuple[tuple[str, Finding], ...]:
    return ((domain, await dane.lookup(resolver, domain)),)


async def _bimi(
    resolver: Resolver, domain: str, options: Options
) -> tuple[tuple[str, Finding], ...]:
    return ((domain, await bimi.lookup(resolver, domain, selector=options.bimi)),)


async def _ptr(resolver: Resolver, domain: str, _: Options) -> tuple[tuple[str, Finding], ...]:
    hosts = await mx.lookup(resolver, domain)
    addresses = list(dict.fromkeys(a for each in hosts.exchangers for a in each.addresses))[
        :REVERSE
    ]
    found = await asyncio.gather(*(ptr.lookup(resolver, address) for address in addresses))
    return tuple(zip(addresses, found, strict=True))


async def _dnsbl(
    resolver: Resolver, domain: str, options: Options
) -> tuple[tuple[str, Finding], ...]:
    if not options.lists:
        return ()
    return ((domain, await dnsbl.lookup(resolver, domain, zones=options.lists)),)


KINDS: Final = (
    Kind("mx", "Mail hosts", _mx, decides=True),
    Kind("spf", "SPF", _spf, decides=True),
    Kind("dmarc", "DMARC", _dmarc, decides=True),
    Kind("dkim", "DKIM key", _dkim),
    Kind("mta-sts", "MTA-STS", _sts, inbound=True),
    Kind("tlsrpt", "TLS reporting", _tlsrpt, inbound=True),
    Kind("tlsa", "DANE", _dane, inbound=True),
    Kind("ptr", "Reverse DNS", _ptr, inbound=True),
    Kind("bimi", "BIMI", _bimi),
    Kind("dnsbl", "Block lists", _dnsbl, inbound=True),
)
REPEATED: Final = frozenset({"dkim", "ptr"})


async def check(resolver: Resolver, domain: str, options: Options | None = None) -> CheckFinding:
    """Look every area of a domain up at once; never raises."""
    wanted = options or Options()
    name = names.normal(domain)
    found = await asyncio.gather(*(kind.run(resolver, name, wanted) for kind in KINDS))
    areas = tuple(
        Area(kind.name, kind.title, subject, finding, finding.problems, kind.decides)
        for kind, findings in zip(KINDS, found, strict=True)
        for subject, finding in findings
    )
    return CheckFinding(name, tuple(_relevant(areas)))


def _relevant(areas: tuple[Area, ...]) -> Iterator[Area]:
    """Leave out what does not concern the domain, and weigh what is said of its mail hosts.

    A name that does not exist needs no further reproach; a domain that takes no mail needs no
    protection for mail on its way in. The names of hosts that receive matter less than those of
    hosts that send, and the two are often the same, so an error there is told as a warning.
    """
    exchange = next(each.finding for each in areas if isinstance(each.finding, mx.MxFinding))
    inbound = {kind.name for kind in KINDS if kind.inbound}
    for area in areas:
        if exchange.answer.status in {"nxdomain", "badname"} and area.name != "mx":
            continue
        if area.name in inbound and exchange.fate in {"null", "none"}:
            continue
        if area.name == "ptr":
            yield replace(area, problems=tuple(map(_milder, area.problems)))
        else:
            yield area


def _milder(problem: Problem) -> Problem:
    return replace(problem, severity="warning") if problem.severity == "error" else problem


async def check_many(
    resolver: Resolver,
    domains: Sequence[str],
    options: Options | None = None,
    *,
    concurrency: int = CONCURRENCY,
    done: Callable[[int], None] | None = None,
) -> AsyncIterator[CheckFinding]:
    """Check many domains, `concurrency` at a time, and yield them in the order given.

    `done` is called with the number finished after each one, for a progress display. One resolver
    serves all, so what they have in common is asked once.
    """
    gate = asyncio.Semaphore(concurrency)
    finished = 0

    async def one(domain: str) -> CheckFinding:
        nonlocal finished
        async with gate:
            found = await check(resolver, domain, options)
        finished += 1
        if done is not None:
            done(finished)
        return found

    waiting: deque[asyncio.Task[CheckFinding]] = deque()
    remaining = iter(domains)
    try:
        while True:
            while len(waiting) < concurrency * AHEAD and (more := list(islice(remaining, 1))):
                waiting.append(asyncio.create_task(one(more[0])))
            if not waiting:
                return
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()
