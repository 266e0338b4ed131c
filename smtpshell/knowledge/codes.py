"""What each basic reply code means, and what it means for the command that it answers.

RFC 5321 section 4.2.2 gives each code one sentence; what a person needs is what `550` says to RCPT,
to MAIL, to VRFY or to the end of the data, which differs. So a row of `tables/codes.tsv` is a code
with the commands that it answers; the row for any command (`*`) speaks for all others. A code that
no row names is read by its digits (RFC 5321 section 4.2.1), which is all that a client may rely on.

Each row also says which failure class the code alone points at, and how strongly: `likely` counts
like the weight of a rule, and is small, because a code alone is right for fewer than half of all
refusals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from smtpshell.protocol.values import dataclass

FOLDER = Path(__file__).parent / "tables"
"""Where the tables of this room live."""

FAMILIES: dict[int, tuple[str, str]] = {
    2: ("Done.", "ok"),
    3: ("Go on: the server waits for more.", "ok"),
    4: ("Not now; a later try may go through.", "unknown"),
    5: ("Refused for good; the same command again would fail again.", "unknown"),
}
"""What the first digit alone says (RFC 5321 section 4.2.1), and its class."""

NO_CODE = "The server sent a line without a reply code."
NOT_OURS = "Not a code of SMTP: the first digit must be 2, 3, 4 or 5."


@dataclass(frozen=True, slots=True)
class Code:
    """A basic reply code as the answer to `verbs` (empty: to any command)."""

    code: int
    verbs: tuple[str, ...]
    meaning: str
    class_: str
    likely: float
    section: str


def read_table(name: str) -> Iterator[list[str]]:
    """Yield the rows of a tab-separated table, without its comments and its heading."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    for row in rows[1:]:
        yield row.split("\t")


@cache
def codes() -> Mapping[tuple[int, str], Code]:
    """Return every row by (code, verb); the verb is "" in rows for any command."""
    rows: dict[tuple[int, str], Code] = {}
    for code, answers, class_, likely, section, meaning in read_table("codes.tsv"):
        verbs = () if answers == "*" else tuple(answers.split())
        row = Code(int(code), verbs, meaning, class_, float(likely), section)
        rows |= {(row.code, verb): row for verb in verbs or ("",)}
    return rows


def code_row(code: int | None, verb: str = "") -> Code | None:
    """Return the row for a code as the answer to `verb`, or None when no row names the code."""
    if code is None:
        return None
    rows = codes()
    return rows.get((code, verb)) or rows.get((code, ""))


def code_meaning(code: int | None, verb: str = "") -> str:
    """Return what a code means for a verb, in one sentence; by its first digit if need be."""
    row = code_row(code, verb)
    if row is not None:
        return row.meaning
    return NO_CODE if code is None else FAMILIES.get(code // 100, (NOT_OURS, ""))[0]
