"""The course of a conversation: what was sent, bit by bit, and what came back.

This is what a real server's character is drawn from, so nothing of it may name anybody: addresses
that a user set give way to the lesson's own, names and numbers of hosts to those for examples (RFC
2606, RFC 5737), and what is secret was never in the events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from smtpshell.practice.checking import is_reserved_address, is_reserved_name
from smtpshell.protocol.commands import Command
from smtpshell.protocol.events import Closed, Connected, Event, Received, Sent
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.secrets import HIDDEN
from smtpshell.protocol.text import decode, encode, visible
from smtpshell.protocol.values import dataclass, replace
from smtpshell.tutor.hearing import Turn, turns_of

GREETINGS = ("HELO", "EHLO", "LHLO")
HOST = "mail.practice.example"
_NAME = re.compile(
    r"(?<![\w.@-])((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,})(?![\w-])"
    r"|(?<=@)((?:[\w-]+\.)*[\w-]+)"
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
SHORTEST = 3
"""Characters of a value that is looked for in what a server says; less stands anywhere."""

QUEUE_ID = re.compile(r"(?P<before>\bqueued as |\bid[ =]<?)(?P<id>[0-9A-Za-z.-]{6,})")
"""How servers tell under which name they keep a message; it is another one each time."""


@dataclass(frozen=True, slots=True)
class Bit:
    """Something that was done, and the reply to it, as lines on the wire.

    `octets` None means that a connection was made. `place` is where the rules of a scenario look,
    `subject` what they match. `hidden` says that a secret was in it, so that it cannot be done
    again; `closed`, that the server ended the connection then; `tls`, that it was encrypted before.
    """

    octets: bytes | None
    place: str
    verb: str
    subject: str
    reply: tuple[str, ...]
    closed: bool = False
    hidden: bool = False
    tls: bool = False

    @property
    def line(self) -> str:
        """The last line that was sent, without its end."""
        return decode(self.octets or b"").rstrip("\r\n").rpartition("\n")[2]

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What tells it from others that may be answered otherwise; the last two are the finest."""
        return self.place, self.verb, self.subject, "tls" if self.tls else "not tls", self.line

    @property
    def code(self) -> str:
        """The code of the reply; "" if none came."""
        return self.reply[-1][:3] if self.reply else ""


def course_of(events: Iterable[Event]) -> Iterator[Bit]:
    """Yield what was done in a conversation, connections included, and the replies."""
    for segment in _connections(events):
        turns = turns_of(segment)
        greeting = next((each for each in segment if isinstance(each, (Received, Sent))), None)
        reply = lines_of(greeting.reply) if isinstance(greeting, Received) else ()
        ended = any(isinstance(each, Closed) and each.by == "server" for each in segment)
        yield Bit(None, "BANNER", "", "", reply, closed=ended and not turns)
        for number, turn in enumerate(turns):
            yield replace(_bit(turn), closed=ended and number == len(turns) - 1)


def _connections(events: Iterable[Event]) -> Iterator[list[Event]]:
    segment: list[Event] | None = None
    for event in events:
        if isinstance(event, Connected):
            if segment is not None:
                yield segment
            segment = []
        elif segment is not None:
            segment.append(event)
    if segment is not None:
        yield segment


def _bit(turn: Turn) -> Bit:
    last = turn.sent[-1]
    text = "".join(sent.line + sent.ending for sent in turn.sent)
    reply = lines_of(turn.received.reply) if turn.received is not None else ()
    command = Command.parse(last.line)
    place, subject = _place(last, command)
    return Bit(
        encode(text),
        place,
        command.verb if last.kind == "command" else "",
        subject,
        reply,
        hidden=HIDDEN in text,
        tls=turn.received is not None and bool(turn.received.before.tls),
    )


def _place(sent: Sent, command: Command) -> tuple[str, str]:
    if sent.kind == "answer":
        return "AUTH-STEP", ""
    if sent.kind in ("end", "data"):
        return "EOD", ""
    if not command.known:
        return "UNKNOWN", sent.line
    if command.verb in GREETINGS:
        return "EHLO" if command.verb == "LHLO" else command.verb, ""
    subject = command.address if command.address is not None else command.argument
    return command.verb, subject.split(" ")[0] if command.verb == "AUTH" else subject


def own_name(bits: Iterable[Bit]) -> str:
    """Return what a server calls itself in its greeting, or in its reply to EHLO."""
    for bit in bits:
        if bit.place in ("BANNER", "EHLO", "HELO") and bit.reply:
            name = bit.reply[0][4:].split(" ")[0]
            if re.fullmatch(r"(?:[\w-]+\.)+[A-Za-z]{2,}", name):
                return name
    return HOST


def lines_of(reply: Reply) -> tuple[str, ...]:
    """Return a reply as its lines on the wire, made printable; none where it has no code."""
    if reply.code is None:
        return ()
    texts = reply.lines or ("",)
    return tuple(
        f"{reply.code}{' ' if number == len(texts) - 1 else '-'}{visible(text)}"
        for number, text in enumerate(texts)
    )


# --- nobody's names -----------------------------------------------------------------------------


class Disguise:
    """Puts names for examples in place of real ones, always the same for the same.

    `values` are texts that a user set, each with what the lesson has there.
    """

    def __init__(self, values: Mapping[str, str], host: str = HOST) -> None:
        told = [(own, other) for own, other in values.items() if len(own) >= SHORTEST]
        self._values = sorted(told, key=lambda pair: -len(pair[0]))
        domains = {own.rpartition("@")[2]: other.rpartition("@")[2] for own, other in self._values}
        self._names = {name.casefold(): other for name, other in domains.items() if "." in name}
        self._hosts = 0
        self._addresses: dict[str, str] = {}
        if not is_reserved_name(host):
            self._names[host.casefold()] = HOST

    def text(self, text: str) -> str:
        """Return a text without names of anybody."""
        for own, other in self._values:
            text = re.sub(re.escape(own), other.replace("\\", r"\\"), text, flags=re.IGNORECASE)
        text = _IPV6.sub(self._address, _IPV4.sub(self._address, text))
        text = _NAME.sub(lambda match: self._name(match[1] or match[2]), text)
        return re.sub(r"\{(\w*)\}", r"(\1)", text)

    def _name(self, name: str) -> str:
        folded = name.casefold()
        if is_reserved_name(folded):
            return name
        if folded not in self._names:
            self._hosts += 1
            self._names[folded] = f"host{self._hosts}.example"
        return self._names[folded]

    def _address(self, match: re.Match[str]) -> str:
        try:
            address = str(ip_address(match[0]))
        except ValueError:
            return match[0]
        if is_reserved_address(address):
            return match[0]
        number = len(self._addresses) + 1
        prefix = "2001:db8::" if ":" in address else "192.0.2."
        return self._addresses.setdefault(address, f"{prefix}{number % 250 + 1}")

    def bit(self, bit: Bit) -> Bit:
        """Return a bit without names of anybody."""
        octets = bit.octets
        if octets is not None:
            octets = encode(self.text(octets.decode("utf-8", "surrogateescape")))
        return replace(
            bit,
            octets=octets,
            subject=self.text(bit.subject),
            reply=tuple(line[:4] + self.text(line[4:]) for line in bit.reply),
        )
