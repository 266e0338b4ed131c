"""Mutants: learners who do it wrong on purpose, and must not pass.

Each command of the canonical solution is left out, replaced by NOOP and doubled; each mistake that
the author foresaw is made, and must meet the author's words; each wrong answer is given. A lesson
that lets one of them pass checks keystrokes, or nothing. The honest learner is tried too: in lower
case, and with a space too many where servers forgive it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager

from smtpshell.conversation import local
from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.state import Mode
from smtpshell.protocol.text import encode
from smtpshell.protocol.verbs import VERBS
from smtpshell.tutor.bench import Bench
from smtpshell.tutor.judging import Attempt
from smtpshell.tutor.lesson import Answer, Ask, Exchange, Lesson, Rule, Step
from smtpshell.tutor.meaning import same_command, shown
from smtpshell.tutor.moves import answer_lines
from smtpshell.tutor.performance import Performance, Problem, on_stage, practice_settings
from smtpshell.tutor.plainly import filled
from smtpshell.tutor.player import Player
from smtpshell.tutor.questions import choices_of, grade
from smtpshell.tutor.stage import Stage

Change = Callable[[str], str]


NO_CHOICES: Mapping[int, int] = {}


class Learner:
    """Somebody who types lines into a player, and hears what it says."""

    def __init__(self, lesson: Lesson, stage: Stage, canonical: Performance, seed: int = 0) -> None:
        self.heard: list[str] = []
        self.stage = stage
        self.player = Player(lesson, stage, canonical, self._hear, seed=seed)
        self.home = self.player.checkpoint
        self._bench = Bench(stage.conversation, practice_settings(), stage.server)

    def _hear(self, rows: object) -> None:
        assert isinstance(rows, list)
        self.heard += [row.text for row in rows if isinstance(row, Row)]

    async def type(self, line: str) -> None:
        """Type one line, as a shell would take it."""
        conversation = self.stage.conversation
        if await self.player.guard(line):
            return
        try:
            if conversation.mode in (Mode.COMMAND, Mode.CLOSED) and local.is_local(line):
                await local.run(self._bench, line)
            else:
                await conversation.send_line(line)
                if conversation.mode is not Mode.DATA or line == ".":
                    await conversation.settle()
        except SmtpshellError as error:
            self.heard.append(str(error))
        await self.player.after_line(line)

    async def type_all(self, lines: list[str]) -> None:
        """Type lines one after the other."""
        for line in lines:
            await self.type(line)

    async def send(self, octets: bytes) -> None:
        """Send octets as they are, as /raw and /pipeline do."""
        await self.stage.send(octets)
        await self.player.after_line("/raw")

    async def solve(
        self, change: Change = lambda line: line, choices: Mapping[int, int] | None = None
    ) -> bool:
        """Do all that is asked for until the end; False when that leads nowhere.

        `choices` maps lines of exchanges to the numbers of their branches.
        """
        tries = 0
        while not self.player.finished:
            before = (self.player.at.spot, self.player.attempt)
            await self.solve_one(change, choices or {})
            tries = tries + 1 if (self.player.at.spot, self.player.attempt) == before else 0
            if tries > 1 or self.player.failing is not None:
                return False
        return True

    async def solve_one(
        self, change: Change = lambda line: line, choices: Mapping[int, int] = NO_CHOICES
    ) -> None:
        """Do what is asked for now."""
        player = self.player
        if player.asking is not None or player.attempt is None:
            await self.type_all(answer_lines(player))
            return
        action = player.action
        way = choices.get(action.line, 0) if action is not None and not player.attempt.done else 0
        units = player.attempt.ways[way].units[player.attempt.done :]
        plain = all(
            client.kind == ":" and not unit.is_octets(index)
            for unit in units
            for index, client in enumerate(unit.clients)
        )
        if plain:
            lines = [shown(client, player.values) for unit in units for client in unit.clients]
            await self.send(b"".join(encode(change(line)) + b"\r\n" for line in lines))
        else:
            await self.send(b"".join(unit.octets(player.values) for unit in units))


async def problems(lesson: Lesson, canonical: Performance) -> AsyncIterator[Problem]:
    """Yield what is wrong with a lesson whose canonical solution works."""
    honest = False
    async for problem in _honest(lesson, canonical):
        honest = True
        yield problem
    if honest:
        return
    async with _learning(lesson, canonical) as learner:
        await learner.player.begin()
        async for problem in _dishonest(learner, lesson):
            yield problem


@asynccontextmanager
async def _learning(lesson: Lesson, canonical: Performance) -> AsyncIterator[Learner]:
    async with on_stage(lesson) as stage:
        yield Learner(lesson, stage, canonical)


# --- learners who do it right --------------------------------------------------------------------


def lower_case(line: str) -> str:
    """Return a command with its verb and the FROM: or TO: in lower case."""
    verb, space, rest = line.partition(" ")
    row = VERBS.get(verb.upper())
    if row is None:
        return line
    if row.lead and rest.upper().startswith(row.lead):
        rest = rest[: len(row.lead)].lower() + rest[len(row.lead) :]
    return verb.lower() + space + rest


def spaced(line: str) -> str:
    """Return a command with a space behind the colon of its path, where it has one."""
    verb, space, rest = line.partition(" ")
    row = VERBS.get(verb.upper())
    if row is not None and row.lead and rest.upper().startswith(row.lead):
        return f"{verb}{space}{rest[: len(row.lead)]} {rest[len(row.lead) :]}"
    return line


_HONEST: dict[str, Change] = {
    "as it is written": lambda line: line,
    "in lower case": lower_case,
    "with a space behind the colon": spaced,
}


def _choices(lesson: Lesson) -> Iterator[tuple[str, Mapping[int, int]]]:
    """Yield the ways through a lesson that take one alternative each, and what they are called."""
    for step in lesson.steps:
        for action in step.actions:
            if isinstance(action, Exchange):
                for number, other in enumerate(action.alternatives, 1):
                    yield f"with the alternative of line {other.line}", {action.line: number}


async def _honest(lesson: Lesson, canonical: Performance) -> AsyncIterator[Problem]:
    ways = [(how, change, NO_CHOICES) for how, change in _HONEST.items()]
    ways += [(how, str, choices) for how, choices in _choices(lesson)]
    for how, change, choices in ways:
        async with _learning(lesson, canonical) as learner:
            await learner.player.begin()
            if not await learner.solve(change, choices):
                said = next((line for line in reversed(learner.heard) if "Not yet" in line), "")
                action = learner.player.action
                line = action.line if action is not None else learner.player.step.line
                yield Problem(line, f"the solution {how} does not pass: {said}".rstrip(" :"))


# --- learners who do it wrong --------------------------------------------------------------------


async def _dishonest(learner: Learner, lesson: Lesson) -> AsyncIterator[Problem]:
    """Walk through the lesson, and at each place try everything that must fail before going on."""
    player = learner.player
    proven: set[int] = set()
    while not player.finished:
        here = learner.home = player.checkpoint
        if player.asking is not None:
            for problem in _answers(player.asking, dict(player.values)):
                yield problem
        elif isinstance(player.action, Exchange) and player.attempt is not None:
            exchange, attempt = player.action, player.attempt
            async for problem in _mutants(learner, exchange, attempt):
                yield problem
            for rule in _untried(player.step, proven):
                if await _meets_words(learner, rule):
                    proven.add(rule.line)
            await _return(learner)
        await learner.solve_one()
        if player.checkpoint == here and not player.finished:
            return
    for step in lesson.steps:
        for rule in _untried(step, proven):
            if step.wants_typing:
                text = f"nothing in the step makes the feedback '{rule.glob}' be said"
                yield Problem(rule.line, text)


async def _return(learner: Learner) -> None:
    """Go back to the place that is looked at, however far the last attempt has led."""
    player = learner.player
    if learner.home in player.trail:
        del player.trail[player.trail.index(learner.home) + 1 :]
    await player.return_to(learner.home)
    learner.heard.clear()
    await player.advance()


def _untried(step: Step, proven: set[int]) -> list[Rule]:
    return [rule for rule in step.rules if rule.side == "C" and rule.line not in proven]


def samples(glob: str) -> Iterator[str]:
    """Yield lines that fit a glob: with nothing, and with a word, for each star."""
    for filling in ("", "x", " x", "x.example"):
        yield glob.replace("*", filling).replace("?", "x").strip()


async def _meets_words(learner: Learner, rule: Rule) -> bool:
    """Make a foreseen mistake; tell whether it fails with the author's words."""
    player = learner.player
    words = filled(rule.text, player.values)
    for sample in dict.fromkeys(samples(filled(rule.glob, player.values))):
        await _return(learner)
        spot = player.at.spot
        await learner.type(sample)
        if player.at.spot == spot and f"Not yet. {words}" in learner.heard:
            return True
    return False


async def _mutants(
    learner: Learner, exchange: Exchange, attempt: Attempt
) -> AsyncIterator[Problem]:
    player = learner.player
    units = attempt.ways[0].units
    for number, unit in enumerate(units):
        if unit.is_free and not unit.data:
            continue
        client = unit.clients[-1] if unit.data else unit.clients[0]
        line = shown(client, player.values)
        before = b"".join(each.octets(player.values) for each in units[:number])
        after = b"".join(each.octets(player.values) for each in units[number + 1 :])
        own = unit.octets(player.values)
        body = own.removesuffix(b".\r\n") if unit.data else b""
        mutants = {"left out": before + body + after}
        if not same_command(line, "NOOP"):
            mutants["replaced by NOOP"] = before + body + b"NOOP\r\n" + after
        for how, octets in mutants.items():
            if octets and await _passes(learner, octets, exchange):
                yield Problem(client.line, f"{line!r} passes when it is {how}")
        doubled = own + (b"" if unit.data or unit.chunk else own)
        if doubled != own and await _runs_ahead(learner, before + doubled + after, exchange, line):
            yield Problem(client.line, f"{line!r} passes for the next line too when it is doubled")


async def _passes(learner: Learner, octets: bytes, exchange: Exchange) -> bool:
    """Send octets; tell whether the exchange counts as done, and its checks hold."""
    await _return(learner)
    player = learner.player
    await learner.send(octets)
    return player.action is not exchange and player.failing is None


async def _runs_ahead(learner: Learner, octets: bytes, exchange: Exchange, line: str) -> bool:
    """Tell whether a doubled line does the work of the line behind it as well."""
    await _return(learner)
    player = learner.player
    actions = player.step.actions
    place = actions.index(exchange)
    following = actions[place + 1] if place + 1 < len(actions) else None
    if not isinstance(following, Exchange) or not following.clients:
        return False
    first = following.clients[0]
    if first.kind != ":" or same_command(filled(first.text, player.values), line):
        return False
    await learner.send(octets)
    waits = player.asking is not None or player.action in (exchange, following)
    return not waits and player.failing is None


def _answers(ask: Ask, values: dict[str, str]) -> Iterator[Problem]:
    """Give each wrong answer."""
    numbers = {id(choice): str(number) for number, choice in enumerate(choices_of(ask), 1)}
    for answer in ask.answers:
        if answer.kind == " ":
            texts = [numbers[id(answer)]]
        elif answer.kind == "!":
            texts = list(samples(filled(answer.text, values)))
        else:
            continue
        if not any(_fails(ask, answer, text, values) for text in texts):
            yield Problem(answer.line, f"the wrong answer {answer.text!r} does not get its words")


def _fails(ask: Ask, answer: Answer, text: str, values: dict[str, str]) -> bool:
    graded = grade(ask, text, values)
    return graded.right is False and graded.says == filled(answer.says, values)
