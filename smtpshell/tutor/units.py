"""Exchanges taken apart: which of a client's lines belong to which reply.

A lesson writes a group of lines and then the replies that the group gets. Most lines get one reply
each; the lines of a message get one together, at the dot, and so do a BDAT command and its octets.
A `Unit` is the lines up to and including the one that is answered, with what answers them.
"""

from __future__ import annotations

from smtpshell.protocol.commands import Command
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.functions import Values, fill
from smtpshell.tutor.lesson import Client, Exchange, Expected, Reaction
from smtpshell.tutor.meaning import octets_of


@dataclass(frozen=True, slots=True)
class Unit:
    """Lines of a client and the reactions to them; `data` counts the first lines that are data."""

    clients: tuple[Client, ...]
    reactions: tuple[Reaction, ...]
    data: int = 0
    chunk: int = 0

    @property
    def reply(self) -> Expected | None:
        """The reply among the reactions."""
        return next((each for each in self.reactions if isinstance(each, Expected)), None)

    @property
    def is_free(self) -> bool:
        """Whether it holds samples, which anything may replace."""
        return any(client.kind == "~" for client in self.clients)

    def is_octets(self, index: int) -> bool:
        """Tell whether the line of that index is message data or octets of a chunk."""
        return index < self.data or index > len(self.clients) - 1 - self.chunk

    def octets(self, values: Values) -> bytes:
        """Return what the canonical client sends for it."""
        return b"".join(
            octets_of(client, values, chunk=index > len(self.clients) - 1 - self.chunk)
            for index, client in enumerate(self.clients)
        )


@dataclass(frozen=True, slots=True)
class Branch:
    """One way through an exchange."""

    units: tuple[Unit, ...]
    line: int

    @property
    def clients(self) -> tuple[Client, ...]:
        """All lines of the client."""
        return tuple(client for unit in self.units for client in unit.clients)

    @property
    def reactions(self) -> tuple[Reaction, ...]:
        """All reactions."""
        return tuple(each for unit in self.units for each in unit.reactions)


def branches_of(exchange: Exchange, values: Values, *, in_data: bool) -> tuple[Branch, ...]:
    """Return the ways through an exchange, the canonical one first.

    `in_data` says that message data is expected where the exchange begins.
    """
    ways = [(exchange.clients, exchange.reactions, exchange.line)]
    ways += [
        (other.clients, other.reactions or exchange.reactions, other.line)
        for other in exchange.alternatives
    ]
    return tuple(
        Branch(_units(clients, reactions, values, in_data=in_data), line)
        for clients, reactions, line in ways
    )


def _units(
    clients: tuple[Client, ...], reactions: tuple[Reaction, ...], values: Values, *, in_data: bool
) -> tuple[Unit, ...]:
    if not clients:
        return (Unit((), reactions),)
    groups = _grouped(list(clients), values, in_data=in_data)
    answers = _answered(reactions)
    units = []
    for number, (group, data, chunk) in enumerate(groups):
        rest = answers[number:] if number == len(groups) - 1 else answers[number : number + 1]
        units.append(Unit(group, tuple(each for answer in rest for each in answer), data, chunk))
    return tuple(units)


def _grouped(
    clients: list[Client], values: Values, *, in_data: bool
) -> list[tuple[tuple[Client, ...], int, int]]:
    groups: list[tuple[tuple[Client, ...], int, int]] = []
    at = 0
    if in_data:
        end = next(
            (index for index, each in enumerate(clients) if each.kind != "~" and each.text == "."),
            len(clients) - 1,
        )
        groups.append((tuple(clients[: end + 1]), end + 1, 0))
        at = end + 1
    while at < len(clients):
        first, at = clients[at], at + 1
        group, left = [first], _chunk_octets(first, values)
        while left > 0 and at < len(clients):
            group.append(clients[at])
            left -= len(octets_of(clients[at], values, chunk=True))
            at += 1
        groups.append((tuple(group), 0, len(group) - 1))
    return groups


def _chunk_octets(client: Client, values: Values) -> int:
    if client.kind == "~" or not client.text.upper().startswith("BDAT"):
        return 0
    words = Command.parse(fill(client.text, values)).arguments
    return int(words[0]) if words and words[0].isdecimal() else 0


def _answered(reactions: tuple[Reaction, ...]) -> list[tuple[Reaction, ...]]:
    """Return the replies, each with the events that follow it."""
    answers: list[list[Reaction]] = []
    for reaction in reactions:
        if isinstance(reaction, Expected) or not answers:
            answers.append([reaction])
        else:
            answers[-1].append(reaction)
    return [tuple(answer) for answer in answers]
