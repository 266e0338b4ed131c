"""What an SPF look-up returns: of a domain, and of a record that is not published yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smtpshell.lookup.finding import Problem, Step, problems_json
from smtpshell.lookup.spf.grammar import Record, printable

if TYPE_CHECKING:
    from smtpshell.lookup.spf.change import Change
    from smtpshell.lookup.spf.context import Result
    from smtpshell.lookup.spf.identity import Identity


@dataclass(frozen=True, slots=True)
class Worst:
    """What one address family can cost, and the result for senders that nothing matches."""

    result: Result
    lookups: int
    void_lookups: int


@dataclass(frozen=True, slots=True)
class SpfFinding:
    """The SPF of a domain, for one sender or, without an address, for all of them.

    For one sender `result` is that of check_host, `lookups` and `void_lookups` what it spent,
    `explanation` the text of a fail (None for other results), `matched` the term that decided.
    Without an address `result`, `lookups` and `void_lookups` are those of a sender that nothing
    matches; `worst_case` is the most look-ups that any sender can cause, limits not applied,
    `families` splits it by address family, `change` is the cheapest way below the limit.
    `reason` says in words why; `trace` holds the tree of steps.
    """

    identity: Identity
    result: Result
    lookups: int
    void_lookups: int
    reason: str = ""
    explanation: str | None = None
    matched: str = ""
    record: str | None = None
    worst_case: int | None = None
    families: tuple[tuple[str, Worst], ...] = ()
    change: Change | None = None
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, object]:
        """Return the finding as one JSON object; `worst_case` only without an address."""
        found: dict[str, object] = {
            "domain": self.identity.domain,
            "record": None if self.record is None else printable(self.record),
            "result": self.result,
            "explanation": self.explanation,
            "reason": self.reason,
            "lookups": self.lookups,
            "void_lookups": self.void_lookups,
        }
        if self.identity.ip is not None:
            found["ip"] = str(self.identity.ip)
            found["sender"] = self.identity.sender
            found["helo"] = self.identity.helo
            found["matched"] = self.matched or None
        else:
            found["worst_case"] = self.worst_case
            found["families"] = {
                name: {
                    "result": worst.result,
                    "lookups": worst.lookups,
                    "void_lookups": worst.void_lookups,
                }
                for name, worst in self.families
            }
            found["change"] = None if self.change is None else self.change.to_json()
        found["problems"] = problems_json(self.problems)
        found["trace"] = [step.to_json() for step in self.trace]
        return found


@dataclass(frozen=True, slots=True)
class RecordFinding:
    """A record tried before it is published: what its syntax says, without the DNS.

    `lookups` counts the terms of this record that ask the DNS, not those of its includes.
    """

    record: Record
    lookups: int
    problems: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        """True when it is an SPF record without a syntax error."""
        return self.record.valid

    def to_json(self) -> dict[str, object]:
        """Return the finding as one JSON object; `why` only where the record is not valid."""
        found: dict[str, object] = {"valid": self.valid}
        if not self.valid:
            found["why"] = self.record.problems[0].text
        found["record"] = printable(self.record.text)
        if self.record.is_spf:
            redirect, exp = self.record.modifier("redirect"), self.record.modifier("exp")
            found["version"] = "spf1"
            found["terms"] = [term.to_json() for term in self.record.terms]
            found["all"] = None if self.record.all is None else self.record.all.text
            found["redirect"] = None if redirect is None else redirect.value
            found["exp"] = None if exp is None else exp.value
            found["lookups"] = self.lookups
        found["problems"] = problems_json(self.problems)
        return found
