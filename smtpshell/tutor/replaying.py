"""`smtpshell lesson replay LESSON TARGET`: the command line of a replay, and its reports."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import SmtpshellError, UsageError
from smtpshell.protocol.events import Connected
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.events import Event
    from smtpshell.tutor.lesson import Lesson
    from smtpshell.tutor.replay import Result, Terms

GOOD, WRONG, SYNTAX, ENVIRONMENT = 0, 1, 2, 3


def main(words: list[str], settings: Settings) -> int:
    """Replay a lesson and return the exit status."""
    from smtpshell.tutor.library import load

    options = _parser().parse_args(words)
    lesson = load(options.lesson)
    if lesson.replay != "any":
        raise UsageError(
            f"the lesson {lesson.id} is for the practice server only",
            next="Lessons with 'replay: any' can be replayed elsewhere.",
        )
    from smtpshell.tutor.replay import Terms

    place = _scenario_place(options.save_scenario)
    values = lesson.values(0) | _known(lesson, pairs(options.set, "--set"), "--set")
    hidden = _known(lesson, pairs(options.secret, "--secret"), "--secret")
    secrets = {name: _secret(name, text) for name, text in hidden.items()}
    terms = Terms(options.send, options.classes, tuple(secrets.values()))
    settings.json = settings.json or options.json
    events: list[Event] = []
    results, answered = asyncio.run(
        replay_at(
            lesson,
            options.target,
            values | secrets,
            terms,
            settings,
            unverified=options.unverified,
            heard=events,
        )
    )
    if options.junit:
        from smtpshell.tutor.junit import write

        done = [(each.what, each.step, _problems(each)) for each in results if each.ok is not None]
        skipped = [(each.what, each.step, [each.problem]) for each in results if each.ok is None]
        write(Path(options.junit), f"{lesson.id} at {options.target}", done, skipped)
    if place is not None and any(isinstance(event, Connected) for event in events):
        from smtpshell.tutor.authoring.saving import save_scenario

        own = lesson.values(0)
        given = {
            text: own[name]
            for name, text in (values | secrets).items()
            if name in own and text != own[name]
        }
        save_scenario(place, f"A server as {lesson.id} found it", events, given, settings)
    if not answered:
        return ENVIRONMENT
    return WRONG if any(each.ok is False for each in results) else GOOD


def _parser() -> Parser:
    parser = Parser(
        prog="smtpshell lesson replay",
        description="Hold a real server to a lesson: the same lines are sent, the codes compared.",
    )
    parser.add_argument("lesson", metavar="LESSON", help="a name, a number or a file")
    parser.add_argument("target", metavar="TARGET", help="a server, as for smtpshell itself")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another value for var.NAME",
    )
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="NAME=env:VARIABLE",
        help="a value from the environment, hidden in every output",
    )
    parser.add_argument("--send", action="store_true", help="do not stop before the message")
    parser.add_argument(
        "--class", dest="classes", action="store_true", help="compare only first digits of codes"
    )
    parser.add_argument(
        "--unverified", action="store_true", help="go on where a certificate is bad"
    )
    parser.add_argument("--junit", metavar="FILE", help="write a JUnit report")
    parser.add_argument(
        "--save-scenario",
        metavar="FILE.toml",
        help="make a practice scenario that answers as this server does",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per result")
    return parser


def _scenario_place(name: str | None) -> Path | None:
    """Return where a scenario is to be saved, before anybody is connected to for it."""
    if name is None:
        return None
    path = Path(name)
    if not re.fullmatch(r"[a-z][a-z0-9-]*\.toml", path.name):
        raise UsageError(
            "a scenario's file is lower case letters, digits and hyphens, and ends in .toml",
            f"--save-scenario {name}",
            "Write --save-scenario mine.toml.",
        )
    if path.exists():
        raise UsageError("there is such a file already", f"--save-scenario {name}")
    return path


def pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """Return what `NAME=VALUE` texts say; raises `UsageError` that names the option."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError("it takes NAME=VALUE", f"{option} {text}")
        found[name] = value
    return found


def _known(lesson: Lesson, given: dict[str, str], option: str) -> dict[str, str]:
    """Return what was given if the lesson has all those names; else nobody would notice."""
    names = lesson.values(0)
    for name in given:
        if name not in names:
            known = f"It has {', '.join(names)}." if names else "It has none."
            raise UsageError(f"the lesson {lesson.id} has no var.{name}", f"{option} {name}", known)
    return given


def _secret(name: str, text: str) -> str:
    kind, _, variable = text.partition(":")
    if kind != "env" or not variable:
        raise UsageError(
            "a secret does not belong on a command line", "--secret", f"{name}=env:VARIABLE."
        )
    if variable not in os.environ:
        raise UsageError(f"the environment has no {variable}", f"--secret {name}")
    return os.environ[variable]


async def replay_at(
    lesson: Lesson,
    name: str,
    values: dict[str, str],
    terms: Terms,
    settings: Settings,
    *,
    unverified: bool,
    heard: list[Event] | None = None,
) -> tuple[list[Result], bool]:
    """Replay a lesson at a target and tell each result on standard output.

    Returns the results, and whether there was anybody to replay it to. The events of the
    conversation are put into `heard`. Raises `SmtpshellError`, status 3, where the target makes no
    sense.
    """
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.operations import options_from, resolve_target
    from smtpshell.conversation.script import ScriptDesk
    from smtpshell.conversation.terms import Broken, ReplyTimeout
    from smtpshell.tutor.replay import Replayer

    settings.set("tls", "optional" if unverified else "verify")
    conversation = Conversation(options_from(settings))
    quiet = settings.json or settings.quiet
    sink = open(os.devnull, "w", encoding="utf-8") if quiet else sys.stdout  # noqa: SIM115, PTH123 - closed below
    desk = ScriptDesk(conversation, settings, sink, sys.stderr)
    results: list[Result] = []
    try:
        target = await resolve_target(desk, name)
        replayer = Replayer(lesson, conversation, target, values, terms)
        async for result in replayer.run():
            results.append(result)
            _tell(result, lesson, settings)
    except (Broken, ReplyTimeout):
        return results, False  # an event has told it
    except SmtpshellError as error:
        raise SmtpshellError(error.what, error.where, error.next, status=ENVIRONMENT) from error
    finally:
        await conversation.close()
        if heard is not None:
            heard += conversation.log.events
        await desk.stop_practice()
        if quiet:
            sink.close()
    return results, True


_WORDS = {True: "ok", False: "FAILED", None: "skipped"}


def _problems(result: Result) -> list[str]:
    return [result.problem] if result.problem else []


def _tell(result: Result, lesson: Lesson, settings: Settings) -> None:
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        facts = {
            "lesson": lesson.id,
            "step": result.step,
            "line": result.line,
            "what": result.what,
            "ok": result.ok,
            "problem": result.problem or None,
            "differs": list(result.differs),
        }
        print(as_json(facts), flush=True)
        return
    why = f": {result.problem}" if result.problem else ""
    text = f"# {_WORDS[result.ok]} {result.step}: {result.what}{why}"
    print(visible(text, ascii_only=settings.plain), flush=True)
    for differs in result.differs:
        print(visible(f"# differs: {differs}", ascii_only=settings.plain), flush=True)
