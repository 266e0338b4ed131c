"""A practice world: everything that outlives a connection, and how to go back in it.

Mailboxes, queue, what rules remember, how often they matched, and what was drawn from the seed.
All of it lies in plain dictionaries and tuples of immutable values, so a snapshot is a handful of
shallow copies, however much mail there is; that makes undo, free play and one world per learner
cheap.

Nothing is random. What has to look so (queue ids, challenges, chance) is drawn from the seed and a
counter, so that the same seed and the same input give the same octets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from smtpshell.practice.addresses import fold
from smtpshell.practice.clock import PracticeClock
from smtpshell.practice.shuffling import mix
from smtpshell.protocol.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smtpshell.practice.mailbox import Message
    from smtpshell.practice.scenario import Scenario

TRACE_KEPT = 500
"""Decisions of rules that are kept; enough for a lesson, and bounded for a flood."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits for some of its recipients (`left`), and why, in a word or two.

    One that is to be tried again has a moment when that is `due`, and the number of `tries` so far.
    """

    message: Message
    reason: str
    left: tuple[str, ...] = ()
    due: float | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules made of one moment of a conversation, for `/rule`.

    `rule` is the number of the rule that fired, None when none did. `because` says in words what
    fitted; `passed` holds, for each rule that looks at this place and did not fire, its number and
    the reason.
    """

    at: float
    connection: int
    place: str
    subject: str
    rule: int | None = None
    because: str = ""
    passed: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class _Holdings:
    mail: dict[str, tuple[Message, ...]] = field(default_factory=dict)
    queue: tuple[Queued, ...] = ()
    bounced: tuple[Message, ...] = ()
    memory: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    counts: dict[tuple[Any, ...], int] = field(default_factory=dict)
    draws: dict[str, int] = field(default_factory=dict)
    trace: tuple[Decision, ...] = ()
    drip: float = 0.0

    def copy(self) -> _Holdings:
        return replace(
            self,
            mail=self.mail.copy(),
            memory=self.memory.copy(),
            counts=self.counts.copy(),
            draws=self.draws.copy(),
        )


@dataclass(frozen=True, slots=True)
class WorldSnapshot:
    """A world at one moment; only good for `World.restore` and `World.fork`."""

    holdings: _Holdings
    moment: float
    client: str


class World:
    """One practice world of a scenario, under a seed and a clock.

    `neighbours` are worlds that it is linked with, by the domain for which each takes mail.
    `on_accepted` is told of every message that a host takes.
    """

    def __init__(
        self, scenario: Scenario, *, seed: int | None = None, clock: PracticeClock | None = None
    ) -> None:
        self.seed = scenario.seed if seed is None else seed
        if scenario.shuffled and self.seed != scenario.seed:
            scenario = scenario.form(self.seed)
        self.scenario = scenario
        self.clock = clock or PracticeClock(scenario.clock)
        self.client = scenario.client
        self.neighbours: Mapping[str, World] = {}
        self.on_accepted: Callable[[Message], None] | None = None
        self._now = _Holdings()

    # --- going back -------------------------------------------------------------------------

    def snapshot(self) -> WorldSnapshot:
        """Return the world as it is now."""
        return WorldSnapshot(self._now.copy(), self.clock.now(), self.client)

    def restore(self, snapshot: WorldSnapshot) -> None:
        """Make the world what it was, the clock included."""
        self._now = snapshot.holdings.copy()
        self.client = snapshot.client
        self.clock.set(snapshot.moment)

    def fork(self) -> World:
        """Return an independent world that begins as this one is now."""
        clock = PracticeClock(self.clock.now(), running=self.clock.running)
        other = World(self.scenario, seed=self.seed, clock=clock)
        other.restore(self.snapshot())
        return other

    def reset(self) -> None:
        """Make the world what it was before anybody connected."""
        self._now = _Holdings()
        self.client = self.scenario.client
        self.clock.set(self.scenario.clock)

    def drip(self, seconds: float) -> None:
        """Have the next reply, of whatever host, sent one octet at a time, with so long between."""
        self._now.drip = seconds

    def take_drip(self) -> float:
        """Return the seconds between the octets of the reply that is sent now, 0 for none."""
        seconds, self._now.drip = self._now.drip, 0.0
        return seconds

    # --- mail -------------------------------------------------------------------------------

    def mailboxes(self) -> dict[str, tuple[Message, ...]]:
        """Return all mailboxes of the scenario, by address, with what lies in them."""
        known = {address: self._now.mail.get(address, ()) for address in self.scenario.mailboxes}
        return {**known, **self._now.mail}

    def mailbox(self, name: str) -> tuple[Message, ...]:
        """Return the messages of an address, or of a user by local part; none if there are none."""
        address = self.find_mailbox(name)
        return self._now.mail.get(address, ()) if address else ()

    def find_mailbox(self, address: str) -> str | None:
        """Return the mailbox that an address, or a local part alone, belongs to.

        Letter case is ignored, and so is what follows a `+`. `postmaster`, with or without a domain
        (RFC 5321 section 4.5.1), is the first mailbox there.
        """
        local, domain = fold(self.scenario.usual(address))
        local = local.partition("+")[0]
        boxes = {mailbox: fold(mailbox) for mailbox in self.scenario.mailboxes}
        for mailbox, (name, where) in boxes.items():
            if name == local and domain in ("", where):
                return mailbox
        if local == "postmaster":
            for mailbox, (_, where) in boxes.items():
                if domain in ("", where):
                    return mailbox
        return None

    def neighbour(self, address: str) -> World | None:
        """Return the linked world that takes mail for an address; one leads no further."""
        return self.neighbours.get(fold(address)[1]) if self.neighbours else None

    @property
    def full(self) -> bool:
        """Whether no more messages are taken."""
        return self.stored >= self.scenario.limits.messages

    @property
    def queue(self) -> tuple[Queued, ...]:
        """The messages that wait."""
        return self._now.queue

    @property
    def returned(self) -> tuple[Message, ...]:
        """The bounces that went to addresses outside this world, and so to nobody."""
        return self._now.bounced

    @property
    def stored(self) -> int:
        """How many messages the world holds, each copy counted."""
        return sum(map(len, self._now.mail.values())) + len(self._now.queue)

    def store(self, message: Message, mailbox: str) -> None:
        """Put a copy of a message into a mailbox."""
        mail = self._now.mail
        mail[mailbox] = (*mail.get(mailbox, ()), message.for_mailbox(mailbox))

    def enqueue(self, item: Queued) -> None:
        """Keep a message in the queue; nothing ever takes it out of this world."""
        self._now.queue = (*self._now.queue, item)

    @property
    def next_due(self) -> float | None:
        """The moment when the next message in the queue is to be tried again."""
        return min((item.due for item in self._now.queue if item.due is not None), default=None)

    def take_due(self) -> tuple[Queued, ...]:
        """Take the messages out of the queue whose time has come."""
        now = self.clock.now()
        due = tuple(item for item in self._now.queue if item.due is not None and item.due <= now)
        self._now.queue = tuple(item for item in self._now.queue if item not in due)
        return due

    def return_unheard(self, message: Message) -> None:
        """Note a bounce whose addressee is outside this world."""
        self._now.bounced = (*self._now.bounced, message)

    # --- what rules remember ----------------------------------------------------------------

    def count(self, *key: object) -> int:
        """Count one more under a key and return how many that makes."""
        self._now.counts[key] = self._now.counts.get(key, 0) + 1
        return self._now.counts[key]

    def remember(self, key: tuple[object, ...], value: object) -> object:
        """Return what is remembered under a key; if nothing is, `value` is from now on."""
        return self._now.memory.setdefault(key, value)

    def recent(self, key: tuple[object, ...], seconds: float) -> int:
        """Note one more event under a key and return how many there were in the last seconds."""
        now = self.clock.now()
        earlier: tuple[float, ...] = self._now.memory.get(key, ())
        kept = (*(moment for moment in earlier if now - moment < seconds), now)[-1000:]
        self._now.memory[key] = kept
        return len(kept)

    def note(self, decision: Decision) -> None:
        """Keep what the rules decided, for inspection."""
        self._now.trace = (*self._now.trace[1 - TRACE_KEPT :], decision)

    @property
    def trace(self) -> tuple[Decision, ...]:
        """The latest decisions of the rules, oldest first."""
        return self._now.trace

    # --- what looks random ------------------------------------------------------------------

    def draw(self, purpose: str) -> int:
        """Return the next 64 bits of a purpose's own sequence."""
        number = self._now.draws.get(purpose, 0) + 1
        self._now.draws[purpose] = number
        return mix(self.seed, crc32(purpose.encode()), number)

    def queue_id(self) -> str:
        """Return the next queue id: ten hexadecimal digits."""
        return f"{self.draw('queue') >> 24:010X}"

    def token(self, purpose: str) -> str:
        """Return the next token of a purpose: 32 hexadecimal digits."""
        return f"{self.draw(purpose):016x}{self.draw(purpose):016x}"
