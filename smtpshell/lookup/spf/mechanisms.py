"""The mechanisms that ask the DNS, one function each (RFC 7208 sections 5.3 to 5.5 and 5.7).

Each is given the context, the term and its expanded target, and returns what came of it. `include`
is not here: it is check_host again, and lives with it. Errors of the DNS end the evaluation with
temperror (section 5), but for ptr, where the client's own DNS is at fault (5.5).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from smtpshell.lookup import names
from smtpshell.lookup.spf.context import NAME_LIMIT, Context, Outcome, Target

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.spf.grammar import Term
    from smtpshell.lookup.spf.identity import Address


async def _a(context: Context, term: Term, target: Target, octets: names.Labels) -> Outcome:
    """Match when an address of the name is the client's, within the prefix (5.3)."""
    answer = await context.resolver.ask(octets, context.who.family)
    context.count_void((answer,))
    if answer.failed:
        return _failed((answer,), f"addresses of {target.name}")
    return Outcome(covers(answer, context.who.ip, term), answers=(answer,))


async def _mx(context: Context, term: Term, target: Target, octets: names.Labels) -> Outcome:
    """Match when an address of a mail exchanger is the client's (5.4). There is no implicit MX."""
    answer = await context.resolver.ask(octets, "MX")
    if len(answer.records) > NAME_LIMIT:
        count = len(answer.records)
        reason = f"{target.name} has {count} mail exchangers, {NAME_LIMIT} are allowed"
        return Outcome(reason=reason, answers=(answer,), error="permerror")
    answers = [answer]
    hosts = iter([host for _, host in answer.records if host != "."])  # "." is RFC 7505's
    outcome = Outcome()
    while not outcome.match and not answers[-1].failed and (host := next(hosts, None)):
        answers.append(await context.resolver.ask(host, context.who.family))
        if covers(answers[-1], context.who.ip, term):
            outcome = Outcome(match=True, reason=f"host {host}")
    context.count_void(answers)
    if answers[-1].failed:
        what = "mail exchangers" if len(answers) == 1 else "addresses"
        return _failed(tuple(answers), f"{what} of {answers[-1].name}")
    return outcome._replace(answers=tuple(answers))


async def _ptr(context: Context, _term: Term, _target: Target, octets: names.Labels) -> Outcome:
    """Match when a validated name of the client is the target or ends in it (5.5)."""
    validated, answers = await context.client_names()
    context.count_void(answers[:1])
    for name in validated:
        if names.is_within(names.parse(name), octets):
            return Outcome(match=True, reason=f"validated name {name}", answers=answers)
    reason = "" if validated else "the client has no validated name"
    return Outcome(reason=reason, answers=answers)


async def _exists(context: Context, _term: Term, target: Target, octets: names.Labels) -> Outcome:
    """Match when the name has an A record, whatever the client's family (5.7)."""
    answer = await context.resolver.ask(octets, "A")
    context.count_void((answer,))
    if answer.failed:
        return _failed((answer,), f"address of {target.name}")
    return Outcome(answer.ok, answers=(answer,))


def _failed(answers: tuple[Answer, ...], what: str) -> Outcome:
    return Outcome(
        reason=f"asking for the {what}: {answers[-1].meaning}", answers=answers, error="temperror"
    )


def covers(answer: Answer, ip: Address | None, term: Term) -> bool:
    """Tell whether an address of the answer and the client's agree within the term's prefix."""
    if ip is None:
        return False
    bits = (32 - term.cidr4) if ip.version == 4 else (128 - term.cidr6)
    return any(
        int(ipaddress.ip_address(address)) >> bits == int(ip) >> bits for address in answer.records
    )


ASKING: Final[Mapping[str, Callable[[Context, Term, Target, names.Labels], Awaitable[Outcome]]]] = {
    "a": _a,
    "mx": _mx,
    "ptr": _ptr,
    "exists": _exists,
}
