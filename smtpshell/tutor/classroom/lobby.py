"""The port that a class shares: a connection begins in nobody's world, and is led into a student's.

The banner comes before anything is known of a client, so it is that of the lesson's world as it is
before anybody has connected; each connection has such a world of its own for a start. The first
name that is a key of the class (`keys`) decides, once and for all: the dialogue goes on in the
student's world, with its mailboxes, limits and rules, and whoever follows the student hears of the
connection from its beginning. Without a key nobody gets as far as a recipient.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from smtpshell.practice.clock import PracticeClock
from smtpshell.practice.server import PracticeServer
from smtpshell.practice.tap import Tap
from smtpshell.practice.world import World
from smtpshell.protocol.values import replace
from smtpshell.tutor.classroom.bulletin import NOBODY, WHOSE, ClassSteward

if TYPE_CHECKING:
    from smtpshell.lookup.resolver import Resolver
    from smtpshell.practice.dialogue import Dialogue
    from smtpshell.practice.mailbox import Message
    from smtpshell.practice.reports import Fate
    from smtpshell.practice.scenario import Host, Scenario
    from smtpshell.practice.wiring import House
    from smtpshell.protocol.events import Event
    from smtpshell.protocol.serverside import Request, Verdict
    from smtpshell.tutor.classroom.keys import Key
    from smtpshell.tutor.classroom.room import Room

HELD = 200
"""Events of a connection that are kept until it is known whose it is."""

_HELLO = frozenset({"HELO", "EHLO", "LHLO"})


class Anteroom:
    """Where one connection is until it is known whose it is: a new world of its own."""

    def __init__(self, lobby: Lobby) -> None:
        scenario = lobby.scenario
        self.world = World(scenario, clock=PracticeClock(scenario.clock, running=True))
        self.rulebook = lobby.rulebook
        self.certified = lobby.certified
        self.steward = lobby.steward
        self.certified = lobby.certified
        self._lobby = lobby
        self._held: deque[Event] = deque(maxlen=HELD)

    @property
    def resolver(self) -> Resolver:
        """What asks the zone of this world."""
        return self._lobby.resolver

    def tap(self, dialogue: Dialogue) -> Tap:
        """Return what hears the dialogue and keeps its events."""
        return Tap(
            dialogue.record.number,
            lambda _number, event: self._held.append(event),
            self.world.clock,
            lmtp=dialogue.host.lmtp,
            published=dialogue.is_published,
        )

    async def carry(
        self, host: Host, message: Message, recipients: tuple[str, ...]
    ) -> tuple[Fate, ...]:
        """Carry nothing: no recipient is taken here, so there is no message."""
        del host, message, recipients
        return ()

    def hand_over(self, number: int, observer: Callable[[int, Event], None]) -> None:
        """Tell an observer all that happened so far."""
        for event in self._held:
            observer(number, event)
        self._held.clear()


class Lobby(PracticeServer):
    """The server at the shared port."""

    def __init__(self, scenario: Scenario, room: Room, address: str) -> None:
        crowd = 4 * len(room.seats) + 16
        world = scenario.with_limits(replace(scenario.limits, connections=crowd))
        keeper = Doorkeeper(room, self)
        names = ("localhost", address)
        super().__init__(world, address=address, steward=keeper, certified=names)

    def reception(self) -> House:
        """Return a new anteroom."""
        return Anteroom(self)


class Doorkeeper(ClassSteward):
    """Asks whose world it is, and leads the way."""

    def __init__(self, room: Room, lobby: Lobby) -> None:
        super().__init__(room)
        self._lobby = lobby

    async def meet(self, dialogue: Dialogue, request: Request, verdict: Verdict) -> Verdict | None:
        """Lead the dialogue into a student's world, or say why there is none for it."""
        answer = await super().meet(dialogue, request, verdict)
        if answer is not None or not verdict.accepted or request.kind != "command":
            return answer
        command = request.command
        name = command.argument.split(" ")[0] if command.verb in _HELLO else command.address or ""
        key = self._room.keys.find(name) if name else None
        if key is not None:
            return self._lead(dialogue, key)
        if command.verb == "RCPT":
            self._room.say_of("", "stranger", text="")
            return dialogue.side.say_lines("stranger", (WHOSE,))
        return None

    def logged_in(self, dialogue: Dialogue) -> None:
        """Lead the dialogue into the world of whoever's name it is."""
        key = self._room.keys.find(dialogue.side.user) if "@" in dialogue.side.user else None
        if key is not None and key.student and not self._room.seats[key.student].server.crowded:
            self._lead(dialogue, key)

    def _lead(self, dialogue: Dialogue, key: Key) -> Verdict | None:
        seat = self._room.seats.get(key.student)
        if seat is None:
            self._room.say_of("", "stranger", text=key.label)
            advice = f"are you {key.meant}?" if key.meant else "look up your ID"
            return dialogue.side.say_lines("stranger", (f"{NOBODY}{key.label}: {advice}",))
        if seat.server.crowded:
            self._room.say_of(key.student, "limit", text="421 too many connections")
            return dialogue.side.say("crowded")
        anteroom, observer = dialogue.house, seat.server.observer
        seat.server.take_over(dialogue, self._lobby)
        if isinstance(anteroom, Anteroom) and dialogue.tap is not None and observer is not None:
            number = dialogue.record.number
            dialogue.tap.lead_to(number, observer)
            anteroom.hand_over(number, observer)
        return None
