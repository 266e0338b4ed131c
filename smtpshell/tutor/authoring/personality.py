"""A real server's replies as a practice scenario, which then says the same to the same.

The scenario is drawn in rounds. Each is tried out: the practice server hears all that the real one
heard, and the first thing that it answers otherwise is mended for the next, since what follows may
only be the consequence. The mildest means comes first: the words of a single reply, then a rule for
what the command is about, then one for the very line, which speaks before the protocol does, octet
by octet. What still differs after that is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from smtpshell.practice.scenario_file import parse_scenario
from smtpshell.protocol.extensions import parse_ehlo
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.sasl import MECHANISMS
from smtpshell.protocol.serverreplies import REPLIES
from smtpshell.protocol.values import dataclass, field, replace
from smtpshell.tutor.authoring.course import QUEUE_ID, Bit, course_of, lines_of, own_name
from smtpshell.tutor.hearing import Hearing, turns_of
from smtpshell.tutor.performance import practice_settings

if TYPE_CHECKING:
    from smtpshell.conversation.targets import Target
    from smtpshell.practice.scenario import Scenario
    from smtpshell.practice.server import PracticeServer

HELLOS = ("EHLO", "LHLO")
SINGLE: dict[str, str] = {
    "MAIL": "mail",
    "RCPT": "rcpt",
    "DATA": "data",
    "EOD": "queued",
    "RSET": "rset",
    "NOOP": "noop",
    "QUIT": "quit",
    "VRFY": "vrfy",
    "HELO": "hello",
    "STARTTLS": "starttls",
    "BDAT": "chunk",
}
"""The rows of `protocol.serverreplies` by which a server agrees, by place."""

_WITHOUT_COMMAND = ("EOD", "BANNER", "AUTH-STEP", "UNKNOWN")
"""Places where rules for any command do not look."""

_FACTS = {
    "RCPT": ("recipient", "address"),
    "MAIL": ("sender", "address"),
    "UNKNOWN": ("verb", "verb"),
}
"""What replies at a place may repeat: the name of the fact, and what it is."""

GONE = ("221", "421", "521")
"""Codes behind which a practice server closes the connection by itself."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A scenario as a file, and the bits in which its server does not do as the real one did."""

    text: str
    unlike: tuple[Bit, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    on: str
    match: str
    reply: tuple[str, ...]
    when: str = ""
    times: int = 0
    close: bool = False
    raw: bool = False


@dataclass(slots=True)
class _Draft:
    """A scenario while it is drawn."""

    name: str
    title: str
    bits: tuple[Bit, ...]
    tls_at_once: bool = False
    replies: dict[str, str] = field(default_factory=dict)
    rules: dict[tuple[str, ...], list[_Rule]] = field(default_factory=dict)
    tries: dict[tuple[str, ...], list[Callable[[Bit], bool]]] = field(default_factory=dict)

    # --- what kind of server it is ----------------------------------------------------------------

    @property
    def hello(self) -> tuple[str, ...]:
        """The first good reply to EHLO."""
        return next(
            (bit.reply for bit in self.bits if bit.verb in HELLOS and bit.code == "250"), ()
        )

    @property
    def host(self) -> str:
        """What the server calls itself."""
        return own_name(self.bits)

    @property
    def mailboxes(self) -> list[str]:
        """The recipients that it took, or a mailbox for the scenario to have one."""
        taken = [bit.subject for bit in self.bits if bit.place == "RCPT" and bit.code[:1] == "2"]
        return list(dict.fromkeys(each for each in taken if "@" in each)) or [f"bob@{self.host}"]

    def toml(self) -> str:
        """Return the scenario as a file."""
        domains = list(dict.fromkeys(each.rpartition("@")[2] for each in self.mailboxes))
        zone = [f"{domain}. MX 10 {self.host}." for domain in domains]
        zone += [f"{self.host}. A 192.0.2.10"]
        offered = parse_ehlo(Reply(250, _texts(self.hello)))
        later = [bit for bit in self.bits if bit.verb in HELLOS and bit.code == "250"][1:]
        logins = [offered, *(parse_ehlo(Reply(250, _texts(bit.reply))) for bit in later)]
        starttls = "STARTTLS" in offered
        port = (
            '465 = "tls"' if self.tls_at_once else f'25 = "{"starttls" if starttls else "plain"}"'
        )
        extensions = [line[4:].strip() for line in self.hello[1:] if line[4:].strip()]
        if "ENHANCEDSTATUSCODES" not in offered and any(map(_has_enhanced, self.bits)):
            extensions.append("ENHANCEDSTATUSCODES")
        names = [name for each in logins for name in each.auth_mechanisms if name in MECHANISMS]
        mechanisms = list(dict.fromkeys(names))
        lines = [
            f"name  = {_quoted(self.name)}",
            f"title = {_quoted(self.title)}",
            'about = "Drawn from the replies of a server by smtpshell lesson replay."',
            "seed  = 1",
            'clock = "2030-01-07T09:00:00Z"',
            f"mailboxes = {_list(self.mailboxes)}",
            'zone = """',
            *zone,
            '"""',
            "",
            f"[host.{_quoted(self.host)}]",
            'ip    = "192.0.2.10"',
            f"ports = {{ {port} }}",
            f"extensions = {_list(extensions)}",
            f"relay_for = {_list(domains)}",
        ]
        greeting = self.bits[0].reply
        if len(greeting) == 1 and greeting[0].startswith("220 ") and greeting[0][4:]:
            lines.append(f"banner = {_quoted(greeting[0][4:])}")
        if mechanisms:
            offer = "always" if not starttls or self.tls_at_once else "tls"
            offer = "always" if any("AUTH" in line for line in self.hello) else offer
            lines += [
                "",
                "[auth]",
                f"offer = {_quoted(offer)}",
                f"mechanisms = {_list(mechanisms)}",
            ]
            lines += ["", "[[user]]", 'name     = "alice"', 'password = "correct horse"']
        if self.replies:
            lines += ["", "[replies]"]
            lines += [f"{name} = {_quoted(line)}" for name, line in sorted(self.replies.items())]
        for rules in self.rules.values():
            for rule in rules:
                lines += ["", "[[rule]]", *_rule_lines(rule)]
        return "\n".join([*lines, ""])

    # --- how it is brought nearer ---------------------------------------------------------------

    def improve(self, unlike: Sequence[tuple[Bit, Bit]]) -> bool:
        """Have the server answer as is wanted, by the mildest means not tried yet.

        Tells whether there was one. Words are taken over wherever they differ, rules made for the
        first bit alone.
        """
        reworded = [self._reword(wanted, found) for wanted, found in unlike]
        if any(reworded):
            return True
        for wanted, _ in unlike:
            tries = self.tries.setdefault(wanted.key, [self._rule, self._line_rule])
            while tries:
                if tries.pop(0)(wanted):
                    return True
        return False

    def _reword(self, wanted: Bit, found: Bit) -> bool:
        """Take over the words of a single reply that has the same meaning."""
        if len(wanted.reply) != 1 or not found.reply or wanted.verb in HELLOS:
            return False
        if wanted.code[:1] != found.code[:1]:
            return False
        name = SINGLE.get(wanted.place) if wanted.code[:1] in "23" else _row_of(found)
        if not name or name in self.replies:
            return False
        self.replies[name] = self._template(wanted, facts=True)
        return True

    def _rule(self, wanted: Bit) -> bool:
        """Make a rule for what the command is about, where that alone decides."""
        alike = [bit for bit in self.bits if bit.key[:4] == wanted.key[:4]]
        rules = list(self._runs(alike, wanted.place, wanted.subject))
        if len(rules) > 1 and wanted.place not in _WITHOUT_COMMAND:
            return False
        when = self._channel(wanted)
        self.rules[wanted.key[:4]] = [replace(rule, when=when) for rule in rules]
        return True

    def _channel(self, wanted: Bit) -> str:
        """Return the condition on TLS that tells a bit from others like it; "" for none."""
        alike = {bit.tls for bit in self.bits if bit.key[:3] == wanted.key[:3]}
        return wanted.key[3] if len(alike) > 1 else ""

    def _line_rule(self, wanted: Bit) -> bool:
        """Make a rule for the very line, which speaks before the protocol does, octet by octet."""
        alike = [bit for bit in self.bits if bit.key == wanted.key]
        if wanted.place in _WITHOUT_COMMAND:
            runs = self._runs(alike, wanted.place, wanted.subject)
            when = self._channel(wanted)
            self.rules[wanted.key[:4]] = [replace(rule, raw=True, when=when) for rule in runs]
            return True
        if '"' in wanted.line or "'" in wanted.line:
            return False
        runs = self._runs(alike, "ANY", "")
        channel = self._channel(wanted)
        when = f'{f"{channel} and " if channel else ""}line == "{wanted.line}"'
        self.rules[wanted.key] = [replace(rule, raw=True, when=when) for rule in runs]
        return True

    def _runs(self, bits: list[Bit], place: str, match: str) -> Iterator[_Rule]:
        """Yield a rule for each run of equal replies to the same thing, the last one for good."""
        runs: list[tuple[tuple[str, ...], bool, int]] = []
        for bit in bits:
            reply = tuple(self._template(replace(bit, reply=(line,))) for line in bit.reply)
            closes = bit.closed and bit.code not in GONE
            if runs and runs[-1][:2] == (reply, closes):
                runs[-1] = (reply, closes, runs[-1][2] + 1)
            else:
                runs.append((reply, closes, 1))
        for number, (reply, closes, times) in enumerate(runs, 1):
            last = number == len(runs)
            yield _Rule(place, match, reply, times=0 if last else times, close=closes)

    def _template(self, bit: Bit, *, facts: bool = False) -> str:
        """Return a reply's line with what changes from time to time as facts."""
        line = bit.reply[0]
        if bit.place == "EOD":
            line = QUEUE_ID.sub(r"\g<before>{queue}", line)
        if not facts or not bit.subject:
            return line
        name, subject = _FACTS.get(bit.place, ("", ""))
        told = bit.verb if subject == "verb" else bit.subject
        return line[:4] + line[4:].replace(told, f"{{{name}}}") if name and told else line


def _texts(reply: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line[4:] for line in reply)


def _has_enhanced(bit: Bit) -> bool:
    return any(Reply(int(line[:3]), (line[4:],)).enhanced for line in bit.reply)


def _row_of(bit: Bit) -> str:
    """Return the name of the row by which the practice server refused something."""
    for name, row in REPLIES.items():
        pieces = re.split(r"\{\w+\}", row.line)
        if re.fullmatch(".*".join(map(re.escape, pieces)), bit.reply[0]):
            return name
    return ""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _rule_lines(rule: _Rule) -> Iterator[str]:
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


# --- trying it out -------------------------------------------------------------------------------


async def likeness(name: str, title: str, bits: Sequence[Bit], *, tls_at_once: bool) -> Likeness:
    """Return a scenario whose server does what a course of bits says.

    `name` is that of the scenario. Raises `ScenarioError` where no scenario comes of it.
    """
    draft = _Draft(name, title, tuple(bits), tls_at_once)
    unlike = await _tried(draft)
    while unlike and draft.improve(unlike):
        unlike = await _tried(draft)
    return Likeness(draft.toml(), tuple(wanted for wanted, _ in unlike))


async def _tried(draft: _Draft) -> list[tuple[Bit, Bit]]:
    """Return the bits that the drawn server does otherwise, with what it does."""
    scenario = parse_scenario(draft.toml(), f"{draft.name}.toml")
    found = await heard(scenario, draft.bits)
    return [
        (wanted, other)
        for wanted, other in zip(draft.bits, found, strict=True)
        if not wanted.hidden and _same(wanted.reply) != _same(other.reply)
    ]


def _same(reply: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(QUEUE_ID.sub(r"\g<before>*", line.rstrip()) for line in reply)


def _target(server: PracticeServer) -> Target:
    """Return the first door of a server, where TLS begins at once if it does there."""
    from smtpshell.conversation.embedded import target_of, within
    from smtpshell.conversation.targets import parse_target

    main = server.scenario.main
    port, kind = next(iter(main.ports.items()))
    if kind != "tls":
        return target_of(server)
    found = within(server, parse_target(f"smtps://{main.name}:{port}"))
    assert found is not None
    return found


async def heard(scenario: Scenario, bits: Iterable[Bit]) -> list[Bit]:
    """Let the practice server of a scenario hear the client of a course; return its own replies."""
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.operations import options_from
    from smtpshell.practice.server import PracticeServer
    from smtpshell.protocol.errors import SmtpshellError

    server = PracticeServer(scenario)
    await server.start()
    conversation = Conversation(options_from(practice_settings()), published=server.is_published)
    hearing = Hearing(conversation)
    found: list[Bit] = []
    try:
        for bit in bits:
            mark = hearing.mark()
            if bit.octets is None:
                await conversation.close()
                mark = hearing.mark()
                try:
                    await conversation.connect(_target(server))
                except SmtpshellError:
                    pass
                new = next(course_of(hearing.since(mark)), None)
                found.append(replace(bit, reply=new.reply if new is not None else ()))
                continue
            if not bit.hidden and conversation.connected:
                await hearing.send(bit.octets)
            turns = turns_of(hearing.since(mark))
            last = turns[-1].received if turns else None
            found.append(replace(bit, reply=lines_of(last.reply) if last is not None else ()))
    finally:
        hearing.leave()
        await conversation.close()
        await server.stop()
    return found
