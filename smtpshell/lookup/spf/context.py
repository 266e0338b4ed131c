"""What one evaluation carries along: who is checked, the counters, the limits, the questions.

Counting follows RFC 7208 4.6.4. A *look-up* is a term that asks the DNS, however many questions it
takes: include, a, mx, ptr, exists, redirect. A *void look-up* is such a term with a question that
is answered with NXDOMAIN or without records; it too counts once, so five dead mail exchangers of
one mx are one. What the client controls is not counted against the domain: the forward look-ups of
PTR names and of the macro p; neither is the explanation, which is asked for after the result.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from smtpshell.lookup import names
from smtpshell.lookup.spf import grammar, macro
from smtpshell.lookup.spf.identity import UNKNOWN, Identity, labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.finding import Step
    from smtpshell.lookup.resolver import Resolver

Result = Literal["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"]
Error = Literal["temperror", "permerror"]

RESULTS: Final[Mapping[str, Result]] = {  # RFC 7208 4.6.2, by qualifier
    "+": "pass",
    "-": "fail",
    "~": "softfail",
    "?": "neutral",
}

LOOKUP_LIMIT: Final = 10  # RFC 7208 4.6.4, terms
VOID_LIMIT: Final = 2  # RFC 7208 4.6.4
NAME_LIMIT: Final = 10  # RFC 7208 4.6.4, address look-ups for one mx, ptr or %{p}
TIME_LIMIT: Final = 20.0  # seconds; RFC 7208 4.6.4 asks for at least 20


class Outcome(NamedTuple):
    """What came of one term: a match or not, or an error that ends the evaluation."""

    match: bool = False
    reason: str = ""
    answers: tuple[Answer, ...] = ()
    steps: tuple[Step, ...] = ()
    error: Error | None = None


class Target(NamedTuple):
    """An expanded domain-spec: the name, the working of each macro, what was asked for it.

    `octets` are the labels to ask, None when the name cannot be asked; `fault` says why.
    """

    name: str
    octets: names.Labels | None
    macros: tuple[tuple[str, str], ...] = ()
    answers: tuple[Answer, ...] = ()
    fault: str = ""


class Published(NamedTuple):
    """The SPF record of a domain as found: its text, or the result that its absence gives."""

    text: str | None
    answers: tuple[Answer, ...] = ()
    result: Result = "none"
    reason: str = ""
    section: str = "RFC 7208 4.5"


@dataclass(slots=True)
class Context:
    """The mutable heart of one evaluation. `overrides` maps a domain to a record to try."""

    resolver: Resolver
    who: Identity
    overrides: Mapping[str, str] = field(default_factory=dict)
    void_limit: int = VOID_LIMIT
    lookups: int = 0
    voids: int = 0
    deadline: float = field(default_factory=lambda: time.monotonic() + TIME_LIMIT)

    def count_void(self, answers: Iterable[Answer]) -> None:
        """Count a term as void if one of its answers is."""
        self.voids += is_void(answers)

    def broken_limit(self, where: str) -> Outcome | None:
        """Return the error of the limit that is exceeded, if one is (4.6.4)."""
        if self.lookups > LOOKUP_LIMIT:
            reason = f"more than {LOOKUP_LIMIT} look-ups: {where} would be number {self.lookups}"
            return Outcome(reason=reason, error="permerror")
        if self.voids > self.void_limit:
            reason = f"more than {self.void_limit} void look-ups, counting those of {where}"
            return Outcome(reason=reason, error="permerror")
        if time.monotonic() > self.deadline:
            reason = f"the evaluation takes longer than {TIME_LIMIT:g} seconds"
            return Outcome(reason=reason, error="temperror")
        return None

    async def published(self, domain: str) -> Published:
        """Fetch the one record of a domain, or say why there is none (4.4, 4.5)."""
        override = self.overrides.get(names.normal(domain))
        if override is not None:
            return Published(override)
        answer = await self.resolver.ask(labels(domain), "TXT")
        return select(domain, answer)

    async def expand(self, term: grammar.Term, domain: str) -> Target:
        """Expand a term's domain-spec; without one the target is the domain itself (4.8)."""
        if not term.target:
            return _target(domain)
        used = macro.letters(term.target)
        if used & {"l", "s"} and not self.who.local.isascii():
            # RFC 8616 section 4
            fault = "the local part is not ASCII, so it cannot stand in a name of the DNS"
            return Target("", None, fault=fault)
        values = self.who.values(domain)
        answers: tuple[Answer, ...] = ()
        if "p" in used:
            values["p"], answers = await self.client_name(domain)
        name = macro.shortened(macro.expand(term.target, values))
        return _target(name, macro.steps(term.target, values), answers)

    async def client_names(self) -> tuple[tuple[str, ...], tuple[Answer, ...]]:
        """Return the client's validated names, of ten tried at most, and the answers (5.5)."""
        ip = self.who.ip
        assert ip is not None  # names are validated in check_host only, which has an address
        reverse = await self.resolver.reverse(str(ip))
        candidates = reverse.records[:NAME_LIMIT]
        found = await self.resolver.ask_all((name, self.who.family) for name in candidates)
        validated = tuple(
            name
            for name, forward in zip(candidates, found, strict=True)
            if any(ipaddress.ip_address(each) == ip for each in forward.records)
        )
        return validated, (reverse, *found)

    async def client_name(self, domain: str) -> tuple[str, tuple[Answer, ...]]:
        """Return the value of the macro p: the domain itself, else a name below it, else any."""
        validated, answers = await self.client_names()
        equal = [name for name in validated if names.same(name, domain)]
        below = [name for name in validated if names.is_within(names.parse(name), labels(domain))]
        return next(iter((*equal, *below, *validated)), UNKNOWN), answers


def is_void(answers: Iterable[Answer]) -> bool:
    """Tell whether a question came back without records, from a server that knows (4.6.4)."""
    return any(answer.status in {"nodata", "nxdomain"} for answer in answers)


def _target(
    name: str, macros: tuple[tuple[str, str], ...] = (), answers: tuple[Answer, ...] = ()
) -> Target:
    try:
        return Target(name, labels(name), macros, answers)
    except names.BadNameError as fault:
        return Target(name, None, macros, answers, str(fault))


def select(domain: str, answer: Answer) -> Published:
    """Pick the SPF record among the TXT records of a domain (4.4, 4.5)."""
    if answer.failed:
        reason = f"asking for the record of {domain}: {answer.meaning}"
        return Published(None, (answer,), "temperror", reason, "RFC 7208 4.4")
    found = [text for text in map(grammar.decode, answer.records) if grammar.is_spf(text)]
    if len(found) > 1:
        reason = f"{domain} has {len(found)} SPF records, one is allowed"
        return Published(None, (answer,), "permerror", reason)
    if found:
        return Published(found[0], (answer,))
    why = answer.meaning if answer.absent else "no TXT record of it begins with v=spf1"
    section = "RFC 7208 4.3" if answer.status == "nxdomain" else "RFC 7208 4.5"
    return Published(None, (answer,), "none", f"{domain} has no SPF record: {why}", section)
