"""A lesson performed by nobody: its canonical solution, sent for real to a practice world.

The performance proves a lesson, is the demonstration that plays itself, and tells the player where
a session has to stand after each exchange. It walks the blocks of each step in order, as the player
does. With `choices` it takes other branches than the first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.events import Event, Received
from smtpshell.protocol.state import Mode
from smtpshell.protocol.values import dataclass, field, replace
from smtpshell.tutor import checks
from smtpshell.tutor.functions import TemplateError, fill
from smtpshell.tutor.lesson import (
    Ask,
    Check,
    Directive,
    Exchange,
    Prose,
    Smtp,
    Step,
    Tool,
)
from smtpshell.tutor.patterns import match_text
from smtpshell.tutor.reactions import Comparison, by_text, compare, happenings_of
from smtpshell.tutor.stage import Entry, Stage
from smtpshell.tutor.standing import Standing
from smtpshell.tutor.units import branches_of

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.session import Snapshot
    from smtpshell.tutor.lesson import Lesson

TIMEOUT = 5.0
"""Seconds, by the wall, that a practice server may take for a reply; it takes none."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a lesson, and the line of its file."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What holds after an action: where the session stands, what is captured, what was done."""

    standing: Standing
    values: Mapping[str, str]
    journal: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Performance:
    """What a performance left behind; `marks` go by the line of the action."""

    problems: tuple[Problem, ...] = ()
    marks: Mapping[int, Mark] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def transcript(self) -> tuple[str, ...]:
        """What went over the wire, as lines that begin with C: or S:."""
        from smtpshell.transcript.plain import plain_lines

        return tuple(line for event in self.events for line in plain_lines(event, "off"))

    def complaints(self, lesson: Lesson) -> tuple[str, ...]:
        """Return the problems as lines of the form file:line: message."""
        return tuple(f"{lesson.path}:{each.line}: {each.text}" for each in self.problems)


class Audience(Protocol):
    """Whoever watches a performance."""

    def step(self, number: int, step: Step) -> None:
        """Learn that a step begins."""

    def prose(self, prose: Prose, values: Mapping[str, str]) -> None:
        """Read a piece of prose."""

    def event(self, event: Event) -> None:
        """See an event of the conversation."""

    def note(self, text: str) -> None:
        """Hear what the lesson itself does."""

    def ask(self, ask: Ask, values: Mapping[str, str]) -> None:
        """Hear a question; its right answer is known."""


def practice_settings() -> Settings:
    """Return the settings of a performance: nothing of the user's own."""
    from smtpshell.conversation.settings import Settings

    settings = Settings()
    settings.set("timeout", str(TIMEOUT))
    settings.set("stuffing", "off")
    return settings


@asynccontextmanager
async def on_stage(lesson: Lesson, seed: int = 0) -> AsyncIterator[Stage]:
    """Set up a learner's practice server and a conversation for a lesson; take them down again."""
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.operations import options_from
    from smtpshell.practice.library import load_scenario
    from smtpshell.practice.server import PracticeServer

    server = PracticeServer(load_scenario(lesson.scenario), seed=lesson.world_seed(seed))
    await server.start()
    conversation = Conversation(options_from(practice_settings()), published=server.is_published)
    stage = Stage(conversation, server)
    try:
        yield stage
    finally:
        stage.leave()
        await conversation.close()
        await server.stop()


async def perform(
    lesson: Lesson,
    *,
    seed: int = 0,
    choices: Mapping[int, int] | None = None,
    audience: Audience | None = None,
    comparison: Comparison = by_text,
) -> Performance:
    """Perform a lesson; `choices` maps lines of exchanges to the numbers of their branches.

    Ends at the first thing that goes wrong, because what follows would go wrong with it. Whether a
    reply is the expected one is for the `comparison` to say.
    """
    async with on_stage(lesson, seed) as stage:
        performer = _Performer(lesson, stage, seed, choices or {}, audience, comparison)
        return await performer.run()


class _Failure(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def begins_connected(lesson: Lesson) -> bool:
    """Tell whether the learner finds a connection.

    Not where the first action is to connect, be it the lesson's own or the learner's.
    """
    first = next((action for step in lesson.steps for action in step.actions), None)
    if isinstance(first, Tool):
        return first.command.lstrip("/").partition(" ")[0] != "connect"
    return not (isinstance(first, Directive) and first.name == "connect")


class _Performer:
    def __init__(
        self,
        lesson: Lesson,
        stage: Stage,
        seed: int,
        choices: Mapping[int, int],
        audience: Audience | None,
        comparison: Comparison,
    ) -> None:
        self._lesson = lesson.form(seed)
        self._comparison = comparison
        self._stage = stage
        self._choices = choices
        self._audience = audience
        self._values = lesson.values(seed)
        self._marks: dict[int, Mark] = {}
        self._heard = 0
        self._began = (0, 0.0)

    async def run(self) -> Performance:
        problems: tuple[Problem, ...] = ()
        stop = (
            self._stage.conversation.subscribe(self._audience.event)
            if self._audience is not None
            else None
        )
        try:
            if begins_connected(self._lesson):
                await self._stage.connect()
            for number, step in enumerate(self._lesson.steps, 1):
                await self._step(number, step)
        except _Failure as failure:
            problems = (failure.problem,)
        finally:
            if stop is not None:
                stop()
        return Performance(problems, self._marks, tuple(self._stage.events), dict(self._values))

    async def _step(self, number: int, step: Step) -> None:
        if self._audience is not None:
            self._audience.step(number, step)
        self._began = (self._stage.mark(), self._stage.elapsed)
        for block in step.blocks:
            if isinstance(block, Smtp):
                for action in block.actions:
                    if word := lacking(self._stage.conversation.snapshot, action):
                        self._note(skipped_words(word))
                        return
                    await self._act(action)
            elif isinstance(block, Check):
                self._check(block)
            elif self._audience is not None and isinstance(block, Prose):
                self._audience.prose(block, self._values)
            elif self._audience is not None and isinstance(block, Ask):
                self._audience.ask(block, self._values)

    async def _act(self, action: Exchange | Tool | Directive) -> None:
        try:
            if isinstance(action, Exchange):
                await self._exchange(action)
            elif isinstance(action, Tool):
                await self._tool(action)
            else:
                directive = filled_in(action, self._values)
                self._note(told(directive))
                await direct(self._stage, directive)
        except TemplateError as error:
            raise _Failure(Problem(action.line, str(error))) from error
        except SmtpshellError as error:
            raise _Failure(Problem(action.line, str(error))) from error
        self._marks[action.line] = Mark(
            self._stage.standing, dict(self._values), tuple(self._stage.journal)
        )

    async def _exchange(self, exchange: Exchange) -> None:
        stage = self._stage
        in_data = stage.conversation.mode is Mode.DATA
        branches = branches_of(exchange, self._values, in_data=in_data)
        branch = branches[self._choices.get(exchange.line, 0)]
        if branch.clients:
            self._heard = stage.mark()
            await stage.send(b"".join(unit.octets(self._values) for unit in branch.units))
        await await_reactions(stage, branch.reactions, self._heard)
        happened = happenings_of(stage.since(self._heard))
        outcome = compare(branch.reactions, happened, self._values, self._comparison)
        if not outcome:
            raise _Failure(Problem(outcome.line, outcome.problem))
        self._values |= outcome.captures
        self._heard = stage.mark()

    async def _tool(self, tool: Tool) -> None:
        lines = await run_tool(self._stage, tool, self._values)
        for pattern in tool.output:
            fits = (match_text(pattern.strip(), line.strip(), self._values) for line in lines)
            captured = next((words for words in fits if words is not None), None)
            if captured is None:
                shown = "; ".join(lines) or "nothing"
                raise _Failure(Problem(tool.line, f"no line of its output is {pattern!r}: {shown}"))
            self._values |= captured
        for line in (f"$ {tool.command}", *lines):
            self._note(line)

    def _note(self, text: str) -> None:
        if self._audience is not None and text:
            self._audience.note(text)

    def _check(self, check: Check) -> None:
        evidence = evidence_of(self._stage, self._values, *self._began)
        for condition in check.conditions:
            try:
                verdict = checks.judge(condition, evidence)
            except TemplateError as error:
                raise _Failure(Problem(condition.line, str(error))) from error
            if not verdict.holds:
                text = f"the check '{verdict.wanted}' does not hold: there is {verdict.found}"
                raise _Failure(Problem(condition.line, text))


# --- what the player does in the same way --------------------------------------------------------


async def await_reactions(stage: Stage, reactions: object, mark: int) -> None:
    """Wait a moment for what a server does without being asked, where a lesson expects it."""
    from smtpshell.tutor.lesson import Expected, WireEvent

    assert isinstance(reactions, tuple)
    wanted = sum(isinstance(each, Expected) for each in reactions)
    if wanted > sum(isinstance(each, Received) for each in stage.since(mark)):
        await stage.wait_unasked(stage.mark())
    if any(isinstance(each, WireEvent) and each.name == "closed" for each in reactions):
        await stage.wait_closed()


def filled_in(directive: Directive, values: Mapping[str, str]) -> Directive:
    """Return a directive with the names in its argument filled in; raises `TemplateError`."""
    return replace(directive, argument=fill(directive.argument, values))


async def direct(stage: Stage, directive: Directive) -> None:
    """Do what a directive says; raises `SmtpshellError` when it cannot be done."""
    match directive.name:
        case "connect":
            await stage.close()
            await stage.connect(directive.argument)
        case "close":
            await stage.close()
        case "clock":
            await stage.clock(directive.argument)
        case "drip":
            stage.drip(directive.argument)
        case "starttls":
            if stage.standing.helo is None:
                await stage.send(b"EHLO client.example\r\n")
            await stage.send(b"STARTTLS\r\n")
        case _:
            return


def lacking(snapshot: Snapshot, action: object) -> str:
    """Return the keyword that `@needs` asks for where a server does not offer it, "" elsewhere."""
    if not isinstance(action, Directive) or action.name != "needs":
        return ""
    word = action.argument.upper()
    return "" if word in (snapshot.extensions or ()) else word


def skipped_words(keyword: str) -> str:
    """Return what is said where a step is skipped for want of a keyword."""
    return f"This server does not offer {keyword}. The rest of this step is skipped."


_TOLD = {
    "connect": "The lesson connects again",
    "close": "The lesson drops the connection",
    "clock": "The lesson moves the practice clock",
    "starttls": "The lesson starts TLS",
    "drip": "The next reply comes slowly: one octet in",
    "needs": "",
}


def told(directive: Directive) -> str:
    """Return what to say before a directive is done; "" for nothing."""
    words = _TOLD[directive.name]
    if directive.name == "connect" and directive.argument:
        words = "The lesson connects to"
    return f"{words} {directive.argument}".rstrip() + "." if words else ""


async def run_tool(stage: Stage, tool: Tool, values: Mapping[str, str]) -> list[str]:
    """Run a command of the program as a learner would, and return the lines it shows.

    A connection that fails is an event, for the lesson to expect.
    """
    from smtpshell.conversation import local
    from smtpshell.conversation.terms import Broken, ReplyTimeout
    from smtpshell.tutor.bench import Bench

    bench = Bench(stage.conversation, practice_settings(), stage.server)
    line = fill(tool.command, values)
    _stay_inside(stage, line)
    try:
        await local.run(bench, line if line.startswith("/") else f"/{line}")
    except (Broken, ReplyTimeout) as error:
        bench.say(str(error))
    return bench.lines


def evidence_of(
    stage: Stage, values: Mapping[str, str], began: int, elapsed: float
) -> checks.Evidence:
    """Return what the conditions of a step look at; `began` and `elapsed` are of its beginning."""
    replies = [event.reply for event in stage.since(began) if isinstance(event, Received)]
    return checks.Evidence(
        snapshot=stage.conversation.snapshot,
        values=values,
        reply=replies[-1] if replies else None,
        verbs=tuple(stage.verbs),
        user=stage.user,
        world=stage.server.world,
        arrived=tuple(stage.arrived),
        elapsed=stage.elapsed - elapsed,
    )


def _stay_inside(stage: Stage, line: str) -> None:
    """Raise `SmtpshellError` for a /connect that would leave the world of the lesson."""
    from smtpshell.conversation.embedded import within
    from smtpshell.conversation.targets import PRACTICE, parse_target

    name, _, place = line.lstrip("/").strip().partition(" ")
    place = place.strip()
    if name.casefold() != "connect" or place in ("", PRACTICE):
        return
    if within(stage.server, parse_target(place)) is None:
        raise SmtpshellError(f"{place} is not in the world of this lesson's scenario")
