"""The practice server: the hosts of one world, each of its ports listening on loopback.

    server = PracticeServer(load_scenario("plain"))
    address, port = await server.start()
    ...
    server.world.mailbox("bob")
    await server.stop()

Every port that a virtual host pretends to have is a socket on some free port of 127.0.0.1, and
`resolve` maps one to the other, so that a client that asks for mx1.practice.example port 25 can be
led there. Nothing is ever sent anywhere else: there is no code here that opens a connection.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import TYPE_CHECKING, NoReturn

from smtpshell.practice.dialogue import Dialogue
from smtpshell.practice.library import load_scenario
from smtpshell.practice.rules import Rulebook
from smtpshell.practice.steward import NOBODY, Steward
from smtpshell.practice.wire import SocketWire
from smtpshell.practice.world import World
from smtpshell.protocol.errors import SmtpshellError, Status

if TYPE_CHECKING:
    from smtpshell.lookup.resolver import Resolver
    from smtpshell.lookup.zone import Zone
    from smtpshell.practice.clock import PracticeClock
    from smtpshell.practice.mailbox import Message
    from smtpshell.practice.reports import Fate
    from smtpshell.practice.scenario import Host, Scenario
    from smtpshell.practice.tap import Observer, Tap
    from smtpshell.practice.wiring import House

LOOPBACK = "127.0.0.1"

BACKLOG = 1024
"""Connections that may wait to be taken: a class of 300 comes all at once, and who finds the usual
100 waiting is forgotten by the system and waits for a greeting, sometimes for a minute."""

_ADVICE = {
    errno.EMFILE: "Raise the number of files that a process may open: ulimit -n.",
    errno.EADDRNOTAVAIL: "Listen on an address of this machine.",
    errno.EACCES: "Choose a port above 1023.",
}
"""What to do where it cannot listen, by the number of the error."""

_QUEUE_INTERVAL = 10.0
"""Seconds between two looks at the queue, where the clock runs by itself."""


class PracticeServer:
    """One practice world that can be connected to.

    `scenario` is a scenario or the name of one. `seed` and `clock` replace those of the scenario,
    `observer` is told the events of every conversation. `address` is where it listens; anything but
    loopback has to be asked for. Certificates are good for the names and addresses of `certified`
    too. A `steward` may have a word in every dialogue.
    """

    def __init__(
        self,
        scenario: Scenario | str = "plain",
        seed: int | None = None,
        clock: PracticeClock | None = None,
        *,
        observer: Observer | None = None,
        address: str = LOOPBACK,
        certified: tuple[str, ...] = (),
        steward: Steward = NOBODY,
    ) -> None:
        given = load_scenario(scenario) if isinstance(scenario, str) else scenario
        self.world = World(given, seed=seed, clock=clock)
        self.scenario = self.world.scenario
        self.rulebook = Rulebook(self.scenario)
        self.address = address
        self.certified = certified
        self.observer = observer
        self.steward = steward
        self.faults: list[BaseException] = []
        self._zone: Zone | None = None
        self._resolver: Resolver | None = None
        self._listeners: list[asyncio.Server] = []
        self._refusing: list[socket.socket] = []
        self._ports: dict[tuple[str, int], int] = {}
        self._queue_watch: asyncio.Task[None] | None = None
        self._dialogues: dict[Dialogue, asyncio.Task[None]] = {}

    # --- life ------------------------------------------------------------------------------

    async def start(self, port: int = 0, step: int = 0) -> tuple[str, int]:
        """Listen; return the address and port of the main host's first door.

        `port` is wanted for that one, 0 for any free port; the others take free ports, or with a
        `step` each the port so far above the one before. Raises `SmtpshellError` when a port cannot
        be had.
        """
        wanted = port
        for host in self.scenario.hosts:
            for pretended, kind in host.ports.items():
                await self._open(host, pretended, kind, wanted)
                wanted = wanted + step if wanted and step else 0
        self.attend()
        return self.address, self.port

    def attend(self) -> None:
        """Look after the queue from now on, where time passes by itself; `stop` ends it."""
        if self.world.clock.running and any(host.onward for host in self.scenario.hosts):
            self._queue_watch = asyncio.create_task(self._watch_queue())

    async def _open(self, host: Host, pretended: int, kind: str, port: int) -> None:
        if kind == "refused":
            sock = socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET)
            self._refusing.append(sock)
            try:
                sock.bind((self.address, port))
            except OSError as error:
                await self._fail(port, error)
            self._ports[host.name.casefold(), pretended] = sock.getsockname()[1]
            return
        try:
            listener = await asyncio.get_running_loop().create_server(
                lambda: _Door(self, host, pretended), self.address, port, backlog=BACKLOG
            )
        except OSError as error:
            await self._fail(port, error)
        if not listener.sockets:  # asyncio passes over a socket that cannot be made
            await self._fail(port, OSError(errno.EMFILE, "too many open files"))
        self._listeners.append(listener)
        self._ports[host.name.casefold(), pretended] = listener.sockets[0].getsockname()[1]

    async def _fail(self, port: int, error: OSError) -> NoReturn:
        await self.stop()
        raise SmtpshellError(
            f"cannot listen: {os.strerror(error.errno or 0).lower()}",
            f"{self.address}:{port}",
            _ADVICE.get(error.errno or 0, "Choose another port, or 0 for any free one."),
            status=Status.CONNECT,
        ) from None

    async def stop(self, *, politely: bool = False) -> None:
        """Stop listening and end every conversation, politely with a 421 that nobody asked for."""
        if politely:
            await asyncio.gather(*(dialogue.dismiss() for dialogue in self._dialogues))
        for listener in self._listeners:
            listener.close()
        for sock in self._refusing:
            sock.close()
        self._listeners.clear()
        self._refusing.clear()
        tasks: list[asyncio.Task[None]] = list(self._dialogues.values())
        if self._queue_watch is not None:
            tasks.append(self._queue_watch)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._ports.clear()

    async def advance(self, seconds: float) -> None:
        """Let time pass on the practice clock, and try again what falls due meanwhile."""
        until = self.world.clock.now() + seconds
        while (due := self.world.next_due) is not None and due <= until:
            self.world.clock.advance(due - self.world.clock.now())
            await self.run_queue()
        self.world.clock.advance(until - self.world.clock.now())
        await asyncio.sleep(0)

    async def run_queue(self) -> None:
        """Try again every message in the queue whose time has come."""
        from smtpshell.practice.delivery import try_again

        for item in self.world.take_due():
            await try_again(self.world, item, self.carry)

    async def _watch_queue(self) -> None:
        """Run the queue as real time passes, where the clock runs by itself."""
        while True:
            await self.world.clock.delay(_QUEUE_INTERVAL)
            await self.run_queue()

    # --- what is where ---------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port of the main host's first door; 0 while the server does not run."""
        return next(iter(self._ports.values()), 0)

    @property
    def host_name(self) -> str:
        """The name of the main host."""
        return self.scenario.main.name

    @property
    def doors(self) -> dict[tuple[str, int], tuple[str, int]]:
        """Every (host, port) of this world, with the address and port that it really listens on."""
        return {door: (self.address, port) for door, port in self._ports.items()}

    def resolve(self, host: str, port: int) -> tuple[str, int] | None:
        """Return where a port of a virtual host really listens.

        `host` may be its name or its address in this world. None when there is no such door.
        """
        name = host.casefold().rstrip(".").strip("[]")
        for item in self.scenario.hosts:
            if name in (item.name.casefold(), item.address):
                real = self._ports.get((item.name.casefold(), port))
                return None if real is None else (self.address, real)
        return None

    # --- what is known ---------------------------------------------------------------------

    @property
    def credentials(self) -> dict[str, str]:
        """The published passwords, by user name."""
        return {user.name: user.password for user in self.scenario.users}

    @property
    def tokens(self) -> dict[str, str]:
        """The published access tokens, by user name, of the users who have one."""
        return {user.name: user.token for user in self.scenario.users if user.token}

    def ca_pem(self) -> bytes:
        """Return the certificate of the authority that signs for this server, in PEM."""
        from smtpshell.practice.certificates import authority_pem

        return authority_pem().encode("ascii")

    def is_published(self, mechanism: str, line: bytes) -> bool:
        """Tell whether an AUTH argument or answer (base64) holds only published credentials."""
        from smtpshell.practice.accounts import is_published

        open_logins = [
            dialogue for dialogue in self._dialogues if dialogue.side.exchange is not None
        ]
        if any(dialogue.is_published(mechanism, line) for dialogue in open_logins):
            return True
        return is_published(self.scenario, mechanism, line)

    def client_nonce(self) -> str:
        """Return what a client of this world takes for a random word in its next login."""
        return self.world.token("client nonce")[:16]

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._dialogues)

    @property
    def dialogues(self) -> tuple[Dialogue, ...]:
        """The conversations under way."""
        return tuple(self._dialogues)

    @property
    def zone(self) -> Zone:
        """The DNS of this world: what does not stand in it does not exist."""
        if self._zone is None:
            from smtpshell.lookup.zone import Zone
            from smtpshell.practice.signing import zone_text

            text = zone_text(self.scenario, self.world.seed)
            self._zone = Zone.from_text(text, faults=self.scenario.dns_faults)
        return self._zone

    @property
    def resolver(self) -> Resolver:
        """What asks the zone of this world."""
        if self._resolver is None:
            from smtpshell.lookup.resolver import Resolver

            self._resolver = Resolver(zone=self.zone)
        return self._resolver

    # --- what dialogues need ---------------------------------------------------------------

    def tap(self, dialogue: Dialogue) -> Tap | None:
        """Return a tap for a new dialogue, if there is an observer."""
        if self.observer is None:
            return None
        from smtpshell.practice.tap import Tap

        return Tap(
            dialogue.record.number,
            self.observer,
            self.world.clock,
            lmtp=dialogue.host.lmtp,
            published=dialogue.is_published,
        )

    async def carry(
        self, host: Host, message: Message, recipients: tuple[str, ...]
    ) -> tuple[Fate, ...]:
        """Hand a message to the next host of this world, in memory."""
        from smtpshell.practice.hop import carry

        return await carry(self, host, message, recipients)

    def receive(self, host: Host, port: int, wire: SocketWire) -> None:
        """Begin a dialogue with whoever connected."""
        dialogue = Dialogue(self.reception(), host, port, wire)
        task = asyncio.get_running_loop().create_task(dialogue.run(crowded=self.crowded))
        self._keep(dialogue, task)

    def reception(self) -> House:
        """Return the house in which the next dialogue begins."""
        return self

    @property
    def crowded(self) -> bool:
        """Whether as many clients are connected as may be."""
        return len(self._dialogues) >= self.scenario.limits.connections

    def take_over(self, dialogue: Dialogue, other: PracticeServer) -> None:
        """Let a dialogue that began at another server go on here, as the dialogue itself does."""
        task = other._dialogues.pop(dialogue)
        dialogue.enter(self)
        self._keep(dialogue, task)

    def _keep(self, dialogue: Dialogue, task: asyncio.Task[None]) -> None:
        self._dialogues[dialogue] = task
        task.add_done_callback(lambda done: self._ended(dialogue, done))

    def _ended(self, dialogue: Dialogue, task: asyncio.Task[None]) -> None:
        known = self._dialogues.pop(dialogue, None)
        if known is not None and not task.cancelled() and (fault := task.exception()) is not None:
            self.faults.append(fault)


class _Door(SocketWire):
    """What asyncio makes for each connection."""

    def __init__(self, server: PracticeServer, host: Host, port: int) -> None:
        super().__init__()
        self._server, self._host, self._port = server, host, port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._server.receive(self._host, self._port, self)
