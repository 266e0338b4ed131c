"""The author's tools of `smtpshell lesson`: new, format, render, guide, record."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import UsageError
from smtpshell.tutor.authoring.writing import write_new

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings

GOOD, WRONG = 0, 1


def new(words: list[str], settings: Settings) -> int:
    """Write the file of a new lesson, which works as it is."""
    from smtpshell.practice.library import load_scenario
    from smtpshell.tutor.authoring.template import new_lesson

    parser = Parser(prog="smtpshell lesson new", description="Write a new lesson.")
    parser.add_argument("file", metavar="FILE.md", help="its name, after a number, is the id")
    parser.add_argument("--scenario", default="plain", help="the world it plays in")
    options = parser.parse_args(words)
    path = Path(options.file)
    name = re.sub(r"^[0-9]+-", "", path.stem)
    if path.suffix != ".md" or not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise UsageError(
            "a lesson's file is lower case letters, digits and hyphens, and ends in .md",
            options.file,
            "Write lesson new 21-my-lesson.md.",
        )
    load_scenario(options.scenario)
    write_new(path, new_lesson(name, options.scenario))
    if not settings.quiet:
        print(f"Wrote {path}. smtpshell lesson check {path} proves it; lesson format explains it.")
    return GOOD


def format_(words: list[str], _settings: Settings) -> int:
    """Print the format of lessons on one page."""
    from smtpshell.tutor.authoring.template import reference

    if words:
        raise UsageError("lesson format takes no argument", words[0])
    print(reference(), end="")
    return GOOD


def guide(words: list[str], _settings: Settings) -> int:
    """Print the teacher's booklet of the named lessons, or of the whole course, as Markdown."""
    from smtpshell.tutor.authoring.answers import read_answers
    from smtpshell.tutor.authoring.rendering import guide as guide_lines
    from smtpshell.tutor.library import in_language, lesson_paths, load
    from smtpshell.tutor.reader import read_file

    parser = Parser(
        prog="smtpshell lesson guide",
        description="Print the teacher's booklet: notes, questions and right answers, as Markdown.",
    )
    parser.add_argument("lessons", metavar="NAME", nargs="*", help="all lessons by default")
    parser.add_argument(
        "--answers",
        metavar="FOLDER|FILE",
        help="submissions, or what grade --json-file made of them: the class's answers to open "
        "questions stand under each, to be marked",
    )
    options = parser.parse_args(words)
    answers, refused = read_answers(Path(options.answers)) if options.answers else ({}, [])
    lessons = [load(name) for name in options.lessons]
    for lesson in lessons or [read_file(in_language(path)) for path in lesson_paths()]:
        print("\n".join(guide_lines(lesson, answers.get(lesson.id, {}))))
    for problem in refused:
        print(f"smtpshell: {problem}", file=sys.stderr)
    return WRONG if refused else GOOD


def record(words: list[str], settings: Settings) -> int:
    """Send the lines of standard input to a server, and make the skeleton of a lesson of it."""
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.operations import options_from
    from smtpshell.conversation.script import ScriptDesk, lines_of, run_script
    from smtpshell.tutor.recording import as_lesson

    parser = Parser(
        prog="smtpshell lesson record",
        description="Make a lesson of a session read from standard input. In the shell, /save "
        "FILE.md does it at any moment.",
    )
    parser.add_argument("file", metavar="FILE.md")
    parser.add_argument("target", metavar="TARGET", nargs="?", default="practice")
    options = parser.parse_args(words)

    async def session() -> list[str]:
        conversation = Conversation(options_from(settings))
        desk = ScriptDesk(conversation, settings, sys.stdout, sys.stderr)
        await run_script(desk, options.target, lines_of([("stdin", "-")]))
        return as_lesson(conversation.log.events)

    lines = asyncio.run(session())
    write_new(Path(options.file), "".join(f"{line}\n" for line in lines))
    if not settings.quiet and not settings.json:
        print(f"# Wrote {options.file}. Fill in its gaps; smtpshell lesson check tells which.")
    return GOOD
