"""BIMI for one domain: the logo's record, and whether the domain's DMARC policy allows it to show.

The record is looked for at the author domain and, when there is none, at the Organizational Domain
(BIMI draft section 7.2). Receivers show a logo only when DMARC is enforced for the domain and for
its Organizational Domain: quarantine or reject, not in test mode, subdomains included.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from smtpshell.lookup import bimi_record, dmarc, names, texts
from smtpshell.lookup.finding import Problem, Step, problems_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.lookup.bimi_record import BimiRecord
    from smtpshell.lookup.dmarc import DmarcFinding
    from smtpshell.lookup.resolver import Resolver
    from smtpshell.lookup.texts import Chosen

Result = Literal["ok", "declined", "none", "invalid", "temperror"]


@dataclass(frozen=True, slots=True)
class BimiFinding:
    """The BIMI record that holds for a domain.

    `place` is the domain it was found at; `enforced` tells whether DMARC lets a logo show (None:
    the DNS did not say).
    """

    domain: str
    selector: str
    result: Result
    place: str | None = None
    record: BimiRecord | None = None
    enforced: bool | None = None
    asked: tuple[Chosen, ...] = field(default=(), repr=False)
    policy: DmarcFinding | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def unanswered(self) -> bool:
        """True when the DNS gave no answer that decides."""
        return self.result == "temperror"

    def to_json(self) -> dict[str, object]:
        """Return the finding as a JSON object."""
        return {
            "domain": self.domain,
            "selector": self.selector,
            "result": self.result,
            "valid": self.result in {"ok", "declined"},
            "place": self.place,
            "l": self.record.l if self.record else None,
            "a": self.record.a if self.record else None,
            "declined": self.result == "declined",
            "record": self.record.text if self.record else None,
            "enforced": self.enforced,
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


async def lookup(resolver: Resolver, domain: str, *, selector: str = "default") -> BimiFinding:
    """Find the BIMI record for a domain and judge whether a logo can show; never raises."""
    name = names.normal(domain)
    policy, own = await asyncio.gather(
        dmarc.lookup(resolver, name, reports=False), _ask(resolver, name, selector)
    )
    asked = [own]
    place = name
    if own.result == "none" and policy.org not in {None, name}:
        place = policy.org or name
        asked.append(await _ask(resolver, place, selector))
    chosen = asked[-1]
    record = bimi_record.parse_record(chosen.text) if chosen.text else None
    found = BimiFinding(
        name,
        selector,
        _result(chosen, record),
        place if record else None,
        record,
        enforced(policy),
        tuple(asked),
        policy,
    )
    return replace(found, problems=tuple(_problems(found)), trace=tuple(_trace(found)))


async def _ask(resolver: Resolver, domain: str, selector: str) -> Chosen:
    answer = await resolver.ask(f"{selector}._bimi.{domain}", "TXT")
    return texts.select(answer, bimi_record.is_record)


def _result(chosen: Chosen, record: BimiRecord | None) -> Result:
    if chosen.result == "none" or chosen.result == "temperror":
        return chosen.result
    if record is None or not record.valid:
        return "invalid"
    return "declined" if record.declined else "ok"


def enforced(policy: DmarcFinding) -> bool | None:
    """Tell whether DMARC is enforced as BIMI asks; None when the DNS did not say."""
    if policy.unanswered:
        return None
    record = policy.record
    if record is None or policy.policy in {None, "none"} or record.t == "y":
        return False
    return policy.policy_domain != policy.org or record.sp != "none"


def _problems(found: BimiFinding) -> Iterator[Problem]:
    chosen = found.asked[-1]
    if found.result == "temperror":
        yield texts.failure([chosen.answer], "Receivers show no logo.")
        return
    for each in found.asked:
        yield from texts.near_misses(each, "v=BIMI1;", "BIMI draft 4.2")
    if chosen.result == "several":
        yield Problem(
            "error",
            "bimi-several",
            f"{chosen.answer.name} has {len(chosen.candidates)} BIMI records.",
            "Receivers act as if there were none.",
            "Keep one.",
            "BIMI draft 7.2",
        )
    if found.result == "none":
        yield Problem(
            "info",
            "bimi-missing",
            f"No BIMI record stands at {found.asked[0].answer.name}.",
            "Receivers show no logo beside mail from this domain.",
            "Nothing, unless a logo is wanted.",
            "BIMI draft 4",
        )
    if found.record is not None:
        yield from found.record.problems
    if found.result == "ok" and found.enforced is False:
        yield Problem(
            "error",
            "bimi-not-enforced",
            f"DMARC is not enforced for {found.domain}.",
            "Receivers show no logo.",
            "Publish p=quarantine or p=reject, without t=y and without sp=none.",
            "BIMI draft 7.1",
        )


def _trace(found: BimiFinding) -> Iterator[Step]:
    for chosen in found.asked:
        yield chosen.step("BIMI draft 7.2")
    policy = found.policy
    if policy is not None:
        stated = {True: "enforced", False: "not enforced", None: "unknown, the DNS failed"}
        outcome = f"{stated[found.enforced]} ({policy.policy or policy.result})"
        yield Step(f"DMARC policy of {found.domain}", outcome, "BIMI draft 7.1", steps=policy.trace)
