"""`smtpshell lesson render`: a lesson as a page to read, or as a recording to watch."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import UsageError

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.tutor.lesson import Lesson

GOOD, WRONG = 0, 1
VERSIONS = (2, 3)
SIZES = range(20, 501)

Rendered = tuple[str, tuple[str, ...]]
"""What is printed, and what is wrong with the lesson's solution."""


def main(words: list[str], settings: Settings) -> int:
    """Do what `smtpshell lesson render` says and return the exit status."""
    from smtpshell.tutor.library import load

    parser = Parser(
        prog="smtpshell lesson render",
        description="Print a lesson as a page to read or as a recording to watch. The "
        "conversation in it is the one that the canonical solution really has.",
    )
    parser.add_argument("lesson", metavar="NAME|FILE")
    parser.add_argument("--to", choices=("text", *FORMS), default="text")
    parser.add_argument("--lang", default="", metavar="de", help="a translation")
    parser.add_argument(
        "--cast-version", type=int, choices=VERSIONS, default=2, help="of the asciicast: 2 or 3"
    )
    parser.add_argument("--columns", type=int, default=80, metavar="N", help="of the recording")
    parser.add_argument("--rows", type=int, default=24, metavar="N", help="of the recording")
    options = parser.parse_args(words)
    if options.columns not in SIZES or options.rows not in SIZES:
        raise UsageError("a terminal has 20 to 500 columns and rows", "--columns, --rows")
    lesson = load(options.lesson, options.lang)
    if options.to == "text":
        from smtpshell.tutor.demonstration import demonstrate

        return asyncio.run(demonstrate(lesson, settings))
    text, problems = asyncio.run(FORMS[options.to](lesson, settings, options))
    sys.stdout.write(text)
    for problem in problems:
        print(f"smtpshell: {problem}", file=sys.stderr)
    return WRONG if problems else GOOD


async def _html(lesson: Lesson, _settings: Settings, _options: Any) -> Rendered:  # noqa: ANN401 - argparse
    from smtpshell.tutor.authoring.rendering import render_html

    return await render_html(lesson)


async def _cast(lesson: Lesson, settings: Settings, options: Any) -> Rendered:  # noqa: ANN401 - argparse
    from smtpshell.tutor.authoring.recordings import cast
    from smtpshell.tutor.authoring.timeline import timeline

    found, performance = await timeline(lesson, settings)
    size = {"columns": options.columns, "rows": options.rows}
    text = cast(found, lesson.title, version=options.cast_version, **size)
    return text, performance.complaints(lesson)


async def _captions(lesson: Lesson, settings: Settings, _options: Any) -> Rendered:  # noqa: ANN401 - argparse
    from smtpshell.tutor.authoring.recordings import captions
    from smtpshell.tutor.authoring.timeline import timeline

    found, performance = await timeline(lesson, settings)
    return captions(found), performance.complaints(lesson)


async def _tape(lesson: Lesson, _settings: Settings, options: Any) -> Rendered:  # noqa: ANN401 - argparse
    from smtpshell.tutor.authoring.recordings import tape
    from smtpshell.tutor.performance import perform

    performance = await perform(lesson)
    return tape(lesson, performance, options.lesson), performance.complaints(lesson)


FORMS: dict[str, Callable[[Lesson, Settings, Any], Coroutine[Any, Any, Rendered]]] = {
    "html": _html,
    "cast": _cast,
    "vhs": _tape,
    "srt": _captions,
}
"""What a lesson can be rendered to beside text, and what does it."""
