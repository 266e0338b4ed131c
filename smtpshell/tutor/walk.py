"""The walk through a lesson: block after block, until there is something to wait for.

A `Walk` knows where a learner is, what is said there, and what is waited for. It keeps a checkpoint
at each place where it waits; what the learner then does is the player's part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from smtpshell.conversation.report import Row
from smtpshell.protocol.state import Mode
from smtpshell.protocol.values import dataclass, field, replace
from smtpshell.tutor import checks, judging
from smtpshell.tutor.economy import Account
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
from smtpshell.tutor.library import next_of
from smtpshell.tutor.performance import (
    Performance,
    await_reactions,
    direct,
    evidence_of,
    filled_in,
    skipped_words,
    told,
)
from smtpshell.tutor.plainly import filled, prose_rows
from smtpshell.tutor.progress import Place, Progress
from smtpshell.tutor.questions import question_rows
from smtpshell.tutor.reactions import compare, happenings_of
from smtpshell.tutor.stage import Entry, Stage
from smtpshell.tutor.standing import Standing

if TYPE_CHECKING:
    from smtpshell.protocol.session import Snapshot

Tell = Callable[[Iterable[Row]], None]

NOT_KEPT = "From here on your progress is not kept; the lesson goes on all the same. The reason:"


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


class Walk:
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
        self.lesson = lesson.form(seed)
        self.stage = stage
        self.canonical = canonical
        self.progress = progress or Progress(None)
        self.progress.on_loss = lambda lost: self.say(f"Note: {NOT_KEPT} {lost}", "warn")
        self.values = lesson.values(seed)
        self.seed = seed
        self.at = Checkpoint(0, 0, 0)
        self.attempt: judging.Attempt | None = None
        self.asking: Ask | None = None
        self.failing: Check | None = None
        self._complaint: list[str] = []
        self.finished = False
        self.free = False
        self.hints = 0
        self.said: list[Row] = []
        self._verdict: list[Row] = []
        self._new = True
        self._more = False
        self._complained = False
        self.trail: list[Checkpoint] = []
        self.insert: Callable[[str], None] | None = None
        self.plays = "smtpshell lesson"
        self.explained: Callable[[], bool] = lambda: False
        self._tell = tell
        self._heard = 0
        self._now: Snapshot | None = None
        self.stood = self.before = Standing()

    # --- what it says --------------------------------------------------------------------------

    def tell(self, rows: Iterable[Row]) -> None:
        """Say rows, behind the good verdict that was held back; keep them for /again."""
        told = [*self._verdict, *rows]
        self._verdict = []
        self.said = told if self._new else [*self.said, *told]
        self._new = False
        self._tell(told)

    def say(self, text: str, style: str = "") -> None:
        """Say one line."""
        self.tell([Row(text, style)])

    def _flush(self) -> None:
        """Say the good verdict that was held back, before anything else happens."""
        if self._verdict:
            self.tell([])

    def repeat(self) -> None:
        """Say all once more that was said since the learner's last line."""
        said, self.said = self.said, []
        self.tell(said or [Row("Note: Nothing was said yet.", "dim")])

    def approve(self, *rows: Row) -> None:
        """Hold a good verdict back until it is known what follows: a check may still say no."""
        self._verdict = list(rows)

    def task(self) -> list[Row]:
        """Say again what is wanted here: the prose before it, and how much of the step is left."""
        prose = [each for each in self.step.blocks[: self.at.block] if isinstance(each, Prose)]
        rows = prose_rows(prose[-1].lines, self.values) if prose and not self.finished else []
        asks = any(isinstance(each, Ask) for each in self.step.blocks[self.at.block :][:1])
        following = "" if asks else self.following()
        return [*rows, Row(f"Note: {following}", "dim")] if following else rows

    def following(self) -> str:
        """Say what comes next where no text of the lesson does."""
        if isinstance(self.action, Tool):
            return "A command of this program comes next, with its slash."
        left = self.left()
        return f"{left} more to do in this step." if left else ""

    def left(self) -> int:
        """Return how many lines or commands the step still asks for."""
        if self.finished or self.at.step >= len(self.lesson.steps):
            return 0
        wanted = [
            isinstance(action, Tool) or (isinstance(action, Exchange) and bool(action.clients))
            for number, block in enumerate(self.step.blocks)
            if isinstance(block, Smtp) and number >= self.at.block
            for action in block.actions[self.at.action if number == self.at.block else 0 :]
        ]
        return sum(wanted)

    # --- what it knows -------------------------------------------------------------------------

    @property
    def step(self) -> Step:
        """The step that the learner is in; the last one when all is done."""
        return self.lesson.steps[min(self.at.step, len(self.lesson.steps) - 1)]

    @property
    def title(self) -> str:
        """The title of that step."""
        return filled(self.step.title, self.values)

    @property
    def account(self) -> Account | None:
        """What was used and earned, in a lesson where that counts."""
        return self.progress.account if self.lesson.score else None

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
    def snapshot(self) -> Snapshot:
        """The session as the line that is being judged left it."""
        return self._now or self.stage.conversation.snapshot

    @property
    def standing(self) -> Standing:
        """Where the session stood then."""
        return Standing.of(self.snapshot, self.stage.user)

    @property
    def idle(self) -> bool:
        """Whether nothing is judged: in free play, and behind the end."""
        return self.free or self.finished

    @property
    def is_asking(self) -> bool:
        """Whether a question is open, so that lines are answers to it and go nowhere else."""
        return self.asking is not None and not self.idle

    @property
    def checkpoint(self) -> Checkpoint:
        """The last moment when the player waited."""
        return self.trail[-1] if self.trail else Checkpoint(0, 0, 0)

    # --- walking through the blocks --------------------------------------------------------------

    def _open_step(self) -> None:
        self.at = replace(self.at, began=(self.stage.mark(), self.stage.elapsed))
        self.hints = 0
        if self.at.step < len(self.lesson.steps):
            self._title()

    def _title(self) -> None:
        total = len(self.lesson.steps)
        title = f"Step {self.at.step + 1} of {total}: {self.title}"
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
        rows = [Row(""), Row(f"Done. That was the lesson: {self.lesson.title}.", "good")]
        if self.account is not None:
            rows.append(Row(f"Score: {self.account.total(self.lesson, self.values)}"))
        if following := next_of(self.lesson):
            number, title = following
            rows.append(Row(f"Note: Next comes {title}. `{self.plays} {number}` begins it.", "dim"))
        self.tell(rows)

    def _end_step(self) -> None:
        self.progress.record("done", self.step.id)
        if self.account is not None:
            self.say(f"Score: {self.account.told(self.lesson, self.values, self.step)}")
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
        self.failing = next((each for each in self._checks_due() if not self._holds(each)), None)
        if self.failing is not None:
            return True
        if isinstance(block, Prose):
            self.tell(prose_rows(block.lines, self.values))
        self._next_block()
        return False

    def _checks_due(self) -> Iterator[Check]:
        """Yield the checks up to where the learner's turn comes: they go before all praise."""
        for block in self.step.blocks[self.at.block :]:
            if isinstance(block, Check):
                yield block
            elif isinstance(block, (Ask, Smtp)):
                return

    async def _wire(self, block: Smtp) -> bool:
        if self.at.action >= len(block.actions):
            self._next_block()
            return False
        action = block.actions[self.at.action]
        if isinstance(action, Tool):
            return True
        if isinstance(action, Directive):
            await self._direct(action)
            return False
        if not action.clients:
            await self._overhear(action)
            return False
        if self._is_done_already(action):
            self.say("Note: The next line is not needed: you have done that already.", "dim")
            self._next_action()
            return False
        in_data = self.snapshot.mode is Mode.DATA
        self.attempt = judging.Attempt.at(action, self.values, in_data=in_data)
        return True

    async def _direct(self, directive: Directive) -> None:
        """Do what the lesson itself does.

        A step that needs an extension keyword is skipped where the canonical solution had to skip
        it: it is the server that lacks the keyword, not a learner who has not asked.
        """
        if directive.name == "needs" and directive.line not in self.canonical.marks:
            self.say(f"Note: {skipped_words(directive.argument.upper())}", "dim")
            self.at = replace(self.at, block=len(self.step.blocks), action=0)
            return
        directive = filled_in(directive, self.values)
        if words := told(directive):
            self.say(f"Note: {words}", "dim")
        await direct(self.stage, directive)
        self._next_action()

    def _next_action(self) -> None:
        self.at = replace(self.at, action=self.at.action + 1)
        self.attempt = None

    async def _overhear(self, exchange: Exchange) -> None:
        """Take in what the server says by itself; whatever it was, the lesson goes on."""
        self._flush()
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
        lines = list(self.canonical.marks)
        last = lines.index(exchange.line) - 1
        before = self.canonical.marks[lines[last]].standing if last >= 0 else Standing()
        return judging.is_done_already(exchange, before, mark, self.standing)

    def _holds(self, check: Check, *, aloud: bool = True) -> bool:
        """Judge a check and tell what does not hold; unless `aloud`, only what is new."""
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
        told, self._complaint = self._complaint, [row.text for row in rows]
        if rows and (aloud or told != self._complaint):
            rows.append(Row("Note: /undo takes your last lines back; then do them again.", "dim"))
            self._verdict = []
            self.tell(rows)
        return not rows

    def _wait(self) -> None:
        """Keep a checkpoint of this moment, when the learner's turn comes."""
        if self._more:
            self._verdict = []  # the verdict on the last of several lines is that on all of them
        if self._verdict:
            first, *rest = self._verdict
            self._verdict = [replace(first, text=f"{first.text} {self.following()}".rstrip())]
            self.tell(rest)
        self._heard = self.stage.mark_open()
        self.stood = self.before = self.standing
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

    def _place(self) -> Place:
        at = self.at
        return Place(self.step.id, at.block, at.action, at.journal, at.values)
