"""The player: a learner's session with a lesson, whoever shows it.

The player draws nothing and reads nothing. It is asked about every line before it is sent
(`before_line`, which takes answers and the lesson's own commands) and told when its consequences
are in (`after_line`); what it has to say goes to `tell`. It keeps a checkpoint at each place where
it waits for the learner, so that undo, reset, free play and another day all come to the same: the
stage does its journal again, silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.state import Mode
from smtpshell.protocol.values import dataclass, field, replace
from smtpshell.tutor import checks, judging, mistakes
from smtpshell.tutor.functions import TemplateError
from smtpshell.tutor.lesson import (
    Ask,
    Check,
    Directive,
    Exchange,
    Lesson,
    Prose,
    Smtp,
    Step,
    Tool,
)
from smtpshell.tutor.performance import (
    Performance,
    await_reactions,
    begins_connected,
    direct,
    evidence_of,
    told,
)
from smtpshell.tutor.plainly import filled, prose_rows
from smtpshell.tutor.progress import Place, Progress, State
from smtpshell.tutor.questions import grade, question_rows
from smtpshell.tutor.reactions import compare, happenings_of
from smtpshell.tutor.stage import Entry, Stage, Turn, turns_of
from smtpshell.tutor.standing import Standing

if TYPE_CHECKING:
    from smtpshell.protocol.events import Event

Tell = Callable[[Iterable[Row]], None]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A moment when the player waited: where in the lesson, what was done, what was known.

    `inside` says that no command could be given then, in the middle of a message or a login.
    """

    step: int
    block: int
    action: int
    journal: tuple[Entry, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    began: tuple[int, float] = (0, 0.0)
    inside: bool = False

    @property
    def spot(self) -> tuple[int, int, int]:
        """Where it is, in an order that can be compared."""
        return self.step, self.block, self.action


class Player:
    """One learner in one lesson. `canonical` is the lesson's performance with the same seed."""

    def __init__(
        self,
        lesson: Lesson,
        stage: Stage,
        canonical: Performance,
        tell: Tell,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> None:
        self.lesson = lesson
        self.stage = stage
        self.canonical = canonical
        self.progress = progress or Progress(None)
        self.values = lesson.values(seed)
        self.seed = seed
        self.at = Checkpoint(0, 0, 0)
        self.attempt: judging.Attempt | None = None
        self.asking: Ask | None = None
        self.failing: Check | None = None
        self.finished = False
        self.free = False
        self.hints = 0
        self.said: list[Row] = []
        self.trail: list[Checkpoint] = []
        self.insert: Callable[[str], None] | None = None
        self._tell = tell
        self._heard = 0
        self.stood = Standing()

    # --- what it says --------------------------------------------------------------------------

    def tell(self, rows: Iterable[Row]) -> None:
        """Say rows, and keep them for /again."""
        self.said = list(rows)
        self._tell(self.said)

    def say(self, text: str, style: str = "") -> None:
        """Say one line."""
        self.tell([Row(text, style)])

    # --- what it knows -------------------------------------------------------------------------

    @property
    def step(self) -> Step:
        """The step that the learner is in; the last one when all is done."""
        return self.lesson.steps[min(self.at.step, len(self.lesson.steps) - 1)]

    @property
    def action(self) -> Exchange | Tool | Directive | None:
        """What is waited for, if it is something on the wire or a command."""
        if self.finished or self.asking or self.at.block >= len(self.step.blocks):
            return None
        block = self.step.blocks[self.at.block]
        if not isinstance(block, Smtp) or self.at.action >= len(block.actions):
            return None
        return block.actions[self.at.action]

    @property
    def idle(self) -> bool:
        """Whether nothing is judged: in free play, and behind the end."""
        return self.free or self.finished

    @property
    def checkpoint(self) -> Checkpoint:
        """The last moment when the player waited."""
        return self.trail[-1] if self.trail else Checkpoint(0, 0, 0)

    # --- beginning -----------------------------------------------------------------------------

    async def start(self, state: State) -> None:
        """Go on where a log left the learner, or begin."""
        known = not state.finished and state.digest == self.lesson.digest
        if not (known and await self.resume(state.places)):
            await self.begin()

    async def begin(self) -> None:
        """Begin the lesson at its first step."""
        self.progress.begin(self.lesson, self.seed)
        preface = [line for line in self.lesson.prose if not line.startswith("# ")]
        self.tell(
            [
                Row(f"Lesson: {self.lesson.title}", "title"),
                *prose_rows(preface, self.values),
            ]
        )
        if begins_connected(self.lesson):
            await self.stage.connect()
        self._open_step()
        await self.advance()

    async def resume(self, places: Sequence[Place]) -> bool:
        """Go on where a log says that the learner waited; False when it cannot be found again."""
        numbers = {step.id: number for number, step in enumerate(self.lesson.steps)}
        if not places or any(place.step not in numbers for place in places):
            return False
        self.trail = [
            Checkpoint(
                numbers[place.step],
                place.block,
                place.action,
                place.journal,
                {**self.values, **place.values},
            )
            for place in places
        ]
        if not await self.return_to(self.trail[-1]):
            self.trail = []
            return False
        self.say(f"Lesson: {self.lesson.title}. You go on where you left it.", "title")
        self._title()
        self.tell(prose_rows(self._prose_so_far(), self.values))
        await self.advance()
        return True

    def _prose_so_far(self) -> list[str]:
        return [
            line
            for block in self.step.blocks[: self.at.block]
            if isinstance(block, Prose)
            for line in ("", *block.lines)
        ]

    # --- walking through the blocks --------------------------------------------------------------

    def _open_step(self) -> None:
        self.at = replace(self.at, began=(self.stage.mark(), self.stage.elapsed))
        self.hints = 0
        if self.at.step < len(self.lesson.steps):
            self._title()

    def _title(self) -> None:
        total = len(self.lesson.steps)
        title = f"Step {self.at.step + 1} of {total}: {self.step.title}"
        self.tell([Row(""), Row(title, "title")])

    async def advance(self) -> None:
        """Walk on until something has to be waited for."""
        while not self.finished:
            if self.at.step >= len(self.lesson.steps):
                self._finish()
            elif self.at.block >= len(self.step.blocks):
                self._end_step()
            elif await self._block():
                self._wait()
                return

    def _finish(self) -> None:
        self.finished = True
        self.progress.finish(tuple(self.stage.journal))
        self.tell([Row(""), Row(f"Done. That was the lesson: {self.lesson.title}.", "good")])

    def _end_step(self) -> None:
        self.progress.record("done", self.step.id)
        self.at = replace(self.at, step=self.at.step + 1, block=0, action=0)
        self._open_step()

    def _next_block(self) -> None:
        self.at = replace(self.at, block=self.at.block + 1, action=0)

    async def _block(self) -> bool:
        """Do one block; True when it has to wait for the learner."""
        block = self.step.blocks[self.at.block]
        if isinstance(block, Smtp):
            return await self._wire(block)
        if isinstance(block, Ask):
            self.asking = block
            self.tell(question_rows(block, self.values))
            return True
        if isinstance(block, Check) and not self._holds(block):
            self.failing = block
            return True
        if isinstance(block, Prose):
            self.tell(prose_rows(block.lines, self.values))
        self._next_block()
        return False

    async def _wire(self, block: Smtp) -> bool:
        if self.at.action >= len(block.actions):
            self._next_block()
            return False
        action = block.actions[self.at.action]
        if isinstance(action, Tool):
            return True
        if isinstance(action, Directive):
            await direct(self.stage, action)
            if action.name != "needs":
                self.say(f"Note: {told(action)}", "dim")
            self._next_action()
            return False
        if not action.clients:
            await self._overhear(action)
            return False
        if self._is_done_already(action):
            self.say("Note: The next line is not needed: you have done that already.", "dim")
            self._next_action()
            return False
        in_data = self.stage.conversation.mode is Mode.DATA
        self.attempt = judging.Attempt.at(action, self.values, in_data=in_data)
        return True

    def _next_action(self) -> None:
        self.at = replace(self.at, action=self.at.action + 1)
        self.attempt = None

    async def _overhear(self, exchange: Exchange) -> None:
        """Take in what the server says by itself; whatever it was, the lesson goes on."""
        await await_reactions(self.stage, exchange.reactions, self._heard)
        happened = happenings_of(self.stage.since(self._heard))
        outcome = compare(exchange.reactions, happened, self.values)
        self.values |= outcome.captures
        self._heard = self.stage.mark()
        if not outcome:
            self.say(f"Note: Something else was to be seen here: {outcome.problem}.", "warn")
        self._next_action()

    def _is_done_already(self, exchange: Exchange) -> bool:
        mark = self.canonical.marks.get(exchange.line)
        if mark is None:
            return False
        lines = sorted(line for line in self.canonical.marks if line < exchange.line)
        before = self.canonical.marks[lines[-1]].standing if lines else Standing()
        return judging.is_done_already(exchange, before, mark, self.stage.standing)

    def _holds(self, check: Check) -> bool:
        evidence = evidence_of(self.stage, self.values, *self.at.began)
        rows: list[Row] = []
        for condition in check.conditions:
            try:
                verdict = checks.judge(condition, evidence)
            except TemplateError as error:
                verdict = checks.Verdict(False, str(error), checks.in_words(condition))
            if verdict.holds is False:
                facts = f"{filled(verdict.wanted, self.values)}, but there is {verdict.found}"
                words = filled(condition.message, self.values) or f"It should be: {facts}."
                rows.append(Row(f"Not yet. {words}", "bad"))
        if rows:
            rows.append(Row("Note: /undo takes your last lines back; then do them again.", "dim"))
            self.tell(rows)
        return not rows

    def _wait(self) -> None:
        """Keep a checkpoint of this moment, when the learner's turn comes."""
        self._heard = self.stage.mark()
        self.stood = self.stage.standing
        if self.trail and self.trail[-1].spot == self.at.spot:
            return
        if self.failing is not None:
            return
        self.at = replace(
            self.at,
            journal=tuple(self.stage.journal),
            values=dict(self.values),
            inside=self.stage.conversation.mode not in (Mode.COMMAND, Mode.CLOSED),
        )
        self.trail.append(self.at)
        self.progress.place(self._place())

    # --- the learner's lines -------------------------------------------------------------------

    async def before_line(self, line: str) -> bool:
        """Take a line that is for the lesson; True when it must not be sent."""
        from smtpshell.tutor import moves

        if self.stage.conversation.mode not in (Mode.COMMAND, Mode.CLOSED):
            return False
        if await moves.run(self, line):
            return True
        if self.asking is None or self.free or line.startswith("/") or line.strip() == "?":
            return False
        if line.strip():
            await self._answer(self.asking, line.strip())
        return True

    async def _answer(self, ask: Ask, text: str) -> None:
        graded = grade(ask, text, self.values)
        self.progress.record(
            "answer", self.step.id, ask=ask.id, text=text[:2000], right=graded.right
        )
        if graded.right is False:
            self.say(f"Not yet. {graded.says}", "bad")
            return
        self.say(f"Correct. {graded.says}".rstrip() if graded.right else f"Note: {graded.says}")
        self.asking = None
        self._next_block()
        await self.advance()

    async def after_line(self, line: str) -> None:
        """Judge what a line led to, once its replies are in."""
        if self.idle:
            self._heard = self.stage.mark()
            return
        if isinstance(self.action, Tool):
            await self._tool_line(self.action, line)
        while not self.idle:
            events = self.stage.since(self._heard)
            turns = turns_of(events)
            if not turns:
                return
            await self._turn(turns[0], events)

    async def _tool_line(self, tool: Tool, line: str) -> None:
        wanted = filled(tool.command, self.values).lstrip("/").split()
        if line.lstrip("/").split() != wanted:
            return
        self._heard = self.stage.mark()
        self._record(line, None, "right")
        self.say("Correct.", "good")
        self._next_action()
        await self.advance()

    async def _turn(self, turn: Turn, events: Sequence[Event]) -> None:
        """Judge the first turn of those that came, and hear no more than it."""
        ends = self._end_of(turn, events)
        if self.failing is not None:
            self._heard += ends
            if turn.received is None or turn.received.reply.is_refusal:
                self.tell(mistakes.rows(self, judging.Judgement(), turn))
            elif self._holds(self.failing):
                self.failing = None
                self.say("Correct.", "good")
                self._next_block()
                await self.advance()
            return
        exchange = self.action
        if not isinstance(exchange, Exchange) or self.attempt is None:
            self._heard += ends
            return
        unit = self.attempt.next
        code = turn.received.reply.code if turn.received is not None else None
        if unit.reply is None or unit.reply.code == code:
            await await_reactions(self.stage, unit.reactions, self._heard)
        rest = self.stage.since(self._heard + ends)
        after = [each for each in happenings_of(rest) if isinstance(each, str)]
        judgement = judging.judge(
            self.attempt,
            turn,
            after,
            self.values,
            self.canonical.marks.get(exchange.line),
            self.stage.standing,
        )
        self._heard += ends
        await self._act_on(judgement, turn)

    @staticmethod
    def _end_of(turn: Turn, events: Sequence[Event]) -> int:
        """Return how many events a turn takes up, its reply included."""
        last = turn.received if turn.received is not None else turn.sent[-1]
        return next(index for index, event in enumerate(events, 1) if event is last)

    async def _act_on(self, judgement: judging.Judgement, turn: Turn) -> None:
        line = next((sent.line for sent in reversed(turn.sent) if sent.kind != "end"), ".")
        self.values |= judgement.captures
        if judgement.attempt is not None:
            self.attempt = judgement.attempt
            self._record(line, turn, "right")
            self.say("Correct so far.", "good")
            return
        if judgement.finished:
            self._record(line, turn, "different" if judgement.different else "right")
            words = "Correct. Different from mine, and it works." if judgement.different else ""
            rows = [Row(words or "Correct.", "good")]
            rows += [Row(f"Note: {judgement.note}", "dim")] if judgement.note else []
            self.tell(rows)
            self._next_action()
            await self.advance()
            return
        self._record(line, turn, "wrong")
        self.tell(mistakes.rows(self, judgement, turn))

    def _record(self, line: str, turn: Turn | None, verdict: str) -> None:
        reply = turn.received.reply if turn is not None and turn.received is not None else None
        self.progress.record(
            "line",
            self.step.id,
            line=line[:2000],
            code=reply.code if reply is not None else None,
            verdict=verdict,
        )

    # --- going back, for the lesson's own commands -----------------------------------------------

    async def return_to(self, checkpoint: Checkpoint) -> bool:
        """Make everything what it was at a checkpoint; False when that is no longer known."""
        whole = await self.stage.rebuild(checkpoint.journal)
        self.at = checkpoint
        self.values = dict(checkpoint.values)
        self.asking = self.failing = self.attempt = None
        self.finished = self.free = False
        self._heard = self.stage.mark()
        if checkpoint in self.trail:
            self.progress.place(self._place())
        return whole

    def _place(self) -> Place:
        at = self.at
        return Place(self.step.id, at.block, at.action, at.journal, at.values)

    async def jump(self, step: int, journal: Sequence[Entry], values: dict[str, str]) -> None:
        """Go to the beginning of a step, with the world as a journal makes it."""
        await self.return_to(Checkpoint(step, 0, 0, tuple(journal), values))
        self._open_step()
        await self.advance()

    async def guard(self, line: str) -> bool:
        """Take a line as `before_line` does, with errors as words; for desks that want none."""
        try:
            return await self.before_line(line)
        except SmtpshellError as error:
            self.say(f"Note: {error}", "warn")
            return True
