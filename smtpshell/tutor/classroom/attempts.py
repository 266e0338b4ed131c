"""What the records of a log come to: attempts at a lesson, each a list of moves to do again.

This is the one module of the classroom that knows the records of a learner's log. It believes
nothing: a record that makes no sense is passed over, and verdicts are not even looked at, except to
count what learners typed wrongly. `place` and the last `done` hold what went over the wire, behind
the first `keep` entries of what went before; so what was undone has left the journal again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from smtpshell.protocol.secrets import HIDDEN
from smtpshell.protocol.values import dataclass, field
from smtpshell.tutor.classroom.submission import Record
from smtpshell.tutor.stage import Entry

MOST_ATTEMPTS = 20
"""Attempts at one lesson that are graded, the latest ones."""

MOST_MOVES = 5_000
MOST_ENTRIES = 2_000
MOST_ENTRY_CHARACTERS = 256 * 1024
MOST_LINE_CHARACTERS = 2_000
PAUSE = 300.0
"""Seconds without a record that count as active time at most; then the learner was away."""

LATEST = 4_102_444_800.0
"""The first moment of the year 2100: what claims to be later is no time."""

KINDS = ("connect", "send", "clock", "drip", "close")


@dataclass(frozen=True, slots=True)
class Waited:
    """The learner waited at a place; `new` was done since, behind `keep` entries that stay done.

    An empty `step` is the end of the lesson.
    """

    step: str
    block: int
    action: int
    keep: int
    new: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a question."""

    step: str
    ask: str
    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A line that got no reply from the server: a local command."""

    step: str
    line: str


@dataclass(frozen=True, slots=True)
class Helped:
    """The learner took a hint ("hint"), saw the answer ("shown") or skipped the step ("skip")."""

    step: str
    how: str


Move: TypeAlias = Waited | Answered | Typed | Helped


@dataclass(slots=True)
class Tally:
    """What a log says of one step or question beside the moves; claims, good for statistics."""

    attempts: int = 0
    commands: int = 0
    active: float = 0.0
    first: float | None = None
    last: float | None = None
    wrong: list[str] = field(default_factory=list)

    def see(self, at: float | None) -> None:
        """Note the time of a record."""
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a lesson. `tallies` go by item: the id of a step, or `step/question`.

    `dropped` is the number of records that were passed over, because they make no sense or are too
    many.
    """

    lesson: str
    digest: str
    seed: int
    moves: tuple[Move, ...]
    tallies: Mapping[str, Tally]
    dropped: int = 0


def attempts_of(lesson: str, records: Sequence[Record]) -> list[Attempt]:
    """Return the attempts that a log holds, oldest first."""
    pieces: list[list[Record]] = []
    for record in records:
        if record.get("kind") == "begin":
            pieces.append([record])
        elif pieces:
            pieces[-1].append(record)
    return [_attempt(lesson, piece) for piece in pieces[-MOST_ATTEMPTS:]]


def _attempt(lesson: str, records: Sequence[Record]) -> Attempt:
    begin = records[0]
    seed, digest = begin.get("seed"), begin.get("digest")
    moves: list[Move] = []
    dropped = 0
    for record in records[1:]:
        make = _MOVES.get(_text(record, "kind"))
        try:
            move = make(record) if make is not None else None
        except (TypeError, ValueError):
            dropped += 1
            continue
        if move is not None and len(moves) < MOST_MOVES:
            moves.append(move)
        elif move is not None:
            dropped += 1
    return Attempt(
        lesson=lesson,
        digest=digest if isinstance(digest, str) else "",
        seed=seed if isinstance(seed, int) else 0,
        moves=tuple(moves),
        tallies=_tallies(records),
        dropped=dropped,
    )


# --- moves ------------------------------------------------------------------------------------


def _waited(record: Record) -> Waited:
    new = tuple(_entry(each) for each in _list(record, "journal"))
    if len(new) > MOST_ENTRIES:
        raise ValueError("too many entries")
    keep = _number(record, "keep")
    return Waited(
        step=_text(record, "step"),
        block=_number(record, "block") if record["kind"] == "place" else 0,
        action=_number(record, "action") if record["kind"] == "place" else 0,
        keep=keep,
        new=new,
    )


def _done(record: Record) -> Waited | None:
    return None if _text(record, "step") else _waited(record)


def _entry(value: object) -> Entry:
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError("an entry is a pair")
    kind, text = value
    if kind not in KINDS or not isinstance(text, str):
        raise TypeError("an entry is a kind and a text")
    if len(text) > MOST_ENTRY_CHARACTERS:
        raise ValueError("too long")
    return Entry(kind, text)


def _answered(record: Record) -> Answered:
    text = _text(record, "text")[:MOST_LINE_CHARACTERS]
    return Answered(_text(record, "step"), _text(record, "ask"), text)


def _typed(record: Record) -> Typed | None:
    if record.get("code") is not None:
        return None
    return Typed(_text(record, "step"), _text(record, "line")[:MOST_LINE_CHARACTERS])


def _helped(record: Record) -> Helped:
    return Helped(_text(record, "step"), _text(record, "kind"))


_MOVES: Mapping[str, Callable[[Record], Move | None]] = {
    "place": _waited,
    "done": _done,
    "answer": _answered,
    "line": _typed,
    "hint": _helped,
    "shown": _helped,
    "skip": _helped,
}


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _number(record: Record, name: str) -> int:
    value = record.get(name)
    if not isinstance(value, int) or not 0 <= value < 1_000_000:
        raise ValueError(name)
    return value


def _list(record: Record, name: str) -> list[object]:
    value = record.get(name)
    if not isinstance(value, list):
        raise TypeError(name)
    return value


# --- tallies ----------------------------------------------------------------------------------


def _tallies(records: Iterable[Record]) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    before: float | None = None
    for record in records:
        at = _moment(record)
        item = _item(record)
        if item:
            tally = tallies.setdefault(item, Tally())
            tally.see(at)
            if at is not None and before is not None:
                tally.active += min(max(at - before, 0.0), PAUSE)
            if _text(record, "kind") in ("line", "answer"):
                tally.attempts += 1
                tally.commands += int(bool(record.get("sent")))
                if (wrong := _wrong(record)) is not None:
                    tally.wrong.append(wrong)
        before = at if at is not None else before
    return tallies


def _moment(record: Record) -> float | None:
    at = record.get("at")
    if isinstance(at, bool) or not isinstance(at, (int, float)) or not 0 <= at < LATEST:
        return None
    return float(at)


def _item(record: Record) -> str:
    step = _text(record, "step")
    ask = _text(record, "ask")
    return f"{step}/{ask}" if step and ask else step


def _wrong(record: Record) -> str | None:
    """Return what was typed wrongly, by the log's own word; secrets are hidden there already."""
    if _text(record, "kind") == "answer":
        text = _text(record, "text") if record.get("right") is False else ""
    else:
        text = _text(record, "line") if record.get("verdict") == "wrong" else ""
    if not text or HIDDEN in text:
        return None
    return text[:120]
