"""What a host thinks of a request that the protocol allows: mailboxes, relaying, logins.

The rules of a scenario speak before this, gates (TLS or login required) before the rules. Each
answer is the name of a row of `protocol.serverreplies`; the words belong to the personality.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.practice.addresses import fold
from smtpshell.practice.globs import matches_glob
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtpshell.practice.scenario import Host, Scenario
    from smtpshell.practice.world import World
    from smtpshell.protocol.serverside import Request, ServerSide, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Circumstances:
    """What a policy may look at: the world, the host and its port, the session, the mistakes."""

    world: World
    host: Host
    port: int
    side: ServerSide
    failures: int = 0
    unknown: int = 0

    @property
    def scenario(self) -> Scenario:
        """The scenario of the world."""
        return self.world.scenario


def gate(case: Circumstances, request: Request, verdict: Verdict) -> str:
    """Return why a verb is closed to this client at this moment, or "" when it is open."""
    scenario, side, verb = case.scenario, case.side, request.command.verb
    if verdict.name == "not-recognized" and 0 < scenario.limits.unknown <= case.unknown:
        return "too-many-errors"
    if not verdict.accepted:
        return ""
    if verb in scenario.tls.require_before and not side.tls:
        return "" if verb == "AUTH" else "tls-first"
    auth = scenario.auth
    here = not auth.ports or case.port in auth.ports
    return "login-first" if verb in auth.require_before and here and not side.user else ""


def objection(case: Circumstances, request: Request) -> str:
    """Return what the host has against a request, or "" for nothing."""
    judge = _POLICIES.get(request.verb)
    return judge(case, request) if judge else ""


def destination(scenario: Scenario, host: Host, address: str) -> str:
    """Return where mail for an address goes from a host.

    "here" (the host takes mail for the domain), "onward" (another host of this world does, and this
    one hands over), "open" (an open relay, which keeps it) or "nowhere".
    """
    _, domain = fold(scenario.usual(address))
    if not domain or any(matches_glob(item, domain) for item in host.accepts if item != "*"):
        return "here"
    if host.onward and next_hop(scenario, host, address):
        return "onward"
    return "open" if "*" in host.accepts else "nowhere"


def forwarded(scenario: Scenario, host: Host, address: str) -> str:
    """Return the address to which a host forwards mail for this one, "" when it does not."""
    wanted = fold(scenario.usual(address))
    return next((to for given, to in host.forwards.items() if fold(given) == wanted), "")


def next_hop(scenario: Scenario, host: Host, address: str) -> Host | None:
    """Return the other host of this world that takes mail for an address."""
    _, domain = fold(scenario.usual(address))
    return next(
        (
            other
            for other in scenario.hosts
            if other is not host
            and any(matches_glob(item, domain) for item in other.accepts if item != "*")
        ),
        None,
    )


def _mail(case: Circumstances, request: Request) -> str:
    scenario, side = case.scenario, case.side
    if case.world.full:
        return "full"
    user = scenario.user(side.user) if side.user else None
    if user is not None and not owns(
        user.may_send_as, scenario.usual(request.command.address or "")
    ):
        return "not-your-sender"
    return ""


def owns(patterns: tuple[str, ...], address: str) -> bool:
    """Tell whether a user with these patterns may send as an address; no patterns, any address."""
    return not patterns or any(matches_glob(pattern, address) for pattern in patterns)


def _rcpt(case: Circumstances, request: Request) -> str:
    address = request.command.address or ""
    neighbour = case.world.neighbour(address)
    if neighbour is not None:
        if neighbour.find_mailbox(address) is None:
            return "unknown-user"
        return "full" if neighbour.full else ""
    match destination(case.scenario, case.host, address):
        case "here":
            known = forwarded(case.scenario, case.host, address) or case.world.find_mailbox(address)
            return "" if known else "unknown-user"
        case "nowhere":
            return "" if case.side.user else "relay-denied"
    return ""


def _auth(case: Circumstances, request: Request) -> str:
    limit = case.scenario.limits.failures
    exhausted = limit and case.failures >= limit and request.kind == "command"
    return "too-many-logins" if exhausted else ""


_POLICIES: dict[str, Callable[[Circumstances, Request], str]] = {
    "MAIL": _mail,
    "RCPT": _rcpt,
    "AUTH": _auth,
}
