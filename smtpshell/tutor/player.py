"""The player: a learner's session with a lesson, whoever shows it.

The player draws nothing and reads nothing. It is asked about every line before it is sent
(`before_line`, which takes answers and the lesson's own commands) and told when its consequences
are in (`after_line`); what it has to say goes to `tell`. Undo, reset, free play and another day all
come to the same: the stage does the journal of a checkpoint again, silently.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.state import Mode
from smtpshell.tutor import judging, mistakes
from smtpshell.tutor.hearing import Turn, turns_of
from smtpshell.tutor.lesson import Ask, Exchange, Prose, Tool
from smtpshell.tutor.performance import await_reactions, begins_connected
from smtpshell.tutor.plainly import filled, prose_rows
from smtpshell.tutor.progress import Place, State
from smtpshell.tutor.questions import by_numbers, grade
from smtpshell.tutor.reactions import happenings_of
from smtpshell.tutor.stage import Entry
from smtpshell.tutor.walk import Checkpoint, Walk

NO_ID = (
    "This lesson is another one for each student. If you want to hand it in, set your id before "
    "you begin: /lesson leave, /set student 017, /lesson and its name."
)
AWAY = "This server is not in the lesson's world, so nothing counts here. /back returns."

GONE = "There is no connection, so this was not sent. /undo brings it back."
STANDS_AGAIN = "The connection was gone. It stands again, as it was when the question came."


class Player(Walk):
    """One learner in one lesson."""

    # --- beginning -----------------------------------------------------------------------------

    async def start(self, state: State) -> None:
        """Go on where a log left the learner, or begin."""
        known = state.goes_on(self.lesson, self.seed) and state.digest == self.lesson.digest
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
        if self.lesson.varies and not self.seed:
            self.say(f"Note: {NO_ID}", "warn")
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
        if self.asking is None and (words := self.following()):
            self.say(f"Note: {words}", "dim")
        return True

    def _prose_so_far(self) -> list[str]:
        return [
            line
            for block in self.step.blocks[: self.at.block]
            if isinstance(block, Prose)
            for line in ("", *block.lines)
        ]

    # --- the learner's lines -------------------------------------------------------------------

    async def before_line(self, line: str) -> bool:
        """Take a line that is for the lesson; True when it must not be sent."""
        from smtpshell.tutor import moves

        inside = self.stage.conversation.mode not in (Mode.COMMAND, Mode.CLOSED)
        if inside and not self.is_asking:
            self._new = True
            if moves.is_one(line) and not self.idle:
                self.say(f"Note: {moves.not_here(line)}", "dim")
                self._new = True
            return False
        if await moves.run(self, line):
            return True
        if self.asking is None or self.free or line.startswith("/") or line.strip() == "?":
            self._new = self._new or not line.startswith("/")
            return self._keeps_unsent(line)
        if line.strip():
            self._new = True
            await self._answer(self.asking, line.strip())
        return True

    def _keeps_unsent(self, line: str) -> bool:
        """Tell what to do about a line for a server where the connection is gone that it needs."""
        if not self._is_gone or self.idle or line.startswith("/") or not line.strip():
            return False
        self.say(f"Not yet. {GONE}", "bad")
        return True

    async def _answer(self, ask: Ask, text: str) -> None:
        graded = grade(ask, text, self.values)
        kept = by_numbers(ask, text, self.values)
        self.progress.record(
            "answer", self.step.id, ask=ask.id, text=kept[:2000], right=graded.right
        )
        if graded.right is False:
            self.say(f"Not yet. {graded.says}", "bad")
            return
        self.say(f"Correct. {graded.says}".rstrip() if graded.right else f"Note: {graded.says}")
        self.asking = None
        if self._is_gone:
            await self.stage.rebuild(self.checkpoint.journal)
            self._heard = self.stage.mark_open()
            self.say(f"Note: {STANDS_AGAIN}", "dim")
        self._next_block()
        await self.advance()

    @property
    def _is_gone(self) -> bool:
        """Whether there was a connection when the learner's turn came, and none is left."""
        return self.stood.connected and not self.stage.conversation.snapshot.connected

    async def after_line(self, line: str) -> None:
        """Judge what a line led to, once its replies are in."""
        if self.stage.away and not self.idle:
            self.free = True
            self.say(f"Note: {AWAY}", "dim")
        if self.idle:
            self._heard = self.stage.mark()
            return
        if isinstance(self.action, Tool):
            await self._tool_line(self.action, line)
        self._complained = False
        while turns := turns_of(self.stage.since(self._heard)):
            if self.stage.nonce:
                self.values["nonce"] = self.stage.nonce
            for number, turn in enumerate(turns, 1):
                self._more = number < len(turns)
                self._now = turn.received.after if turn.received is not None else None
                await self._turn(turn)
                self.before = self.standing
            self._now = None
            self._heard = max(self._heard, self._end_of(turns[-1]))

    async def _tool_line(self, tool: Tool, line: str) -> None:
        wanted = filled(tool.command, self.values).lstrip("/").split()
        words = line.removeprefix("/").split()
        if not line.startswith("/") or words != wanted:
            if words[:1] == wanted[:1]:
                self._heard = self.stage.mark()
                self._record(line, None, "wrong")
                slash = line.startswith("/")
                why = "what stands behind it is not" if slash else "but it begins with a slash"
                self.say(f"Not yet. The command is right, {why}.", "bad")
            return
        self._record(line, None, "right")
        self.approve(Row("Correct.", "good"))
        self._next_action()
        await self.advance()

    async def _turn(self, turn: Turn) -> None:
        """Judge one turn; those behind the end of the lesson are left alone."""
        if self.failing is not None:
            line = turn.sent[-1].line if turn.sent else ""
            self._record(line, turn, "wrong")
            if turn.received is None or turn.received.reply.is_refusal:
                self.tell(mistakes.rows(self, judging.Judgement(), turn))
            elif self._holds(self.failing, aloud=turn.sent[-1].kind == "end"):
                self.failing = None
                self.approve(Row("Correct.", "good"))
                await self.advance()
            return
        exchange = self.action
        if not isinstance(exchange, Exchange) or self.attempt is None:
            self._record(turn.sent[-1].line, turn, "beside")
            if isinstance(exchange, Tool) and not self._more:
                self.tell(mistakes.beside(self, turn))
            return
        unit = self.attempt.next
        code = turn.received.reply.code if turn.received is not None else None
        if unit.reply is None or unit.reply.code == code:
            await await_reactions(self.stage, unit.reactions, self._end_of(turn) - 1)
        self._heard = self._end_of(turn)
        rest = self.stage.since(self._heard)
        after = [each for each in happenings_of(rest) if isinstance(each, str)]
        judgement = judging.judge(
            self.attempt,
            turn,
            after,
            self.values,
            self.canonical.marks.get(exchange.line),
            self.standing,
        )
        await self._act_on(judgement, turn)

    def _end_of(self, turn: Turn) -> int:
        """Return the mark behind a turn's reply."""
        last = turn.received if turn.received is not None else turn.sent[-1]
        events = self.stage.events
        return next(
            (index for index in range(len(events), 0, -1) if events[index - 1] is last), len(events)
        )

    async def _act_on(self, judgement: judging.Judgement, turn: Turn) -> None:
        line = next((sent.line for sent in reversed(turn.sent) if sent.kind != "end"), ".")
        self.values |= judgement.captures
        if judgement.attempt is not None:
            self.attempt = judgement.attempt
            self._record(line, turn, "right")
            if not self._more:
                self.say("Correct. Go on.", "good")
            return
        if judgement.finished:
            self._record(line, turn, "different" if judgement.different else "right")
            words = "Correct. Different from mine, and it works." if judgement.different else ""
            rows = [Row(words or "Correct.", "good")]
            rows += [Row(f"Note: {judgement.note}", "dim")] if judgement.note else []
            self.approve(*rows)
            self._next_action()
            await self.advance()
            return
        early = mistakes.still_missing(self, turn)
        self._record(line, turn, "different" if early else "wrong")
        if not self._complained:
            self._complained = True
            self.tell(mistakes.rows(self, judgement, turn, early))

    def _record(self, line: str, turn: Turn | None, verdict: str) -> None:
        reply = turn.received.reply if turn is not None and turn.received is not None else None
        self.progress.record(
            "line",
            self.step.id,
            line=line[:2000],
            code=reply.code if reply is not None else None,
            verdict=verdict,
            **({"sent": 1} if turn is not None else {}),
        )

    # --- going back, for the lesson's own commands -----------------------------------------------

    async def return_to(self, checkpoint: Checkpoint) -> bool:
        """Make everything what it was at a checkpoint; False when that is no longer known."""
        whole = await self.stage.rebuild(checkpoint.journal)
        self.at = checkpoint
        self.values = dict(checkpoint.values)
        self.asking = self.failing = self.attempt = None
        self.finished = self.free = False
        self._new = True
        self._heard = self.stage.mark_open()
        if checkpoint in self.trail:
            self.progress.place(self._place())
        return whole

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
