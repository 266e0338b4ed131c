"""Is a scenario sound? What a teacher would otherwise find out in front of the class.

`check_scenario` reads a scenario as data, starts nothing, and returns every problem it finds: rules
that can never fire or do nothing, replies that no server may send, names and addresses that belong
to somebody, a zone that does not parse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from smtpshell.practice.expression import FACTS
from smtpshell.practice.globs import matches_glob
from smtpshell.practice.personalities import PERSONALITIES
from smtpshell.protocol.replies import LINE_ALLOWED, Reply
from smtpshell.protocol.sasl import MECHANISMS
from smtpshell.protocol.serverreplies import REPLIES
from smtpshell.protocol.values import dataclass
from smtpshell.protocol.verbs import VERBS

if TYPE_CHECKING:
    from smtpshell.practice.scenario import Rule, Scenario

RESERVED_NAMES = (
    "example",
    "test",
    "invalid",
    "localhost",
    "example.com",
    "example.net",
    "example.org",
)
"""RFC 2606 and RFC 6761; these and all names below them."""

RESERVED_NETWORKS = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
"""RFC 5737 and RFC 3849."""

_INSERTS = {*FACTS, "to", "from", "queue", "limit"}
_KNOWN_AT_END = ("queue", "longest_line")
_WIRE_ACTIONS = ("reply", "raw", "silent", "delay", "drip", "reset", "faults")
_ACTIONS = (*_WIRE_ACTIONS, "add", "drop", "certificate", "fate")
_CONDITIONS = ("match", "parameter", "when", "nth", "times", "after", "memory", "until", "size")
_PLACES_OF_ACTIONS = {
    "add": {"EHLO", "HELO"},
    "drop": {"EHLO", "HELO"},
    "certificate": {"CONNECT", "STARTTLS", "TLS"},
    "fate": {"EOD"},
    "size": {"MAIL", "RCPT", "DATA-LINE", "EOD", "BDAT"},
    "parameter": {"MAIL", "RCPT", "ANY"},
}


@dataclass(frozen=True, slots=True)
class ScenarioProblem:
    """One thing that is wrong; `where` is file:line, or the file's name."""

    where: str
    what: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f". {self.advice}" if self.advice else "")


def check_scenario(scenario: Scenario) -> tuple[ScenarioProblem, ...]:
    """Return everything that is wrong with a scenario, in the order of the checks."""
    return tuple(problem for check in _CHECKS for problem in check(scenario))


def is_reserved_name(name: str) -> bool:
    """Tell whether a domain name belongs to nobody: RFC 2606 and RFC 6761.

    >>> is_reserved_name("mx1.practice.example"), is_reserved_name("myexample.com")
    (True, False)
    """
    folded = name.casefold().strip(".")
    return any(folded == item or folded.endswith(f".{item}") for item in RESERVED_NAMES)


def is_reserved_address(address: str) -> bool:
    """Tell whether an IP address, or a network, is for documentation, or loopback."""
    try:
        network = ip_network(address, strict=False)
    except ValueError:
        return False
    return any(
        network.version == item.version and network.subnet_of(item)  # type: ignore[arg-type] # the versions agree
        for item in map(ip_network, RESERVED_NETWORKS)
    )


def _names(scenario: Scenario) -> Iterator[ScenarioProblem]:
    where = scenario.source
    stem = where.removesuffix(".toml")
    if where.endswith(".toml") and stem != scenario.name:
        yield ScenarioProblem(where, f"the file is {stem}, the scenario in it {scenario.name}")
    if not scenario.title:
        yield ScenarioProblem(where, "there is no title", "One line tells what the scenario is.")
    for address in scenario.mailboxes:
        local, at, domain = address.rpartition("@")
        if not at or not local or not is_reserved_name(domain):
            yield ScenarioProblem(where, f"mailbox {address!r} is not in a reserved domain")
    for host in scenario.hosts:
        if not is_reserved_name(host.name):
            yield ScenarioProblem(where, f"host {host.name!r} is not a reserved name")
        if not is_reserved_address(host.address):
            yield ScenarioProblem(where, f"address {host.address!r} is not one for examples")
        for domain in host.accepts:
            if domain != "*" and not is_reserved_name(domain.replace("*", "x")):
                yield ScenarioProblem(where, f"relay_for {domain!r} is not a reserved name")
    if not is_reserved_address(scenario.client):
        yield ScenarioProblem(where, f"client {scenario.client!r} is not an address for examples")
    if len({host.address for host in scenario.hosts}) < len(scenario.hosts):
        yield ScenarioProblem(where, "two hosts have the same address")


def _hosts(scenario: Scenario) -> Iterator[ScenarioProblem]:
    where = scenario.source
    keys = {key.name for key in scenario.keys}
    for host in scenario.hosts:
        if host.personality not in PERSONALITIES:
            known = ", ".join(PERSONALITIES)
            yield ScenarioProblem(where, f"no personality {host.personality!r}", f"Use {known}.")
        if host.signs and host.signs not in keys:
            yield ScenarioProblem(where, f"{host.name} signs with {host.signs!r}, which is no key")
        if (host.signs or host.alters) and not host.onward:
            yield ScenarioProblem(where, f"{host.name} hands nothing on, so it cannot change it")
    kinds = {kind for host in scenario.hosts for kind in host.ports.values()}
    if scenario.tls.require_before and not kinds & {"starttls", "tls"}:
        yield ScenarioProblem(where, "TLS is required and no port has it")
    for verb in (*scenario.tls.require_before, *scenario.auth.require_before):
        if verb not in VERBS:
            yield ScenarioProblem(where, f"require_before: {verb!r} is no verb")
    if scenario.auth.require_before and not scenario.users:
        yield ScenarioProblem(where, "a login is required and there are no users")


def _users(scenario: Scenario) -> Iterator[ScenarioProblem]:
    where = scenario.source
    used = [
        *scenario.auth.mechanisms,
        *(name for user in scenario.users for name in user.mechanisms),
    ]
    for name in dict.fromkeys(used):
        if name not in MECHANISMS:
            yield ScenarioProblem(where, f"no mechanism is called {name!r}")
    for user in scenario.users:
        for pattern in user.may_send_as:
            if not is_reserved_name(pattern.rpartition("@")[2]):
                yield ScenarioProblem(where, f"{user.name} may send as {pattern!r}: not reserved")


def _rules(scenario: Scenario) -> Iterator[ScenarioProblem]:
    for rule in scenario.rules:
        where = f"{scenario.source}:{rule.line}"
        if not any(getattr(rule, action) for action in _ACTIONS) and rule.close == "no":
            yield ScenarioProblem(where, f"rule {rule.number} does nothing")
        if rule.host and not any(matches_glob(rule.host, host.name) for host in scenario.hosts):
            yield ScenarioProblem(where, f"rule {rule.number}: no host fits {rule.host!r}")
        if rule.reply and rule.raw:
            yield ScenarioProblem(where, f"rule {rule.number} has both reply and raw")
        for key, places in _PLACES_OF_ACTIONS.items():
            astray = set(rule.on) - places
            if getattr(rule, key) and astray:
                key = {"fate": "then"}.get(key, key)
                wrong = ", ".join(sorted(astray))
                yield ScenarioProblem(
                    where, f"rule {rule.number}: {key!r} means nothing at {wrong}"
                )
        if rule.reply and "DATA-LINE" in rule.on and rule.close == "no":
            yield ScenarioProblem(
                where,
                f"rule {rule.number} answers a line of data, which nobody waits for",
                "Close the connection behind it.",
            )


def _reach(scenario: Scenario) -> Iterator[ScenarioProblem]:
    for rule in scenario.rules:
        where = f"{scenario.source}:{rule.line}"
        hidden = [place for place in rule.on if not _reachable(scenario, place)]
        for place in hidden:
            yield ScenarioProblem(where, f"rule {rule.number} never fires: nothing gets to {place}")
        for earlier in scenario.rules[: rule.number - 1]:
            shared = set(rule.on) & set(earlier.on)
            if shared and _covers(earlier, rule):
                yield ScenarioProblem(
                    where,
                    f"rule {rule.number} never fires at {', '.join(sorted(shared))}: rule"
                    f" {earlier.number} before it always does",
                    "Put the narrower rule first.",
                )
                break


def _reachable(scenario: Scenario, place: str) -> bool:
    kinds = {kind for host in scenario.hosts for kind in host.ports.values()}
    if place == "STARTTLS":
        return "starttls" in kinds
    if place == "TLS":
        return bool(kinds & {"starttls", "tls"})
    if place in ("AUTH", "AUTH-STEP"):
        return bool(scenario.users) and scenario.auth.offer != "never"
    if place == "BDAT":
        words = [name for host in scenario.hosts for name in host.extensions]
        return "CHUNKING" in words
    return True


def _covers(earlier: Rule, later: Rule) -> bool:
    """Tell whether whenever the later rule could fire, the earlier one has fired."""
    if any(getattr(earlier, name) for name in _CONDITIONS) or earlier.rate[0]:
        same = all(
            getattr(earlier, name) == getattr(later, name) for name in ("match", "parameter")
        )
        source = earlier.when.source if earlier.when else ""
        other = later.when.source if later.when else ""
        counted = any(
            getattr(earlier, name) for name in ("nth", "times", "after", "memory", "until", "size")
        )
        if counted or earlier.rate[0] or not same or source != other:
            return False
    return earlier.chance == 1 and earlier.host in ("", later.host)


def _replies(scenario: Scenario) -> Iterator[ScenarioProblem]:
    for rule in scenario.rules:
        if rule.reply:
            where = f"{scenario.source}:{rule.line}"
            for what in reply_problems(rule.reply):
                yield ScenarioProblem(where, f"rule {rule.number}: {what}")
            for name in _KNOWN_AT_END if set(rule.on) - {"EOD"} else ():
                if f"{{{name}}}" in "".join(rule.reply):
                    what = f"rule {rule.number}: {{{name}}} is known only at EOD"
                    yield ScenarioProblem(where, what)
    for name, line in scenario.replies.items():
        if name not in REPLIES:
            yield ScenarioProblem(scenario.source, f"[replies] {name!r} is no reply of the server")
        for what in reply_problems((line,)):
            yield ScenarioProblem(scenario.source, f"[replies] {name}: {what}")


def reply_problems(lines: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with the lines of a reply, as on the wire (RFC 5321 4.2, RFC 2034 4)."""
    codes = {line[:3] for line in lines}
    if len(codes) > 1:
        yield f"its lines carry different codes: {', '.join(sorted(codes))}"
    for number, line in enumerate(lines, 1):
        match = re.match(r"([2-5][0-9]{2})([ -])", line)
        if match is None:
            yield f"{line!r} does not begin with a code from 200 to 599 and a space"
            continue
        if (match[2] == "-") == (number == len(lines)):
            yield f"{line!r}: every line but the last has a hyphen behind its code"
        enhanced = Reply(int(match[1]), (line[4:],)).enhanced
        if enhanced is not None and enhanced[0] != line[0]:
            yield f"{line!r}: the class of {enhanced} is not that of {match[1]}"
        if len(line.encode()) > LINE_ALLOWED - 2:
            yield f"{line[:40]!r}... is longer than {LINE_ALLOWED} octets"
        for name in re.findall(r"\{(\w*)\}", line):
            if name not in _INSERTS:
                yield f"{line!r}: nothing is called {{{name}}}"


def _foreign_words(scenario: Scenario) -> Iterator[ScenarioProblem]:
    texts = [line for rule in scenario.rules for line in rule.reply]
    texts += [rule.match for rule in scenario.rules]
    texts += [line for host in scenario.hosts for line in (host.banner,)]
    for text in texts:
        for domain in re.findall(
            r"@([\w-]+(?:\.[\w-]+)+)|\b((?:\w+\.)+(?:com|net|org|de))\b", text
        ):
            name = domain[0] or domain[1]
            if not is_reserved_name(name):
                yield ScenarioProblem(scenario.source, f"{name!r} in {text!r} is not reserved")


def _zone(scenario: Scenario) -> Iterator[ScenarioProblem]:
    from smtpshell.lookup.finding import SetupError
    from smtpshell.lookup.zone import Zone

    try:
        Zone.from_text(scenario.zone, faults=dict(scenario.dns_faults))
    except SetupError as error:
        yield ScenarioProblem(scenario.source, f"the zone: {error}")
        return
    for line in scenario.zone.splitlines():
        text = line.split(";")[0]
        for address in re.findall(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d+)?", text):
            if not is_reserved_address(address):
                yield ScenarioProblem(scenario.source, f"the zone: {address} is not for examples")
        for address in re.findall(r"\bip6:([0-9A-Fa-f:]+(?:/\d+)?)|AAAA\s+([0-9A-Fa-f:]+)", text):
            given = address[0] or address[1]
            if not is_reserved_address(given):
                yield ScenarioProblem(scenario.source, f"the zone: {given} is not for examples")
        owner = text.split(" ")[0].strip()
        absolute = owner.endswith(".") and owner != "."
        if absolute and not is_reserved_name(owner) and not _is_reverse(owner):
            yield ScenarioProblem(scenario.source, f"the zone: {owner} is not a reserved name")


def _is_reverse(owner: str) -> bool:
    labels = owner.casefold().rstrip(".").removesuffix(".in-addr.arpa")
    if labels == owner.casefold().rstrip("."):
        return owner.casefold().rstrip(".").endswith(".8.b.d.0.1.0.0.2.ip6.arpa")
    try:
        return is_reserved_address(str(ip_address(".".join(reversed(labels.split("."))))))
    except ValueError:
        return False


_CHECKS: tuple[Callable[[Scenario], Iterator[ScenarioProblem]], ...] = (
    _names,
    _hosts,
    _users,
    _rules,
    _reach,
    _replies,
    _foreign_words,
    _zone,
)
