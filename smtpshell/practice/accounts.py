"""The published users, as the server's side of a login sees them, and what counts as published.

Practice passwords are printed in the scenario for everyone to read, so a login with one of them may
be shown, saved and graded. Anything else typed at the practice server is somebody's secret and
stays hidden. For a password sent in the clear the octets tell; for a proof (CRAM-MD5, SCRAM) the
exchange so far is played again on the side, and only a proof that the server would accept is a
published one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.protocol.errors import SmtpshellError

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtpshell.practice.scenario import Host, Scenario
    from smtpshell.practice.world import World
    from smtpshell.protocol.sasl import Account, ChannelBinding, ServerTerms
    from smtpshell.protocol.sasl.exchange import ServerExchange

_BY_CONTENT = frozenset({"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"})


def find_account(scenario: Scenario, mechanism: str, name: str) -> Account | None:
    """Return the account of a user, if the user exists and may log in by this mechanism."""
    from smtpshell.protocol.sasl import Account

    user = scenario.user(name)
    base = mechanism.removesuffix("-PLUS")
    if user is None or (user.mechanisms and base not in user.mechanisms):
        return None
    own = user.name if scenario.usual(name) == name else name
    return Account(own, user.password, token=user.token or None)


def mechanisms_of(scenario: Scenario, port: int) -> tuple[str, ...]:
    """Return the mechanisms that a port offers, strongest bindings last, as they are announced."""
    auth = scenario.auth
    if auth.offer == "never" or (auth.ports and port not in auth.ports):
        return ()
    if auth.mechanisms:
        return auth.mechanisms
    return tuple(dict.fromkeys(name for user in scenario.users for name in user.mechanisms))


def terms_maker(
    world: World, host: Host, bindings: Callable[[], tuple[ChannelBinding, ...]], offered: bool
) -> Callable[[str], ServerTerms]:
    """Return what makes the terms of a login: nonces from the seed, users from the scenario."""

    def make(mechanism: str) -> ServerTerms:
        from smtpshell.protocol.sasl import ServerTerms

        nonce = world.token("nonce")
        return ServerTerms(
            mechanism,
            lambda name: find_account(world.scenario, mechanism, name),
            host=host.name,
            realm=world.scenario.auth.realm or host.name,
            bindings=bindings(),
            plus_offered=offered,
            nonce=lambda: nonce,
            salt=lambda name: f"practice salt of {name}".encode()[:32],
        )

    return make


def replayed(exchange: ServerExchange, terms: ServerTerms) -> ServerExchange:
    """Return a second exchange that has heard the same tokens as the first."""
    from smtpshell.protocol.sasl.exchange import ServerExchange

    heard = [token.octets for token in exchange.tokens if token.direction == "client"]
    copy = ServerExchange(terms)
    spoke_first = exchange.tokens and exchange.tokens[0].direction == "client"
    copy.start(heard.pop(0) if spoke_first else None)
    for octets in heard:
        copy.receive(octets)
    return copy


def is_published(
    scenario: Scenario,
    mechanism: str,
    line: bytes,
    exchange: Callable[[], ServerExchange | None] = lambda: None,
) -> bool:
    """Tell whether an AUTH argument or answer (a base64 line) holds only published credentials.

    `exchange` gives a copy of the login under way, for the mechanisms that send proofs; None when
    none is under way.
    """
    from smtpshell.protocol.sasl import Outcome, decode_line

    if _all_known(scenario, line):
        return True
    try:
        octets = decode_line(line)
    except SmtpshellError:
        return False
    if not octets or _all_known(scenario, octets):
        return True
    if mechanism in _BY_CONTENT:
        return _known_words(scenario, mechanism, octets)
    copy = exchange()
    if copy is None:
        return b",n=" in octets and _known_words(scenario, mechanism, octets)
    step = copy.receive(octets)
    return step.ok if isinstance(step, Outcome) else True


def _all_known(scenario: Scenario, octets: bytes) -> bool:
    """Tell whether octets are published names and passwords alone, as PLAIN and LOGIN have them.

    Those of a slip are known too: not encoded, with an end of line, with a NUL too few.
    """
    passwords = {user.password for user in scenario.users}
    words = [word for word in octets.decode("utf-8", "replace").strip().split("\0") if word]
    return bool(words) and all(word in passwords or scenario.user(word) for word in words)


def _known_words(scenario: Scenario, mechanism: str, octets: bytes) -> bool:
    text = octets.decode("utf-8", "replace")
    tokens = {f"Bearer {user.token}" for user in scenario.users if user.token}
    if mechanism.startswith("SCRAM"):
        return scenario.user(text.partition(",n=")[2].partition(",")[0]) is not None
    return any(word.removeprefix("auth=") in tokens for word in text.split("\x01"))
