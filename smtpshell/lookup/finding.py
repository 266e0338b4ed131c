"""The shapes every look-up shares: what it found wrong, how it got there, and why it could not.

A look-up returns a *finding*: a frozen value with its facts, `problems` (what is wrong, why that
matters, what to publish instead) and a `trace` of steps (what was done, the questions asked, what
came of it). Findings and steps turn themselves into plain JSON values; nothing here knows a screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from smtpshell.lookup.answer import Answer, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, or worth knowing.

    `severity`: an error breaks what the record is for, a warning will hurt somebody, info is good
    to know. `code` is a stable word for scripts, `text` says what is wrong, `why` what it does to
    mail, `advice` what to do or publish instead, `section` the rule ("RFC 7208 4.6.4").
    """

    severity: Severity
    code: str
    text: str
    why: str = ""
    advice: str = ""
    section: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the problem as a JSON object; all six fields are always present."""
        return {
            "severity": self.severity,
            "code": self.code,
            "text": self.text,
            "why": self.why,
            "advice": self.advice,
            "section": self.section,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trace: a term evaluated, a name asked, a rule applied.

    `text` is the step in the words of the record or the rule, `outcome` what came of it, `section`
    the rule it followed, `answers` the questions asked for it in order, `steps` what it led to.
    `facts` are named values of this kind of step (counts, expanded macros), kept in order.
    """

    text: str
    outcome: str = ""
    section: str = ""
    answers: tuple[Answer, ...] = ()
    steps: tuple[Step, ...] = ()
    facts: tuple[tuple[str, object], ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the step and all below it as a JSON object; empty parts are left out."""
        found: dict[str, object] = {"step": self.text}
        if self.outcome:
            found["outcome"] = self.outcome
        if self.section:
            found["section"] = self.section
        found.update((name, plain(value)) for name, value in self.facts)
        if self.answers:
            found["asked"] = [answer.to_json() for answer in self.answers]
        if self.steps:
            found["steps"] = [step.to_json() for step in self.steps]
        return found


class Finding(Protocol):
    """What every look-up returns."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, in the order a reader should meet it."""
        ...

    def to_json(self) -> dict[str, object]:
        """Return the whole finding as one JSON object."""
        ...


class SetupError(Exception):
    """A look-up that cannot even begin: no nameserver, a zone file that does not parse.

    `what` happened, `where`, what to do `next`; `status` is the exit status a script should end
    with (3: no answer to be had, 64: usage, 10: a file that cannot be read).
    """

    def __init__(self, what: str, where: str = "", next: str = "", status: int = 3) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next = next
        self.status = status

    def __str__(self) -> str:
        place = f": {self.where}" if self.where else ""
        advice = f". Try: {self.next}" if self.next else ""
        return f"{self.what}{place}{advice}"


def worst(problems: Iterable[Problem]) -> Severity | None:
    """Return the gravest severity among the problems, or None when there is none."""
    found = {problem.severity for problem in problems}
    order: tuple[Severity, ...] = ("error", "warning", "info")
    return next((severity for severity in order if severity in found), None)


def problems_json(problems: Iterable[Problem]) -> list[dict[str, object]]:
    """Return the problems as JSON objects, in order."""
    return [problem.to_json() for problem in problems]


def unanswered(finding: object) -> bool:
    """Tell whether the DNS gave no answer that decides a finding, whatever kind it is.

    A finding says so itself, or by the word in its `result`, `status` or `fate`.
    """
    stated = getattr(finding, "unanswered", None)
    if stated is not None:
        return bool(stated)
    for name in ("result", "status", "fate"):
        word = getattr(finding, name, None)
        if word is not None:
            return word in {"temperror", "unknown"}
    return False
