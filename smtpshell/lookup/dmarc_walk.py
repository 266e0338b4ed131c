"""The DNS Tree Walk of RFC 9989: from a name up towards the root, eight questions at most.

The walk replaced the public suffix list. It answers two questions about a name: which record holds
the policy for it (section 4.10.1) and which ancestor is its Organizational Domain (section 4.10.2).
Both read the same answers; they differ only in where they may stop. A walk here is therefore a
value: the stops in order, each with what was found there. All names are asked at once, and the
answers are then read in order, up to the stop at which the walk ends, so asking early changes no
result; a name the walk does not reach is not waited for.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from smtpshell.lookup import dmarc_record, names
from smtpshell.lookup.answer import Answer, plain

if TYPE_CHECKING:
    from smtpshell.lookup.dmarc_record import DmarcRecord
    from smtpshell.lookup.resolver import Resolver

QUERIES: Final = 8  # RFC 9989 4.10: at most eight, whatever the number of labels


@dataclass(frozen=True, slots=True)
class Stop:
    """One name of a walk: the domain, the answer at `_dmarc` below it, the record that counts.

    `texts` are all TXT records there. `record` is None when there is none or more than one.
    `rivals` counts the DMARC records when they discard each other.
    """

    domain: str
    answer: Answer
    texts: tuple[str, ...] = ()
    record: DmarcRecord | None = field(default=None, repr=False)
    rivals: int = 0

    @property
    def query(self) -> str:
        """The name that was asked, without a dot at the end."""
        return query_name(self.domain)

    @property
    def outcome(self) -> str:
        """What was found at this name, in words."""
        if self.rivals:
            return f"{self.rivals} DMARC records: all are discarded"
        if self.record is not None:
            psd = f", psd={self.record.psd}" if self.record.psd != "u" else ""
            return f"a DMARC record{psd}"
        if self.answer.ok:
            return "TXT records, but no DMARC record"
        return self.answer.meaning

    def to_json(self) -> dict[str, object]:
        """Return the stop as a JSON object."""
        return {
            "name": self.query,
            "status": self.answer.status,
            "records": list(self.texts),
            "outcome": self.outcome,
        }


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk from `start`: the stops up to where it ended.

    `org` is the Organizational Domain, `why_org` the rule that chose it; `org` is None when a
    question on the way was not answered (`failed`), for then nobody knows.
    """

    start: str
    stops: tuple[Stop, ...]
    org: str | None
    why_org: str
    failed: Stop | None = None

    @property
    def queries(self) -> tuple[str, ...]:
        """The names asked, in order."""
        return tuple(stop.query for stop in self.stops)

    def at(self, domain: str) -> Stop | None:
        """Return the stop at a domain, or None when the walk did not come there."""
        return next((stop for stop in self.stops if stop.domain == domain), None)

    @property
    def psd(self) -> Stop | None:
        """The stop whose record declares a public suffix above the start, if there is one."""
        return next((stop for stop in self.stops if _declares_suffix(stop, self.start)), None)


def query_name(domain: str) -> str:
    """Return the name a domain's DMARC record stands at."""
    return f"_dmarc.{domain}"


def targets(domain: str) -> tuple[str, ...]:
    """Return the domains a full walk visits, the start first (RFC 9989 section 4.10).

    `domain` is in lower case without a dot at the end. Eight labels or more are cut to seven after
    the start; then one label is dropped at a time.

    >>> targets("a.mail.example.com")
    ('a.mail.example.com', 'mail.example.com', 'example.com', 'com')
    """
    labels = domain.split(".")
    parents = labels[1:] if len(labels) < QUERIES else labels[-(QUERIES - 1) :]
    return (domain, *(".".join(parents[count:]) for count in range(len(parents))))


def read_stop(domain: str, answer: Answer) -> Stop:
    """Judge the answer at one name: several DMARC records discard each other."""
    texts = tuple(str(plain(octets)) for octets in answer.records) if answer.ok else ()
    found = [text for text in texts if dmarc_record.is_dmarc(text)]
    if len(found) > 1:
        return Stop(domain, answer, texts, rivals=len(found))
    record = dmarc_record.parse_record(found[0]) if found else None
    return Stop(domain, answer, texts, record)


def select(start: str, stops: tuple[Stop, ...]) -> tuple[str, str]:
    """Return the Organizational Domain and the rule that chose it (RFC 9989 section 4.10.2)."""
    holders = [stop for stop in stops if stop.record is not None]
    for stop in holders:
        if stop.record is not None and stop.record.psd == "n":
            return stop.domain, f"{stop.query} says psd=n"
        if _declares_suffix(stop, start):
            below = _child(stop.domain, start)
            return below, f"{stop.query} says psd=y: one label below it"
    if holders:
        return holders[-1].domain, "the name with the fewest labels that has a record"
    return start, "no record on the way: the name itself"


def _declares_suffix(stop: Stop, start: str) -> bool:
    return stop.record is not None and stop.record.psd == "y" and stop.domain != start


def _child(parent: str, start: str) -> str:
    count = parent.count(".") + 2
    return ".".join(start.split(".")[-count:])


def ends(stop: Stop, start: str) -> bool:
    """Tell whether a walk ends at this stop: psd=n, or psd=y at a name other than the start."""
    return stop.record is not None and (stop.record.psd == "n" or _declares_suffix(stop, start))


def fold(domain: str) -> str:
    """Return a domain as the walk spells it: A-labels, lower case, no dot at the end."""
    return names.normal(domain.strip())


async def walk(resolver: Resolver, domain: str) -> Walk:
    """Walk from a domain to find its Organizational Domain; never raises.

    A question without an answer ends the walk with `org` None: a record might have stood there.
    """
    start = fold(domain)
    domains = targets(start)
    asked = [asyncio.ensure_future(resolver.ask(query_name(name), "TXT")) for name in domains]
    stops: list[Stop] = []
    try:
        for name, answer in zip(domains, asked, strict=True):
            stop = read_stop(name, await answer)
            stops.append(stop)
            if stop.answer.failed:
                return Walk(start, tuple(stops), None, "unknown", stop)
            if ends(stop, start):
                break
    finally:
        for answer in asked:
            answer.cancel()
    return Walk(start, tuple(stops), *select(start, tuple(stops)))
