"""From a virtual host and one of its ports to the profile of a server that speaks the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.practice.accounts import mechanisms_of, terms_maker
from smtpshell.practice.personalities import PERSONALITIES
from smtpshell.protocol.serverside import Profile
from smtpshell.protocol.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtpshell.practice.rules import Rulebook
    from smtpshell.practice.scenario import Host
    from smtpshell.practice.world import World
    from smtpshell.protocol.sasl import ChannelBinding


def make_profile(
    world: World,
    host: Host,
    port: int,
    rulebook: Rulebook,
    bindings: Callable[[], tuple[ChannelBinding, ...]],
) -> Profile:
    """Return the profile of one port of a host; `bindings` gives those of its TLS channel."""
    scenario = world.scenario
    mechanisms = mechanisms_of(scenario, port)
    in_clear = scenario.auth.offer == "always"
    offered = any(name.endswith("-PLUS") for name in mechanisms)
    size = _size(host, scenario.limits.message)
    texts = {**PERSONALITIES.get(host.personality, {}), **scenario.replies}
    if host.banner:
        texts["greeting"] = texts["greeting-lmtp"] = f"220 {host.banner}"
    return Profile(
        host=host.name,
        keywords=_keywords(host, port, mechanisms, size),
        texts=texts,
        size=size,
        recipients=scenario.limits.recipients,
        lmtp=host.lmtp,
        mechanisms=mechanisms,
        clear_mechanisms=tuple(name for name in mechanisms if in_clear and "-PLUS" not in name),
        terms=terms_maker(world, host, bindings, offered),
        lenient=host.bare_lf == "end",
        refuse_bare_lf=host.bare_lf == "refuse",
        line_by_line=rulebook.looks_at("DATA-LINE"),
    )


def _keywords(host: Host, port: int, mechanisms: tuple[str, ...], size: int) -> tuple[str, ...]:
    keywords = []
    names = {keyword.split()[0].upper() for keyword in host.extensions}
    for keyword in host.extensions:
        name = keyword.split()[0].upper()
        if name == "SIZE" and size:
            keywords.append(f"SIZE {size}")
        elif name != "STARTTLS" or host.ports.get(port) == "starttls":
            keywords.append(keyword)
    if mechanisms and "AUTH" not in names:
        keywords.append("AUTH")
    if host.ports.get(port) == "starttls" and "STARTTLS" not in names:
        keywords.append("STARTTLS")
    return tuple(keywords)


def with_keywords(profile: Profile, add: tuple[str, ...], drop: tuple[str, ...]) -> Profile:
    """Return a profile with keywords taken away and others put at the end."""
    dropped = {name.upper() for name in drop}
    kept = tuple(
        keyword
        for keyword in profile.keywords
        if keyword.split()[0].upper() not in dropped and keyword not in add
    )
    return replace(profile, keywords=(*kept, *add))


def _size(host: Host, limit: int) -> int:
    """Return the smaller of the SIZE that a host announces and its world's limit; 0 is none."""
    for keyword in host.extensions:
        words = keyword.split()
        if words[0].upper() == "SIZE" and len(words) > 1 and words[1].isdecimal():
            return min(int(words[1]), limit) if limit else int(words[1])
    return limit
