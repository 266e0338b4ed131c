"""Receipts: what the teacher's server saw, signed, and held against what was handed in."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.cli import guarded
from smtpshell.conversation.settings import Settings
from smtpshell.practice.library import load_scenario
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.tutor.classroom.desk import Desk
from smtpshell.tutor.classroom.keys import Keys
from smtpshell.tutor.classroom.points import Grade
from smtpshell.tutor.classroom.receipts import (
    LONGEST_LINE,
    Receipt,
    Seen,
    Witness,
    key_path,
    load_key,
    read_receipt,
    receipts_in,
    sign,
)
from smtpshell.tutor.classroom.room import Room, RoomLog
from smtpshell.tutor.classroom.serving import followers_of
from smtpshell.tutor.classroom.submission import seed_of
from smtpshell.tutor.classroom.witnessed import NOT_SEEN, witnessed
from smtpshell.tutor.library import load
from tests.tutor.classroom.attending import Telnet
from tests.tutor.classroom.handing_in import (
    BOB,
    CAROL,
    LESSON,
    TEXT,
    graded,
    hand_in,
    points,
    read_json,
    records_of,
    solution,
)
from tests.tutor.classroom.test_intake import ANYTHING

KEY = bytes(range(32))
RECEIPT = Receipt(BOB, LESSON.id, LESSON.digest, ("hello", "envelope", "goodbye"), 1_800_000_000)


def test_a_receipt_is_read_again_with_its_key_alone() -> None:
    """What was signed comes back; another key gives nothing."""
    line = sign(RECEIPT, KEY)
    assert read_receipt(line, KEY) == RECEIPT
    assert read_receipt(line, bytes(32)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"student": CAROL},
        {"lesson": "another"},
        {"digest": "0"},
        {"steps": ["hello", "envelope", "goodbye", "more"]},
        {"at": 1_800_000_001},
        {"at": True},
        {"mac": None},
        {"mac": "\u00e9\ud800"},
        {"mac": "0" * 64},
        {"format": "smtpshell-receipt/2"},
    ],
)
def test_whatever_is_changed_breaks_it(changes: dict[str, Any]) -> None:
    """Every field is under the signature."""
    facts = {**json.loads(sign(RECEIPT, KEY)), **changes}
    assert read_receipt(json.dumps(facts), KEY) is None


@given(
    ANYTHING
    | st.dictionaries(
        st.sampled_from(["format", "student", "lesson", "digest", "steps", "at", "mac"]), ANYTHING
    ).map(lambda facts: {**json.loads(sign(RECEIPT, KEY)), **facts, "mac": "0"})
)
def test_no_value_is_taken_for_a_receipt_or_upsets_the_reader(value: Any) -> None:
    """Wrong types, huge numbers, lone surrogates, deep lists."""
    assert read_receipt(json.dumps(value), KEY) is None


@given(st.binary(max_size=200))
def test_no_octets_upset_the_reader(octets: bytes) -> None:
    """Not UTF-8, not JSON, not anything."""
    assert read_receipt(octets, KEY) is None


def test_hostile_files_are_counted_and_passed_over(tmp_path: Path) -> None:
    """The good receipts among them count; links lead nowhere, and long lines are not read."""
    folder = tmp_path / "receipts"
    folder.mkdir()
    (tmp_path / "outside.jsonl").write_text(sign(RECEIPT, KEY) + "\n")
    (folder / "link.jsonl").symlink_to(tmp_path / "outside.jsonl")
    mark = b'{"format":"smtpshell-receipt/1",'
    lines = [
        mark + b"[" * 5_000,
        mark + b'"at":' + b"9" * 5_000 + b"}",
        mark + b"\xff\xfe\0",
        mark + b"x" * LONGEST_LINE,
        mark + b'"at": NaN}',
        sign(RECEIPT, bytes(32)).encode(),
    ]
    good = b"S: 214 2.0.0 " + sign(RECEIPT, KEY).encode()
    (folder / "a.jsonl").write_bytes(b"\n".join([*lines, b"\x1b[2J", b"[" * 100_000, good]))
    (folder / "017.smtpshell.json").write_text("{}")
    (folder / "notes.txt").write_text("nothing\n")
    with (folder / "huge.json").open("wb") as file:
        file.truncate(1 << 30)
    seen = receipts_in(folder, KEY)
    assert seen.of(BOB.upper(), LESSON.id, LESSON.digest) == set(RECEIPT.steps)
    assert seen.bad == {"a.jsonl": len(lines)}
    assert set(seen.refused) == {"link.jsonl", "huge.json", "notes.txt"}


def test_a_key_is_made_once_and_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mode 0600; one that others could have read is refused, and so is one that is damaged."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(SmtpshellError, match="no key"):
        load_key()
    key = load_key(create=True)
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600
    assert load_key(create=True) == load_key() == key
    key_path().chmod(0o644)
    with pytest.raises(SmtpshellError, match="others can read"):
        load_key()
    key_path().chmod(0o600)
    key_path().write_text("abc")
    with pytest.raises(SmtpshellError, match="this is no key"):
        load_key()


def handed_in(folder: Path, *students: str) -> list[Grade]:
    """Return the grades of students who have all done everything, at home."""
    for student in students:
        variant = LESSON.values(seed_of(student))["you"].partition("@")[0]
        hand_in(folder, student, records_of(folder / student, solution(variant), seed_of(student)))
    return graded(folder)


def test_only_what_the_server_saw_earns_points(tmp_path: Path) -> None:
    """Steps of no receipt get none, questions go by the transcript, and the teacher is told."""
    grades = handed_in(tmp_path, BOB, CAROL)
    seen = Seen()
    seen.add(Receipt(BOB, LESSON.id, LESSON.digest, ("hello",), 1))
    seen.add(Receipt(BOB, LESSON.id, LESSON.digest, ("hello", "envelope"), 2))
    bob, carol = sorted(
        witnessed(grades, seen, {LESSON.id: LESSON}), key=lambda g: g.student != BOB
    )
    assert points(bob) == {"hello": 1, "hello/ready": 1, "envelope": 1, "goodbye": 0}
    assert [row.reason for row in bob.rows if not row.points] == [NOT_SEEN]
    assert "no receipt matches goodbye" in bob.problems[-1]
    assert points(carol) == {"hello": 0, "hello/ready": 1, "envelope": 0, "goodbye": 0}
    assert "there is no receipt for it" in carol.problems[-1]


def test_who_was_seen_and_handed_in_nothing_is_graded(tmp_path: Path) -> None:
    """A student who came by telnet has no transcript, and the server's word counts."""
    seen = Seen()
    seen.add(Receipt("042", LESSON.id, LESSON.digest, ("hello", "envelope", "nonsense"), 1))
    seen.add(Receipt("043", LESSON.id, "of another version", ("hello",), 1))
    (grade,) = witnessed(graded(tmp_path), seen, {LESSON.id: LESSON})
    assert grade.student == "042"
    assert points(grade) == {"hello": 1, "hello/ready": 0, "envelope": 1, "goodbye": 0}
    assert "receipts alone" in grade.notes[0]


def test_what_was_skipped_stays_without_points(tmp_path: Path) -> None:
    """The server cannot see help, so what a transcript tells against its owner counts."""
    lines = ("/skip", *solution("bob")[len(solution("bob")) - 9 :])
    hand_in(tmp_path, BOB, records_of(tmp_path / "state", lines, seed_of(BOB)))
    seen = Seen()
    seen.add(Receipt(BOB, LESSON.id, LESSON.digest, ("hello",), 1))
    (grade,) = witnessed(graded(tmp_path), seen, {LESSON.id: LESSON})
    assert points(grade)["hello"] == 0


def test_the_server_signs_each_step_and_tells_the_student(tmp_path: Path) -> None:
    """The file of receipts is private, and HELP RECEIPT gives the last of them."""
    lesson = load("1")
    path = tmp_path / "receipts.jsonl"

    async def scene() -> str:
        witness = Witness(path, KEY, lesson.id, lesson.digest)
        followers = await followers_of(lesson, Keys(["001"]))
        scenario = load_scenario(lesson.scenario)
        room = Room(scenario, ["001"], lambda _: None, followers=followers, witness=witness)
        await room.open()
        try:
            assert room.lobby is not None
            student = await Telnet.to(room.lobby.port)
            assert "Say EHLO" in await student.type("HELP RECEIPT")
            await student.type("HELO s001.practice.example")
            await student.type("MAIL FROM:<ann@client.example>", "RCPT TO:<bob@practice.example>")
            await student.type("RCPT TO:<carol@practice.example>")
            return await student.type("HELP RECEIPT")
        finally:
            await Telnet.all_leave()
            await room.close()
            witness.close()

    told = asyncio.run(scene()).splitlines()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    receipt = read_receipt(told[-1].removeprefix("214 2.0.0 "), KEY)
    assert receipt is not None
    assert path.read_text().splitlines()[-1] == told[-1].removeprefix("214 2.0.0 ")
    assert receipt.steps == ("hello", "envelope")
    seen = receipts_in(path, KEY)
    assert seen.of("001", lesson.id, lesson.digest) == {"hello", "envelope"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_stops_no_class() -> None:
    """The student goes on, and the teacher is told that there is no receipt."""

    async def scene() -> tuple[str, list[str]]:
        lesson = load("1")
        witness = Witness(Path("/dev/full"), KEY, lesson.id, lesson.digest)
        told: list[Any] = []
        followers = await followers_of(lesson, Keys(["001"]))
        scenario = load_scenario(lesson.scenario)
        room = Room(scenario, ["001"], told.append, followers=followers, witness=witness)
        await room.open()
        try:
            student = await Telnet.to(room.seats["001"].server.port)
            await student.type("HELO client.example")
            reply = await student.type("MAIL FROM:<ann@client.example>")
        finally:
            await Telnet.all_leave()
            await room.close()
            witness.close()
        return reply, [each["text"] for each in told if each["event"] == "trouble"]

    reply, trouble = asyncio.run(scene())
    assert reply.startswith("250")
    assert trouble == ["no receipt could be written for 001: No space left on device"]


def test_the_log_ends_where_it_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    """The desk says so once, and goes on telling."""
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    log = RoomLog(Path("/dev/full"))
    desk = Desk(Settings(), log)
    for text in ("one", "two"):
        desk({"at": 1.0, "student": "", "event": "said", "text": text})
    log.close()
    out = capsys.readouterr().out
    assert out.count("Trouble: the log cannot be written") == 1
    assert "Teacher: two" in out


def test_grade_tells_which_submissions_have_no_receipt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the outside: points, problems, files that hold something else, and the status."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "varied.md").write_text(TEXT)
    handed_in(tmp_path / "in", BOB, CAROL)
    place = tmp_path / "receipts.jsonl"
    grade = ["grade", str(tmp_path / "in"), "--lesson", str(tmp_path / "varied.md")]
    assert guarded([*grade, "--receipts", str(place)]) == 3
    assert "no key" in capsys.readouterr().err
    receipt = sign(RECEIPT, load_key(create=True))
    assert guarded([*grade, "--receipts", str(place)]) == 3
    place.write_text(f"{receipt}\n{sign(RECEIPT, KEY)}\n")
    out = str(tmp_path / "out.json")
    assert guarded([*grade, "--receipts", str(place), "--json-file", out]) == 1
    text = capsys.readouterr().out
    assert f"{BOB}: 4 of 4 points." in text
    assert f"{CAROL}: 1 of 4 points." in text
    assert "varied: there is no receipt for it" in text
    assert "Receipts: the server saw 1 student." in text
    assert "receipts.jsonl has 1 receipt that is none of this server's" in text
    assert {each["student"]: each["points"] for each in read_json(Path(out))["students"]} == {
        BOB: 4,
        CAROL: 1,
    }
    assert guarded([*grade, "--receipts", str(place), "--since", "2030-01-01"]) == 1
    assert f"{BOB}: 1 of 4 points." in capsys.readouterr().out
    assert guarded([*grade, "--receipts", str(place), "--since", "monday"]) == 2
