"""Progress: an append-only log of JSON lines for each lesson, and the state rebuilt from it.

Nothing in a log is ever changed; where a learner stands is what its records say when read in order.
Each record has `at` (seconds since 1970), `kind` and `step`:

    begin   lesson digest version seed format      a new start; what went before does not count
    line    line code verdict sent                 a line judged: right, different, wrong, beside
    answer  ask text right                         an answer to a question
    hint    number      shown      skip      undo      reset
    place   block action keep journal values       where the learner waits, and what was done
    done                                           the step is over
    done    keep journal                           with no step: the lesson is over

`journal` holds what was sent since, behind the first `keep` entries of what came before. Secrets
are hidden before they come here; the published ones of a practice world are none.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from smtpshell import __version__
from smtpshell.conversation.settings import state_folder
from smtpshell.protocol.errors import FileError
from smtpshell.protocol.values import dataclass, field
from smtpshell.tutor.economy import Account
from smtpshell.tutor.lesson import FORMAT, Lesson
from smtpshell.tutor.stage import Entry

PRIVATE = 0o600
SUFFIX = ".jsonl"


def folder() -> Path:
    """Return where progress is kept."""
    return state_folder() / "progress"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a learner waits: step, block, action; with what was done and captured until then."""

    step: str
    block: int
    action: int
    journal: tuple[Entry, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def spot(self) -> tuple[str, int, int]:
        """Where it is, without what was done."""
        return self.step, self.block, self.action


@dataclass(frozen=True, slots=True)
class State:
    """What a log says: nothing (`begun` false), how far, or all done.

    `places` are all those where the learner waited and to which undo can go back, the last one
    being where the learner waits now.
    """

    begun: bool = False
    digest: str = ""
    seed: int = 0
    places: tuple[Place, ...] = ()
    steps: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    finished: bool = False

    @property
    def place(self) -> Place | None:
        """Where the learner waits."""
        return self.places[-1] if self.places else None

    def goes_on(self, lesson: Lesson, seed: int) -> bool:
        """Tell whether a learner who comes with a seed goes on here, or begins anew.

        Another seed (0 is none) means another form of a lesson that varies.
        """
        if not self.begun or self.finished:
            return False
        return not lesson.varies or seed in (0, self.seed)


class Progress:
    """The log of one lesson. With no path nothing is kept, as in free use and in tests."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._torn = False
        self._journal: tuple[Entry, ...] = ()
        self.on_loss: Callable[[FileError], None] | None = None
        """Who hears that nothing more can be kept; without anybody it is raised."""
        self.account = Account()

    @classmethod
    def of(cls, lesson: str) -> Progress:
        """Return the log of a lesson, by its id."""
        return cls(folder() / f"{lesson}{SUFFIX}")

    def begin(self, lesson: Lesson, seed: int) -> None:
        """Record a new start."""
        self._journal = ()
        self.record(
            "begin",
            lesson=lesson.id,
            digest=lesson.digest,
            version=__version__,
            seed=seed,
            format=FORMAT,
        )

    def place(self, place: Place) -> None:
        """Record where the learner waits."""
        self.record(
            "place",
            place.step,
            block=place.block,
            action=place.action,
            **self._news(place.journal),
            values=dict(place.values),
        )

    def finish(self, journal: tuple[Entry, ...]) -> None:
        """Record that the lesson is over, and what was done until then."""
        self.record("done", **self._news(journal))

    def _news(self, journal: tuple[Entry, ...]) -> dict[str, Any]:
        keep = _common(self._journal, journal)
        self._journal = journal
        return {"keep": keep, "journal": [[entry.kind, entry.text] for entry in journal[keep:]]}

    def record(self, kind: str, step: str = "", **facts: Any) -> None:  # noqa: ANN401 - JSON values
        """Append a record; raises `FileError` unless `on_loss` hears of it."""
        self.account.see(kind, step, facts)
        if self._path is None:
            return
        entry = {"at": round(time.time(), 3), "kind": kind, "step": step, **facts}
        line = json.dumps(entry, ensure_ascii=True, separators=(",", ":")) + "\n"
        line = f"\n{line}" if self._torn else line
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            descriptor = os.open(self._path, flags, PRIVATE)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(line)
            self._torn = False
        except OSError as error:
            lost = FileError.from_os(error, self._path, "write")
            if self.on_loss is None:
                raise lost from error
            self._path = None  # a log with holes would lead somebody astray
            self.on_loss(lost)

    def state(self) -> State:
        """Return what the log says; a line that makes no sense is passed over."""
        if self._path is None:
            return State()
        records = read_records(self._path)
        self._torn = _is_torn(self._path)
        self.account = Account()
        for record in records:
            self.account.see(record["kind"], str(record.get("step", "")), record)
        state = fold(records)
        self._journal = state.place.journal if state.place is not None else ()
        return state


def _common(old: tuple[Entry, ...], new: tuple[Entry, ...]) -> int:
    count = 0
    while count < min(len(old), len(new)) and old[count] == new[count]:
        count += 1
    return count


def _is_torn(path: Path) -> bool:
    """Tell whether a log ends inside a line, as a full disk or a crash may leave it."""
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except OSError:  # there is none, or it is empty
        return False


def read_records(path: Path) -> Iterable[Mapping[str, Any]]:
    """Return the records of a log; none when there is no file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error
    records: list[Mapping[str, Any]] = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and isinstance(record.get("kind"), str):
            records.append(record)
    return records


def fold(records: Iterable[Mapping[str, Any]]) -> State:
    """Rebuild the state from records; those that make no sense change nothing."""
    state = State()
    for record in records:
        try:
            state = _apply(state, record)
        except (LookupError, AttributeError, TypeError, ValueError):
            continue
    return state


def _apply(state: State, record: Mapping[str, Any]) -> State:
    from smtpshell.protocol.values import replace

    kind, step = record["kind"], str(record.get("step", ""))
    match kind:
        case "begin":
            return State(begun=True, digest=str(record["digest"]), seed=int(record["seed"]))
        case "place":
            old = state.place.journal if state.place is not None else ()
            new = tuple(Entry(str(each[0]), str(each[1])) for each in record["journal"])
            values = {str(name): str(value) for name, value in record["values"].items()}
            journal = old[: int(record["keep"])] + new
            place = Place(step, int(record["block"]), int(record["action"]), journal, values)
            spots = [each.spot for each in state.places]
            kept = spots.index(place.spot) if place.spot in spots else len(spots)
            return replace(state, places=(*state.places[:kept], place))
        case "skip":
            return replace(state, skipped=(*state.skipped, step))
        case "done" if step:
            return replace(state, steps=(*state.steps, step))
        case "done":
            return replace(state, finished=True)
    return state


def kept(lesson: str = "") -> list[Path]:
    """Return the files of progress, of one lesson or of all."""
    place = folder()
    return sorted(place.glob(f"{lesson or '*'}{SUFFIX}")) if place.is_dir() else []


def delete(lesson: str = "") -> list[Path]:
    """Delete the progress of a lesson, or of all; return the files that are gone."""
    gone = kept(lesson)
    for path in gone:
        try:
            path.unlink()
        except OSError as error:
            raise FileError.from_os(error, path, "write") from error
    return gone


def how_far(lesson: str, steps: Callable[[], int]) -> str:
    """Say how far a learner is in a lesson, by its id: "done", "2 of 5 steps", "" if not begun.

    `steps` counts the lesson's steps, and is asked only where that is wanted.
    """
    state = Progress.of(lesson).state()
    if not state.begun:
        return ""
    return "done" if state.finished else f"{len({*state.steps, *state.skipped})} of {steps()} steps"
