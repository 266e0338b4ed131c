"""`smtpshell lesson`: list the lessons, play one, let one play itself, prove them.

    smtpshell lesson [list]
    smtpshell lesson NAME [--seed N] [--quiz]
    smtpshell lesson demo NAME
    smtpshell lesson check [NAME|FILE ...] [--json] [--junit FILE]
    smtpshell lesson replay LESSON TARGET [--send] [--set NAME=VALUE] [--junit FILE] [--json]
    smtpshell lesson progress [delete [NAME]]

Exit status: 0 good, 1 a lesson is wrong, 2 usage or syntax, 3 environment.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from smtpshell.protocol.errors import FileError, SmtpshellError, UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from smtpshell.conversation.guest import Guest
    from smtpshell.conversation.options import Parser
    from smtpshell.conversation.settings import Settings
    from smtpshell.tutor.lesson import Lesson

GOOD, WRONG, SYNTAX, ENVIRONMENT = 0, 1, 2, 3
SEED_DIGITS = 18
"""Digits of the largest seed that is taken."""

Handler = Callable[[list[str], "Settings"], int]
Interact = Callable[["Guest", "Settings"], int]


def main(words: list[str], settings: Settings, interact: Interact | None = None) -> int:
    """Do what `smtpshell lesson WORD ...` says and return the exit status.

    `interact(guest, settings)` opens a shell with a guest; it plays lessons where there is a
    terminal.
    """
    if words and words[0] in ("-h", "--help", "help"):
        print(usage())
        return GOOD
    try:
        if not words:
            return list_lessons([], settings)
        if words[0] == "preview":
            return preview(words[1:], settings, interact)
        handler = WORDS.get(words[0])
        if handler is not None:
            return handler[1](words[1:], settings)
        return play(words, settings, interact)
    except UsageError as error:
        raise UsageError(error.what, error.where, error.next, status=SYNTAX) from error
    except FileError as error:
        raise SmtpshellError(error.what, error.where, error.next, status=ENVIRONMENT) from error


def usage() -> str:
    """Return the help of the sub-command."""
    rows = "".join(f"  {name:<9} {summary}\n" for name, (summary, _) in WORDS.items())
    return (
        "usage: smtpshell lesson [NAME | WORD ...]\n\n"
        f"  {'NAME':<9} play a lesson; a number or a file will do as well\n"
        f"  {'':<9} --quiz asks only its questions, --seed N takes another variant,\n"
        f"  {'':<9} --lang de takes a translation; without it LANG does\n{rows}\n"
        "smtpshell lesson WORD --help tells the rest.\n"
        "Exit status: 0 good, 1 a lesson is wrong, 2 usage or syntax, 3 environment."
    )


def list_lessons(words: list[str], settings: Settings) -> int:
    """Print one line for each lesson: number, name, title, minutes, and how far the learner is."""
    from smtpshell.tutor.library import in_language, lesson_paths, name_of
    from smtpshell.tutor.progress import how_far
    from smtpshell.tutor.reader import read_file

    if words:
        raise UsageError("lesson list takes no argument", words[0])
    for path in lesson_paths():
        lesson = read_file(in_language(path))
        number = path.stem.partition("-")[0]
        far = how_far(lesson.id, lesson.steps.__len__)
        facts = {
            "lesson": lesson.id,
            "number": int(number),
            "title": lesson.title,
            "minutes": lesson.minutes,
            "level": lesson.level,
            "steps": len(lesson.steps),
            "progress": far or None,
        }
        if settings.json:
            from smtpshell.transcript.jsonl import as_json

            print(as_json(facts))
        else:
            told = f" ({far})" if far else ""
            print(f"{number}  {name_of(path):<23} {lesson.minutes:>3} min  {lesson.title}{told}")
    if not settings.json and not settings.quiet:
        print("Play one with: smtpshell lesson NAME")
    return GOOD


def demo(words: list[str], settings: Settings) -> int:
    """Let lessons play themselves; their canonical solutions go over a real connection."""
    from smtpshell.tutor.demonstration import demonstrate
    from smtpshell.tutor.library import load

    parser = _parser("demo", "Let a lesson play itself.")
    options = parser.parse_args(words)
    return asyncio.run(demonstrate(load(options.lesson, options.lang), settings))


def check(words: list[str], settings: Settings) -> int:
    """Prove lessons, all that are shipped unless some are named."""
    from smtpshell.tutor.checking import main as check_main

    return check_main(words, settings)


def play(words: list[str], settings: Settings, interact: Interact | None) -> int:
    """Play a lesson in the shell, or with lines from standard input where there is no terminal."""
    lesson, seed, options = chosen(words, settings)
    if options.quiz:
        from smtpshell.tutor.quiz import main as quiz_main

        return quiz_main(lesson, settings, seed)
    terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    if terminal and interact is not None:
        from smtpshell.tutor.guest import LessonGuest
        from smtpshell.tutor.progress import Progress

        return interact(LessonGuest(lesson, Progress.of(lesson.id), seed=seed), settings)
    from smtpshell.tutor.unattended import play_lines

    return asyncio.run(play_lines(lesson, settings, seed=seed))


def chosen(words: list[str], settings: Settings) -> tuple[Lesson, int, Namespace]:
    """Return the lesson that words name, the learner's seed, and the options as they were given."""
    from smtpshell.tutor.classroom.submission import seed_of
    from smtpshell.tutor.library import load

    options = _play_parser().parse_args(words)
    lesson = load(options.lesson, options.lang)
    seed = seed_of(settings.told("student")) if options.seed is None else options.seed
    return lesson, seed, options


def _parser(word: str, description: str) -> Parser:
    """Return a parser for one lesson in a language of one's choice."""
    from smtpshell.conversation.options import Parser

    parser = Parser(prog=f"smtpshell lesson {word}".rstrip(), description=description)
    parser.add_argument("lesson", metavar="NAME", help="a name, a number or a file")
    parser.add_argument(
        "--lang",
        default="",
        metavar="de",
        help="a translation; without it, by LANG as far as there is one",
    )
    return parser


def _play_parser() -> Parser:
    parser = _parser("", "Play a lesson.")
    parser.add_argument("--quiz", action="store_true", help="ask only the questions")
    parser.add_argument(
        "--seed",
        type=_seed,
        metavar="N",
        help="which variant of a lesson that has some; without it, by your student id",
    )
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal() or len(text) > SEED_DIGITS:
        raise UsageError("a seed is a whole number", f"--seed {text}", "Write --seed 7.")
    return int(text)


def replay(words: list[str], settings: Settings) -> int:
    """Hold a real server to a lesson."""
    from smtpshell.tutor.replaying import main as replay_main

    return replay_main(words, settings)


def preview(words: list[str], settings: Settings, interact: Interact | None = None) -> int:
    """Show a lesson as a learner meets it, and play it from a step on."""
    from smtpshell.tutor.authoring.preview import main as preview_main

    return preview_main(words, settings, interact)


def _author(module: str, name: str = "main") -> Handler:
    """Return a handler of the author's room, which is loaded when it is used."""

    def handler(words: list[str], settings: Settings) -> int:
        from importlib import import_module

        tool: Handler = getattr(import_module(f"smtpshell.tutor.authoring.{module}"), name)
        return tool(words, settings)

    return handler


def progress(words: list[str], _settings: Settings) -> int:
    """Show what is kept of a learner's progress, or delete it, all of it or of one lesson."""
    from smtpshell.tutor import progress as logs
    from smtpshell.tutor.library import find
    from smtpshell.tutor.reader import read_file

    if (words and words[0] != "delete") or len(words) > 2:
        raise UsageError("lesson progress takes delete [NAME], or nothing", " ".join(words))
    if words:
        lesson = read_file(find(words[1])).id if len(words) > 1 else ""
        for path in logs.delete(lesson):
            print(f"Deleted {path}.")
        return GOOD
    for path in logs.kept():
        state = logs.Progress(path).state()
        how = "done" if state.finished else f"{len(state.steps)} steps done"
        print(f"{path.stem}: {how}, kept in {path}")
    return GOOD


WORDS: dict[str, tuple[str, Handler]] = {
    "list": ("list the lessons", list_lessons),
    "demo": ("NAME: the lesson plays itself", demo),
    "replay": ("LESSON TARGET [--send] ...: hold a real server to a lesson", replay),
    "progress": ("[delete [NAME]]: show or delete what is kept of you", progress),
    "check": ("[NAME|FILE ...] [--json] [--junit FILE]: prove lessons", check),
    "new": ("FILE.md [--scenario NAME]: begin a lesson of your own", _author("commands", "new")),
    "format": ("the format of lessons on one page", _author("commands", "format_")),
    "record": ("FILE.md [TARGET]: make a lesson of a session", _author("commands", "record")),
    "preview": ("NAME [--step ID] [--teacher]: what a learner sees, from a step on", preview),
    "accept": ("NAME [--step ID] [--dry-run]: take over the server's words", _author("accept")),
    "i18n": ("extract NAME, merge NAME FILE.po: translate a lesson", _author("i18n")),
    "render": ("NAME --to text|html|cast|vhs|srt: to read or to watch", _author("render")),
    "guide": ("[NAME ...] [--answers FOLDER]: the teacher's booklet", _author("commands", "guide")),
}
"""Every word behind `smtpshell lesson`; no lesson may be called by one of them."""
