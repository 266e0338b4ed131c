"""What is wrong with the text of one record, seen without the DNS: a table of rules.

Syntax errors are the parser's. These rules look at records that parse and still do not do what
their author wants.
"""

from __future__ import annotations

import ipaddress
from functools import cache
from typing import TYPE_CHECKING, Final

from smtpshell.lookup.finding import Problem
from smtpshell.lookup.spf.context import LOOKUP_LIMIT
from smtpshell.lookup.spf.grammar import MECHANISMS, UNKNOWN, Network, Record, Term, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LENGTH_ADVISED: Final = 450  # octets; RFC 7208 3.4
WIDE: Final = {4: 16, 6: 32}  # shorter prefixes than these hold far more hosts than one sender has


def lint(record: Record) -> tuple[Problem, ...]:
    """Return the problems of a record: syntax errors first, then the findings of the rules."""
    if not record.is_spf:
        return record.problems
    return (*record.problems, *(problem for rule in RULES for problem in rule(record)))


def _everybody(record: Record) -> Iterator[Problem]:
    everyone = record.all
    if everyone is None or everyone.qualifier == "-":
        return
    if everyone.qualifier == "+":
        yield Problem(
            "error",
            "plus-all",
            f"{everyone.text} lets every host on earth pass.",
            "Whoever forges the domain gets an SPF pass, and with it a DMARC pass.",
            "Publish -all, or ~all while you are not sure that every sender is listed.",
            "RFC 7208 5.1",
        )
    elif everyone.qualifier == "?":
        yield Problem(
            "warning",
            "neutral-all",
            "?all says nothing about hosts that are not listed.",
            "Receivers treat neutral like no record at all (RFC 7208 8.2).",
            "Publish ~all or -all.",
            "RFC 7208 5.1",
        )


def _no_end(record: Record) -> Iterator[Problem]:
    if record.all is None and record.modifier("redirect") is None and record.terms:
        yield Problem(
            "warning",
            "no-all",
            "The record ends without all and without redirect.",
            "Hosts that are not listed get neutral, as if there were no record (RFC 7208 4.7).",
            "Add -all, or ~all while you are not sure that every sender is listed.",
            "RFC 7208 4.7",
        )
    if not record.terms and record.valid:
        yield Problem(
            "warning",
            "empty",
            "The record has no terms: every host gets neutral.",
            "It neither allows nor forbids anything.",
            'Publish "v=spf1 -all" for a domain that sends no mail.',
            "RFC 7208 4.7",
        )


def _after_all(record: Record) -> Iterator[Problem]:
    mechanisms = record.mechanisms
    names = [term.name for term in mechanisms]
    if "all" not in names:
        return
    ignored = [term.text for term in mechanisms[names.index("all") + 1 :]]
    if redirect := record.modifier("redirect"):
        ignored.append(redirect.text)
    if ignored:
        yield Problem(
            "warning",
            "after-all",
            f"Never reached, because all matches before: {', '.join(map(printable, ignored))}.",
            "Hosts that only these terms allow do not pass.",
            "Put all last, and leave redirect out when there is an all.",
            "RFC 7208 5.1",
        )


def _reverse(record: Record) -> Iterator[Problem]:
    used = [term.text for term in record.mechanisms if term.name == "ptr"]
    if used:
        yield Problem(
            "warning",
            "ptr",
            f"{', '.join(used)}: the ptr mechanism should not be published.",
            "It is slow, unreliable and a load on the arpa name servers; some receivers skip it.",
            "List the addresses with ip4, ip6 or a instead.",
            "RFC 7208 5.5",
        )


def _duplicates(record: Record) -> Iterator[Problem]:
    seen: set[tuple[object, ...]] = set()
    for term in record.mechanisms:
        key = key_of(term)
        if key in seen:
            saved = " and costs a look-up" if term.kind.asks else ""
            yield Problem(
                "warning",
                "duplicate",
                f"{term.text} stands in the record twice.",
                f"The second one can never decide anything{saved}.",
                f"Remove the second {term.text}.",
                "RFC 7208 4.6.2",
            )
        seen.add(key)


def key_of(term: Term) -> tuple[object, ...]:
    """Return what makes two mechanisms match the same senders, the qualifier left out."""
    value = term.value.lower().removesuffix(".")
    return (term.name, term.network or value, term.cidr4, term.cidr6)


def _covered(record: Record) -> Iterator[Problem]:
    earlier: list[Term] = []
    for term in record.mechanisms:
        for other in earlier:
            if _holds(other, term) and key_of(other) != key_of(term):
                yield Problem(
                    "info",
                    "covered",
                    f"{term.text} lies within {other.text}, which stands before it.",
                    "It can never decide anything.",
                    f"Remove {term.text}, or put it first if it should be treated differently.",
                    "RFC 7208 4.6.2",
                )
                break
        if term.network is not None:
            earlier.append(term)


def _holds(outer: Term, inner: Term) -> bool:
    match outer.network, inner.network:
        case ipaddress.IPv4Network() as wide, ipaddress.IPv4Network() as narrow:
            return narrow.subnet_of(wide)
        case ipaddress.IPv6Network() as wide, ipaddress.IPv6Network() as narrow:
            return narrow.subnet_of(wide)
        case _:
            return False


def _networks(record: Record) -> Iterator[Problem]:
    for term in record.mechanisms:
        network = term.network
        if network is None or term.qualifier != "+":
            continue
        if network.prefixlen < WIDE[network.version]:
            yield Problem(
                "warning",
                "wide-network",
                f"{term.text} lets {_size(network.num_addresses)} addresses pass.",
                "Among them are hosts of strangers, who can then send in the domain's name.",
                "Name the networks that really send.",
                "RFC 7208 11.4",
            )
        elif network.is_private and not network.is_global and not _is_documentation(network):
            yield Problem(
                "info",
                "private-network",
                f"{term.text} is not an address of the public Internet.",
                "No receiver outside sees a client with such an address.",
                "Remove it, unless internal receivers check SPF too.",
                "RFC 1918",
            )


def _size(count: int) -> str:
    return f"{count:,}" if count < 10**9 else f"about 10^{len(str(count)) - 1}"


def _is_documentation(network: Network) -> bool:
    return any(network[0] in each for each in _documentation())


@cache
def _documentation() -> tuple[Network, ...]:
    ranges = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    return tuple(map(ipaddress.ip_network, ranges))  # RFC 5737, RFC 3849


def _modifiers(record: Record) -> Iterator[Problem]:
    for term in record.terms:
        if term.kind is UNKNOWN and term.name in MECHANISMS:
            yield Problem(
                "warning",
                "mechanism-as-modifier",
                f"{term.text} is read as an unknown modifier and ignored.",
                "The hosts meant by it do not pass.",
                f"Write {term.name}:{term.value}",
                "RFC 7208 6",
            )
        elif term.kind is UNKNOWN:
            yield Problem(
                "info",
                "unknown-modifier",
                f"{term.text} is no known modifier and is ignored.",
                "It changes nothing.",
                "Remove it, unless you know a receiver that reads it.",
                "RFC 7208 6",
            )
    if record.modifier("exp") and not any(term.qualifier == "-" for term in record.mechanisms):
        yield Problem(
            "info",
            "unused-exp",
            "exp is used for a fail only, and no mechanism here is one.",
            "The explanation is never shown.",
            "Use -all, or remove exp.",
            "RFC 7208 6.2",
        )


def _many_lookups(record: Record) -> Iterator[Problem]:
    count = sum(term.kind.asks for term in record.terms)
    if count > LOOKUP_LIMIT:
        yield Problem(
            "error",
            "too-many-lookups",
            f"The record alone has {count} terms that ask the DNS, {LOOKUP_LIMIT} are allowed.",
            "Hosts that no earlier term matches get permerror, which many receivers take for fail.",
            "Replace a and mx by ip4 and ip6, and remove includes that are not needed.",
            "RFC 7208 4.6.4",
        )


def _length(record: Record) -> Iterator[Problem]:
    if len(record.text) > LENGTH_ADVISED:
        yield Problem(
            "info",
            "long",
            f"The record is {len(record.text)} octets long; {LENGTH_ADVISED} are advised at most.",
            "The answer may not fit a DNS datagram, and some resolvers fail on longer ones.",
            "Move parts of it to a record of their own and include that.",
            "RFC 7208 3.4",
        )


RULES: Final[tuple[Callable[[Record], Iterable[Problem]], ...]] = (
    _everybody,
    _no_end,
    _after_all,
    _many_lookups,
    _reverse,
    _duplicates,
    _covered,
    _networks,
    _modifiers,
    _length,
)
