"""The tree of a record and its includes, walked as one sender after another would walk it.

The tree holds everything the DNS said, so walking asks nothing. What depends on the sender (exists
with %{i}, ptr, macros of the local part) is counted, and taken as no match. But for `verdict`,
limits are not applied: a record with fourteen look-ups has fourteen, and what stands behind a
broken include is counted as it will be when the include is mended.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from smtpshell.lookup.spf.context import LOOKUP_LIMIT, RESULTS, VOID_LIMIT, Published, Result

if TYPE_CHECKING:
    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.spf.grammar import Network, Record, Term
    from smtpshell.lookup.spf.identity import Address

VERSIONS: Final = (4, 6)
RANGE_LIMIT: Final = 1000  # address ranges tried, where the plain walk is not the worst case


@dataclass(frozen=True, slots=True)
class Node:
    """One term of the tree and what the DNS says to it.

    `target` is the name asked ("" where it depends on the sender), `answers` all that was asked,
    `networks` what the term matches, `voids` whether it is void for IPv4 and for IPv6 senders,
    `child` the record of an include or a redirect, `error` and `reason` what is broken in it.
    """

    term: Term
    target: str = ""
    answers: tuple[Answer, ...] = ()
    networks: tuple[Network, ...] = ()
    voids: tuple[bool, bool] = (False, False)
    child: Branch | None = None
    error: Result | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """One record of the tree: whose it is, as published and parsed, its nodes in order.

    `error` is set when it cannot be evaluated (none, permerror, temperror); `loop` when it stands
    among its own ancestors, so that it was not followed again.
    """

    domain: str
    published: Published
    record: Record | None = None
    nodes: tuple[Node, ...] = ()
    redirect: Node | None = None
    error: Result | None = None
    reason: str = ""
    loop: bool = False

    @property
    def all_nodes(self) -> tuple[Node, ...]:
        """The nodes of this record, a redirect last."""
        return self.nodes if self.redirect is None else (*self.nodes, self.redirect)

    def below(self) -> list[Node]:
        """Return the nodes of this record and of all below it, in the order of evaluation."""
        found = []
        for node in self.all_nodes:
            found.append(node)
            if node.child is not None:
                found += node.child.below()
        return found


class Walk(NamedTuple):
    """What one sender meets: result, look-ups, void look-ups, identities of the nodes reached."""

    result: Result
    lookups: int
    voids: int
    reached: frozenset[int]


@dataclass(slots=True)
class _Walker:
    version: int
    address: Address | None = None
    structure_only: bool = False
    limited: bool = False
    lookups: int = 0
    voids: int = 0
    reached: set[int] = field(default_factory=set)
    stopped: Result | None = None

    def record(self, branch: Branch) -> Result:
        if branch.loop:
            self.lookups = max(self.lookups, LOOKUP_LIMIT + 1)
        if branch.record is None or (self.limited and branch.error is not None):
            return branch.error or "none"
        for node in branch.nodes:
            self.reached.add(id(node))
            match = self.matches(node)
            if self.stopped is not None:
                return self.stopped
            if match and (node.term.name == "all" or not self.structure_only):
                return RESULTS[node.term.qualifier]
        if branch.redirect is None:
            return "neutral"
        self.reached.add(id(branch.redirect))
        self.spend(branch.redirect)
        child = branch.redirect.child
        result = "none" if child is None or self.stopped else self.record(child)
        return self.stopped or ("permerror" if result == "none" else result)

    def spend(self, node: Node) -> None:
        """Count what a node costs; within limits, stop at what breaks one."""
        self.lookups += node.term.kind.asks
        self.voids += node.voids[self.version == 6]
        if not self.limited:
            return
        if self.lookups > LOOKUP_LIMIT:
            self.stopped = "permerror"
        elif node.error is not None and node.child is None:
            self.stopped = node.error
        elif self.voids > VOID_LIMIT:
            self.stopped = "permerror"

    def matches(self, node: Node) -> bool:
        self.spend(node)
        if self.stopped is not None:
            return False
        if node.child is None:
            return any(self.covered(network) for network in node.networks)
        result = self.record(node.child)
        if self.limited and result in {"none", "permerror", "temperror"}:
            self.stopped = "temperror" if result == "temperror" else "permerror"
        return result == "pass"

    def covered(self, network: Network) -> bool:
        if network.version != self.version:
            return False
        return network.prefixlen == 0 or (self.address is not None and self.address in network)


def walk(
    root: Branch, version: int, address: Address | None = None, *, structure_only: bool = False
) -> Walk:
    """Walk the tree as a sender of an IP version does; without an address, as one of no range.

    With `structure_only` nothing but `all` ends a record: every term that could be reached is.
    """
    walker = _Walker(version, address, structure_only)
    result = walker.record(root)
    return Walk(result, walker.lookups, walker.voids, frozenset(walker.reached))


def verdict(root: Branch, version: int) -> Result:
    """Return the result for a sender that nothing matches, errors and limits applied."""
    walker = _Walker(version, limited=True)
    return walker.record(root)


def ranges(root: Branch, version: int) -> list[Address]:
    """Return one address of every range that the networks of the tree tell apart."""
    make = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    edges = {0, 2 ** (32 if version == 4 else 128)}
    for node in root.below():
        for network in node.networks:
            if network.version == version:
                edges.update((int(network[0]), int(network[-1]) + 1))
    starts = [start for start, end in pairwise(sorted(edges)) if start < end]
    return [make(start) for start in starts[:RANGE_LIMIT]]
