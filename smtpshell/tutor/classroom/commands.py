"""`smtpshell classroom`: what a teacher does while a class works.

smtpshell classroom serve --students N --lesson NAME [--listen ADDRESS] [--port BASE]
smtpshell classroom watch --log FILE
smtpshell classroom reset ID ...

Exit status: 0 good, 1 something was not done, 2 usage, 3 environment.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from smtpshell.protocol.errors import FileError, SmtpshellError, UsageError

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings

USAGE, ENVIRONMENT = 2, 3

WORDS: dict[str, tuple[str, str]] = {
    "serve": ("a world for each student, by port", "smtpshell.tutor.classroom.serving"),
    "watch": ("what the class does, from the server's log", "smtpshell.tutor.classroom.watching"),
    "reset": ("a new world for a student", "smtpshell.tutor.classroom.control"),
}
"""Every word behind `smtpshell classroom`: what it does, and the module whose `main` does it."""


def usage() -> str:
    """Return the help of the sub-command."""
    rows = "".join(f"  {name:<7} {summary}\n" for name, (summary, _) in WORDS.items())
    return (
        f"usage: smtpshell classroom WORD ...\n\n{rows}\n"
        "smtpshell classroom WORD --help tells the rest. submit and grade go with it.\n"
        "Exit status: 0 good, 1 something was not done, 2 usage, 3 environment."
    )


def _module(words: list[str]) -> str:
    if not words or words[0] not in WORDS:
        known = ", ".join(WORDS)
        raise UsageError("what shall the classroom do?", "classroom", f"Say one of: {known}.")
    return WORDS[words[0]][1]


def main(words: list[str], settings: Settings) -> int:
    """Do what the first word says; returns the exit status."""
    if words and words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    try:
        return int(import_module(_module(words)).main(words[1:], settings))
    except UsageError as error:
        raise UsageError(error.what, error.where, error.next, status=USAGE) from error
    except FileError as error:
        raise SmtpshellError(error.what, error.where, error.next, status=ENVIRONMENT) from error
