"""`smtpshell lesson` with a terminal: the tutor's sub-command, and the shell to play in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.tutor import lessons

if TYPE_CHECKING:
    from smtpshell.conversation.guest import Guest
    from smtpshell.conversation.settings import Settings


def main(words: list[str], settings: Settings) -> int:
    """Do what `smtpshell lesson WORD ...` says and return the exit status."""
    return lessons.main(words, settings, _interact)


def _interact(guest: Guest, settings: Settings) -> int:
    from smtpshell.shell.app import interact

    return interact(None, settings, guest)
