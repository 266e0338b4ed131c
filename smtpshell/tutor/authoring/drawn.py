"""What kind of server a course of bits shows, as the file of a scenario (TOML)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from smtpshell.protocol.extensions import parse_ehlo
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.sasl import MECHANISMS
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.authoring.course import Bit, own_name

HELLOS = ("EHLO", "LHLO")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the scenario; `raw` says that its reply goes out octet by octet."""

    on: str
    match: str
    reply: tuple[str, ...]
    when: str = ""
    times: int = 0
    close: bool = False
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of a server from what it said; `name` is that of the scenario."""

    name: str
    title: str
    bits: tuple[Bit, ...]
    tls_at_once: bool = False

    @property
    def hello(self) -> tuple[str, ...]:
        """The first good reply to EHLO; empty without one."""
        return next(iter(self.hellos), ())

    @property
    def host(self) -> str:
        """What the server calls itself."""
        return own_name(self.bits)

    @property
    def mailboxes(self) -> list[str]:
        """The recipients that it took, or a mailbox for the scenario to have one."""
        taken = [bit.subject for bit in self.bits if bit.place == "RCPT" and bit.code[:1] == "2"]
        return list(dict.fromkeys(each for each in taken if "@" in each)) or [f"bob@{self.host}"]

    @property
    def hellos(self) -> list[tuple[str, ...]]:
        """All good replies to EHLO."""
        return [bit.reply for bit in self.bits if bit.verb in HELLOS and bit.code == "250"]

    def toml(self, replies: Mapping[str, str], rules: Iterable[Rule]) -> str:
        """Return the scenario as a file, with words of single replies and with rules."""
        domains = list(dict.fromkeys(each.rpartition("@")[2] for each in self.mailboxes))
        lines = [
            f"name  = {_quoted(self.name)}",
            f"title = {_quoted(self.title)}",
            'about = "Drawn from the replies of a server by smtpshell lesson replay."',
            "seed  = 1",
            'clock = "2030-01-07T09:00:00Z"',
            f"mailboxes = {_list(self.mailboxes)}",
            'zone = """',
            *(f"{domain}. MX 10 {self.host}." for domain in domains),
            f"{self.host}. A 192.0.2.10",
            '"""',
            "",
            f"[host.{_quoted(self.host)}]",
            'ip    = "192.0.2.10"',
            f"relay_for = {_list(domains)}",
            *self._door_lines(),
            *self._login_lines(),
        ]
        if replies:
            lines += ["", "[replies]"]
            lines += [f"{name} = {_quoted(line)}" for name, line in sorted(replies.items())]
        for rule in rules:
            lines += ["", "[[rule]]", *_rule_lines(rule)]
        return "\n".join([*lines, ""])

    def _door_lines(self) -> Iterator[str]:
        offered = parse_ehlo(Reply(250, _texts(self.hello)))
        port = "starttls" if "STARTTLS" in offered else "plain"
        yield 'ports = { 465 = "tls" }' if self.tls_at_once else f'ports = {{ 25 = "{port}" }}'
        extensions = [text.strip() for text in _texts(self.hello)[1:] if text.strip()]
        if "ENHANCEDSTATUSCODES" not in offered and any(map(_has_enhanced, self.bits)):
            extensions.append("ENHANCEDSTATUSCODES")
        yield f"extensions = {_list(extensions)}"
        greeting = self.bits[0].reply
        if len(greeting) == 1 and greeting[0].startswith("220 ") and greeting[0][4:]:
            yield f"banner = {_quoted(greeting[0][4:])}"

    def _login_lines(self) -> Iterator[str]:
        """Yield the mechanisms that were offered, at once or behind TLS, and somebody to log in."""
        menus = [parse_ehlo(Reply(250, _texts(reply))) for reply in self.hellos]
        names = [name for menu in menus for name in menu.auth_mechanisms if name in MECHANISMS]
        if not names:
            return
        offer = "always" if menus[0].auth_mechanisms else "tls"
        yield from ("", "[auth]", f'offer = "{offer}"')
        yield f"mechanisms = {_list(dict.fromkeys(names))}"
        yield from ("", "[[user]]", 'name     = "alice"', 'password = "correct horse"')


def _texts(reply: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line[4:] for line in reply)


def _has_enhanced(bit: Bit) -> bool:
    return any(Reply(int(line[:3]), (line[4:],)).enhanced for line in bit.reply)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _rule_lines(rule: Rule) -> Iterator[str]:
    yield f"on    = {_quoted(rule.on)}"
    if rule.match:
        yield f"match = {_quoted(rule.match)}"
    if rule.when:
        yield f"when  = '{rule.when}'"
    if rule.times:
        yield f"times = {rule.times}"
        yield 'per   = "connection"'
    if rule.raw:
        octets = "".join(line.replace("\\", "\\\\") + "\\r\\n" for line in rule.reply)
        yield f"raw   = {_quoted(octets)}"
    elif rule.reply:
        yield f"reply = {_list(rule.reply)}"
    if rule.close:
        yield "close = true"
