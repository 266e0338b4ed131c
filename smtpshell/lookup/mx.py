"""Where a domain takes its mail: its mail exchangers as a sender would use them (RFC 5321 5.1).

A sender tries the lowest preference first and picks at random among equals. Without MX records the
domain itself is the only exchanger, if it has an address (*implicit MX*); a single MX of "." says
that the domain takes no mail at all (*null MX*, RFC 7505). A failed question is neither: the sender
waits and asks again, so the finding says that nobody knows.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from smtpshell.lookup import names
from smtpshell.lookup.answer import Answer
from smtpshell.lookup.finding import Problem, Step, problems_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from smtpshell.lookup.resolver import Resolver

Fate = Literal["mx", "implicit", "null", "none", "unknown"]
HOST_LIMIT: Final = 50  # exchangers whose addresses are asked for; no sender tries more
SPF_LIMIT: Final = 10  # RFC 7208 4.6.4


@dataclass(frozen=True, slots=True)
class Exchanger:
    """One mail exchanger: its preference, its name, the answers for its addresses.

    `preference` is None for an implicit MX.
    """

    preference: int | None
    host: str
    ip4: Answer
    ip6: Answer

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of both families, IPv6 first, as most senders try them."""
        return (*self.ip6.records, *self.ip4.records)

    @property
    def is_address(self) -> bool:
        """True when the name is really the text of an IPv4 address."""
        return _is_address(self.host)

    @property
    def alias_of(self) -> str | None:
        """The name a CNAME leads to, where the exchanger is an alias."""
        chain = self.ip4.chain or self.ip6.chain
        return chain[-1] if chain else None

    @property
    def state(self) -> str:
        """Return "ok", "none" (no address), or "unknown" (the DNS did not say)."""
        if self.addresses:
            return "ok"
        return "unknown" if self.ip4.failed or self.ip6.failed else "none"

    def to_json(self) -> dict[str, object]:
        """Return the exchanger as a JSON object."""
        return {
            "preference": self.preference,
            "host": self.host,
            "unicode": names.to_unicode(self.host),
            "state": self.state,
            "ip4": list(self.ip4.records),
            "ip6": list(self.ip6.records),
            "cname": self.alias_of,
        }


@dataclass(frozen=True, slots=True)
class MxFinding:
    """Where a domain takes its mail.

    `fate` is "mx", "implicit", "null" (it takes none), "none" (mail bounces: no such name, or no
    address) or "unknown" (the DNS failed). `exchangers` stand in the order in which they are
    tried; `answer` is the one for the MX records.
    """

    domain: str
    fate: Fate
    answer: Answer
    exchangers: tuple[Exchanger, ...] = ()
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def first(self) -> tuple[Exchanger, ...]:
        """The exchangers a sender tries first: of those with an address the most preferred."""
        usable = [each for each in self.exchangers if each.addresses]
        return tuple(each for each in usable if each.preference == usable[0].preference)

    @property
    def valid(self) -> bool:
        """True when nothing is wrong enough to lose mail."""
        return not any(problem.severity == "error" for problem in self.problems)

    def to_json(self) -> dict[str, object]:
        """Return the finding as one JSON object."""
        return {
            "domain": self.domain,
            "unicode": names.to_unicode(self.domain),
            "valid": self.valid,
            "fate": self.fate,
            "status": self.answer.status,
            "implicit": self.fate == "implicit",
            "null_mx": self.fate == "null",
            "mx": [each.to_json() for each in self.exchangers],
            "first": [each.host for each in self.first],
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


async def lookup(resolver: Resolver, domain: str) -> MxFinding:
    """Find the mail exchangers of a domain and their addresses. Never raises."""
    answer, ip4, ip6 = await resolver.ask_all(
        [(domain, "MX"), (domain, "A"), (domain, "AAAA")]
    )  # the addresses serve an implicit MX, and cost no time now
    fate, exchangers = _fate(answer, ip4, ip6)
    if fate == "mx":
        records = answer.records[:HOST_LIMIT]
        found = await resolver.ask_all(
            (host, family)
            for _, host in records
            for family in ("A", "AAAA")
            if host != "." and not _is_address(host)
        )
        answers = iter(found)
        exchangers = tuple(
            Exchanger(preference, host, *_pair(host, answers)) for preference, host in records
        )
    finding = MxFinding(answer.name, fate, answer, exchangers)
    problems = tuple(problem for rule in RULES for problem in rule(finding))
    return MxFinding(answer.name, fate, answer, exchangers, problems, _trace(finding))


def _fate(answer: Answer, ip4: Answer, ip6: Answer) -> tuple[Fate, tuple[Exchanger, ...]]:
    if answer.ok:
        is_null = len(answer.records) == 1 and answer.records[0].host == "."
        return ("null" if is_null else "mx"), ()
    if answer.failed:
        return "unknown", ()
    if answer.status != "nodata":
        return "none", ()
    if ip4.ok or ip6.ok:
        return "implicit", (Exchanger(None, answer.name, ip4, ip6),)
    return ("unknown" if ip4.failed or ip6.failed else "none"), ()


def _pair(host: str, answers: Iterator[Answer]) -> tuple[Answer, Answer]:
    """Return the answers for a host's addresses; a host that cannot be one was not asked."""
    if host != "." and not _is_address(host):
        return next(answers), next(answers)
    why = "an address is no name" if host != "." else "the root has no address"
    return Answer(host, "A", "badname", detail=why), Answer(host, "AAAA", "badname", detail=why)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _trace(found: MxFinding) -> tuple[Step, ...]:
    count = len(found.answer.records)
    said = {
        "mx": f"{count} mail exchanger{'s' if count > 1 else ''}",
        "implicit": "no MX: the domain's own address takes its mail",
        "null": "null MX: the domain takes no mail",
        "none": "mail for it bounces",
        "unknown": "the DNS did not say",
    }[found.fate]
    steps = [Step(f"MX of {names.both_forms(found.domain)}", said, "RFC 5321 5.1", (found.answer,))]
    for each in found.exchangers:
        shown = "" if each.preference is None else f"{each.preference} "
        outcome = ", ".join(each.addresses) or ("unknown" if each.state == "unknown" else "none")
        title = f"addresses of {shown}{names.both_forms(each.host)}"
        steps.append(Step(title, outcome, "RFC 5321 5.1", (each.ip4, each.ip6)))
    if found.first:
        hosts = " or ".join(each.host for each in found.first)
        addresses = ", ".join(found.first[0].addresses)
        facts = (("addresses", [list(each.addresses) for each in found.first]),)
        steps.append(Step("tried first", f"{hosts} ({addresses})", "RFC 5321 5.1", (), (), facts))
    return tuple(steps)


def _no_mail(found: MxFinding) -> Iterator[Problem]:
    shown = names.both_forms(found.domain)
    if found.fate == "unknown":
        yield Problem(
            "error",
            "dns-failure",
            f"The mail exchangers of {shown} cannot be found: {found.answer.meaning}.",
            "Senders wait and ask again for days, then the mail bounces.",
            "Ask again, or ask another name server with --nameserver.",
            "RFC 5321 5.1",
        )
    elif found.fate == "none":
        reason = (
            "has neither MX nor address"
            if found.answer.status == "nodata"
            else (f"is no domain: {found.answer.meaning}")
        )
        yield Problem(
            "error",
            "no-mail",
            f"{shown} {reason}.",
            "Mail for it bounces at once.",
            "Publish MX records, or check the spelling of the name.",
            "RFC 5321 5.1",
        )
    elif found.fate == "implicit":
        yield Problem(
            "warning",
            "implicit-mx",
            f"{shown} has no MX record; senders use its own address.",
            "Mail goes to whatever host carries the name, often a web server.",
            f"Publish an MX record, or null MX (MX 0 .) if {shown} takes no mail.",
            "RFC 5321 5.1",
        )


def _null_among_others(found: MxFinding) -> Iterator[Problem]:
    hosts = [host for _, host in found.answer.records]
    if "." in hosts and len(hosts) > 1:
        yield Problem(
            "error",
            "null-mx-not-alone",
            "A null MX (.) stands beside other MX records.",
            "It is not valid so; some senders bounce mail, others try the rest.",
            "Publish either the null MX alone, or the others without it.",
            "RFC 7505 3",
        )
    elif found.fate == "null":
        if found.answer.records[0].preference != 0:
            yield Problem(
                "warning",
                "null-mx-preference",
                f"The null MX has preference {found.answer.records[0].preference} instead of 0.",
                "Senders that are strict do not take it for a null MX.",
                "Publish MX 0 .",
                "RFC 7505 3",
            )
        yield Problem(
            "info",
            "null-mx",
            "The domain says that it takes no mail.",
            "Senders bounce mail for it at once (556 5.1.10).",
            "",
            "RFC 7505 3",
        )


def _bad_hosts(found: MxFinding) -> Iterator[Problem]:
    for each in found.exchangers:
        if each.preference is None or each.host == ".":
            continue
        shown = f"MX {each.preference} {names.both_forms(each.host)}"
        if each.is_address:
            yield Problem(
                "error",
                "mx-is-address",
                f"{shown} is an address, where a name must stand.",
                "Most senders look the address up as a name, find nothing and pass over it.",
                f"Give the host a name with an A record of {each.host}, and put the name here.",
                "RFC 1035 3.3.9",
            )
        elif each.state == "none":
            yield Problem(
                "error",
                "mx-no-address",
                f"{shown} has no address: {each.ip4.meaning}.",
                "Senders pass over it; if it is the only one, mail waits and then bounces.",
                "Publish an A or AAAA record for it, or remove the MX.",
                "RFC 5321 5.1",
            )
        elif each.state == "unknown":
            failed = each.ip4 if each.ip4.failed else each.ip6
            yield Problem(
                "error",
                "mx-unknown-address",
                f"The address of {shown} cannot be found: {failed.meaning}.",
                "Senders pass over it for now.",
                "Mend the name server of that name.",
                "RFC 5321 5.1",
            )
        if each.alias_of is not None:
            yield Problem(
                "warning",
                "mx-is-alias",
                f"{shown} is a CNAME of {each.alias_of}.",
                "An MX must not name an alias; some senders refuse to follow it.",
                f"Put {each.alias_of} into the MX.",
                "RFC 5321 5.1, RFC 2181 10.3",
            )


def _unroutable(found: MxFinding) -> Iterator[Problem]:
    for each in found.exchangers:
        for address in each.addresses:
            kind = _kind(ipaddress.ip_address(address))
            if kind:
                yield Problem(
                    "error",
                    "mx-unreachable-address",
                    f"{each.host} has the address {address}, which is {kind}.",
                    "No sender on the Internet reaches it.",
                    "Publish a public address, or remove this one.",
                    "RFC 6890",
                )


def _kind(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Say why an address cannot be reached from outside; documentation ranges count as public."""
    if address.is_loopback:
        return "the host's own (loopback)"
    if address.is_unspecified:
        return "no address at all"
    if address.is_link_local or address.is_multicast:
        return "not one of a host"
    return "private" if any(address in network for network in _private()) else ""


@cache
def _private() -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    networks = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")  # RFC 1918, 4193
    return tuple(map(ipaddress.ip_network, networks))


def _notes(found: MxFinding) -> Iterator[Problem]:
    if len(found.first) > 1:
        yield Problem(
            "info",
            "equal-preference",
            f"{', '.join(each.host for each in found.first)} have the same preference.",
            "Senders pick one of them at random, which shares the load.",
            "",
            "RFC 5321 5.1",
        )
    if len(found.answer.records) > SPF_LIMIT:
        yield Problem(
            "warning",
            "many-mx",
            f"There are {len(found.answer.records)} mail exchangers.",
            f"An SPF record that uses mx gives permerror with more than {SPF_LIMIT}.",
            "Keep the list short.",
            "RFC 7208 4.6.4",
        )


RULES: Final[tuple[Callable[[MxFinding], Iterable[Problem]], ...]] = (
    _no_mail,
    _null_among_others,
    _bad_hosts,
    _unroutable,
    _notes,
)
