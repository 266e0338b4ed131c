"""DANE for SMTP: which TLSA records bind a mail host, and who says that they may be believed.

A TLSA record counts only when the whole way to it is signed (RFC 7672 section 2.2): the MX records,
the host's addresses and the TLSA answer. This program does not validate signatures itself; it
believes the AD bit of a validating resolver on this host and names that resolver. Anything less is
`insecure`, which a sender treats as if there were no TLSA record at all. Where the records are
secure but none can be used, TLS is still mandatory; where the question fails, mail must wait.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from smtpshell.lookup import dane_match, dane_record, names, texts
from smtpshell.lookup.answer import Answer
from smtpshell.lookup.finding import Problem, Step, problems_json
from smtpshell.lookup.mta_sts import exchanger_hosts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from smtpshell.lookup.dane_match import Match
    from smtpshell.lookup.dane_record import TlsaRecord
    from smtpshell.lookup.resolver import Resolver

HostResult = Literal["secure", "unusable", "insecure", "none", "temperror"]

HOSTS: Final = 50  # mail hosts of a domain that are asked about; no sender tries more

MEANINGS: Final = {
    "secure": "DANE applies",
    "unusable": "TLS is mandatory, but no record can be used to authenticate the server",
    "insecure": "the records cannot be believed, so senders ignore them",
    "none": "no TLSA records",
    "temperror": "the DNS failed, so mail waits",
}


@dataclass(frozen=True, slots=True)
class DaneHost:
    """One mail host: `base` is the name its TLSA records stand under, `name` the full name asked.

    `believed` says by whose word the answers are authenticated; empty when they are not.
    `matches` compare the records with a certificate chain, where one was given.
    """

    host: str
    base: str
    name: str
    result: HostResult
    records: tuple[TlsaRecord, ...] = ()
    believed: str = ""
    why: str = ""
    matches: tuple[Match, ...] = ()
    answers: tuple[Answer, ...] = field(default=(), repr=False)

    @property
    def valid(self) -> bool:
        """True when a sender can authenticate the host by DANE (and did, if it was tried)."""
        return self.result == "secure" and (
            not self.matches or any(each.matched for each in self.matches)
        )

    def to_json(self) -> dict[str, object]:
        """Return the host as a JSON object."""
        return {
            "host": self.host,
            "name": self.name,
            "result": self.result,
            "valid": self.valid,
            "authenticated": bool(self.believed),
            "by": self.believed or None,
            "why": self.why or None,
            "records": [record.to_json() for record in self.records],
            "matches": [each.to_json() for each in self.matches],
        }


@dataclass(frozen=True, slots=True)
class DaneFinding:
    """DANE for a domain's mail hosts. `result` is the worst a sender meets; `valid`: all secure."""

    domain: str
    hosts: tuple[DaneHost, ...]
    exchangers: Answer | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def result(self) -> str:
        """`temperror` when a question failed, else the first host's result that is not secure."""
        if self.exchangers is not None and self.exchangers.failed:
            return "temperror"
        found = [host.result for host in self.hosts]
        order = ("temperror", "unusable", "insecure", "none", "secure")
        return next((result for result in order if result in found), "none")

    @property
    def valid(self) -> bool:
        """True when every host can be authenticated."""
        return bool(self.hosts) and all(host.valid for host in self.hosts)

    @property
    def unanswered(self) -> bool:
        """True when the DNS gave no answer that decides."""
        return self.result == "temperror"

    def to_json(self) -> dict[str, object]:
        """Return the finding as a JSON object."""
        return {
            "domain": self.domain,
            "result": self.result,
            "valid": self.valid,
            "hosts": [host.to_json() for host in self.hosts],
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


async def lookup(resolver: Resolver, domain: str, *, port: int = 25) -> DaneFinding:
    """Find the TLSA records of every mail host of a domain; never raises."""
    name = names.normal(domain)
    exchangers = await resolver.ask(name, "MX")
    if exchangers.status == "badname":
        return conclude(name, (), exchangers)
    hosts = await asyncio.gather(
        *(
            lookup_host(resolver, host, port=port, exchangers=exchangers)
            for host in exchanger_hosts(name, exchangers)[:HOSTS]
        )
    )
    return conclude(name, tuple(hosts), exchangers)


async def lookup_host(
    resolver: Resolver, host: str, *, port: int = 25, exchangers: Answer | None = None
) -> DaneHost:
    """Find the TLSA records of one host (RFC 7672 section 2.2.2); never raises.

    `exchangers` is the MX answer that named the host, None when it was named by hand. An alias
    whose whole chain is signed is looked for at its end first, then at its own name.
    """
    start = names.normal(host)
    first, four, six = await resolver.ask_all(
        [(tlsa_name(start, port), "TLSA"), (start, "A"), (start, "AAAA")]
    )
    address = six if six.ok and not four.ok else four
    route = (address,) if exchangers is None else (exchangers, address)
    candidates = [(start, first)]
    end = names.normal(address.canonical)
    if address.authenticated and end != start:
        candidates.insert(0, (end, await resolver.ask(tlsa_name(end, port), "TLSA")))
    base, answer = next(
        ((base, answer) for base, answer in candidates if not answer.absent), candidates[-1]
    )
    records = tuple(
        dane_record.assess(f"{each.usage} {each.selector} {each.match} {each.data}", *each)
        for each in answer.records
    )
    answers = (*route, *(each for _, each in candidates))
    found = DaneHost(start, base, tlsa_name(base, port), "none", records, answers=answers)
    return judge(found, route, answer)


def tlsa_name(host: str, port: int = 25) -> str:
    """Return the name a host's TLSA records stand at (RFC 6698 section 3)."""
    return f"_{port}._tcp.{host}"


def judge(found: DaneHost, route: Sequence[Answer], answer: Answer) -> DaneHost:
    """Decide what a sender makes of a host's records (RFC 7672 sections 2.1 and 2.2).

    `route` are the answers that led to the host, `answer` the TLSA answer.
    """
    if answer.failed:
        return replace(found, result="temperror", why=f"{found.name}: {answer.meaning}")
    if not found.records:
        return replace(found, why=answer.meaning)
    for each in (*route, answer):
        if not each.authenticated:
            return replace(found, result="insecure", why=_distrust(each))
    result: HostResult = "secure" if any(each.valid for each in found.records) else "unusable"
    return replace(found, result=result, believed=answer.server or "the resolver")


def _distrust(answer: Answer) -> str:
    asked = f"{answer.name} {answer.rdtype}"
    if answer.failed:
        return f"{asked}: {answer.meaning}"
    server = answer.server or "the resolver"
    if answer.ad:
        return f"{asked}: {server} says it is signed, but is not on this host to be believed"
    return f"{asked}: not signed, or {server} does not validate signatures (no AD bit)"


def with_chain(found: DaneHost, chain: Sequence[bytes], domains: Sequence[str] = ()) -> DaneHost:
    """Compare a host's usable records with the chain it presented, in DER.

    `domains` are further names its certificate may bear: the domain mail is for.
    """
    wanted = tuple(dict.fromkeys((found.base, found.host, *domains)))
    usable = [record for record in found.records if record.valid]
    return replace(
        found, matches=tuple(dane_match.match(record, chain, wanted) for record in usable)
    )


def conclude(domain: str, hosts: tuple[DaneHost, ...], exchangers: Answer | None) -> DaneFinding:
    """Return the finding for a domain's hosts, with its problems and trace."""
    found = DaneFinding(domain, hosts, exchangers)
    return replace(found, problems=tuple(_problems(found)), trace=tuple(_trace(found)))


def _problems(found: DaneFinding) -> Iterator[Problem]:
    if found.exchangers is not None and found.exchangers.failed:
        yield texts.failure([found.exchangers], "The mail hosts are unknown.")
        return
    for host in found.hosts:
        yield from host_problems(host)


def host_problems(host: DaneHost) -> Iterator[Problem]:
    """Return what is wrong with one host's TLSA records."""
    if host.result == "temperror":
        yield Problem(
            "error",
            "tlsa-failed",
            f"{host.why}.",
            "Senders that use DANE hold mail for this host back.",
            "Let the name server answer questions for TLSA, if only with no data.",
            "RFC 7672 2.1.3",
        )
    elif host.result == "insecure":
        yield Problem(
            "warning",
            "tlsa-insecure",
            f"The TLSA records of {host.host} cannot be believed: {host.why}.",
            "Senders ignore them.",
            "Sign the zone (DNSSEC), and ask through a validating resolver on this host.",
            "RFC 7672 2.2",
        )
    elif host.result == "none":
        yield Problem(
            "info",
            "tlsa-missing",
            f"{host.name} has no TLSA records.",
            "Senders cannot authenticate the host by DANE.",
            "In a signed zone, publish 3 1 1 and the SHA-256 of the server's public key.",
            "RFC 7672 3.1",
        )
    elif host.result == "unusable":
        yield Problem(
            "error",
            "tlsa-none-usable",
            f"No TLSA record of {host.host} can be used for mail.",
            "Senders must use TLS, but cannot authenticate the server.",
            "Publish 3 1 1 and the SHA-256 of the server's public key.",
            "RFC 7672 2.2",
        )
    for record in host.records:
        yield from (
            replace(problem, severity="warning") if not record.valid else problem
            for problem in record.problems
        )
    if host.matches and not any(each.matched for each in host.matches):
        yield Problem(
            "error",
            "tlsa-mismatch",
            f"No TLSA record matches the certificate {host.host} presents: "
            + "; ".join(dict.fromkeys(each.why for each in host.matches))
            + ".",
            "Senders that use DANE do not deliver to it.",
            "Publish the new key's record before the server changes to it, and keep both a while.",
            "RFC 7671 8.1",
        )


def _trace(found: DaneFinding) -> Iterator[Step]:
    if found.exchangers is not None:
        stated = f"{len(found.hosts)} mail hosts"
        yield Step(f"{found.domain} MX", stated, "RFC 7672 2.2.1", answers=(found.exchangers,))
    for host in found.hosts:
        steps = tuple(
            Step(record.text, record.why or f"{record.usage} {record.selector} {record.match}")
            for record in host.records
        )
        yield Step(
            host.name,
            f"{host.result}: {host.why or MEANINGS[host.result]}",
            "RFC 7672 2.2.2",
            answers=host.answers,
            steps=steps,
            facts=(("by", host.believed),) if host.believed else (),
        )
