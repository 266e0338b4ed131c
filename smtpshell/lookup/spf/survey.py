"""A record without a sender: the whole tree, and what it costs in the worst case.

check_host stops at the first match, so the cost of a record depends on who sends. The survey asks
for everything that the record and its includes name, for both address families, and then walks the
tree that came of it as different senders would. The costliest sender is nearly always one that
nothing matches. Where it is not (an include whose record passes everybody hides the terms behind it
from most senders, but not from all), one address out of every range that the tree tells apart is
tried as well. Terms that no sender reaches are found by the same walks.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from smtpshell.lookup import names
from smtpshell.lookup.spf import grammar, macro
from smtpshell.lookup.spf.context import NAME_LIMIT, Context, Published, Result, is_void
from smtpshell.lookup.spf.identity import is_checkable, labels
from smtpshell.lookup.spf.prefetch import Prefetch
from smtpshell.lookup.spf.walk import VERSIONS, Branch, Node, Walk, ranges, verdict, walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smtpshell.lookup.answer import Answer

FAMILIES: Final = ("A", "AAAA")
TERM_BUDGET: Final = 250  # terms that ask; more than any record that anybody could use
EVERYBODY: Final[tuple[grammar.Network, ...]] = (
    ipaddress.IPv4Network("0.0.0.0/0"),
    ipaddress.IPv6Network("::/0"),
)


@dataclass(frozen=True, slots=True)
class Family:
    """The survey of one IP version.

    `result` is that of a sender whom nothing matches, limits applied; `plain` is its walk;
    `worst` the most look-ups and `worst_voids` the most void look-ups of any sender.
    """

    result: Result
    plain: Walk
    worst: int
    worst_voids: int


@dataclass(frozen=True, slots=True)
class Survey:
    """The tree, what it costs by IP version, the identities of the nodes some sender reaches."""

    root: Branch
    families: dict[int, Family]
    reached: frozenset[int]

    @property
    def worst_case(self) -> int:
        """The most look-ups that any sender can cause."""
        return max(family.worst for family in self.families.values())

    @property
    def worst_voids(self) -> int:
        """The most void look-ups that any sender can cause."""
        return max(family.worst_voids for family in self.families.values())


async def survey(context: Context) -> Survey:
    """Ask for the whole tree below the identity's domain, and walk it."""
    async with Prefetch(context, FAMILIES, TERM_BUDGET) as prefetch:
        root = await _Planter(context, prefetch).branch(context.who.domain, ())
    families: dict[int, Family] = {}
    reached: set[int] = set()
    for version in VERSIONS:
        plain = walk(root, version)
        walks = [plain]
        if plain.reached != walk(root, version, structure_only=True).reached:
            walks += [walk(root, version, address) for address in ranges(root, version)]
        families[version] = Family(
            verdict(root, version),
            plain,
            max(each.lookups for each in walks),
            max(each.voids for each in walks),
        )
        reached.update(*(each.reached for each in walks))
    return Survey(root, families, frozenset(reached))


@dataclass(slots=True)
class _Planter:
    """Builds the tree, depth first."""

    context: Context
    prefetch: Prefetch
    budget: int = TERM_BUDGET

    async def branch(self, domain: str, above: tuple[str, ...]) -> Branch:
        key = names.normal(domain)
        if not is_checkable(domain):
            reason = f"{domain!r} is not a domain name of two labels or more"
            return Branch(domain, Published(None, reason=reason), error="none", reason=reason)
        published = await self.context.published(domain)
        if published.text is None:
            return Branch(domain, published, error=published.result, reason=published.reason)
        record = grammar.parse(published.text)
        if key in above:
            reason = f"{domain} includes itself: evaluation goes round until the limit is reached"
            return Branch(domain, published, record, error="permerror", reason=reason, loop=True)
        if not above:
            self.prefetch.start(record, domain)
        error: Result | None = None if record.valid else "permerror"
        reason = "" if record.valid else f"syntax error: {record.problems[0].text}"
        above = (*above, key)
        nodes = [await self.node(term, domain, above) for term in record.mechanisms]
        redirect = record.modifier("redirect")
        last = None if redirect is None else await self.node(redirect, domain, above)
        return Branch(domain, published, record, tuple(nodes), last, error, reason)

    async def node(self, term: grammar.Term, domain: str, above: tuple[str, ...]) -> Node:
        if not term.kind.asks:
            networks = EVERYBODY if term.network is None else (term.network,)
            return Node(term, networks=networks)
        self.budget -= 1
        if self.budget < 0:
            reason = f"not followed: the tree has more than {TERM_BUDGET} terms that ask the DNS"
            return Node(term, error="permerror", reason=reason)
        values = self.context.who.values(domain)
        if term.name == "ptr" or not macro.letters(term.target) <= values.keys():
            return Node(term, reason="depends on the sender")
        target = macro.shortened(macro.expand(term.target, values)) if term.target else domain
        if term.name in {"include", "redirect"}:
            return await self.inner(term, target, above)
        try:
            octets = labels(target)
        except names.BadNameError as fault:
            return Node(term, target, reason=f"it cannot be asked: {fault}")
        return await self.hosts(term, target, octets)

    async def inner(self, term: grammar.Term, target: str, above: tuple[str, ...]) -> Node:
        child = await self.branch(target, above)
        answers = child.published.answers
        error: Result | None = "permerror" if child.error == "none" else child.error
        voids = (is_void(answers),) * 2
        return Node(term, target, answers, (), voids, child, error, child.reason)

    async def hosts(self, term: grammar.Term, target: str, octets: names.Labels) -> Node:
        """Ask for what an `a`, an `mx` or an `exists` names."""
        ask_all = self.context.resolver.ask_all
        first: tuple[Answer, ...] = ()
        hosts: list[str | names.Labels] = [octets]
        if term.name == "exists":
            found = await ask_all([(octets, "A")])
            networks = EVERYBODY if found[0].ok else ()
            voids = (is_void(found),) * 2
            return Node(term, target, tuple(found), networks, voids, None, *_failure(found))
        if term.name == "mx":
            first = tuple(await ask_all([(octets, "MX")]))
            hosts = [host for _, host in first[0].records if host != "."]
        if len(hosts) > NAME_LIMIT:
            reason = f"{target} has {len(hosts)} mail exchangers, {NAME_LIMIT} are allowed"
            return Node(term, target, first, error="permerror", reason=reason)
        found = await ask_all([(host, family) for host in hosts for family in FAMILIES])
        return Node(
            term,
            target,
            (*first, *found),
            tuple(_networks(term, found)),
            (is_void((*first, *found[::2])), is_void((*first, *found[1::2]))),
            None,
            *_failure((*first, *found)),
        )


def _failure(answers: Iterable[Answer]) -> tuple[Result | None, str]:
    for answer in answers:
        if answer.failed:
            return "temperror", f"asking for {answer.name} {answer.rdtype}: {answer.meaning}"
    return None, ""


def _networks(term: grammar.Term, answers: Iterable[Answer]) -> list[grammar.Network]:
    found: list[grammar.Network] = []
    for answer in answers:
        for address in answer.records:
            if ":" in address:
                found.append(ipaddress.IPv6Network((address, term.cidr6), strict=False))
            else:
                found.append(ipaddress.IPv4Network((address, term.cidr4), strict=False))
    return found
