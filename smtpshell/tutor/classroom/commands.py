"""`smtpshell classroom`: what a teacher does while a class works.

smtpshell classroom serve --students N --lesson NAME [--listen ADDRESS] [--port BASE] [--pairs]
smtpshell classroom watch [--log FILE]
smtpshell classroom ports [ID ...]
smtpshell classroom say TEXT
smtpshell classroom pause [on|off]
smtpshell classroom demo [stop]
smtpshell classroom reset ID ...

Exit status: 0 good, 1 something was not done, 2 usage, 3 environment.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from smtpshell.protocol.errors import FileError, SmtpshellError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtpshell.conversation.settings import Settings

USAGE, ENVIRONMENT = 2, 3

WORDS: dict[str, tuple[str, str]] = {
    "serve": ("a world for each student", "serving:main"),
    "watch": ("what the class does, line by line", "watching:main"),
    "ports": ("where each host listens, and for whom", "ports:main"),
    "say": ("tell something to all who are connected", "telling:say"),
    "pause": ("put off what students do, or let them go on", "telling:pause"),
    "demo": ("show the lesson's own solution", "telling:demo"),
    "reset": ("a new world for a student", "telling:reset"),
}
"""Every word behind `smtpshell classroom`: what it does, and "module:function" in this package."""


def usage() -> str:
    """Return the help of the sub-command."""
    rows = "".join(f"  {name:<7} {summary}\n" for name, (summary, _) in WORDS.items())
    return (
        f"usage: smtpshell classroom WORD ...\n\n{rows}\n"
        "smtpshell classroom WORD --help tells the rest. submit and grade go with it.\n"
        "All but serve speak to the server of the same user on the same machine.\n"
        "Exit status: 0 good, 1 something was not done, 2 usage, 3 environment."
    )


def _handler(words: list[str]) -> Callable[[list[str], Settings], int]:
    if not words or words[0] not in WORDS:
        known = ", ".join(WORDS)
        what = f"it knows no word {words[0]!r}" if words else "no word says what to do"
        raise UsageError(what, "classroom", f"Say one of: {known}.")
    module, _, function = WORDS[words[0]][1].partition(":")
    room = import_module(f"{__package__}.{module}")
    handler: Callable[[list[str], Settings], int] = getattr(room, function)
    return handler


def main(words: list[str], settings: Settings) -> int:
    """Do what the first word says; returns the exit status."""
    if words and words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    try:
        return _handler(words)(words[1:], settings)
    except UsageError as error:
        raise UsageError(error.what, error.where, error.next, status=USAGE) from error
    except FileError as error:
        raise SmtpshellError(error.what, error.where, error.next, status=ENVIRONMENT) from error
