"""Progress: an append-only log, and the state that follows from it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.errors import FileError
from smtpshell.tutor import progress
from smtpshell.tutor.progress import Place, Progress, State, fold
from smtpshell.tutor.stage import Entry
from tests.tutor.making import GREETING, made

LESSON = made(GREETING)
ENTRIES = st.lists(
    st.builds(Entry, st.sampled_from(("connect", "send", "clock", "close")), st.text(max_size=9)),
    max_size=6,
).map(tuple)


@given(st.lists(st.tuples(st.integers(0, 4), ENTRIES), max_size=8))
def test_the_state_is_what_was_recorded(tmp_path_factory, visits) -> None:
    """However a learner goes back and forth, the last place is rebuilt with its whole journal."""
    path = tmp_path_factory.mktemp("log") / "x.jsonl"
    log = Progress(path)
    log.begin(LESSON, 7)
    expected: list[Place] = []
    for block, journal in visits:
        place = Place("hello", block, 0, journal, {"x": str(block)})
        spots = [each.spot for each in expected]
        expected = expected[: spots.index(place.spot)] if place.spot in spots else expected
        expected.append(place)
        log.place(place)
    state = Progress(path).state()
    assert state.places == tuple(expected)
    assert (state.seed, state.digest, state.begun) == (7, LESSON.digest, True)


def test_a_log_is_only_ever_appended_to(tmp_path) -> None:
    """What stands in the file stays there, octet for octet, and only its owner can read it."""
    path = tmp_path / "deep" / "x.jsonl"
    log = Progress(path)
    log.begin(LESSON, 1)
    before = path.read_bytes()
    log.place(Place("hello", 1, 0, (Entry("send", "é\udc80"),)))
    log.record("skip", "hello")
    log.record("done")
    after = path.read_bytes()
    assert after.startswith(before)
    assert after.isascii()
    assert path.stat().st_mode & 0o777 == 0o600
    state = Progress(path).state()
    assert (state.skipped, state.finished) == (("hello",), True)
    assert state.place is not None
    assert state.place.journal == (Entry("send", "é\udc80"),)


def test_a_new_start_forgets_what_went_before(tmp_path) -> None:
    """Only what follows the last `begin` counts."""
    log = Progress(tmp_path / "x.jsonl")
    log.begin(LESSON, 1)
    log.place(Place("hello", 3, 0, (Entry("connect"),)))
    log.begin(LESSON, 2)
    assert log.state() == State(begun=True, digest=LESSON.digest, seed=2)


RECORDS = st.dictionaries(
    st.sampled_from(("kind", "step", "block", "action", "keep", "journal", "values", "seed")),
    st.none()
    | st.sampled_from(("begin", "place", "done", "skip"))
    | st.integers(-3, 3)
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=3), max_size=3),
)


@given(st.lists(RECORDS, max_size=8))
def test_no_record_breaks_the_state(records) -> None:
    """A log that was edited, or written by another version, is read as far as it makes sense."""
    fold([record for record in records if isinstance(record.get("kind"), str)])


def test_lines_that_are_no_records_are_passed_over(tmp_path) -> None:
    """A torn last line, as a full disk leaves it, costs that line alone."""
    path = tmp_path / "x.jsonl"
    Progress(path).begin(LESSON, 5)
    with path.open("ab") as file:
        file.write(b'\xff\n[]\n"x"\n{"kind": 1}\n{"kind": "done"')
    assert Progress(path).state().seed == 5
    assert not Progress(path).state().finished


def test_nothing_is_kept_without_a_path() -> None:
    """Free use leaves no trace."""
    log = Progress(None)
    log.begin(LESSON, 1)
    assert log.state() == State()


def test_deleting_removes_everything(tmp_path, monkeypatch) -> None:
    """One lesson's log can go alone, or all of them."""
    monkeypatch.setattr(progress, "folder", lambda: tmp_path)
    for name in ("one", "two", "three"):
        Progress.of(name).begin(LESSON, 1)
    assert [path.stem for path in progress.delete("two")] == ["two"]
    assert [path.stem for path in progress.delete()] == ["one", "three"]
    assert not list(tmp_path.iterdir())
    assert json.dumps(progress.delete(), default=str) == "[]"


def test_a_torn_line_costs_no_other(tmp_path) -> None:
    """What is appended to a log that ends inside a line begins a line of its own."""
    path = tmp_path / "x.jsonl"
    Progress(path).begin(LESSON, 7)
    with path.open("a") as file:
        file.write('{"kind":"pla')
    log = Progress(path)
    log.state()
    log.begin(LESSON, 8)
    log.record("skip", "hello")
    assert Progress(path).state() == State(True, LESSON.digest, 8, skipped=("hello",))


def test_a_line_nested_without_end_is_passed_over(tmp_path) -> None:
    """JSON that no stack holds is a line that makes no sense, like others."""
    path = tmp_path / "x.jsonl"
    Progress(path).begin(LESSON, 7)
    with path.open("a") as file:
        file.write("[" * 100_000 + "\n")
    assert Progress(path).state().seed == 7


def test_a_log_that_cannot_be_written_is_told_once(tmp_path) -> None:
    """Whoever wants to hear of it hears it once, and nothing more is written; else it is raised."""
    heard: list[FileError] = []
    log = Progress(tmp_path)
    with pytest.raises(FileError):
        log.begin(LESSON, 7)
    log.on_loss = heard.append
    log.begin(LESSON, 7)
    log.record("skip", "hello")
    assert len(heard) == 1
