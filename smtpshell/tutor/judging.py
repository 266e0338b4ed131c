"""A learner's line, judged: is it the expected one, does it come to the same, what is wrong.

The judgement takes what went over the wire, not what was typed. A line that means the same as the
expected one is judged by its reply. Any other line is judged by where it led: if the session stands
where the canonical performance stood, and the reply fits, it is as good. What is not accepted gets
the author's words first, then the program's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smtpshell.practice.globs import matches_glob
from smtpshell.protocol.events import Received, Sent
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass, field
from smtpshell.tutor.hearing import Turn
from smtpshell.tutor.lesson import Exchange, Rule
from smtpshell.tutor.meaning import remark, same_line
from smtpshell.tutor.patterns import names_of
from smtpshell.tutor.performance import Mark
from smtpshell.tutor.plainly import filled
from smtpshell.tutor.reactions import Happening, Outcome, compare
from smtpshell.tutor.standing import Standing, differences
from smtpshell.tutor.units import Branch, Unit, branches_of


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far a learner is in an exchange: the ways still open, and how many units are done."""

    ways: tuple[Branch, ...]
    done: int = 0

    @classmethod
    def at(cls, exchange: Exchange, values: Mapping[str, str], *, in_data: bool) -> Attempt:
        """Begin an exchange."""
        return cls(branches_of(exchange, values, in_data=in_data))

    @property
    def next(self) -> Unit:
        """What the canonical client would do now."""
        return self.ways[0].units[self.done]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is thought of a turn.

    With `attempt` the exchange goes on. `finished` says that the exchange is done, `different` that
    it was done in another way. Otherwise `problem` says what differs, in words.
    """

    finished: bool = False
    different: bool = False
    attempt: Attempt | None = None
    captures: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    note: str = ""


def judge(
    attempt: Attempt,
    turn: Turn,
    after: Sequence[Happening],
    values: Mapping[str, str],
    expected: Mark | None,
    standing: Standing,
) -> Judgement:
    """Judge one turn; `after` is what happened behind its reply."""
    happened: list[Happening] = [turn.received] if turn.received is not None else []
    happened += after
    ways: list[Branch] = []
    captures: Mapping[str, str] = {}
    failed: Outcome | None = None
    for way in attempt.ways:
        unit = way.units[attempt.done]
        if not _fits(unit, turn, values):
            continue
        outcome = compare(unit.reactions, happened, values)
        if outcome:
            ways.append(way)
            captures = captures or outcome.captures
        else:
            failed = failed or outcome
    if ways:
        done = attempt.done + 1
        note = _form(turn)
        if any(len(way.units) == done for way in ways):
            return Judgement(finished=True, captures=captures, note=note)
        rest = Attempt(tuple(ways), done)
        return Judgement(attempt=rest, captures=captures, note=note)
    last = attempt.ways[0].units[-1]
    if expected is not None and not last.is_free:
        outcome = compare(last.reactions, happened, values)
        unlike = differences(expected.standing, standing)
        if outcome and not unlike and failed is None:
            return Judgement(finished=True, different=True, captures=outcome.captures)
        return Judgement(problem=_problem(turn, outcome, unlike))
    return Judgement(problem=failed.problem if failed else "that is not what is asked for")


def _fits(unit: Unit, turn: Turn, values: Mapping[str, str]) -> bool:
    """Tell whether the lines of a turn are those of a unit."""
    if unit.data:
        if not turn.sent or turn.sent[-1].kind != "end":
            return False
        if unit.is_free:
            return True
    elif unit.is_free:
        return turn.sent[-1].kind not in ("end", "data")
    if len(turn.sent) != len(unit.clients):
        return False
    return all(
        same_line(client, sent.line, sent.ending, values, data=unit.is_octets(index))
        for index, (client, sent) in enumerate(zip(unit.clients, turn.sent, strict=True))
    )


def _form(turn: Turn) -> str:
    """Return a remark on the form of a line that the server took all the same."""
    if turn.received is None or turn.received.reply.is_refusal:
        return ""
    last = turn.sent[-1] if turn.sent else None
    if last is None or last.kind != "command":
        return ""
    words = remark(last.line)
    return f"The server was lenient: {words}." if words else ""


def _problem(turn: Turn, outcome: Outcome, unlike: list[str]) -> str:
    if turn.received is None:
        return "the connection ended before a reply came"
    if turn.received.reply.is_refusal:
        return ""
    if unlike:
        return f"the server took it, but {unlike[0]}"
    return outcome.problem or "that is not what is asked for"


def is_done_already(
    exchange: Exchange, before: Standing, expected: Mark, standing: Standing
) -> bool:
    """Tell whether a session stands already where an exchange would bring it.

    Only where the exchange changes something that can be compared, and captures nothing.
    """
    from smtpshell.tutor.lesson import Expected

    captures = any(
        names_of(pattern)
        for reaction in exchange.reactions
        if isinstance(reaction, Expected)
        for pattern in reaction.patterns
    )
    return (
        not captures
        and bool(differences(expected.standing, before))
        and not differences(expected.standing, standing)
    )


def author_says(rules: Sequence[Rule], turn: Turn, values: Mapping[str, str]) -> str:
    """Return the author's words for a mistake, "" when none were foreseen.

    Rules on the client's line go before rules on the reply, each kind in the order of the file.
    """
    for rule in rules:
        if rule.side == "C" and any(
            matches_glob(filled(rule.glob, values), sent.line) for sent in _typed(turn.sent)
        ):
            return filled(rule.text, values)
    for rule in rules:
        if rule.side == "S" and turn.received is not None and _reply_fits(rule, turn.received):
            return filled(rule.text, values)
    return ""


def _typed(sent: tuple[Sent, ...]) -> tuple[Sent, ...]:
    return tuple(each for each in sent if each.kind != "octets")


def _reply_fits(rule: Rule, received: Received) -> bool:
    reply = received.reply
    heads = [str(reply.code), f"{reply.code} {reply.lines[0] if reply.lines else ''}"]
    heads += [f"{reply.code} {reply.enhanced}"] if reply.enhanced else []
    return any(matches_glob(rule.glob, head) for head in heads)


def program_says(turn: Turn) -> str:
    """Return the program's own words for a refusal, "" when there was none."""
    if turn.received is None or not turn.received.reply.is_refusal:
        return ""
    from smtpshell.transcript.notes import note_of

    return visible(note_of(turn.received).meaning)
