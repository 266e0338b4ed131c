"""Recordings of lessons: casts that play, captions that fit, tapes that solve the lesson."""

from __future__ import annotations

import json
import re

import pyte
import pytest

from smtpshell.tutor.authoring.recordings import tape, typed
from smtpshell.tutor.library import find, load
from tests.conversation.running import smtpshell
from tests.tutor.making import FIRST, made, performed, played, wire

CODES = {"o", "m"}
"""Of the codes that docs.asciinema.org/manual/asciicast has, those that a lesson needs."""


def rendered(*words: str) -> str:
    """Return what `lesson render` prints of a lesson that works."""
    run = smtpshell("lesson", "render", *words)
    assert run.status == 0, run.err
    return run.out


def cast(*words: str) -> tuple[dict, list]:
    """Return the head and the events of an asciicast."""
    head, *events = map(json.loads, rendered(FIRST, "--to", "cast", *words).splitlines())
    return head, events


def test_a_cast_is_what_players_expect() -> None:
    """Version 2: the size in the head, times since the start that never go back, known codes."""
    head, events = cast("--columns", "100", "--rows", "30")
    assert (head["version"], head["width"], head["height"]) == (2, 100, 30)
    assert "timestamp" not in head
    times = [at for at, _, _ in events]
    assert times == sorted(times)
    assert all(isinstance(at, float) and at >= 0 for at in times)
    assert {code for _, code, _ in events} == CODES
    assert all(isinstance(data, str) for _, _, data in events)


def test_version_3_tells_the_time_between_events() -> None:
    """The same events, with the terminal in a table of its own and each time since the last."""
    _, two = cast()
    head, three = cast("--cast-version", "3")
    assert (head["version"], head["term"]["cols"], head["term"]["rows"]) == (3, 80, 24)
    assert [event[1:] for event in two] == [event[1:] for event in three]
    at = 0.0
    for before, (interval, _, _) in zip(two, three, strict=True):
        at += interval
        assert at == pytest.approx(before[0])


def test_a_marker_stands_where_each_step_begins() -> None:
    """Players jump from step to step; the title follows on the screen."""
    _, events = cast()
    titles = [step.title for step in load(FIRST).steps]
    assert [data for _, code, data in events if code == "m"] == titles
    for number, event in enumerate(events):
        if event[1] == "m":
            assert event[2] in events[number + 1][2]


def test_a_cast_plays_in_a_terminal() -> None:
    """Fed into a terminal, it shows at its end what the conversation ended with, words unbroken."""
    head, events = cast("--columns", "70", "--rows", "400")
    screen = pyte.Screen(head["width"], head["height"])
    stream = pyte.Stream(screen)
    for _, code, data in events:
        if code == "o":
            stream.feed(data)
    shown = [line.rstrip() for line in screen.display]
    wire_lines = [line for line in shown if line.startswith(("C:", "S:"))]
    assert wire_lines == [line.rstrip() for line in performed(load(FIRST)).transcript]
    assert "Done." in shown
    text = " ".join(" ".join(shown).split())
    assert "Every mail in the world is handed over in a short conversation." in text


def test_typing_takes_time_and_replies_do_not() -> None:
    """A line of the client appears letter by letter, one of the server at once."""
    _, events = cast()
    outputs = [data for _, code, data in events if code == "o"]
    start = outputs.index("H")
    assert "".join(outputs[start - 1 : start + 20]).startswith("C: HELO client.exam")
    assert "S: 221 2.0.0 Bye\r\n" in outputs


@pytest.mark.parametrize("form", ["cast", "srt", "vhs", "html", "text"])
@pytest.mark.parametrize("name", [FIRST, "mx", "proof-without-password"])
def test_two_renderings_are_equal(name: str, form: str) -> None:
    """No port, no clock and no chance of this machine is in them."""
    assert rendered(name, "--to", form) == rendered(name, "--to", form)


def test_captions_are_the_titles_of_the_steps() -> None:
    """Numbered from 1, one behind the other, each for as long as its step takes."""
    cues = rendered(FIRST, "--to", "srt").rstrip("\n").split("\n\n")
    form = r"(\d+)\n(\d\d:\d\d:\d\d,\d{3}) --> (\d\d:\d\d:\d\d,\d{3})\n(.+)"
    found = [re.fullmatch(form, cue) for cue in cues]
    assert all(found)
    assert [cue[4] for cue in found if cue] == [step.title for step in load(FIRST).steps]
    assert [cue[1] for cue in found if cue] == [str(n + 1) for n in range(len(cues))]
    ends = [cue[3] for cue in found if cue]
    starts = [cue[2] for cue in found if cue]
    assert starts[1:] == ends[:-1]
    assert starts[0] < ends[-1]


def keys(text: str) -> list[str]:
    """Return the lines that a tape types, behind the command that starts the lesson."""
    lines, held = [], ""
    for command in text.splitlines():
        if match := re.fullmatch(r"""Type (["'`])(.*)\1""", command):
            assert match[1] not in match[2]
            held += match[2]
        elif command == "Enter":
            lines.append(held)
            held = ""
        else:
            assert re.fullmatch(r"|#.*|(Output|Require|Set|Sleep) .+|Hide|Show", command), command
    assert lines[1].startswith("smtpshell lesson ")
    return lines[2:]


@pytest.mark.parametrize("name", [FIRST, "greylisting", "mx", "auth-plain-and-login", "clinic"])
def test_a_tape_solves_the_lesson(name: str) -> None:
    """What a tape types, typed by a learner, leads to the lesson's end without a mistake."""
    run = played(load(name), *keys(rendered(name, "--to", "vhs")))
    assert run.finished
    assert "Not yet" not in run.out


def test_a_tape_quotes_what_it_types() -> None:
    """Every kind of quote can be typed; an empty line is Enter alone."""
    line = """C~ NOOP "it's" `so`"""
    lesson = made(wire("S: 220 *", "C: HELO client.example", "S: 250 *", line, "S: 250 *"))
    text = tape(lesson, performed(lesson), "made.md")
    assert keys(text) == ["HELO client.example", """NOOP "it's" `so`"""]


def test_what_is_skipped_is_not_typed() -> None:
    """Behind @needs for a keyword that the server lacks, nobody types."""
    lesson = made(
        wire("S: 220 *", "C: HELO client.example", "S: 250 *")
        + wire("@needs X-MAGIC", "C: XMAGIC", "S: 250 *", step="two", more="```ask q\nA?\n= b\n```")
    )
    assert [each.line for each in typed(lesson, performed(lesson))] == ["HELO client.example"]


def test_misuse_and_broken_lessons(tmp_path) -> None:
    """Unknown forms and sizes are 2; a solution that fails is 1, with its place."""
    assert smtpshell("lesson", "render", "1", "--to", "film").status == 2
    assert smtpshell("lesson", "render", "1", "--to", "cast", "--columns", "0").status == 2
    assert smtpshell("lesson", "render", "1", "--to", "cast", "--cast-version", "1").status == 2
    path = tmp_path / "wrong.md"
    text = find(FIRST).read_text(encoding="utf-8").replace("S: 221", "S: 250")
    path.write_text(text, encoding="utf-8")
    for form in ("cast", "srt", "vhs", "html", "text"):
        run = smtpshell("lesson", "render", str(path), "--to", form)
        assert run.status == 1
        assert "wrong.md:" in run.err
