"""What a dialogue needs of its connection and of the server around it; for type checkers only."""

from __future__ import annotations

import ssl
from typing import Protocol

from smtpshell.lookup.resolver import Resolver
from smtpshell.practice.dialogue import Dialogue
from smtpshell.practice.mailbox import Message
from smtpshell.practice.reports import Fate
from smtpshell.practice.rules import Rulebook
from smtpshell.practice.scenario import Host
from smtpshell.practice.steward import Steward
from smtpshell.practice.tap import Tap
from smtpshell.practice.wire import Channel
from smtpshell.practice.world import World


class Wire(Protocol):
    """What a dialogue needs of a connection; `hop` has one in memory, from host to host."""

    async def read(self) -> bytes:
        """Return octets as soon as there are any, b"" when the client has ended."""

    async def write(self, octets: bytes) -> None:
        """Send octets. Raises `WireError` when the connection is lost."""

    async def start_tls(self, context: ssl.SSLContext) -> Channel:
        """Shake hands as the server. Raises `WireError`."""

    def close(self, *, reset: bool = False) -> None:
        """End the connection, with `reset` without a goodbye of TCP either."""


class House(Protocol):
    """What a dialogue needs of the server that it takes place in."""

    world: World
    rulebook: Rulebook
    certified: tuple[str, ...]

    @property
    def resolver(self) -> Resolver:
        """What asks the zone of this world."""

    @property
    def steward(self) -> Steward:
        """Who keeps the house."""

    def tap(self, dialogue: Dialogue) -> Tap | None:
        """Return what hears a dialogue that begins, if anybody wants to."""

    async def carry(
        self, host: Host, message: Message, recipients: tuple[str, ...]
    ) -> tuple[Fate, ...]:
        """Hand a message to the next host of this world."""
