"""Likely causes of each failure class, and the one command that settles each of them.

A row of `tables/causes.toml` holds its classes, the facts that make the cause likely, the facts
that rule it out, the cause in plain words, and the command that confirms it. Facts are words that
`situation.situation()` derives from the session ("anonymous", "port-25", "offers-auth", ...). Rows
whose facts all hold move to the front, rows ruled out are dropped, the others keep their order. A
row whose facts do not hold comes last, and only where nobody can tell whether they do: of a reply
that was pasted little is known, of a session of our own nearly all. So the same refusal is
explained by what this very session shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from smtpshell.knowledge.codes import FOLDER
from smtpshell.knowledge.rulebook import read_plain
from smtpshell.protocol.values import dataclass

MOST_CAUSES = 4
"""More likely causes than this help nobody."""

MOST_NEXT = 5
"""Commands offered to run next."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One likely cause of a class; `confirm` is the command that settles it."""

    class_: str
    when: frozenset[str]
    unless: frozenset[str]
    text: str
    confirm: str


@cache
def advice() -> Mapping[str, tuple[Advice, ...]]:
    """Return the rows of each class, in the order in which causes are likely by themselves."""
    document = read_plain((FOLDER / "causes.toml").read_text(encoding="utf-8"))
    rows: dict[str, tuple[Advice, ...]] = {}
    for table in document["cause"]:
        for class_ in table["class"].split():
            row = Advice(
                class_,
                frozenset(table.get("when", "").split()),
                frozenset(table.get("unless", "").split()),
                table["text"],
                table["confirm"],
            )
            rows[class_] = (*rows.get(class_, ()), row)
    return rows


_SEEN_ONLY = (
    *("early-", "hasty-", "code:", "login:", "software:", "before-", "inside-", "malformed"),
    *("over-size", "under-size", "null-sender", "login-differs", "bare-helo", "idle", "not-"),
    *(
        "live",
        "misspelt",
        "unknown-verb",
        "needs-kept-password",
        "tried-scram",
        "offers-another",
        "offers-plain",
        "with-parameters",
    ),
)
"""Facts, or how they begin, that a cause does not count without."""


def _possible(missing: frozenset[str], facts: frozenset[str]) -> bool:
    """Tell whether facts that are not known to hold may hold all the same."""
    if any(fact.startswith(_SEEN_ONLY) and fact not in _OPEN for fact in missing):
        return False
    if any(fact.startswith("verb:") for fact in missing) and any(
        fact.startswith("verb:") for fact in facts
    ):
        return False
    if "live" not in facts:
        return True
    known_port = any(fact.startswith("port-") for fact in facts)
    return all(fact in _OPEN or (fact.startswith("port-") and not known_port) for fact in missing)


_OPEN = frozenset({"is-mx", "not-mx"})
"""Facts that even a session of our own may leave open."""


@lru_cache(maxsize=2048)
def ranked(class_: str, facts: frozenset[str]) -> tuple[Advice, ...]:
    """Return the rows of a class in order of likelihood under these facts."""
    rows = [row for row in advice().get(class_, ()) if not row.unless & facts]
    fitting = [row for row in rows if row.when and row.when <= facts]
    others = [row for row in rows if not row.when]
    strays = [row for row in rows if row.when - facts and _possible(row.when - facts, facts)]
    return (*fitting, *others, *strays)
