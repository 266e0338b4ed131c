"""A lesson without a terminal: lines from standard input, everything said in plain lines.

So a lesson can be played through a pipe, by a screen reader's dumb terminal, and by tests.
"""

from __future__ import annotations

import io
import sys
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any, TextIO

from smtpshell.conversation.local import is_local
from smtpshell.conversation.report import Row
from smtpshell.conversation.script import ScriptDesk, lines_of
from smtpshell.conversation.terms import Broken, ReplyTimeout, not_connected
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.state import Mode
from smtpshell.protocol.text import visible
from smtpshell.tutor.performance import on_stage, perform
from smtpshell.tutor.plainly import spoken
from smtpshell.tutor.player import Player
from smtpshell.tutor.progress import Progress

if TYPE_CHECKING:
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.settings import Settings
    from smtpshell.tutor.lesson import Lesson
    from smtpshell.tutor.stage import Stage


class Muffler(io.TextIOBase):
    """Passes writing on, except while a stage goes back in silence."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.stage: Stage | None = None

    def write(self, text: str) -> int:
        """Write, or do not."""
        if self.stage is None or not self.stage.rebuilding:
            self._out.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what was written."""
        self._out.flush()

    def fileno(self) -> int:
        """Return the number of the file below."""
        return self._out.fileno()


class LessonDesk(ScriptDesk):
    """The desk of a lesson without a terminal: `Correct.` and its kin stand without a `# `."""

    scripted = False
    letters = False
    """Whether a translation may be said in letters beyond ASCII."""

    def __init__(self, stage: Stage, settings: Settings, out: Muffler, errors: Muffler) -> None:
        conversation: Conversation = stage.conversation
        super().__init__(conversation, settings, out, errors)  # type: ignore[arg-type] # it is a text stream
        self.practice = stage.server

    async def start_practice(self, scenario: str = "plain", *, seed: int | None = None) -> Any:  # noqa: ANN401 - see Desk
        """Return the world of the lesson; it is never replaced."""
        return self.practice

    async def stop_practice(self) -> None:
        """Leave the world to whoever set it up."""

    def tell(self, rows: Iterable[Row]) -> None:
        """Write what the lesson says."""
        for text in spoken(rows):
            self.printer.line(visible(text, ascii_only=not self.letters))

    async def take(self, line: str, *, local_only: bool = False) -> None:
        """Do what one line says; errors are told, and the lesson goes on.

        `local_only` says that nothing is to be sent: the line was typed at a question.
        """
        closed = self.conversation.mode is Mode.CLOSED
        try:
            await (self._run_local(line) if local_only else super().take(line))
        except (Broken, ReplyTimeout):  # an event has told it already
            if closed and not is_local(line):
                self.printer.error(str(not_connected()))
        except SmtpshellError as error:
            self.printer.error(str(error))


async def play_lines(
    lesson: Lesson,
    settings: Settings,
    lines: AsyncIterator[str] | None = None,
    *,
    out: TextIO | None = None,
    errors: TextIO | None = None,
    progress: Progress | None = None,
    seed: int = 0,
) -> int:
    """Play a lesson with lines from a file or standard input; 0 when it was done to its end."""
    progress = progress or Progress.of(lesson.id)
    state = progress.state()
    seed = state.seed if state.goes_on(lesson, seed) else seed
    canonical = await perform(lesson, seed=seed)
    settings.set("stuffing", "off")
    letters = lesson.language != "en" and not settings.plain
    settings.plain = True  # whoever has no terminal gets plain lines
    muffled, muffled_errors = Muffler(out or sys.stdout), Muffler(errors or sys.stderr)
    async with on_stage(lesson, seed) as stage:
        muffled.stage = muffled_errors.stage = stage
        desk = LessonDesk(stage, settings, muffled, muffled_errors)
        desk.letters = letters
        player = Player(lesson, stage, canonical, desk.tell, seed=seed, progress=progress)
        player.explained = lambda: settings.notes != "off" and not settings.quiet
        await player.start(state)
        async for line in lines or lines_of([("stdin", "-")]):
            if not await player.guard(line):
                await desk.take(line, local_only=player.is_asking)
                await player.after_line(line)
            if desk.leaving or player.finished or desk.printer.unread:
                break
    return 0 if player.finished else 1
