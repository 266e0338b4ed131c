"""The author's tools: a new lesson, a recorded one, pages and booklets."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser

import pytest

from smtpshell.tutor.authoring.rendering import guide, inline, render_html
from smtpshell.tutor.reader import read_file
from tests.conversation.running import smtpshell
from tests.tutor.making import GREETING, made, performed, played, wire

SESSIONS = {
    "a message": (
        "EHLO client.example",
        "MAIL FROM:<ann@client.example>",
        "RCPT TO:<bob@practice.example>",
        "RCPT TO:<nobody@practice.example>",
        "DATA",
        "Subject: {{x}} * \\*",
        "",
        "..",
        ".",
    ),
    "a login": (
        "EHLO client.example",
        "STARTTLS",
        "EHLO client.example",
        "AUTH CRAM-MD5",
        "*",
        "AUTH PLAIN AGFsaWNlAGNvcnJlY3QgaG9yc2U=",
    ),
    "mistakes": ("MAIL FROM:<ann@client.example>", "HELO", "HELLO {{you}}", "NOOP *", "RSET"),
    "chunks": (
        "EHLO client.example",
        "MAIL FROM:<ann@client.example>",
        "RCPT TO:<bob@practice.example>",
        "BDAT 6",
        "a: b",
        "BDAT 2 LAST",
        "",
    ),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_recorded_session_is_a_lesson_that_works(name: str, tmp_path) -> None:
    """The skeleton can be read, and its solution leads to the same again on a fresh world."""
    path = tmp_path / "recorded.md"
    run = smtpshell("lesson", "record", str(path), stdin="\n".join(SESSIONS[name]) + "\n")
    assert path.exists(), run.err
    lesson = read_file(path)
    performance = performed(lesson)
    assert not performance.problems
    sent = [line for line in run.wire if line.startswith("C:")]
    again = [line for line in performance.transcript if line.startswith("C:")]
    assert again == sent


def test_saving_as_markdown_makes_a_lesson(tmp_path) -> None:
    """/save does in any session what `lesson record` does, secrets left out."""
    path = tmp_path / "mine.md"
    run = smtpshell(
        *("-c", "EHLO client.example", "-c", "AUTH PLAIN AGRhbgBzZWNyZXQ="),
        *("-c", f"/save {path}"),
    )
    text = path.read_text(encoding="utf-8")
    assert "AGRhbgBzZWNyZXQ" not in text
    assert "{{secret1}}" in text
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_file(path).variables == {"secret1": "fill-in"}
    assert "Saved" in run.out


def test_a_new_lesson_is_good_from_the_start(tmp_path) -> None:
    """What an author begins with passes every check; nothing is overwritten."""
    path = tmp_path / "21-my-lesson.md"
    assert smtpshell("lesson", "new", str(path)).status == 0
    assert smtpshell("lesson", "check", str(path)).out == "my-lesson: good\n"
    again = smtpshell("lesson", "new", str(path))
    assert (again.status, len(again.err.splitlines())) == (3, 1)
    assert smtpshell("lesson", "new", str(tmp_path / "Bad Name.md")).status == 2


def test_the_reference_names_all_that_can_be_written() -> None:
    """The one-page format is made from the tables that read lessons."""
    from smtpshell.tutor.fences import DIRECTIVES, READERS
    from smtpshell.tutor.functions import FUNCTIONS

    text = smtpshell("lesson", "format").out
    for word in (*DIRECTIVES, *READERS, *FUNCTIONS):
        assert word in text


class Tags(HTMLParser):
    """Collects elements and complains of those that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs) -> None:
        """Note an element."""
        self.seen.add(tag)
        if tag not in ("meta", "html"):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        """Match it."""
        if tag != "html":
            assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        """Keep the text."""
        self.text += data


def test_a_page_is_sound_and_runs_nothing() -> None:
    """Elements are closed, text is escaped, and neither lesson nor server can add a script."""
    body = wire(
        "S: 220 *", "C: HELO <script>alert(1)</script>", "S: 501 *", more="<script>x</script>"
    )
    page, problems = asyncio.run(render_html(made(body, title="<b>&</b>")))
    assert problems == ()
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not tags.seen & {"script", "b", "img", "a", "link"}
    assert "<script>x</script>" in tags.text


def test_markdown_within_a_line_is_drawn() -> None:
    """Code is left alone; strong and emphasis are marked."""
    assert inline("`a*b*` **c** *d* <e>") == (
        "<code>a*b*</code> <strong>c</strong> <em>d</em> &lt;e&gt;"
    )


def test_the_booklet_has_what_learners_never_see() -> None:
    """Teacher's notes and right answers stand in the guide, and in no run of a learner."""
    lesson = made(GREETING + "\n```ask q\nWhich?\n= 220\n~ 30 words\n```\n")
    text = "\n".join(guide(lesson))
    assert "Wait for the digits." in text
    assert "right: 220" in text
    assert "Wait for the digits." not in played(lesson, "HELO client.example", "220").out
