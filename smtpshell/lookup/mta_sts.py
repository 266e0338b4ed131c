"""MTA-STS for one domain: the announcement, the policy, and whether it covers the MX hosts.

A sender that knows the policy refuses to deliver to a host the policy does not name, or whose
certificate does not verify. So the worst fault here is a policy in `enforce` mode that forgot an
MX host: mail for it stops at every sender that keeps the rules (RFC 8461 section 5).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from smtpshell.lookup import mta_sts_fetch, mta_sts_record, names, texts
from smtpshell.lookup.finding import Problem, Step, problems_json
from smtpshell.lookup.nameservers import is_loopback

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Sequence

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.mta_sts_fetch import Fetch
    from smtpshell.lookup.mta_sts_record import StsPolicy, StsRecord
    from smtpshell.lookup.resolver import Resolver
    from smtpshell.lookup.texts import Chosen

Result = Literal["ok", "none", "invalid", "temperror"]


@dataclass(frozen=True, slots=True)
class HostMatch:
    """An MX host and the pattern of the policy that covers it, or None."""

    host: str
    pattern: str | None

    def to_json(self) -> dict[str, object]:
        """Return the pair as a JSON object."""
        return {"host": self.host, "pattern": self.pattern, "valid": self.pattern is not None}


@dataclass(frozen=True, slots=True)
class StsFinding:
    """What MTA-STS says about a domain.

    `result` is `ok` (a valid policy is announced and served, or is not fetched because the DNS is
    a file), `none`, `invalid` or `temperror`.
    """

    domain: str
    result: Result
    chosen: Chosen = field(repr=False)
    record: StsRecord | None = None
    fetch: Fetch | None = field(default=None, repr=False)
    policy: StsPolicy | None = field(default=None, repr=False)
    hosts: tuple[HostMatch, ...] = ()
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def unanswered(self) -> bool:
        """True when the DNS gave no answer that decides."""
        return self.result == "temperror"

    @property
    def mode(self) -> str | None:
        """The mode of a valid policy."""
        return self.policy.mode if self.policy and self.policy.valid else None

    def to_json(self) -> dict[str, object]:
        """Return the finding as a JSON object.

        `valid` is about the record, as when a record is tried alone; `result` about the whole.
        """
        policy = self.policy.to_json() if self.policy else None
        return {
            "domain": self.domain,
            "result": self.result,
            "valid": self.record is not None and self.record.valid,
            "id": self.record.id if self.record else None,
            "record": self.record.text if self.record else None,
            "records": list(self.chosen.texts),
            "mode": self.mode,
            "max_age": self.policy.max_age if self.policy else None,
            "mx": list(self.policy.mx) if self.policy else [],
            "hosts": [host.to_json() for host in self.hosts],
            "http": self.fetch.to_json() if self.fetch else None,
            "policy": policy,
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


async def lookup(
    resolver: Resolver,
    domain: str,
    *,
    addresses: Sequence[str] = (),
    port: int = 443,
    context: ssl.SSLContext | None = None,
    timeout: float = mta_sts_fetch.TIMEOUT,  # noqa: ASYNC109 - handed to the fetch, which tells it as a fault
) -> StsFinding:
    """Find and check the MTA-STS policy of a domain; never raises.

    The TXT record, the policy and the MX hosts are asked for at once; a policy that nobody
    announces is not waited for. When the resolver answers from a zone file, the policy is fetched
    only from addresses on this host. `addresses`, `port` and `context` stand in for the real web
    server in tests.
    """
    name = names.normal(domain)
    fetching = asyncio.ensure_future(_fetch(resolver, name, addresses, port, context, timeout))
    try:
        answer, exchangers = await resolver.ask_all([(f"_mta-sts.{name}", "TXT"), (name, "MX")])
        chosen = texts.select(answer, mta_sts_record.is_record)
        announced = chosen.result not in {"none", "temperror"}
        fetched = await fetching if announced or fetching.done() else None
    finally:
        fetching.cancel()
    record = mta_sts_record.parse_record(chosen.text) if chosen.text else None
    policy = mta_sts_record.parse_policy(fetched.text) if fetched and fetched.valid else None
    hosts: tuple[HostMatch, ...] = ()
    if policy is not None and policy.valid:
        hosts = tuple(
            HostMatch(host, mta_sts_record.matches(host, policy.mx))
            for host in exchanger_hosts(name, exchangers)
        )
    result = _result(chosen, record, fetched, policy)
    found = StsFinding(name, result, chosen, record, fetched, policy, hosts)
    return replace(
        found,
        problems=tuple(_problems(found, exchangers)),
        trace=tuple(_trace(found, exchangers)),
    )


async def _fetch(
    resolver: Resolver,
    name: str,
    addresses: Sequence[str],
    port: int,
    context: ssl.SSLContext | None,
    timeout: float,  # noqa: ASYNC109 - as above
) -> Fetch | None:
    if resolver.zone is not None and not addresses:
        stated = await resolver.addresses(f"mta-sts.{name}")
        addresses = [each for answer in stated for each in answer.records if is_loopback(each)]
        if not addresses and not any(answer.failed for answer in stated):
            return None
    return await mta_sts_fetch.fetch(
        resolver, name, addresses=addresses, port=port, context=context, timeout=timeout
    )


def exchanger_hosts(domain: str, answer: Answer) -> tuple[str, ...]:
    """Return the hosts mail for a domain goes to: its MX hosts, or itself (RFC 5321 section 5.1).

    A null MX yields none; an answer that failed yields none either.
    """
    if answer.ok:
        ordered = sorted(answer.records)
        return tuple(dict.fromkeys(names.normal(mx.host) for mx in ordered if mx.host != "."))
    return (domain,) if answer.status == "nodata" else ()


def _result(
    chosen: Chosen, record: StsRecord | None, fetched: Fetch | None, policy: StsPolicy | None
) -> Result:
    if chosen.result == "temperror":
        return "temperror"
    if chosen.result == "none":
        return "none"
    if record is None or not record.valid:
        return "invalid"
    if fetched is not None and fetched.unanswered:
        return "temperror"
    if fetched is not None and not (policy is not None and policy.valid):
        return "invalid"
    return "ok"


def _problems(found: StsFinding, exchangers: Answer) -> Iterator[Problem]:
    chosen = found.chosen
    if chosen.answer.failed:
        yield texts.failure(
            [chosen.answer], "Senders keep to a policy they know, and cannot learn a new one."
        )
        return
    yield from texts.near_misses(chosen, "v=STSv1;", "RFC 8461 3.1")
    if chosen.result == "several":
        yield Problem(
            "error",
            "mta-sts-several",
            f"{chosen.answer.name} has {len(chosen.candidates)} MTA-STS records.",
            "Senders act as if there were none.",
            "Keep one.",
            "RFC 8461 3.1",
        )
    if chosen.result == "none":
        served = found.policy is not None and found.policy.valid
        yield Problem(
            "warning",
            "mta-sts-missing",
            f"No MTA-STS record stands at {chosen.answer.name}"
            + (", though a policy is served." if served else "."),
            "Senders cannot know that mail must be encrypted, so an attacker on the way can "
            "strip STARTTLS.",
            f"Serve a policy at https://mta-sts.{found.domain}{mta_sts_fetch.PATH} and publish "
            f'TXT "v=STSv1; id=20260101T000000" at {chosen.answer.name}.',
            "RFC 8461 3",
        )
        return
    if found.record is not None:
        yield from found.record.problems
    yield from _policy_problems(found)
    if exchangers.failed and found.mode:
        yield texts.failure([exchangers], "It is unknown whether the policy covers the MX hosts.")


def _policy_problems(found: StsFinding) -> Iterator[Problem]:
    if found.fetch is None:
        yield Problem(
            "warning",
            "mta-sts-unfetched",
            "The policy was not fetched: the names come from a zone file, which has no address on "
            f"this host for mta-sts.{found.domain}.",
            "Whether it covers the MX hosts is unknown.",
            "Ask without --zone, or check a policy's text with mta-sts-policy --record.",
            "RFC 8461 3.3",
        )
        return
    if found.fetch.fault:
        yield Problem(
            "error",
            "mta-sts-fetch",
            f"{found.fetch.url}: {found.fetch.fault}.",
            "Senders have no policy to keep, or keep an old one until it expires.",
            "Serve the policy there: status 200, text/plain, a certificate for "
            f"mta-sts.{found.domain}, no redirect.",
            "RFC 8461 3.3",
        )
    if found.policy is not None:
        yield from found.policy.problems
    strict = found.mode == "enforce"
    for host in found.hosts:
        if host.pattern is None and found.mode in {"enforce", "testing"}:
            yield Problem(
                "error" if strict else "warning",
                "mta-sts-mx-uncovered",
                f"The policy does not name the MX host {host.host}.",
                "Senders that keep the rules do not deliver to it."
                if strict
                else "Under enforce, senders would not deliver to it.",
                f"Add the line mx: {host.host} and publish a new id.",
                "RFC 8461 4.1",
            )


def _trace(found: StsFinding, exchangers: Answer) -> Iterator[Step]:
    yield found.chosen.step("RFC 8461 3.1")
    if found.fetch is not None:
        outcome = found.fetch.fault or f"HTTP 200, {len(found.fetch.body)} octets"
        facts = (("ms", round(found.fetch.ms, 1)),)
        yield Step(found.fetch.url, outcome, "RFC 8461 3.3", facts=facts)
    if found.policy is not None:
        stated = f"mode {found.policy.mode}, max_age {found.policy.max_age}"
        yield Step("policy", stated if found.policy.valid else found.policy.why, "RFC 8461 3.2")
    for host in found.hosts:
        outcome = f"covered by {host.pattern}" if host.pattern else "not covered"
        yield Step(f"MX host {host.host}", outcome, "RFC 8461 4.1", answers=(exchangers,))
