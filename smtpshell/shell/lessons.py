"""`smtpshell lesson`: the tutor's sub-command, with this shell to play lessons in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smtpshell.conversation.guest import Guest
    from smtpshell.conversation.settings import Settings


def main(words: list[str], settings: Settings) -> int:
    """Do what `smtpshell lesson WORD ...` says and return the exit status."""
    from smtpshell.tutor.lessons import main as lesson

    return lesson(words, settings, _play)


def _play(guest: Guest, settings: Settings) -> int:
    from smtpshell.shell.app import interact

    return interact(None, settings, guest)
