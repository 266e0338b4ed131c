"""`classroom say`, `pause`, `demo` and `reset`: what a teacher tells the server that runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.text import visible
from smtpshell.tutor.classroom.asking import EVERYBODY, ask
from smtpshell.tutor.classroom.bulletin import check_text
from smtpshell.tutor.classroom.demo import PACE, SLOWEST

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings


def say(words: list[str], settings: Settings) -> int:
    """Do `classroom say TEXT`; returns the exit status."""
    parser = Parser(
        prog="smtpshell classroom say",
        description="Tell something to all students who are connected. A server of SMTP speaks\n"
        "only when it is asked, so it comes with the next reply, as one more line:\n\n"
        "  C: MAIL TO:<bob@practice.example>\n"
        "  S: 501-5.5.4 Syntax: MAIL FROM:<address>\n"
        "  S: 501 5.5.4 Teacher: look at step 3 again\n\n"
        "not with EHLO, AUTH, STARTTLS or BDAT, where more lines would mean something else.\n"
        "HELP CLASS repeats it to anybody.",
        allow_abbrev=False,
    )
    parser.add_argument("text", nargs="+", metavar="TEXT", help="one line of ASCII")
    text = check_text(" ".join(parser.parse_args(words).text))
    answer = _answer(["say", text], settings)
    reached = answer.get("reached", 0)
    _tell(f"It waits for {reached} connection{'' if reached == 1 else 's'}.", settings)
    return 0


def pause(words: list[str], settings: Settings) -> int:
    """Do `classroom pause [on|off]`; returns the exit status."""
    parser = Parser(
        prog="smtpshell classroom pause",
        description="Put off what students do, with 450 to every command but NOOP, HELP, RSET and\n"
        "QUIT. Sessions stay open, and nobody is stuck meanwhile. `off` lets them go on.",
        allow_abbrev=False,
    )
    parser.add_argument("state", nargs="?", choices=("on", "off"), default="on")
    answer = _answer(["pause", parser.parse_args(words).state], settings)
    _tell("The class is paused." if answer.get("paused") else "The class goes on.", settings)
    return 0


def demo(words: list[str], settings: Settings) -> int:
    """Do `classroom demo [--every SECONDS] [stop]`; returns the exit status."""
    parser = Parser(
        prog="smtpshell classroom demo",
        description="Show the lesson's own solution, line by line, to whoever runs\n"
        "`smtpshell classroom watch`; students see it with HELP DEMO. `stop` ends it.",
        allow_abbrev=False,
    )
    parser.add_argument("stop", nargs="?", choices=("stop",))
    parser.add_argument(
        "--every", metavar="SECONDS", type=float, default=PACE, help=f"{PACE:g} by default"
    )
    options = parser.parse_args(words)
    if not 0 < options.every <= SLOWEST:
        raise UsageError(f"a line every 0 to {SLOWEST:.0f} seconds", "--every")
    if options.stop:
        stopped = _answer(["demo", "stop"], settings).get("stopped")
        _tell("Stopped." if stopped else "There was nothing to stop.", settings)
    else:
        steps = _answer(["demo", str(options.every)], settings).get("steps", 0)
        _tell(f"It plays: {steps} steps. smtpshell classroom watch shows it.", settings)
    return 0


def reset(words: list[str], settings: Settings) -> int:
    """Do `classroom reset ID ...`; returns the exit status."""
    parser = Parser(
        prog="smtpshell classroom reset",
        description="Give students of the running classroom server a new world.",
        allow_abbrev=False,
    )
    parser.add_argument("students", nargs="+", metavar="ID", help=f"their ids, or {EVERYBODY}")
    options = parser.parse_args(words)
    answer = _answer(["reset", *options.students], settings)
    done, unknown = answer.get("reset") or [], answer.get("unknown") or []
    for name in unknown:
        _tell(f"{name}: no such student.", settings)
    if done and not settings.quiet:
        _tell(f"Begun again: {', '.join(done)}.", settings)
    return 1 if unknown or not done else 0


def _answer(words: list[str], settings: Settings) -> dict[str, Any]:
    answer = asyncio.run(ask(words))
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        print(as_json(answer))
    return answer


def _tell(text: str, settings: Settings) -> None:
    if not settings.json:
        print(visible(text, ascii_only=settings.plain))
