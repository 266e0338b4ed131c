"""An attempt, done again: the same player, a fresh world, the learner's octets.

Nothing that a log says of itself counts here. What went over the wire is sent again, answers are
judged again, and the player finds out for itself how far that leads. The journal is followed entry
by entry: what the lesson does by itself (a connection, the clock) appears in the stage's own
journal without being done twice, and where the learner went back, the player goes back.
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.secrets import HIDDEN
from smtpshell.protocol.text import encode
from smtpshell.protocol.values import dataclass, field
from smtpshell.tutor.classroom.attempts import Answered, Attempt, Helped, Move, Typed, Waited
from smtpshell.tutor.economy import Account, items_of
from smtpshell.tutor.lesson import Check, Lesson, Smtp, Tool
from smtpshell.tutor.moves import MOVES
from smtpshell.tutor.performance import Performance, on_stage, perform, run_tool
from smtpshell.tutor.plainly import filled
from smtpshell.tutor.player import Player
from smtpshell.tutor.progress import Progress

if TYPE_CHECKING:
    from smtpshell.tutor.stage import Entry, Stage

SECONDS = 30.0
"""Seconds by the wall that one attempt may take; honest ones take a fraction of one."""

GRACE = 10.0
"""Seconds beyond them, so that what is under way may end by itself and tidily."""

WRONG = b64encode(b"\0nobody\0wrong 0").decode("ascii")
"""Stands for credentials that were hidden: a login with any but the published ones fails."""


@dataclass(slots=True)
class Outcome:
    """What an attempt achieved, by item: the id of a step, or `step/question`.

    `problem` says why it could not be done again to its end; "" when it could. `answers` are those
    to open questions.
    """

    done: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)
    hints: dict[str, int] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    finished: bool = False
    problem: str = ""
    account: Account = field(default_factory=Account)


class _Diverged(Exception):
    """The log cannot be followed any further; the text says why."""


class _Record(Progress):
    """What the player finds out, for the grader alone."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(None)
        self._outcome = outcome

    def record(self, kind: str, step: str = "", **facts: Any) -> None:  # noqa: ANN401 - as in Progress
        """Note a right answer, an open one, and the end of a step or of the lesson."""
        outcome = self._outcome
        outcome.account.see(kind, step, facts)
        if kind == "answer":
            item = f"{step}/{facts['ask']}"
            if facts["right"]:
                outcome.done.add(item)
            elif facts["right"] is None:
                outcome.answers[item] = str(facts["text"])
        elif kind == "done" and step:
            outcome.done.add(step)
        elif kind == "done":
            outcome.finished = True


class Canonicals:
    """The canonical performances of lessons, each performed once, or once for each learner.

    Of a lesson that varies by the seed only the latest is kept.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int], Performance] = {}

    async def of(self, lesson: Lesson, seed: int) -> Performance:
        """Return the performance of a lesson for learners with this seed."""
        key = (lesson.id, lesson.digest, seed if lesson.varies else 0)
        if key not in self._known:
            for other in [each for each in self._known if lesson.varies and each[:2] == key[:2]]:
                del self._known[other]
            self._known[key] = await perform(lesson, seed=seed)
        return self._known[key]


async def replay(
    lesson: Lesson,
    attempt: Attempt,
    seed: int,
    canonicals: Canonicals,
    *,
    seconds: float = SECONDS,
) -> Outcome:
    """Do an attempt again with a seed, and return what it achieves; nothing is raised."""
    outcome = Outcome()
    try:
        canonical = await canonicals.of(lesson, seed)
        async with asyncio.timeout(seconds + GRACE), on_stage(lesson, seed) as stage:
            until = time.monotonic() + seconds
            await _Replay(lesson, stage, canonical, seed, outcome, until).run(attempt.moves)
    except _Diverged as reason:
        outcome.problem = str(reason)
    except TimeoutError:
        outcome.problem = f"it takes longer than {seconds:g} seconds"
    except SmtpshellError as error:
        outcome.problem = error.what
    except Exception as error:  # noqa: BLE001 - whatever a forged log leads to, the others are graded
        outcome.problem = f"it cannot be done again ({type(error).__name__})"
    return outcome


class _Replay:
    def __init__(
        self,
        lesson: Lesson,
        stage: Stage,
        canonical: Performance,
        seed: int,
        outcome: Outcome,
        until: float,
    ) -> None:
        self._stage = stage
        self._until = until
        self._outcome = outcome
        self._journal: list[Entry] = []
        self._player = Player(
            lesson, stage, canonical, lambda _rows: None, seed=seed, progress=_Record(outcome)
        )
        steps = self._player.lesson.steps
        self._numbers = {step.id: number for number, step in enumerate(steps)}

    async def run(self, moves: Sequence[Move]) -> None:
        """Make all moves."""
        await self._player.begin()
        for move in moves:
            self._check_time()
            match move:
                case Waited():
                    await self._follow(move)
                case Answered():
                    await self._answer(move)
                case Typed():
                    await self._tool(move)
                case Helped():
                    await self._help(move)
            self._look()

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            raise TimeoutError

    # --- what went over the wire ----------------------------------------------------------------

    async def _follow(self, move: Waited) -> None:
        if move.keep > len(self._journal):
            raise _Diverged("a piece of the log is missing")
        self._journal[move.keep :] = move.new
        if self._is_behind(move):
            await self._go_back()
        while (at := len(self._stage.journal)) < len(self._journal):
            self._check_time()
            await self._do(self._journal[at])
            await self._player.after_line("")
            self._look()
            if len(self._stage.journal) <= at:
                raise _Diverged("the server does not take again what it took then")

    def _is_behind(self, move: Waited) -> bool:
        at = self._player.at
        spot = (self._numbers.get(move.step, len(self._numbers)), move.block, move.action)
        return spot < at.spot or not _begins(self._journal, self._stage.journal)

    async def _go_back(self) -> None:
        """Go back to the last moment from which what follows was done."""
        trail = self._player.trail
        while trail and not _begins(self._journal, trail[-1].journal):
            trail.pop()
        if not trail:
            raise _Diverged("the log leads to no place of the lesson")
        await self._player.return_to(trail[-1])
        await self._player.advance()

    async def _do(self, entry: Entry) -> None:
        stage = self._stage
        match entry.kind:
            case "connect":
                await stage.connect(entry.text)
            case "send" if entry.text == HIDDEN:
                raise _Diverged("a message that was sent from a file is not in the log")
            case "send":
                await stage.send(encode(entry.text.replace(HIDDEN, WRONG)))
            case "close":
                await stage.close()
            case "clock" | "drip":
                try:
                    if entry.kind == "drip":
                        stage.drip(entry.text)
                    else:
                        await stage.clock(entry.text)
                except ValueError:
                    raise _Diverged("the log moves the clock by no duration") from None

    # --- what did not ---------------------------------------------------------------------------

    async def _answer(self, move: Answered) -> None:
        asking = self._player.asking
        if asking is None or asking.id != move.ask or self._player.step.id != move.step:
            return
        if not move.text.lstrip().startswith(("/", "?")):
            await self._player.before_line(move.text)

    async def _tool(self, move: Typed) -> None:
        """Run a command of the lesson's own, never one of the log's."""
        tool = self._player.action
        if not isinstance(tool, Tool):
            return
        wanted = filled(tool.command, self._player.values).lstrip("/").split()
        if move.line.lstrip("/").split() == wanted:
            await run_tool(self._stage, tool, self._player.values)
            await self._player.after_line(move.line)

    async def _help(self, move: Helped) -> None:
        player = self._player
        if player.finished or player.step.id != move.step:
            return
        item = self._item()
        if move.how == "hint":
            self._outcome.hints[item] = self._outcome.hints.get(item, 0) + 1
        elif move.how == "shown":
            self._outcome.shown.add(item)
        else:
            self._outcome.skipped |= set(items_of(player.step)) - self._outcome.done
            await MOVES["skip"].move(player)

    def _item(self) -> str:
        asking = self._player.asking
        step = self._player.step.id
        return f"{step}/{asking.id}" if asking is not None else step

    # --- what was achieved ----------------------------------------------------------------------

    def _look(self) -> None:
        """Note that all of a step's typing is done, also where a question in it is still open."""
        player = self._player
        if player.finished:
            return
        wire = [
            number
            for number, block in enumerate(player.step.blocks)
            if isinstance(block, (Smtp, Check))
        ]
        if wire and player.at.block > wire[-1]:
            self._outcome.done.add(player.step.id)


def _begins(journal: Sequence[Entry], beginning: Sequence[Entry]) -> bool:
    return list(journal[: len(beginning)]) == list(beginning)
