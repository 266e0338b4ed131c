"""Reverse DNS, confirmed forwards: whether an address has a name that leads back to it.

Receivers distrust clients without such a name, because whoever controls an address's reverse zone
can write any name there; only the owner of the name can make it lead back. The results are those of
iprev (RFC 8601 section 3 and 2.7.3): pass, fail (names, but none leads back), permerror (no name at
all), temperror (the DNS did not say).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from smtpshell.lookup import names
from smtpshell.lookup.finding import Problem, SetupError, Step, problems_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.resolver import Resolver

Status = Literal["pass", "fail", "permerror", "temperror"]
NAME_LIMIT: Final = 10  # names followed; an address with more is an attempt to make us work


@dataclass(frozen=True, slots=True)
class ReverseName:
    """One name of the address, with the answers for its own addresses."""

    name: str
    ip4: Answer
    ip6: Answer
    confirmed: bool

    def to_json(self) -> dict[str, object]:
        """Return the name as a JSON object."""
        return {
            "name": self.name,
            "unicode": names.to_unicode(self.name),
            "addresses": [*self.ip4.records, *self.ip6.records],
            "confirmed": self.confirmed,
        }


@dataclass(frozen=True, slots=True)
class PtrFinding:
    """The names of an address; `status` in the words of RFC 8601, `answer` that for the PTR."""

    address: str
    status: Status
    answer: Answer
    names: tuple[ReverseName, ...] = ()
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def valid(self) -> bool:
        """True when a name leads back to the address."""
        return self.status == "pass"

    @property
    def confirmed(self) -> tuple[str, ...]:
        """The names that lead back to the address."""
        return tuple(each.name for each in self.names if each.confirmed)

    def to_json(self) -> dict[str, object]:
        """Return the finding as one JSON object."""
        return {
            "address": self.address,
            "valid": self.valid,
            "status": self.status,
            "confirmed": list(self.confirmed),
            "names": [each.to_json() for each in self.names],
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


async def lookup(resolver: Resolver, address: str) -> PtrFinding:
    """Find the names of an IP address and follow each back. Raises SetupError if it is none."""
    try:
        ip = ipaddress.ip_address(address.strip().strip("[]"))
    except ValueError:
        raise SetupError("this is no IP address", repr(address), "192.0.2.1", 64) from None
    ip = (ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None) or ip
    answer = await resolver.reverse(str(ip))
    candidates = answer.records[:NAME_LIMIT]
    found = await resolver.ask_all(
        (name, family) for name in candidates for family in ("A", "AAAA")
    )
    forward = tuple(
        ReverseName(name, ip4, ip6, _leads_to(ip, ip4, ip6))
        for name, ip4, ip6 in zip(candidates, found[::2], found[1::2], strict=True)
    )
    finding = PtrFinding(str(ip), _status(answer, forward, ip.version), answer, forward)
    return PtrFinding(
        finding.address,
        finding.status,
        answer,
        forward,
        tuple(_problems(finding)),
        tuple(_trace(finding)),
    )


def _leads_to(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, *answers: Answer) -> bool:
    return any(ipaddress.ip_address(each) == ip for a in answers for each in a.records)


def _status(answer: Answer, forward: tuple[ReverseName, ...], version: int) -> Status:
    if answer.failed:
        return "temperror"
    if not answer.ok:
        return "permerror"
    if any(each.confirmed for each in forward):
        return "pass"
    own = [each.ip4 if version == 4 else each.ip6 for each in forward]
    return "temperror" if any(each.failed for each in own) else "fail"


def _trace(found: PtrFinding) -> Iterator[Step]:
    said = ", ".join(found.answer.records[:NAME_LIMIT]) or found.answer.meaning
    yield Step(f"names of {found.address}", said, "RFC 8601 3", (found.answer,))
    for each in found.names:
        outcome = "leads back" if each.confirmed else f"does not lead back to {found.address}"
        title = f"addresses of {names.both_forms(each.name)}"
        yield Step(title, outcome, "RFC 8601 3", (each.ip4, each.ip6))


def _problems(found: PtrFinding) -> Iterator[Problem]:
    advice = "Whoever provides the address sets its reverse name: ask there."
    if found.status == "permerror":
        yield Problem(
            "error",
            "no-reverse-name",
            f"{found.address} has no reverse name: {found.answer.meaning}.",
            "Many receivers refuse mail from an address without one, or hold it for spam.",
            advice,
            "RFC 8601 3",
        )
    elif found.status == "fail":
        shown = ", ".join(each.name for each in found.names)
        yield Problem(
            "error",
            "not-confirmed",
            f"{found.address} is called {shown}, but no such name leads back to it.",
            "Receivers take the name for forged, and the address for one without a name.",
            f"Publish an address record of {found.address} for the name, or change the name.",
            "RFC 8601 3",
        )
    elif found.status == "temperror":
        yield Problem(
            "error",
            "dns-failure",
            f"The names of {found.address} cannot be checked: {_failure(found)}.",
            "Receivers put mail off, or take the address for one without a name.",
            "Ask again, or ask another name server with --nameserver.",
            "RFC 8601 3",
        )
    elif len(found.confirmed) < len(found.names):
        lost = [each.name for each in found.names if not each.confirmed]
        yield Problem(
            "warning",
            "partly-confirmed",
            f"{', '.join(lost)}: these names do not lead back to {found.address}.",
            "Receivers that look at the first name only may distrust the address.",
            "Keep one reverse name, and let it lead back.",
            "RFC 8601 3",
        )
    if len(found.answer.records) > NAME_LIMIT:
        yield Problem(
            "warning",
            "many-names",
            f"{found.address} has {len(found.answer.records)} reverse names.",
            f"Receivers look at {NAME_LIMIT} of them at most, in no fixed order.",
            "Keep one reverse name.",
            "RFC 7208 5.5",
        )


def _failure(found: PtrFinding) -> str:
    answers = [found.answer, *(a for each in found.names for a in (each.ip4, each.ip6))]
    return next((each.meaning for each in answers if each.failed), "")
