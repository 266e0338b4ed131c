"""A lesson as a page to read: its prose, the conversation it leads to, its questions.

The conversation is the one that the canonical solution really had, so a rendered page cannot show
what does not happen. HTML stands alone: no script, nothing fetched, colour from the reader's own
settings, and every line of the wire says who spoke.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from smtpshell.protocol.text import visible
from smtpshell.tutor.authoring.answers import Answers, answer_lines
from smtpshell.tutor.demonstration import same_lines, steady
from smtpshell.tutor.performance import perform
from smtpshell.tutor.plainly import filled, paragraphs

if TYPE_CHECKING:
    from smtpshell.protocol.events import Event
    from smtpshell.tutor.lesson import Ask, Lesson, Prose, Step


_HEAD = """\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ max-width: 42rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif; }}
pre, code {{ font: 0.95rem/1.4 monospace; }}
pre {{ border-left: 0.25rem solid; padding-left: 0.75rem; overflow-x: auto; }}
.server {{ font-weight: bold; }}
.note {{ font-style: italic; }}
:root {{ color-scheme: light dark; }}
</style>
<h1>{title}</h1>
"""
_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")
_EMPHASIS = re.compile(r"\*([^*]+)\*")
_CLASSES = {"C:": "client", "S:": "server", "# ": "note"}


class Page:
    """An audience that writes HTML."""

    def __init__(self, lesson: Lesson) -> None:
        self._lesson = lesson
        self._parts = [_HEAD.format(language=escape(lesson.language), title=escape(lesson.title))]
        self._wire: list[str] = []
        preface = [line for line in lesson.prose if not line.startswith("# ")]
        self._paragraphs(preface, lesson.values(0))

    def _paragraphs(self, lines: list[str], values: Mapping[str, str]) -> None:
        self._end_wire()
        for text, alone in paragraphs(lines, values):
            shown = f"<pre>{escape(text)}</pre>" if alone else f"<p>{inline(text)}</p>"
            self._parts.append(shown + "\n")

    def _end_wire(self) -> None:
        if self._wire:
            self._parts.append("<pre>" + "\n".join(self._wire) + "</pre>\n")
            self._wire = []

    def step(self, number: int, step: Step) -> None:
        """Begin a step."""
        self._end_wire()
        title = f"Step {number}: {escape(filled(step.title, self._lesson.values(0)))}"
        self._parts.append(f'<h2 id="{step.id}">{title}</h2>\n')

    def prose(self, prose: Prose, values: Mapping[str, str]) -> None:
        """Write a piece of prose."""
        self._paragraphs(list(prose.lines), values)

    def event(self, event: Event) -> None:
        """Write an event."""
        for line in same_lines(event, "short"):
            kind = _CLASSES.get(line[:2], "note")
            self._wire.append(f'<span class="{kind}">{escape(line)}</span>')

    def note(self, text: str) -> None:
        """Write what the lesson itself does."""
        self._wire.append(f'<span class="note">{escape(visible(steady(text)))}</span>')

    def ask(self, ask: Ask, values: Mapping[str, str]) -> None:
        """Write a question, its answer folded away."""
        self._end_wire()
        right = "; ".join(filled(each.text, values) for each in ask.answers if each.kind in "=x")
        choices = [each for each in ask.answers if each.kind in "x "]
        items = "".join(f"<li>{inline(filled(each.text, values))}</li>\n" for each in choices)
        self._parts.append(
            f"<p><strong>Question:</strong> {inline(filled(' '.join(ask.question), values))}</p>\n"
            + (f"<ol>\n{items}</ol>\n" if items else "")
            + f"<details><summary>Answer</summary><p>{inline(right or 'Your own words.')}</p>"
            "</details>\n"
        )

    def page(self) -> str:
        """Return the whole page."""
        self._end_wire()
        return "".join(self._parts) + "</html>\n"


def inline(text: str) -> str:
    """Return a line of Markdown as HTML: code, strong and emphasis; all else is text."""
    pieces = _CODE.split(text)
    for index, piece in enumerate(pieces):
        if index % 2:
            pieces[index] = f"<code>{escape(piece)}</code>"
        else:
            strong = _STRONG.sub(r"<strong>\1</strong>", escape(piece))
            pieces[index] = _EMPHASIS.sub(r"<em>\1</em>", strong)
    return "".join(pieces)


async def render_html(lesson: Lesson) -> tuple[str, tuple[str, ...]]:
    """Return a lesson as an HTML page, and what is wrong with its solution."""
    page = Page(lesson)
    performance = await perform(lesson, audience=page)
    return page.page(), performance.complaints(lesson)


def guide(lesson: Lesson, answers: Answers | None = None) -> list[str]:
    """Return the teacher's notes, questions and answers of a lesson as Markdown.

    `answers` are those of a class to open questions, by item: pairs of a student's id and a text.
    """
    lines = [f"# {lesson.title}", ""]
    facts = [f"{lesson.minutes} minutes", f"level {lesson.level}", f"scenario {lesson.scenario}"]
    facts += [f"after {', '.join(lesson.needs)}"] if lesson.needs else []
    lines += [", ".join(facts), ""]
    for number, step in enumerate(lesson.steps, 1):
        lines += [f"## Step {number}: {step.title}", ""]
        for block in step.blocks:
            lines += _for_teachers(block, step.id, answers or {})
    return lines


def _for_teachers(block: object, step: str, answers: Answers) -> list[str]:
    from smtpshell.tutor.lesson import Ask, Teacher

    if isinstance(block, Teacher):
        return [*block.lines, ""]
    if not isinstance(block, Ask):
        return []
    lines = [f"**Question {block.id}:** {' '.join(block.question)}", ""]
    for answer in block.answers:
        mark = "right" if answer.kind in "=x" else "wrong"
        lines.append(f"- {mark}: {answer.text}{f' ({answer.says})' if answer.says else ''}")
    if block.words:
        lines.append(f"- open: about {block.words} words, for you to mark")
        lines += ["", *answer_lines(answers.get(f"{step}/{block.id}", ()))]
    return [*lines, ""]
