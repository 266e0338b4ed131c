"""The cheapest change that brings a record under ten look-ups.

Each term that asks the DNS can be removed or replaced, at a price: a duplicate or a term that can
never match costs nothing; an `a` or `mx` becomes the addresses behind it, which must then be kept
up to date by hand; an include becomes the networks of its whole tree, which belong to somebody else
and change without notice. The prices below are an order, not a measure. Among all sets of changes
that save enough the one with the lowest price is chosen, by dynamic programming over what is saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from smtpshell.lookup.spf.context import LOOKUP_LIMIT
from smtpshell.lookup.spf.lint import key_of
from smtpshell.lookup.spf.walk import Branch, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.lookup.spf.grammar import Network
    from smtpshell.lookup.spf.survey import Survey

FREE: Final = 0
PTR: Final = 2
OWN_HOSTS: Final = 3
FOREIGN: Final = 20
MOST_NETWORKS: Final = 12  # for one include; more make the record too long to be kept up to date


@dataclass(frozen=True, slots=True)
class Option:
    """One change to one term: what to do, what stands in its place, what it saves and costs."""

    term: str
    action: str
    replacement: tuple[str, ...]
    saves: int
    price: int

    def __str__(self) -> str:
        with_what = f" by {' '.join(self.replacement)}" if self.replacement else ""
        return f"{self.action} {self.term}{with_what} (saves {self.saves})"


@dataclass(frozen=True, slots=True)
class Change:
    """A set of options, the look-ups that are left, and the record to publish."""

    options: tuple[Option, ...]
    lookups: int
    record: str

    def __str__(self) -> str:
        return "; ".join(str(option) for option in self.options) + f": {self.lookups} look-ups"

    def to_json(self) -> dict[str, object]:
        """Return the change as a JSON object."""
        return {
            "changes": [str(option) for option in self.options],
            "lookups": self.lookups,
            "record": self.record,
        }


def cheapest_change(survey: Survey) -> Change | None:
    """Return the cheapest change that is enough; None when none is needed or none is enough."""
    need = survey.worst_case - LOOKUP_LIMIT
    record = survey.root.record
    if need <= 0 or record is None or _has_loop(survey.root):
        return None
    best: dict[int, tuple[int, tuple[Option, ...]]] = {0: (0, ())}
    for choices in _choices(survey):
        for saved, (price, chosen) in sorted(best.items(), reverse=True):
            for option in choices:
                total = min(saved + option.saves, need)
                offer = (price + option.price, (*chosen, option))
                if total not in best or offer[0] < best[total][0]:
                    best[total] = offer
    if need not in best:
        return None
    options = best[need][1]
    saved = sum(option.saves for option in options)
    return Change(options, survey.worst_case - saved, _rewritten(record.text, options))


def _has_loop(root: Branch) -> bool:
    return any(node.child is not None and node.child.loop for node in root.below())


def _choices(survey: Survey) -> Iterator[list[Option]]:
    seen: set[tuple[object, ...]] = set()
    for node in survey.root.all_nodes:
        if not node.term.kind.asks or id(node) not in survey.reached:
            continue
        key = key_of(node.term)
        if key in seen:
            options = [_removal(node, "remove the repeated")]
        elif _is_useless(node):
            options = [_removal(node, "remove the void")]
        else:
            options = list(_options(node))
        seen.add(key)
        if options:
            yield options


def _removal(node: Node, action: str) -> Option:
    return Option(node.term.text, action, (), cost(node), FREE)


def _is_useless(node: Node) -> bool:
    """Tell whether a term can match nobody as the DNS stands: a dead name, a missing record."""
    if node.term.name in {"a", "mx"}:
        return bool(node.answers) and not node.networks and node.error is None
    return node.child is not None and node.child.error == "none"


def _options(node: Node) -> Iterator[Option]:
    term = node.term
    if term.name == "ptr":
        yield Option(term.text, "remove", (), 1, PTR)
    elif term.name in {"a", "mx"} and node.networks and node.error is None:
        written = _written(term.qualifier, node.networks)
        yield Option(term.text, "replace", written, 1, OWN_HOSTS + len(written))
    elif term.name == "include" and node.child is not None:
        networks = _passing(node.child)
        if networks is not None and 0 < len(networks) <= MOST_NETWORKS:
            written = _written(term.qualifier, tuple(dict.fromkeys(networks)))
            yield Option(term.text, "replace", written, cost(node), FOREIGN + len(written))


def cost(node: Node) -> int:
    """Return the look-ups that a term can spend, those of its include among them."""
    inner = 0
    if node.child is not None and not node.child.loop:
        for each in node.child.all_nodes:
            if each.term.name == "all":
                break
            inner += cost(each)
    return node.term.kind.asks + inner


def _passing(branch: Branch) -> list[Network] | None:
    """Return the networks a record passes, or None when they do not tell the whole story."""
    if branch.error is not None:
        return None
    found: list[Network] = []
    for node in branch.all_nodes:
        if node.term.name == "all":
            return None if node.term.qualifier == "+" else found
        if node.term.qualifier not in {"+", ""} or node.error is not None:
            return None
        if node.child is not None:
            inner = _passing(node.child)
            if inner is None:
                return None
            found += inner
        elif (not node.networks and not node.answers) or node.term.name == "exists":
            return None
        else:
            found += node.networks
    return found


def _written(qualifier: str, networks: tuple[Network, ...]) -> tuple[str, ...]:
    sign = "" if qualifier == "+" else qualifier
    return tuple(f"{sign}ip{network.version}:{_short(network)}" for network in networks)


def _short(network: Network) -> str:
    whole = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if whole else str(network)


def _rewritten(text: str, options: tuple[Option, ...]) -> str:
    """Carry the options out in the text; of two equal terms the last one is changed."""
    terms = text.split(" ")
    for option in options:
        place = len(terms) - 1 - terms[::-1].index(option.term)
        terms[place : place + 1] = option.replacement
    return " ".join(filter(None, terms))
