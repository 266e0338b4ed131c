"""Guests: whoever sits beside the user at the prompt, such as the player of a lesson.

A guest sees every line that is typed and every event, may keep a line for itself (the answer to a
question of its own), bring local commands, say things and put text on the prompt, unsent. It knows
no terminal: all that it shows goes through the desk of its host.

    invite      host.invite(guest)  ->  guest.start(host)
    each line   guest.before_line(line): True keeps the line from being sent
                ... the line is sent, its reply awaited; guest.on_event sees all of it ...
                guest.after_line(line)
    leaving     guest.end()         <-  host.dismiss(), or the end of the program

Lines of message data and answers to a challenge pass `before_line` and `after_line` too. Local
commands do not: those of the guest win over those of the program, so that a lesson's /quit may mean
the lesson.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from smtpshell.conversation.desk import Desk
from smtpshell.protocol.events import Event
from smtpshell.protocol.values import dataclass


@dataclass(frozen=True, slots=True)
class GuestCommand:
    """A local command of a guest; `arguments` are completed as those of a `LocalCommand`."""

    name: str
    syntax: str
    summary: str
    run: Callable[[str], Awaitable[None]]
    arguments: tuple[str, ...] = ()


class Host(Desk, Protocol):
    """A desk that can have a guest."""

    async def invite(self, guest: Guest) -> None:
        """Have a guest, in place of the one that is there."""

    async def dismiss(self) -> None:
        """Say goodbye to the guest, if there is one."""


class Guest(Protocol):
    """What a host asks of its guest."""

    @property
    def commands(self) -> Mapping[str, GuestCommand]:
        """Local commands to add, by name without the slash."""

    @property
    def prompt_prefix(self) -> str:
        """What stands before the prompt, such as "step 2 of 5"; "" for nothing."""

    @property
    def asking(self) -> str:
        """The prompt of a question of the guest's own, such as "answer"; "" when it asks none."""

    @property
    def silent(self) -> bool:
        """Whether events are not to be shown: the guest repeats what was shown before."""

    async def start(self, host: Host) -> None:
        """Sit down; the place to connect, and to say the first words."""

    async def before_line(self, line: str) -> bool:
        """See a line before it is sent; True keeps it from being sent."""

    async def after_line(self, line: str) -> None:
        """See a line after it was sent and its replies came, or the wait was given up."""

    def on_event(self, event: Event) -> None:
        """See an event; must not block."""

    async def end(self) -> None:
        """Go. The connection may be gone already."""
