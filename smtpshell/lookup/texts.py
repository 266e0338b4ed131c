"""One record out of the TXT records at a name.

MTA-STS, TLS reporting, BIMI and DKIM all look the same from afar: ask for TXT at a special name,
set aside what belongs to something else, and want exactly one record to remain. What differs is
what a record looks like and what its absence means, so that stays with each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from smtpshell.lookup.answer import plain
from smtpshell.lookup.finding import Problem, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from smtpshell.lookup.answer import Answer

Result = Literal["ok", "none", "several", "invalid", "temperror"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the TXT records at a name came to.

    `texts` are all of them, `candidates` those of the kind that was looked for. `result` is `ok`
    when exactly one remains, `none` or `several` when not, `temperror` when the DNS failed.
    """

    answer: Answer
    texts: tuple[str, ...]
    candidates: tuple[str, ...]
    result: Result

    @property
    def text(self) -> str | None:
        """The one record, or None."""
        return self.candidates[0] if self.result == "ok" else None

    @property
    def outcome(self) -> str:
        """What was found, in words."""
        others = len(self.texts) - len(self.candidates)
        beside = f", {others} other TXT {'record' if others == 1 else 'records'}" if others else ""
        if self.result == "ok":
            return f"one record{beside}"
        if self.candidates:
            return f"{len(self.candidates)} records where one may stand{beside}"
        return f"no such record{beside}" if self.texts else self.answer.meaning

    def step(self, section: str) -> Step:
        """Return the step of a trace in which this was asked."""
        return Step(
            self.answer.name,
            self.outcome,
            section,
            answers=(self.answer,),
            facts=(("records", list(self.texts)),),
        )


def texts(answer: Answer) -> tuple[str, ...]:
    """Return the TXT records of an answer as text; octets that are not UTF-8 become U+FFFD."""
    return tuple(str(plain(octets)) for octets in answer.records) if answer.ok else ()


def select(answer: Answer, belongs: Callable[[str], bool]) -> Chosen:
    """Set aside the TXT records that do not belong, and judge how many remain."""
    found = texts(answer)
    candidates = tuple(text for text in found if belongs(text))
    if answer.failed:
        result: Result = "temperror"
    else:
        result = ("none", "ok", "several")[min(len(candidates), 2)]
    return Chosen(answer, found, candidates, result)


def failure(answers: Sequence[Answer], why: str) -> Problem:
    """Return the problem that the DNS did not answer; `answers` are the questions that failed."""
    told = "; ".join(f"{answer.name} {answer.rdtype}: {answer.meaning}" for answer in answers)
    return Problem(
        "error",
        "dns-failed",
        f"{told}.",
        why,
        "Mend the name server, or ask again later.",
        "RFC 8499 7",
    )


def near_misses(chosen: Chosen, beginning: str, section: str) -> tuple[Problem, ...]:
    """Return a problem for each TXT record that looks like the wanted kind but is not.

    `beginning` is how a record must begin ("v=STSv1;"); a text that has its letters in other case
    or other blanks was surely meant to be one.
    """
    wanted = beginning.rstrip(";").lower()
    return tuple(
        Problem(
            "warning",
            "near-miss",
            f"{text} stands at {chosen.answer.name}, but does not begin with {beginning}",
            "Readers pass it over.",
            f"Begin it with {beginning} to the letter.",
            section,
        )
        for text in chosen.texts
        if text not in chosen.candidates and "".join(text.split()).lower().startswith(wanted)
    )
