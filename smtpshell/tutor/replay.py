"""A lesson held against a real server: the same lines, and the codes compared.

What a server says in words is its own affair, so texts that differ are listed and fail nothing;
captures are taken where the text fits. What only a practice world can tell (mailboxes, clock, SPF)
is skipped and said to be, never passed. Unless told otherwise nothing is delivered: before DATA or
BDAT the transaction is reset and the session ended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from smtpshell.conversation.lookups.imaginary import is_reserved
from smtpshell.conversation.terms import Broken, ReplyTimeout
from smtpshell.protocol.commands import Command
from smtpshell.protocol.events import Received
from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.state import Mode
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass, replace
from smtpshell.tutor import checks
from smtpshell.tutor.functions import TemplateError, fill
from smtpshell.tutor.hearing import Hearing
from smtpshell.tutor.lesson import (
    Action,
    Check,
    Condition,
    Directive,
    Exchange,
    Expected,
    Lesson,
    Smtp,
    Step,
    WireEvent,
)
from smtpshell.tutor.meaning import shown
from smtpshell.tutor.patterns import Match, captured, match_reply
from smtpshell.tutor.performance import begins_connected, lacking
from smtpshell.tutor.reactions import compare, happenings_of
from smtpshell.tutor.units import Branch, branches_of

if TYPE_CHECKING:
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.targets import Target

STARTS_LETTER = ("DATA", "BDAT")
_PRACTICE_ONLY = {"clock": "has a clock", "drip": "can be made to drip"}
LOOPBACK = ("127.", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Terms:
    """How to replay: `send` the message, compare only `classes` of codes, `hidden` values."""

    send: bool = False
    classes: bool = False
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one exchange or one condition; `ok` is None where it was skipped.

    `problem` is what failed or why it was skipped, `differs` are texts that are not the lesson's.
    """

    step: str
    line: int
    what: str
    ok: bool | None
    problem: str = ""
    differs: tuple[str, ...] = ()


class Replayer:
    """One replay over one conversation."""

    def __init__(
        self,
        lesson: Lesson,
        conversation: Conversation,
        target: Target,
        values: Mapping[str, str],
        terms: Terms,
    ) -> None:
        self._lesson = lesson
        self._target = target
        self._values = dict(values)
        self._terms = terms
        self._hearing = Hearing(conversation)
        self._heard = 0
        self._differs: list[str] = []
        self._over = ""
        self._lacking = ""
        self._last: tuple[Snapshot, int] = (conversation.snapshot, 0)

    async def run(self) -> AsyncIterator[Result]:
        """Replay the lesson, result by result; raises `SmtpshellError` when nobody answers."""
        try:
            if begins_connected(self._lesson):
                await self._hearing.conversation.connect(self._target)
            for step in self._lesson.steps:
                self._last = (self._last[0], self._hearing.mark())
                self._lacking = ""
                for block in step.blocks:
                    if isinstance(block, Smtp):
                        for action in block.actions:
                            yield await self._action(step, action)
                    elif isinstance(block, Check):
                        for condition in block.conditions:
                            yield self._condition(step, condition)
        finally:
            self._hearing.leave()

    # --- actions -------------------------------------------------------------------------------

    async def _action(self, step: Step, action: Action) -> Result:
        what = self._hide(self._told(action))
        if why := self._over or self._lacking:
            return Result(step.id, action.line, what, None, why)
        try:
            if isinstance(action, Exchange):
                return await self._exchange(step, action, what)
            if isinstance(action, Directive):
                return await self._directive(step, action, what)
        except TemplateError as error:
            return Result(step.id, action.line, what, False, str(error))
        return Result(step.id, action.line, what, None, "commands of the program are not replayed")

    def _told(self, action: Action) -> str:
        if isinstance(action, Directive):
            return f"@{action.name} {action.argument}".strip()
        if not isinstance(action, Exchange):
            return f"$ {action.command}"
        if not action.clients:
            return "the server speaks"
        first = action.clients[0]
        try:
            text = visible(shown(first, self._values))
        except TemplateError:
            text = first.text
        return text if len(action.clients) == 1 else f"{text} (and {len(action.clients) - 1} more)"

    def _hide(self, text: str) -> str:
        for secret in self._terms.hidden:
            text = text.replace(secret, "[hidden]")
        return text

    async def _exchange(self, step: Step, exchange: Exchange, what: str) -> Result:
        hearing = self._hearing
        in_data = hearing.conversation.mode is Mode.DATA
        branch = branches_of(exchange, self._values, in_data=in_data)[0]
        refusal = self._refusal(branch)
        if refusal or (not self._terms.send and self._starts_letter(branch)):
            await self._leave()
            self._over = refusal or "it stops before the message; --send goes on"
            return Result(step.id, exchange.line, what, False if refusal else None, self._over)
        if branch.clients:
            self._heard = hearing.mark()
            await hearing.send(b"".join(unit.octets(self._values) for unit in branch.units))
        await self._await(branch)
        self._differs = []
        happened = happenings_of(hearing.since(self._heard))
        outcome = compare(branch.reactions, happened, self._values, self._by_code)
        self._heard = hearing.mark()
        self._values |= outcome.captures
        self._last = (hearing.conversation.snapshot, self._last[1])
        problem = outcome.problem
        if problem and not hearing.conversation.connected:
            self._over = "the connection has ended"
        differs = tuple(map(self._hide, self._differs))
        return Result(step.id, exchange.line, what, not problem, self._hide(problem), differs)

    async def _await(self, branch: Branch) -> None:
        """Wait a moment for what is still to come; a message that goes on is answered by nobody."""
        if self._hearing.standing.mode is Mode.DATA:
            return
        wanted = sum(isinstance(each, Expected) for each in branch.reactions)
        came = sum(isinstance(each, Received) for each in self._hearing.since(self._heard))
        if wanted > came and self._hearing.conversation.connected:
            await self._hearing.wait_unasked(self._hearing.mark())
        if any(isinstance(each, WireEvent) and each.name == "closed" for each in branch.reactions):
            await self._hearing.wait_closed()

    def _by_code(self, expected: Expected, received: Received, values: Mapping[str, str]) -> Match:
        code = received.reply.code
        same = code == expected.code
        if self._terms.classes and code is not None:
            same = code // 100 == expected.code // 100
        if not same:
            found = f"{code or 'no code'} {received.reply.lines[0] if received.reply.lines else ''}"
            return Match(problem=f"{visible(found.strip())}, not {expected.code}")
        match = match_reply(
            replace(expected, code=code or 0, open=True),
            received.reply,
            values,
            received.command or "",
        )
        if match:
            return match
        self._differs.append(match.problem)
        return Match(captured(expected, received.reply, values))

    def _starts_letter(self, branch: Branch) -> bool:
        return any(
            client.kind != "~" and Command.parse(client.text).verb in STARTS_LETTER
            for unit in branch.units
            if not unit.data
            for client in unit.clients
        )

    def _refusal(self, branch: Branch) -> str:
        """Return why a line must not be sent: real mail to a name that nobody has."""
        if not self._terms.send or is_near(self._target):
            return ""
        for client in branch.clients:
            command = Command.parse(fill(client.text, self._values))
            if command.verb == "RCPT" and is_reserved(command.address or ""):
                return (
                    f"{command.address} is a name for examples; "
                    "--set NAME=ADDRESS names a recipient of your own"
                )
        return ""

    async def _leave(self) -> None:
        conversation = self._hearing.conversation
        if conversation.connected and conversation.mode is Mode.COMMAND:
            if conversation.snapshot.sender is not None:
                await self._hearing.send(b"RSET\r\n")
            await self._hearing.send(b"QUIT\r\n")
        await conversation.close()

    async def _directive(self, step: Step, directive: Directive, what: str) -> Result:
        conversation = self._hearing.conversation
        match directive.name:
            case "connect":
                self._heard = self._hearing.mark()
                try:
                    await conversation.connect(self._target)
                except (Broken, ReplyTimeout):
                    pass
            case "close":
                await conversation.close()
            case "starttls":
                await self._hearing.send(b"STARTTLS\r\n")
            case "needs":
                if word := lacking(conversation.snapshot, directive):
                    self._lacking = f"the server does not offer {word}"
                    return Result(step.id, directive.line, what, None, self._lacking)
            case _:
                why = f"only the practice server {_PRACTICE_ONLY[directive.name]}"
                return Result(step.id, directive.line, what, None, why)
        return Result(step.id, directive.line, what, ok=True)

    # --- conditions ----------------------------------------------------------------------------

    def _condition(self, step: Step, condition: Condition) -> Result:
        what = f"check {checks.in_words(condition)}"
        if why := self._over or self._lacking:
            return Result(step.id, condition.line, what, None, why)
        since = self._hearing.since(self._last[1])
        replies = [event.reply for event in since if isinstance(event, Received)]
        evidence = checks.Evidence(
            snapshot=self._last[0],
            values=self._values,
            reply=replies[-1] if replies else None,
            verbs=tuple(self._hearing.verbs),
        )
        if condition.subject.startswith("envelope.") and evidence.snapshot.sender is None:
            why = "the envelope is gone with the transaction"
            return Result(step.id, condition.line, what, None, why)
        try:
            verdict = checks.judge(condition, evidence)
        except TemplateError as error:
            return Result(step.id, condition.line, what, False, str(error))
        problem = "" if verdict.holds else f"there is {self._hide(verdict.found)}"
        return Result(
            step.id,
            condition.line,
            what,
            verdict.holds,
            verdict.found if verdict.holds is None else problem,
        )


def is_near(target: Target) -> bool:
    """Tell whether a target is on this machine, so that nothing leaves it by itself."""
    return target.endpoint.kind != "tcp" or target.endpoint.host.startswith(LOOPBACK)
