"""Lesson files: what is read from them, and where their mistakes are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.tutor.lesson import Directive, Exchange, Expected, Prose, Tool, WireEvent
from smtpshell.tutor.reader import LessonError, read_file, read_lesson
from tests.tutor.making import GREETING, lesson_text, made, wire

MISTAKES = {
    "no front matter": ("# Title\n", 1, "front matter"),
    "front matter without end": ("---\nid: a\n", 1, "not closed"),
    "no step": (lesson_text("Only prose.\n"), 1, "no step"),
    "unknown key": (lesson_text(GREETING, colour="blue"), 8, "unknown key 'colour'"),
    "unknown format": (lesson_text(GREETING, format="lesson/2"), 4, "format is 'lesson/2'"),
    "minutes in words": (lesson_text(GREETING, minutes="ten"), 6, "not a number"),
    "id in capitals": (lesson_text(GREETING, id="Hello"), 2, "lower case"),
    "step without id": (lesson_text(GREETING + "\n## Next\n"), 28, "'## Title {#id}'"),
    "two steps of one id": (lesson_text(GREETING + GREETING), 27, "already"),
    "fence left open": (lesson_text("## One {#one}\n\n```smtp\nS: 220 *\n"), 12, "not closed"),
    "fence before a step": (lesson_text("```smtp\nS: 220 *\n```\n" + GREETING), 10, "before"),
    "unknown line": (lesson_text(wire("X: EHLO")), 13, "begins with none of"),
    "no reply": (lesson_text(wire("C: NOOP")), 13, "no reply"),
    "reply without end": (lesson_text(wire("C: NOOP", "S: 250-a")), 13, "no last line"),
    "two codes": (lesson_text(wire("C: NOOP", "S: 250-a", "S: 251 b")), 15, "began with 250"),
    "unknown event": (lesson_text(wire("S: <gone>")), 13, "<gone>"),
    "branch before reply": (lesson_text(wire("C| HELO x", "S: 250 *")), 13, "behind"),
    "unknown directive": (lesson_text(wire("@wait 5")), 13, "@wait is none of"),
    "directive misfit": (lesson_text(wire("@clock 5")), 13, "cannot take '5'; write @clock +6m"),
    "directive alone": (lesson_text(wire("@needs")), 13, "write @needs KEYWORD"),
    "file written": (lesson_text(wire("$ save /etc/motd")), 13, "may not run /save"),
    "file read": (lesson_text(wire("$ /bdat /etc/passwd", "> *")), 13, "may not run /bdat"),
    "clock too far": (lesson_text(wire("@clock +999999999999d")), 13, "write @clock +6m"),
    "output alone": (lesson_text(wire("> text")), 13, "'$ COMMAND'"),
    "hint out of order": (lesson_text(wire("S: 220 *", more="```hint\n2. x\n```")), 17, "hint 2"),
    "hint not numbered": (lesson_text(wire("S: 220 *", more="```hint\nx\n```")), 17, "NUMBER"),
    "ask without id": (lesson_text(wire("S: 220 *", more="```ask\nA?\n= b\n```")), 16, "an id"),
    "ask without answer": (lesson_text(wire("S: 220 *", more="```ask a\nA?\n```")), 16, "right"),
    "wrong answer silent": (
        lesson_text(wire("S: 220 *", more="```ask a\nA?\n= b\n! c\n```")),
        19,
        "says something",
    ),
    "feedback misfit": (
        lesson_text(wire("S: 220 *", more="```feedback\nX y : z\n```")),
        17,
        "C gl",
    ),
    "unknown subject": (lesson_text(wire("S: 220 *", more="```check\nmood == x\n```")), 17, "mood"),
    "unknown operator": (lesson_text(wire("S: 220 *", more="```check\nbody ~ x\n```")), 17, "none"),
    "operand missing": (
        lesson_text(wire("S: 220 *", more="```check\nbody ==\n```")),
        17,
        "a value",
    ),
    "operand too much": (
        lesson_text(wire("S: 220 *", more="```check\nbody exists x\n```")),
        17,
        "no value",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_file_and_line(name: str) -> None:
    """Each mistake of an author is one complaint of the form file:line: message."""
    text, line, words = MISTAKES[name]
    with pytest.raises(LessonError) as caught:
        read_lesson(text, "x.md")
    first = next(each for each in caught.value.complaints if words in each)
    assert first.startswith(f"x.md:{line}: ")
    assert caught.value.status == 2


def test_all_mistakes_are_told_together() -> None:
    """Whoever mends a file sees everything that is wrong with it at once."""
    text = lesson_text(wire("X: 1", "S: <gone>", "@wait"), minutes="x")
    with pytest.raises(LessonError) as caught:
        read_lesson(text, "x.md")
    assert len(caught.value.complaints) == 4


def test_a_fence_of_wire_becomes_exchanges_tools_and_directives() -> None:
    """Every kind of line ends up where the model says."""
    lesson = made(
        wire(
            "S: 220 *",
            "# a comment",
            "C: EHLO client.example",
            "S: 250-mail*",
            "S: ...",
            "C| HELO client.example",
            "S: 250 *",
            "$ mx practice.example",
            "> 10 *",
            "@clock +6m",
            "C: MAIL FROM:<a@client.example>",
            "C: RCPT TO:<bob@practice.example>",
            "S: 250 *",
            "S: 250 *",
            "C: QUIT",
            "S: 221 *",
            "S: <closed>",
        )
    )
    first, hello, tool, clock, group, quit_ = lesson.steps[0].actions
    assert isinstance(first, Exchange)
    assert not first.clients
    assert isinstance(hello, Exchange)
    assert hello.reactions == (Expected(250, ("mail*",), 16, open=True),)
    assert [other.clients[0].text for other in hello.alternatives] == ["HELO client.example"]
    assert isinstance(tool, Tool)
    assert (tool.command, tool.output) == ("mx practice.example", ("10 *",))
    assert isinstance(clock, Directive)
    assert (clock.name, clock.argument) == ("clock", "+6m")
    assert isinstance(group, Exchange)
    assert len(group.clients) == len(group.reactions) == 2
    assert isinstance(quit_, Exchange)
    assert quit_.reactions[1] == WireEvent("closed", 29)


def test_prose_keeps_its_words_and_foreign_fences() -> None:
    """What is no block of ours is prose, other people's fences included."""
    lesson = made("## One {#one}\n\nText.\n\n```python\nprint()\n```\n\n```smtp\nS: 220 *\n```\n")
    prose = lesson.steps[0].blocks[0]
    assert isinstance(prose, Prose)
    assert prose.lines == ("Text.", "", "```python", "print()", "```")


def test_variants_are_chosen_by_the_seed() -> None:
    """Learners with other seeds get other values, and the same seed always the same."""
    lesson = made(GREETING, vary_to="bob, carol, alice", var_me="ann")
    chosen = {lesson.values(seed)["to"] for seed in range(9)}
    assert chosen == {"bob", "carol", "alice"}
    assert lesson.values(4) == lesson.values(4)
    assert lesson.values(4)["me"] == "ann"


def complaints_of(text: str) -> list[str]:
    """Read a text and return what is complained of, nothing if it is a lesson."""
    try:
        read_lesson(text, "x.md")
    except LessonError as error:
        return error.complaints
    return []


@given(st.text(max_size=400))
def test_no_text_does_more_than_complain(text: str) -> None:
    """Whatever a file holds, reading it ends in a lesson or in complaints with places."""
    complaints = complaints_of(text)
    assert all(each.startswith("x.md:") for each in complaints)


@given(st.lists(st.sampled_from("S:220 C:|=~ $>@#`-{}x.\n") | st.characters(), max_size=80))
def test_no_fence_does_more_than_complain(characters: list[str]) -> None:
    """The same holds inside a fence of wire lines."""
    complaints = complaints_of(lesson_text(wire("".join(characters))))
    assert all(each.startswith("x.md:") for each in complaints)


def test_what_is_not_utf8_is_told(tmp_path) -> None:
    """A file in another encoding is a complaint, not a traceback."""
    path = tmp_path / "latin.md"
    path.write_bytes(b"---\ntitle: caf\xe9\n---\n")
    with pytest.raises(LessonError, match="not UTF-8"):
        read_file(path)


def test_a_mark_of_the_byte_order_is_no_mistake() -> None:
    """Some editors put one before the first line (RFC 3629 section 6); it is not part of it."""
    assert read_lesson("\ufeff" + lesson_text(GREETING), "made.md").id == "made"
