"""How far a learner is, told from the server's side.

A teacher's server hears what goes over the wire, and no more: no answers, no hints. A follower
walks the exchanges of a lesson in order and judges each turn as the player does. What a learner
does again, after a new connection say, is neither right nor wrong.

A letter is held against the checks of its step as far as they look at what its writer wrote:
header, body, octets. What lies in a mailbox counts for nothing here, since who tries again on
another day has written twice.

A lesson is written for `client.example` and `practice.example`. A student of a class may say a
domain of her own for both, because that is how the shared port knows her; so a turn is read in the
lesson's words before it is judged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from smtpshell.practice.addresses import fold
from smtpshell.practice.mailbox import Envelope, Message
from smtpshell.protocol.events import Closed, Received, Sent
from smtpshell.protocol.state import Mode
from smtpshell.protocol.text import encode
from smtpshell.protocol.values import dataclass, replace
from smtpshell.tutor import checks
from smtpshell.tutor.checks import OF_LETTERS, Evidence
from smtpshell.tutor.functions import TemplateError
from smtpshell.tutor.hearing import Turn, turns_of
from smtpshell.tutor.judging import Attempt, Judgement, judge
from smtpshell.tutor.lesson import Check, Condition, Exchange, Lesson, Smtp, WireEvent
from smtpshell.tutor.standing import Standing

if TYPE_CHECKING:
    from smtpshell.protocol.events import Event
    from smtpshell.tutor.performance import Performance

MOST_WAITING = 2_000
"""Lines without a reply that are kept of one connection; more are a message that nobody judges."""

_VERDICTS = ("right", "again", "wrong")

CLIENT, SERVER = "client.example", "practice.example"
"""The domains of lessons that a student's own may stand for."""

ADDED = frozenset({"return-path", "received", "authentication-results", "dkim-signature"})
"""Fields of a header that servers put there."""

HARMLESS = frozenset({"QUIT", "NOOP", "HELP", "RSET"})
"""Verbs that are no mistake where they are accepted, whatever a lesson asks for."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of one turn: its last line, and `verdict`: right, wrong, or again (neither).

    `step` is the number of the step that the learner is in now, one beyond the last when all of
    them are done. `moved` says that this turn led there.
    """

    line: str
    verdict: str
    step: int
    moved: bool = False


class Follower:
    """Follows one learner, with a domain of her `own`, through a lesson, on any connections."""

    def __init__(self, lesson: Lesson, canonical: Performance, seed: int, own: str = "") -> None:
        lesson = lesson.form(seed)
        self._own = own
        self._canonical = canonical
        self._exchanges: list[tuple[int, Exchange]] = [
            (number, action)
            for number, step in enumerate(lesson.steps, 1)
            for action in step.actions
            if isinstance(action, Exchange) and action.clients
        ]
        self._values = lesson.values(seed)
        self._conditions = _conditions_of(lesson)
        self._names = [step.id for step in lesson.steps]
        self._last = len(lesson.steps)
        self._number = 0
        self._attempt: Attempt | None = None
        self._waiting: dict[int, list[Sent]] = {}
        self._open(in_data=False)

    @property
    def step(self) -> int:
        """The number of the learner's step; one beyond the last when the lesson is done."""
        if self._number >= len(self._exchanges):
            return self._last + 1
        return self._exchanges[self._number][0]

    @property
    def done(self) -> tuple[str, ...]:
        """The ids of the steps whose exchanges are all done."""
        open_step = self.step
        numbers = dict.fromkeys(number for number, _ in self._exchanges if number < open_step)
        return tuple(self._names[number - 1] for number in numbers)

    def forget(self, connection: int) -> None:
        """Forget the lines of a connection that were put off, as if nobody had sent them."""
        self._waiting.pop(connection, None)

    def hear(self, connection: int, event: Event) -> Followed | None:
        """Hear an event of the server's side; return what is thought of it, if it ends a turn."""
        match event:
            case Sent():
                waiting = self._waiting.setdefault(connection, [])
                waiting.append(event)
                if len(waiting) > MOST_WAITING:
                    del waiting[:-1]
            case Received() if not event.unasked:
                waiting = self._waiting.get(connection, [])
                for turn in turns_of([*waiting, event])[:1]:
                    del waiting[: len(turn.sent)]
                    return self._turn(turn, Standing.of(event.after))
            case Closed():
                return self._unanswered(self._waiting.pop(connection, []), event)
        return None

    def _unanswered(self, waiting: list[Sent], event: Closed) -> Followed | None:
        """Judge lines without a reply: right where a lesson expects none, otherwise nothing."""
        for turn in turns_of([*waiting, event]):
            followed = self._turn(turn, Standing.of(event.after))
            if followed.verdict == "right":
                return followed
        return None

    def _turn(self, turn: Turn, standing: Standing) -> Followed:
        line = next((sent.line for sent in reversed(turn.sent) if sent.kind != "end"), ".")
        before = self.step
        verdict = "wrong"
        for said, stands in in_lesson_words(turn, standing, self._own):
            verdict = min(verdict, self._verdict(said, stands), key=_VERDICTS.index)
            if verdict == "right":
                break
        return Followed(line, verdict, self.step, moved=self.step != before)

    def _verdict(self, turn: Turn, standing: Standing) -> str:
        if self._attempt is None:
            return "again"
        _, exchange = self._exchanges[self._number]
        judgement = self._judged(self._attempt, exchange, turn, standing)
        if judgement.attempt is not None:
            self._attempt = judgement.attempt
            self._values |= judgement.captures
            return "right"
        if judgement.finished:
            if not self._passes(exchange, turn):
                self._open(in_data=self._in_data)
                return "wrong"
            self._values |= judgement.captures
            self._number += 1
            self._open(in_data=standing.mode is Mode.DATA)
            return "right"
        return "again" if _is_harmless(turn) or self._was_done(turn, standing) else "wrong"

    def _passes(self, exchange: Exchange, turn: Turn) -> bool:
        """Tell whether a letter is as the checks behind its exchange want it."""
        letter, conditions = letter_of(turn), self._conditions.get(exchange.line, ())
        if letter is None or turn.received is None or not conditions:
            return True
        after = turn.received.after
        texts = [letter.content]
        if self._own:
            own = re.compile(re.escape(self._own.encode()), re.IGNORECASE)
            texts += [own.sub(name.encode(), letter.content) for name in (CLIENT, SERVER)]
        letters = (replace(letter, content=text) for text in texts)
        evidence = [Evidence(after, self._values, arrived=(each,)) for each in letters]
        return any(all(_holds(each, one) for each in conditions) for one in evidence)

    def _judged(
        self, attempt: Attempt, exchange: Exchange, turn: Turn, standing: Standing
    ) -> Judgement:
        """Judge a turn by its reply; that a connection ends or TLS begins is not waited for."""
        after = [
            each.name
            for way in attempt.ways
            for each in way.reactions
            if isinstance(each, WireEvent)
        ]
        mark = self._canonical.marks.get(exchange.line)
        return judge(attempt, turn, after, self._values, mark, standing)

    def _was_done(self, turn: Turn, standing: Standing) -> bool:
        for _, exchange in self._exchanges[: self._number]:
            attempt = self._begun(exchange, self._values, in_data=False)
            if attempt is None or attempt.next.is_free:
                continue
            judgement = self._judged(attempt, exchange, turn, standing)
            if judgement.attempt is not None or (judgement.finished and not judgement.different):
                return True
        return False

    def _open(self, *, in_data: bool) -> None:
        self._in_data = in_data
        self._attempt = None
        if self._number < len(self._exchanges):
            exchange = self._exchanges[self._number][1]
            self._attempt = self._begun(exchange, self._values, in_data=in_data)

    @staticmethod
    def _begun(exchange: Exchange, values: Mapping[str, str], *, in_data: bool) -> Attempt | None:
        try:
            return Attempt.at(exchange, values, in_data=in_data)
        except TemplateError:
            return None


def _conditions_of(lesson: Lesson) -> dict[int, tuple[Condition, ...]]:
    """Return the conditions on letters, by the line of the exchange that they stand behind."""
    found: dict[int, tuple[Condition, ...]] = {}
    for step in lesson.steps:
        last = 0
        for block in step.blocks:
            if isinstance(block, Smtp):
                lines = [each.line for each in block.actions if isinstance(each, Exchange)]
                last = lines[-1] if lines else last
            elif isinstance(block, Check):
                found[last] = (*found.get(last, ()), *filter(_is_of_writer, block.conditions))
    return found


def _is_of_writer(condition: Condition) -> bool:
    return condition.subject in OF_LETTERS and condition.argument.casefold() not in ADDED


def _holds(condition: Condition, evidence: Evidence) -> bool:
    try:
        return checks.judge(condition, evidence).holds is not False
    except TemplateError:
        return True


def letter_of(turn: Turn) -> Message | None:
    """Return the letter that a turn has brought to its end, None where it has brought none."""
    if not turn.sent or turn.sent[-1].kind != "end":
        return None
    lines = [sent.line.removeprefix(".") + sent.ending for sent in turn.sent if sent.kind == "data"]
    return Message("", Envelope(), encode("".join(lines)), 0.0)


def in_lesson_words(turn: Turn, standing: Standing, own: str) -> list[tuple[Turn, Standing]]:
    """Return what a turn may mean for a lesson that knows nothing of a student's own domain.

    In a greeting it stands for the lesson's client, in a recipient for its server; in a sender it
    may stand for either.
    """
    lines = [sent.line for sent in turn.sent if sent.kind == "command"]
    names = [standing.helo or "", standing.sender or "", *standing.recipients, *lines]
    if not own or not any(own in name.casefold() for name in names):
        return [(turn, standing)]
    return [
        (
            replace(turn, sent=tuple(_said(sent, own, sender) for sent in turn.sent)),
            replace(
                standing,
                helo=_with(standing.helo, own, CLIENT),
                sender=_with(standing.sender, own, sender),
                recipients=tuple(_with(each, own, SERVER) or "" for each in standing.recipients),
            ),
        )
        for sender in (CLIENT, SERVER)
    ]


def _said(sent: Sent, own: str, sender: str) -> Sent:
    """Return a line with the lesson's names in place of the student's own."""
    if sent.kind != "command" or own not in sent.line.casefold():
        return sent
    name = {"MAIL": sender, "RCPT": SERVER, "VRFY": SERVER}.get(sent.verb, CLIENT)
    pattern = rf"([a-z0-9-]+\.)*{re.escape(own)}"
    return replace(sent, line=re.sub(pattern, name, sent.line, count=1, flags=re.IGNORECASE))


def _with(name: str | None, own: str, other: str) -> str | None:
    """Return a host's name or an address with another domain where it has the student's own."""
    local, at, domain = (name or "").rpartition("@")
    if name is None or not f".{fold(f'@{domain}')[1]}".endswith(f".{own}"):
        return name
    return f"{local}{at}{other}"


def _is_harmless(turn: Turn) -> bool:
    refused = turn.received is None or turn.received.reply.is_refusal
    return not refused and turn.sent[-1].verb in HARMLESS
