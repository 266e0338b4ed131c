"""`smtpshell lesson`: words, output and exit status, as a user and a CI job meet them."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from smtpshell.tutor.library import load, next_of
from tests.conversation.running import smtpshell
from tests.tutor.making import GREETING, lesson_text


@pytest.fixture
def home(tmp_path):
    """Return an environment with a state folder of its own."""
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_the_list_names_every_lesson() -> None:
    """`lesson` and `lesson list` say the same; JSON has one object for each lesson."""
    run = smtpshell("lesson")
    assert run.status == 0
    assert run.lines == smtpshell("lesson", "list").lines
    assert run.lines[0].startswith("01  helo-to-quit")
    first = smtpshell("lesson", "list", "--json").objects[0]
    assert (first["lesson"], first["number"], first["steps"]) == ("helo-to-quit", 1, 5)


def test_the_demonstration_plays_itself() -> None:
    """It needs no input, shows the conversation and the questions' answers, and ends well."""
    run = smtpshell("lesson", "demo", "helo-to-quit")
    assert run.status == 0
    assert run.wire[0].startswith("S: 220")
    assert "C: QUIT" in run.wire
    assert "Answer: 220" in run.lines
    assert run.lines[-1] == "Done."


def test_a_lesson_is_played_from_standard_input(home) -> None:
    """Without a terminal lines are read and verdicts written; progress is kept and deletable."""
    run = smtpshell("lesson", "1", stdin="220\nHELLO x\n", env=home)
    assert run.status == 1
    assert [line for line in run.lines if line.startswith("Not yet.")]
    on = smtpshell("lesson", "helo", stdin="/where\n", env=home)
    assert any(line.startswith("Place: step 2 of 5") for line in on.lines)
    gone = smtpshell("lesson", "progress", "delete", env=home)
    assert (gone.status, len(gone.lines)) == (0, 1)
    again = smtpshell("lesson", "1", stdin="/where\n", env=home)
    assert any(line.startswith("Place: step 1 of 5") for line in again.lines)


VARIED = GREETING.replace("HELO client.example", "HELO {{host}}").replace(
    "Say hello.", "Say hello as {{host}}."
)


def test_a_seed_picks_the_variant_and_is_kept_with_the_progress(tmp_path, home) -> None:
    """--seed N chooses among `vary`; whoever goes on has the same variant without saying so."""
    path = tmp_path / "varied.md"
    text = lesson_text(VARIED, vary_host="a.example, b.example, c.example")
    path.write_text(text, encoding="utf-8")
    first = smtpshell("lesson", str(path), "--seed", "2", stdin="HELO\n", env=home)
    assert "Text: Say hello as c.example." in first.lines
    log = next((tmp_path / "state").rglob("made.jsonl")).read_text(encoding="utf-8")
    assert json.loads(log.splitlines()[0])["seed"] == 2
    on = smtpshell("lesson", str(path), stdin="HELO c.example\n", env=home)
    assert on.status == 0
    assert "Done. That was the lesson: Made for a test." in on.lines


@pytest.mark.parametrize("words", [("1", "--seed", "x"), ("1", "2"), ("1", "--loud")])
def test_wrong_words_are_usage(words, home) -> None:
    """A seed that is no number, two lessons, an unknown option: status 2 and one line."""
    run = smtpshell("lesson", *words, env=home)
    assert (run.status, len(run.err.splitlines())) == (2, 1)


def test_check_tells_what_is_wrong_with_file_and_line(tmp_path) -> None:
    """Status 0 for good lessons, 1 for wrong ones, 2 for files that are none."""
    good = smtpshell("lesson", "check", "helo-to-quit", "--json")
    assert (good.status, good.objects) == (
        0,
        [{"lesson": "helo-to-quit", "ok": True, "problems": []}],
    )
    wrong = tmp_path / "wrong.md"
    wrong.write_text(lesson_text(GREETING.replace("S: 250 *", "S: 550 *")), encoding="utf-8")
    run = smtpshell("lesson", "check", str(wrong))
    assert run.status == 1
    assert run.lines == [f"{wrong}:17: the code is 250, not 550"]
    broken = tmp_path / "broken.md"
    broken.write_text("no lesson", encoding="utf-8")
    assert smtpshell("lesson", "check", str(broken)).status == 2


def test_check_writes_junit(tmp_path) -> None:
    """A CI system reads one case for each lesson, with the problems of those that fail."""
    wrong = tmp_path / "wrong.md"
    wrong.write_text(lesson_text(GREETING.replace("S: 250 *", 'S: 550 "<&*')), encoding="utf-8")
    report = tmp_path / "report.xml"
    run = smtpshell("lesson", "check", "1", str(wrong), "--junit", str(report))
    assert run.status == 1
    suite = ET.fromstring(report.read_text(encoding="utf-8"))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "17" in (failure.text or "")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("nonsense",), 2, "no lesson is called 'nonsense'"),
        (("helo-to-qiut",), 2, "helo-to-quit"),
        (("demo",), 2, "required: NAME"),
        (("check", "--nonsense"), 2, "--nonsense"),
        (("check", "missing.md"), 3, "cannot read"),
        (("list", "x"), 2, "no argument"),
        (("progress", "burn"), 2, "delete"),
    ],
)
def test_misuse_is_one_line_with_the_right_status(words, status, said) -> None:
    """Usage and syntax are 2, what the machine lacks is 3; never a traceback."""
    run = smtpshell("lesson", *words)
    assert run.status == status
    assert said in run.err
    assert len(run.err.splitlines()) == 1


def test_a_closed_pipe_ends_quietly(home) -> None:
    """Piping a demonstration to `head` leaves no complaint behind."""
    import os
    import subprocess
    import sys

    command = f"{sys.executable} -m smtpshell lesson demo 1 | head -2"
    done = subprocess.run(
        command,
        shell=True,
        capture_output=True,
        timeout=30,
        env={**os.environ, **home},
        check=False,
    )
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == b""


def test_the_list_tells_how_far_one_is(tmp_path) -> None:
    """What was begun or done stands beside the title, and in the objects."""
    env = {"XDG_STATE_HOME": str(tmp_path)}
    smtpshell("lesson", "1", stdin="220\n", env=env)
    smtpshell("lesson", "2", stdin="/skip\n" * 9, env=env)
    lines = smtpshell("lesson", "list", env=env).lines
    assert lines[0].endswith("(1 of 5 steps)")
    assert lines[1].endswith("(done)")
    assert not lines[2].endswith(")")
    objects = smtpshell("--json", "lesson", "list", env=env).objects
    assert [each["progress"] for each in objects[:3]] == ["1 of 5 steps", "done", None]
    inside = smtpshell("-c", "/lesson", env=env)
    assert any("(1 of 5 steps)" in line for line in inside.lines)


def test_the_end_of_a_lesson_names_the_next_one(tmp_path) -> None:
    """Nobody has to look up where to go on; behind the last lesson nothing follows."""
    env = {"XDG_STATE_HOME": str(tmp_path)}
    run = smtpshell("lesson", "1", stdin="/skip\n" * 9, env=env)
    assert any('"smtpshell lesson 2" begins it' in line for line in run.lines)
    assert next_of(load("clinic")) is None
