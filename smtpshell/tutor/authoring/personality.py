"""A real server's replies as a practice scenario, which then says the same to the same.

The scenario is drawn in rounds. Each is tried out: the practice server hears all that the real one
heard, and the first thing that it answers otherwise is mended for the next, since what follows may
only be the consequence. The mildest means comes first: the words of a single reply, then a rule for
what the command is about, then one for the very line, which speaks before the protocol does, octet
by octet. What still differs after that is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from smtpshell.practice.scenario_file import parse_scenario
from smtpshell.protocol.serverreplies import REPLIES
from smtpshell.protocol.values import dataclass, field, replace
from smtpshell.tutor.authoring.course import GREETINGS, QUEUE_ID, Bit
from smtpshell.tutor.authoring.drawn import HELLOS, Kind, Rule
from smtpshell.tutor.authoring.trial import heard

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


@dataclass(slots=True)
class _Draft:
    """A scenario while it is drawn."""

    kind: Kind
    replies: dict[str, str] = field(default_factory=dict)
    rules: dict[tuple[str, ...], list[Rule]] = field(default_factory=dict)
    tries: dict[tuple[str, ...], list[Callable[[Bit], bool]]] = field(default_factory=dict)

    def toml(self) -> str:
        """Return the scenario as a file."""
        rules = [rule for several in self.rules.values() for rule in several]
        return self.kind.toml(self.replies, rules)

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
        alike = [bit for bit in self.kind.bits if bit.key[:4] == wanted.key[:4]]
        rules = list(self._runs(alike, wanted.place, wanted.subject))
        if len(rules) > 1 and wanted.place not in _WITHOUT_COMMAND:
            return False
        when = self._channel(wanted)
        self.rules[wanted.key[:4]] = [replace(rule, when=when) for rule in rules]
        return True

    def _channel(self, wanted: Bit) -> str:
        """Return the condition on TLS that tells a bit from others like it; "" for none."""
        alike = {bit.tls for bit in self.kind.bits if bit.key[:3] == wanted.key[:3]}
        return wanted.key[3] if len(alike) > 1 else ""

    def _line_rule(self, wanted: Bit) -> bool:
        """Make a rule for the very line, which speaks before the protocol does, octet by octet."""
        alike = [bit for bit in self.kind.bits if bit.key == wanted.key]
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

    def _runs(self, bits: list[Bit], place: str, match: str) -> Iterator[Rule]:
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
            yield Rule(place, match, reply, times=0 if last else times, close=closes)

    def _template(self, bit: Bit, *, facts: bool = False) -> str:
        """Return a reply's line with what changes from time to time as facts."""
        line = bit.reply[0]
        if bit.place == "EOD":
            line = QUEUE_ID.sub(r"\g<before>{queue}", line)
        name = bit.line.partition(" ")[2]
        if bit.verb in GREETINGS and name:
            line = line[:4] + line[4:].replace(name, "{helo}")
        if not facts or not bit.subject:
            return line
        name, subject = _FACTS.get(bit.place, ("", ""))
        told = bit.verb if subject == "verb" else bit.subject
        return line[:4] + line[4:].replace(told, f"{{{name}}}") if name and told else line


def _row_of(bit: Bit) -> str:
    """Return the name of the row by which the practice server refused something."""
    for name, row in REPLIES.items():
        pieces = re.split(r"\{\w+\}", row.line)
        if re.fullmatch(".*".join(map(re.escape, pieces)), bit.reply[0]):
            return name
    return ""


async def likeness(name: str, title: str, bits: Sequence[Bit], *, tls_at_once: bool) -> Likeness:
    """Return a scenario whose server does what a course of bits says.

    `name` is that of the scenario. Raises `ScenarioError` where no scenario comes of it.
    """
    draft = _Draft(Kind(name, title, tuple(bits), tls_at_once))
    unlike = await _tried(draft)
    while unlike and draft.improve(unlike):
        unlike = await _tried(draft)
    return Likeness(draft.toml(), tuple(wanted for wanted, _ in unlike))


async def _tried(draft: _Draft) -> list[tuple[Bit, Bit]]:
    """Return the bits that the drawn server does otherwise, with what it does."""
    scenario = parse_scenario(draft.toml(), f"{draft.kind.name}.toml")
    found = await heard(scenario, draft.kind.bits)
    return [
        (wanted, other)
        for wanted, other in zip(draft.kind.bits, found, strict=True)
        if not wanted.hidden and _same(wanted.reply) != _same(other.reply)
    ]


def _same(reply: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(QUEUE_ID.sub(r"\g<before>*", line.rstrip()) for line in reply)
