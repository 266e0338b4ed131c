"""A lesson as the guest of the ordinary shell: everything that the shell can do still works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from smtpshell.conversation import local
from smtpshell.conversation.guest import GuestCommand
from smtpshell.conversation.report import Row
from smtpshell.protocol.state import Mode
from smtpshell.tutor import moves
from smtpshell.tutor.performance import perform
from smtpshell.tutor.plainly import shown
from smtpshell.tutor.player import Player
from smtpshell.tutor.progress import Progress
from smtpshell.tutor.stage import Stage

if TYPE_CHECKING:
    from smtpshell.conversation.guest import Host
    from smtpshell.protocol.events import Event
    from smtpshell.tutor.lesson import Lesson


class LessonGuest:
    """Plays a lesson beside the user."""

    def __init__(self, lesson: Lesson, progress: Progress, *, seed: int = 0) -> None:
        self.lesson = lesson
        self._progress = progress
        self._seed = seed
        self._host: Host | None = None
        self._stage: Stage | None = None
        self._player: Player | None = None
        self._stuffing = ""

    # --- what the shell asks for -----------------------------------------------------------------

    @property
    def commands(self) -> Mapping[str, GuestCommand]:
        """The lesson's own commands."""
        return {
            name: GuestCommand(name, "", row.summary, partial(self._move, name))
            for name, row in moves.MOVES.items()
        }

    @property
    def prompt_prefix(self) -> str:
        """Where the learner is."""
        player = self._player
        if player is None or player.finished:
            return ""
        if player.free:
            away = self._stage is not None and self._stage.away
            return "outside the lesson" if away else "free play"
        return f"step {player.at.step + 1} of {len(self.lesson.steps)}"

    @property
    def asking(self) -> str:
        """The prompt of a question, while there is one; inside a login it says what it is for."""
        player = self._player
        if player is None or not player.is_asking:
            return ""
        inside = player.stage.conversation.mode is Mode.ANSWER
        return "answer to the question" if inside else "answer"

    @property
    def silent(self) -> bool:
        """Whether the stage goes back to an earlier moment."""
        return self._stage is not None and self._stage.rebuilding

    async def start(self, host: Host) -> None:
        """Set up the lesson's world, connect to it, and begin or go on."""
        self._host = host
        state = self._progress.state()
        seed = state.seed if state.goes_on(self.lesson, self._seed) else self._seed
        canonical = await perform(self.lesson, seed=seed)
        self._stuffing = host.settings.told("stuffing")
        host.settings.set("stuffing", "off")
        await host.conversation.close()
        world_seed = self.lesson.world_seed(seed)
        server = await host.start_practice(self.lesson.scenario, seed=world_seed)
        self._stage = Stage(host.conversation, server)
        self._player = Player(
            self.lesson, self._stage, canonical, self._tell, seed=seed, progress=self._progress
        )
        self._player.insert = None if host.settings.plain else host.put_text
        self._player.plays = "/lesson"
        self._player.explained = lambda: host.settings.notes != "off" and not host.settings.quiet
        await self._player.start(state)

    async def before_line(self, line: str) -> bool:
        """Keep answers, and local commands while a question is open."""
        if self._player is None or self._host is None:
            return False
        if await self._player.before_line(line):
            return True
        if self.asking and local.is_local(line):
            await local.run(self._host, line)
            return True
        return False

    async def after_line(self, line: str) -> None:
        """Judge what a line led to."""
        if self._player is not None:
            await self._player.after_line(line)

    def on_event(self, event: Event) -> None:
        """Do nothing: the stage hears events for itself."""

    async def end(self) -> None:
        """Leave the lesson where it is."""
        if self._stage is not None:
            self._stage.leave()
            self._stage = None
        if self._host is not None:
            self._host.settings.set("stuffing", self._stuffing)

    def _tell(self, rows: Iterable[Row]) -> None:
        if self._host is None:
            return
        self._host.show(shown(rows, plain=self._host.settings.plain))

    # --- commands ------------------------------------------------------------------------------

    async def _move(self, name: str, argument: str) -> None:
        line = f"/{name} {argument}".strip()
        if self._player is None or self._host is None or not await moves.run(self._player, line):
            await local.run(self._host, line)  # type: ignore[arg-type] # whoever runs it is a host
