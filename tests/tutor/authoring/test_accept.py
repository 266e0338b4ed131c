"""`lesson accept`: literal reply text is written anew, and not one octet beside it."""

from __future__ import annotations

import json
import re

import pytest

from smtpshell.tutor.library import find
from tests.conversation.running import Run, smtpshell
from tests.tutor.making import lesson_text, wire

STALE = wire(
    *("S: 220 *", "C: HELO client.example", "S: 250 somebody else"),
    *("C| EHLO client.example", "S: 250-somebody else", "S: ..."),
    "# a comment that looks like S: 250 text",
    *("C: NOOP", "S: 250 2.0.0 Fine  "),
) + wire("C: RSET", "S: 250 2.0.0 Fine", "C: QUIT", "S: 221 2.0.0 *", step="end")
FRESH = {
    "S: 250 somebody else": "S: 250 mail.practice.example",
    "S: 250-somebody else": "S: 250-mail.practice.example",
    "S: 250 2.0.0 Fine": "S: 250 2.0.0 Ok",
}


def fresh(text: str) -> str:
    """Return a text with the words that the practice server has."""
    for old, new in FRESH.items():
        text = text.replace(old, new)
    return text


@pytest.fixture
def stale(tmp_path):
    """Return a file whose replies have other words than the server."""
    path = tmp_path / "made.md"
    path.write_bytes(lesson_text(STALE).replace("\n", "\r\n").encode())
    return path


def accept(*words: object) -> Run:
    """Run `lesson accept`."""
    return smtpshell("lesson", "accept", *map(str, words))


def test_only_the_words_of_replies_change(stale) -> None:
    """Line ends, spaces behind a line, comments and everything else stay, octet by octet."""
    before = stale.read_bytes().decode()
    stale.chmod(0o640)
    run = accept(stale)
    assert run.status == 0, run.err
    assert stale.read_bytes().decode() == fresh(before)
    assert stale.stat().st_mode & 0o777 == 0o640
    assert "-S: 250 2.0.0 Fine" in run.out
    assert "+S: 250 2.0.0 Ok" in run.out
    assert "4 lines changed" in run.out
    assert [path.name for path in stale.parent.iterdir()] == [stale.name]


def test_a_second_time_there_is_nothing_to_do(stale) -> None:
    """What was accepted is what the server says, so accepting again changes nothing."""
    accept(stale)
    once, when = stale.read_bytes(), stale.stat().st_mtime_ns
    assert accept(stale).out == "made: nothing to accept\n"
    assert (stale.read_bytes(), stale.stat().st_mtime_ns) == (once, when)


def test_a_dry_run_shows_and_writes_nothing(stale) -> None:
    """The same difference is shown, and the file stays."""
    before = stale.read_bytes()
    run = accept(stale, "--dry-run")
    assert (run.status, stale.read_bytes()) == (0, before)
    assert "+S: 250 2.0.0 Ok" in run.out
    assert "4 lines would change" in run.out


def test_one_step_alone(stale) -> None:
    """With --step the lines of other steps stay as they are."""
    run = smtpshell("lesson", "accept", str(stale), "--step", "end", "--json")
    (told,) = [json.loads(line) for line in run.out.splitlines()]
    assert [each["after"] for each in told["changed"]] == ["S: 250 2.0.0 Ok\r"]
    assert told["written"] is True
    assert accept(stale, "--step", "nowhere").status == 2


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ("S: 250 2.0.0 Fine  ", "S: 251 2.0.0 Fine  ", "the code is 250, not 251"),
        ("S: 250 2.0.0 Fine  ", "S: 250 2.1.0 Fine  ", "the enhanced code is 2.0.0, not 2.1.0"),
    ],
)
def test_another_code_is_refused(stale, right: str, wrong: str, why: str) -> None:
    """Where a code differs nothing is changed at all, and the place is told."""
    stale.write_text(stale.read_text().replace(right, wrong))
    before = stale.read_bytes()
    run = accept(stale)
    assert (run.status, stale.read_bytes()) == (1, before)
    assert re.search(rf"made\.md:\d+: {re.escape(why)}", run.err)
    assert "refused" in run.out


def test_what_is_in_doubt_is_told_and_the_rest_is_done(stale) -> None:
    """A line with a star that no longer fits is left to the author; the status says so."""
    stale.write_text(stale.read_text().replace("S: 221 2.0.0 *", "S: 221 2.0.0 Farewell*"))
    run = accept(stale)
    assert run.status == 1
    assert "has patterns, and the text is '2.0.0 Bye'" in run.err
    assert "S: 221 2.0.0 Farewell*" in stale.read_text()
    assert "S: 250 2.0.0 Ok" in stale.read_text()


@pytest.mark.parametrize("name", ["starttls", "auth-plain-and-login"])
def test_nothing_is_to_be_accepted_in_a_lesson_that_works(name: str, tmp_path) -> None:
    """A shipped lesson, with its patterns and captures, is not touched."""
    path = tmp_path / find(name).name
    path.write_bytes(find(name).read_bytes())
    assert accept(path).out == f"{name}: nothing to accept\n"
    assert path.read_bytes() == find(name).read_bytes()


def test_what_cannot_be_read_or_written_has_its_status(tmp_path) -> None:
    """A broken lesson is 2, a missing file 3, as everywhere with lessons."""
    broken = tmp_path / "broken.md"
    broken.write_text("no lesson")
    assert accept(broken).status == 2
    assert accept(tmp_path / "missing.md").status == 3
