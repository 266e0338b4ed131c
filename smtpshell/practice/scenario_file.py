"""Scenarios from TOML: every key known and of its type, and errors that name file and line.

An unknown key is an error, because a misspelt `nht = 2` that silently does nothing costs a teacher
an evening. `tomllib` keeps no positions, so the line of a problem is found by looking for the
header and the key in the text; that is right for every file written one key to a line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from smtpshell.practice.clock import parse_duration, parse_moment
from smtpshell.practice.scenario import (
    ALTERATIONS,
    BARE_LF,
    CERTIFICATES,
    CLOSINGS,
    FATES,
    PLACES,
    PORT_KINDS,
    SCOPES,
    WIRE_FAULTS,
    Auth,
    Host,
    Key,
    Limits,
    Rule,
    Scenario,
    Tls,
    User,
)
from smtpshell.protocol.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smtpshell.practice.expression import Expression

Value = TypeVar("Value")
_METHODS = ("relaxed", "simple")
LARGEST_FILE = 1_000_000
"""Octets of a scenario file: the longest shipped one is a hundredth of this."""


class ScenarioError(UsageError):
    """A scenario cannot be read; `where` is file:line."""


class _Unfit(ValueError):
    """A value is not what its key needs; the text says what was expected."""


class _Table:
    """One table of the file, with what is needed to tell where in the file it stands."""

    def __init__(
        self, values: object, text: str, where: str, header: str = "", nth: int = 1
    ) -> None:
        self.text, self.where, self.header = text, where, header
        self._start = self._header_line(header, nth)
        if not isinstance(values, dict):
            raise self.error(f"{header or 'the file'} must be a table")
        self.values: dict[str, object] = dict(values)

    def _header_line(self, header: str, nth: int) -> int:
        if not header:
            return 0
        bare = header.replace('"', "").replace("'", "").replace(" ", "")
        for number, line in enumerate(self.text.splitlines(), 1):
            if not line.lstrip().startswith("["):
                continue
            name = line.split("#")[0].strip().strip("[]")
            if name.replace('"', "").replace("'", "").replace(" ", "") == bare:
                nth -= 1
                if not nth:
                    return number
        return 0

    def line(self, key: str = "") -> int:
        """Return the line of a key of this table, or of its header; 1 when it is not found."""
        pattern = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[.=]""")
        lines = self.text.splitlines()
        for number in range(self._start, len(lines)):
            if key and pattern.match(lines[number]):
                return number + 1
            if lines[number].lstrip().startswith("[") and lines[number].rstrip().endswith("]"):
                break
        return self._start or 1

    def error(self, what: str, key: str = "", advice: str = "") -> ScenarioError:
        """Return an error about a key of this table."""
        return ScenarioError(what, f"{self.where}:{self.line(key)}", advice)

    def take(self, key: str, read: Callable[[object], Value], default: Value) -> Value:
        """Take a key out and read it; the reader raises `ValueError` for what it cannot use."""
        if key not in self.values:
            return default
        try:
            return read(self.values.pop(key))
        except ValueError as error:
            raise self.error(f"{key}: {error}", key) from None

    def finish(self) -> None:
        """Complain about the first key that nobody took."""
        for key in self.values:
            name = f"{self.header}.{key}" if self.header else key
            raise self.error(f"unknown key {name!r}", key, "Check the spelling.")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Unfit(f"expected text in quotes, found {value!r}")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _Unfit(f"expected a whole number, 0 or more, found {value!r}")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Unfit(f"expected true or false, found {value!r}")
    return value


def _chance(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise _Unfit(f"expected a number from 0 to 1, found {value!r}")
    return float(value)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise _Unfit(f"expected a list of texts, found {value!r}")
    return tuple(_text(item) for item in value)


def _numbers(value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise _Unfit(f"expected a list of numbers, found {value!r}")
    return tuple(_whole(item) for item in value)


def _duration(value: object) -> float:
    return parse_duration(_text(value))


def _moment(value: object) -> float:
    if not isinstance(value, str) and hasattr(value, "isoformat"):
        value = value.isoformat()
    return parse_moment(_text(value))


def _rate(value: object) -> tuple[int, float]:
    match = re.fullmatch(r"(\d{1,6}) (?:per|in) (.+)", _text(value))
    if match is None:
        raise _Unfit(f"expected a rate such as '3 per 1m', found {value!r}")
    return int(match[1]), parse_duration(match[2])


def _expression(value: object) -> Expression | None:
    from smtpshell.practice.expression import Expression, ExpressionError

    try:
        return Expression.parse(_text(value))
    except ExpressionError as error:
        raise _Unfit(str(error)) from None


def _facts(value: object) -> tuple[str, ...]:
    from smtpshell.practice.expression import FACTS

    names = tuple(name.strip() for name in ",".join(_texts(value)).split(",") if name.strip())
    aliases = {"from": "sender", "to": "recipient"}
    return tuple(_one_of(FACTS)(aliases.get(name, name)) for name in names)


def _one_of(words: Mapping[str, object] | tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if _text(value) not in words:
            raise _Unfit(f"{value!r} is none of {', '.join(words)}")
        return str(value)

    return read


def _some_of(words: Mapping[str, object] | tuple[str, ...]) -> Callable[[object], tuple[str, ...]]:
    return lambda value: tuple(_one_of(words)(item) for item in _texts(value))


def _closing(value: object) -> str:
    if isinstance(value, bool):
        return "after" if value else "no"
    return _one_of(CLOSINGS)(value)


def _ports(value: object) -> dict[int, str]:
    if not isinstance(value, dict) or not value:
        raise _Unfit("expected a table such as { 25 = 'starttls' }")
    ports = {}
    for port, kind in value.items():
        if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise _Unfit(f"{port!r} is no port number")
        ports[int(port)] = _one_of(PORT_KINDS)(kind)
    return ports


def _pairs(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _Unfit(f"expected a table of texts, found {value!r}")
    return {str(key): _text(item) for key, item in value.items()}


def _faults_of_names(value: object) -> dict[str, str]:
    kind = _one_of(("timeout", "servfail", "nxdomain"))
    return {name: kind(fault) for name, fault in _pairs(value).items()}


def parse_scenario(text: str, where: str = "scenario") -> Scenario:
    """Read a scenario from the text of a TOML file; `where` names the file in errors.

    Raises `ScenarioError` for broken TOML, unknown keys and values of the wrong kind. That the
    scenario also makes sense is for `checking.check_scenario`.
    """
    import tomllib

    if len(text) > LARGEST_FILE:
        raise ScenarioError("the file is too large for a scenario", where)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        number = line[1] if line else len(text.splitlines())
        raise ScenarioError(f"not valid TOML: {error}", f"{where}:{number}") from None
    except RecursionError:
        raise ScenarioError("not valid TOML: nested too deeply", where) from None
    return _scenario(_Table(values, text, where))


def _scenario(file: _Table) -> Scenario:
    fallback = Scenario("")
    tables = {
        key: file.values.pop(key, None) for key in ("host", "tls", "auth", "user", "key", "rule")
    }
    limits = file.values.pop("limits", {})
    mailboxes: tuple[str, ...] = file.take("mailboxes", _texts, ())
    hosts = _hosts(file, tables["host"], mailboxes)
    scenario = Scenario(
        name=file.take("name", _text, ""),
        title=file.take("title", _text, ""),
        about=file.take("about", _text, ""),
        source=file.where,
        practice_only=file.take("scope", _one_of(("practice", "any")), "any") == "practice",
        seed=file.take("seed", _whole, fallback.seed),
        clock=file.take("clock", _moment, fallback.clock),
        latency=file.take("latency", _duration, 0.0),
        client=file.take("client", _text, fallback.client),
        mailboxes=mailboxes,
        hosts=hosts,
        tls=_tls(_Table(tables["tls"] or {}, file.text, file.where, "tls")),
        auth=_auth(_Table(tables["auth"] or {}, file.text, file.where, "auth")),
        users=tuple(_user(table) for table in _many(file, tables["user"], "user")),
        keys=tuple(_key(table) for table in _many(file, tables["key"], "key")),
        rules=tuple(
            _rule(table, number)
            for number, table in enumerate(_many(file, tables["rule"], "rule"), 1)
        ),
        limits=_limits(_Table(limits, file.text, file.where, "limits")),
        replies=file.take("replies", _pairs, {}),
        zone=file.take("zone", _text, ""),
        shuffled=file.take("shuffled", _texts, ()),
        dns_faults=file.take("dns_fault", _faults_of_names, {}),
    )
    file.finish()
    if not scenario.name:
        raise file.error("the scenario has no name", "", 'Add a line: name = "..."')
    return scenario


def _many(file: _Table, values: object, header: str) -> list[_Table]:
    if values is None:
        return []
    if not isinstance(values, list):
        table = _Table({}, file.text, file.where, header)
        raise table.error(f"{header} must be a list of tables", "", f"Write [[{header}]].")
    return [_Table(item, file.text, file.where, header, nth) for nth, item in enumerate(values, 1)]


def _hosts(file: _Table, values: object, mailboxes: tuple[str, ...]) -> tuple[Host, ...]:
    if not isinstance(values, dict) or not values:
        raise file.error("the scenario has no host", "", 'Add a table: [host."mail.example"]')
    domains = tuple(dict.fromkeys(address.rpartition("@")[2] for address in mailboxes))
    return tuple(
        _host(_Table(table, file.text, file.where, f"host.{name}"), name, domains)
        for name, table in values.items()
    )


def _host(table: _Table, name: str, domains: tuple[str, ...]) -> Host:
    fallback = Host(name)
    host = Host(
        name,
        address=table.take("ip", _text, fallback.address),
        ports=table.take("ports", _ports, dict(fallback.ports)),
        extensions=table.take("extensions", _texts, ()),
        accepts=table.take("relay_for", _texts, domains),
        banner=table.take("banner", _text, ""),
        personality=table.take("personality", _text, fallback.personality),
        certificate=table.take("certificate", _one_of(CERTIFICATES), ""),
        bare_lf=table.take("bare_lf", _one_of(BARE_LF), fallback.bare_lf),
        onward=table.take("onward", _truth, False),
        forwards=table.take("forward", _pairs, {}),
        alters=table.take("alters", _some_of(ALTERATIONS), ()),
        signs=table.take("signs", _text, ""),
        checks=table.take("checks", _some_of(("spf", "dkim", "dmarc")), ()),
        lmtp=table.take("lmtp", _truth, False),
    )
    table.finish()
    return host


def _tls(table: _Table) -> Tls:
    tls = Tls(
        table.take("certificate", _one_of(CERTIFICATES), "good"),
        table.take("require_before", _texts, ()),
    )
    table.finish()
    return tls


def _auth(table: _Table) -> Auth:
    auth = Auth(
        table.take("offer", _one_of(("tls", "always", "never")), "tls"),
        table.take("mechanisms", _texts, ()),
        table.take("ports", _numbers, ()),
        table.take("require_before", _texts, ()),
        table.take("realm", _text, ""),
    )
    table.finish()
    return auth


def _user(table: _Table) -> User:
    user = User(
        table.take("name", _text, ""),
        table.take("password", _text, ""),
        table.take("mechanisms", _texts, ()),
        table.take("may_send_as", _texts, ()),
        table.take("token", _text, ""),
    )
    table.finish()
    if not user.name or not user.password:
        raise table.error("a user needs a name and a password")
    return user


def _key(table: _Table) -> Key:
    canonical = tuple(f"{head}/{body}" for head in _METHODS for body in _METHODS)
    key = Key(
        table.take("name", _text, ""),
        table.take("domain", _text, ""),
        table.take("selector", _text, ""),
        table.take("published", _truth, True),
        table.take("canonical", _one_of(canonical), "relaxed/relaxed"),
    )
    table.finish()
    if not key.name or not key.domain or not key.selector:
        raise table.error("a key needs a name, a domain and a selector")
    return key


def _limits(table: _Table) -> Limits:
    usual = Limits()
    limits = Limits(
        message=table.take("message", _whole, usual.message),
        messages=table.take("messages", _whole, usual.messages),
        recipients=table.take("recipients", _whole, usual.recipients),
        connections=table.take("connections", _whole, usual.connections),
        idle=table.take("idle", _duration, usual.idle),
        failures=table.take("failures", _whole, usual.failures),
        unknown=table.take("unknown", _whole, usual.unknown),
    )
    table.finish()
    return limits


def _rule(table: _Table, number: int) -> Rule:
    rule = Rule(
        number,
        table.take("on", _some_of(PLACES), ()),
        line=table.line(),
        host=table.take("host", _text, ""),
        match=table.take("match", _text, ""),
        parameter=table.take("parameter", _text, ""),
        when=table.take("when", _expression, None),
        nth=table.take("nth", _whole, 0),
        times=table.take("times", _whole, 0),
        after=table.take("after", _whole, 0),
        per=table.take("per", _one_of(SCOPES), "world"),
        memory=table.take("memory", _facts, ()),
        until=table.take("until", _duration, 0.0),
        rate=table.take("rate", _rate, (0, 0.0)),
        size=table.take("size", _whole, 0),
        chance=table.take("chance", _chance, 1.0),
        reply=table.take("reply", _texts, ()),
        raw=table.take("raw", _text, ""),
        silent=table.take("silent", _truth, False),
        delay=table.take("delay", _duration, 0.0),
        drip=table.take("drip", _duration, 0.0),
        close=table.take("close", _closing, "no"),
        reset=table.take("reset", _truth, False),
        add=table.take("add", _texts, ()),
        drop=table.take("drop", _texts, ()),
        certificate=table.take("certificate", _one_of(CERTIFICATES), ""),
        faults=table.take("faults", _some_of(WIRE_FAULTS), ()),
        fate=table.take("then", _one_of(FATES), ""),
        why=table.take("why", _text, ""),
    )
    table.finish()
    if not rule.on:
        raise table.error("a rule needs a place", "", f"Write on = with {', '.join(PLACES)}.")
    return rule
