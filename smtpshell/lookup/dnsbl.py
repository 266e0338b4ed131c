"""DNS block lists: whether an address is on one, asked politely (RFC 5782).

An address is looked up as its reversed octets (or nibbles) below the list's domain; an A record in
127.0.0.0/8 means it is listed, and a TXT record may say why. A few lists are asked, each once, and
for the reason only where there is a listing. Two things look like a listing and are none: answers
outside 127.0.0.0/8 (the list's domain was parked) and the codes by which a list says that it does
not serve this resolver (127.255.255.x). A list that is in order holds 127.0.0.2 and not 127.0.0.1;
`test` asks for both.
"""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from smtpshell.lookup import names, texts
from smtpshell.lookup.finding import Problem, Step, problems_json
from smtpshell.lookup.mta_sts import exchanger_hosts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.resolver import Resolver

LISTS: Final = ("zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com")
ADDRESSES: Final = 16  # addresses of one domain that are asked about, at most

Status = Literal["listed", "clear", "refused", "broken", "failed"]

LISTED: Final = ipaddress.ip_network("127.0.0.0/8")  # RFC 5782 2.3
REFUSALS: Final = ipaddress.ip_network("127.255.255.0/24")  # by convention of the large lists


@dataclass(frozen=True, slots=True)
class Listing:
    """What one list says about one address.

    `query` is the name asked, with a dot at the end. `status`: `listed`, `clear`, `refused` (the
    list does not serve this resolver), `broken` (it answers what no list answers) or `failed` (no
    answer). `codes` are the addresses it answered, `reasons` its words.
    """

    address: str
    zone: str
    query: str
    status: Status
    codes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    answer: Answer | None = field(default=None, repr=False)

    @property
    def listed(self) -> bool:
        """True when the list holds the address."""
        return self.status == "listed"

    def to_json(self) -> dict[str, object]:
        """Return the listing as a JSON object; `valid`: the list answered as a list does."""
        return {
            "address": self.address,
            "list": self.zone,
            "query": self.query,
            "valid": self.status in {"listed", "clear"},
            "status": self.status,
            "listed": self.listed,
            "codes": list(self.codes),
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class DnsblFinding:
    """What the lists say about an address, or about every mail host's address of a domain."""

    domain: str
    addresses: tuple[str, ...]
    listings: tuple[Listing, ...]
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)
    failures: tuple[Answer, ...] = field(default=(), repr=False)

    @property
    def listed(self) -> bool:
        """True when any list holds any of the addresses."""
        return any(listing.listed for listing in self.listings)

    @property
    def unanswered(self) -> bool:
        """True when no list gave an answer."""
        if not self.listings:
            return bool(self.failures)
        return all(listing.status == "failed" for listing in self.listings)

    def to_json(self) -> dict[str, object]:
        """Return the finding as a JSON object; with one query, its name stands at the top too."""
        queries = [listing.query for listing in self.listings]
        return {
            "domain": self.domain,
            "listed": self.listed,
            "valid": any(listing.status in {"listed", "clear"} for listing in self.listings),
            "query": queries[0] if len(queries) == 1 else None,
            "addresses": list(self.addresses),
            "lists": [listing.to_json() for listing in self.listings],
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


def query_name(address: str, zone: str) -> str:
    """Return the name to ask, with a dot at the end (RFC 5782 sections 2.1 and 2.4).

    Raises ValueError when `address` is no IP address.

    >>> query_name("192.0.2.99", "list.example")
    '99.2.0.192.list.example.'
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    reverse = parsed.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    return f"{reverse}.{names.normal(zone)}."


async def ask(resolver: Resolver, address: str, zone: str) -> Listing:
    """Ask one list about one address; the reason only when it is listed. Never raises otherwise.

    Raises ValueError when `address` is no IP address.
    """
    query = query_name(address, zone)
    answer = await resolver.ask(query.removesuffix("."), "A")
    codes = tuple(answer.records)
    found = Listing(address, names.normal(zone), query, _status(answer), codes, answer=answer)
    if not found.listed:
        return found
    why = await resolver.ask(query.removesuffix("."), "TXT")
    return replace(found, reasons=texts.texts(why))


def _status(answer: Answer) -> Status:
    if answer.failed:
        return "failed"
    if not answer.ok:
        return "clear"
    codes = [ipaddress.ip_address(code) for code in answer.records]
    if any(code in REFUSALS for code in codes):
        return "refused"
    return "listed" if all(code in LISTED for code in codes) else "broken"


async def lookup(resolver: Resolver, subject: str, *, zones: Sequence[str] = LISTS) -> DnsblFinding:
    """Ask the lists about an address, or about the addresses of a domain's mail hosts."""
    addresses, failures = await _addresses(resolver, subject)
    listings = await asyncio.gather(
        *(ask(resolver, address, zone) for address in addresses for zone in zones)
    )
    found = DnsblFinding(subject, addresses, tuple(listings), failures=failures)
    return replace(found, problems=tuple(_problems(found)), trace=tuple(_trace(found)))


async def test(resolver: Resolver, zone: str) -> tuple[Listing, Listing]:
    """Ask a list for its two test points: the first must be listed, the second not (RFC 5782 5)."""
    first, second = await asyncio.gather(
        ask(resolver, "127.0.0.2", zone), ask(resolver, "127.0.0.1", zone)
    )
    return first, second


async def _addresses(
    resolver: Resolver, subject: str
) -> tuple[tuple[str, ...], tuple[Answer, ...]]:
    try:
        return (str(ipaddress.ip_address(subject.strip("[]"))),), ()
    except ValueError:
        pass
    domain = names.normal(subject)
    exchangers = await resolver.ask(domain, "MX")
    pairs = await asyncio.gather(
        *(resolver.addresses(host) for host in exchanger_hosts(domain, exchangers)[:ADDRESSES])
    )
    answers = [answer for pair in pairs for answer in pair]
    found = dict.fromkeys(address for answer in answers for address in answer.records)
    failures = tuple(answer for answer in (exchangers, *answers) if answer.failed)
    return tuple(found)[:ADDRESSES], failures


def _problems(found: DnsblFinding) -> Iterator[Problem]:
    if found.failures:
        yield texts.failure(found.failures, "Some addresses of the mail hosts are unknown.")
    for listing in found.listings:
        where = f"{listing.address} on {listing.zone}"
        if listing.listed:
            words = "; ".join(listing.reasons) or f"code {', '.join(listing.codes)}"
            yield Problem(
                "error",
                "listed",
                f"{listing.address} is on {listing.zone}: {words}.",
                "Receivers that use this list refuse or mark mail from this address.",
                "Find and stop what sends unwanted mail, then ask the list to take it off.",
                "RFC 5782 2.1",
            )
        elif listing.status == "refused":
            yield Problem(
                "info",
                "list-refused",
                f"{listing.zone} does not serve this resolver (code {', '.join(listing.codes)}).",
                "Its answers say nothing about the address.",
                "Ask through a resolver of your own: --nameserver IP.",
                "RFC 5782 2.3",
            )
        elif listing.status == "broken":
            yield Problem(
                "warning",
                "list-broken",
                f"{listing.zone} answers {', '.join(listing.codes)}, which no list does.",
                "It may be out of service and its domain for sale.",
                "Do not use it.",
                "RFC 5782 5",
            )
        elif listing.status == "failed" and listing.answer is not None:
            yield Problem(
                "warning",
                "list-failed",
                f"{where}: {listing.answer.meaning}.",
                "Whether the address is listed is unknown.",
                "Ask again later.",
                "RFC 5782 2.1",
            )


def _trace(found: DnsblFinding) -> Iterator[Step]:
    for listing in found.listings:
        codes = f" {', '.join(listing.codes)}" if listing.codes else ""
        yield Step(
            listing.query,
            f"{listing.status}{codes}",
            "RFC 5782 2.1",
            answers=(listing.answer,) if listing.answer else (),
        )
