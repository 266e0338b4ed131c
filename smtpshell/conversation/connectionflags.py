"""The command line's options about connecting: those rows of the settings that have a spelling.

The front door and `send` take the same ones, because both add them from here.
"""

from __future__ import annotations

import argparse

from smtpshell.conversation.settings import SETTINGS
from smtpshell.protocol.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from smtpshell.conversation.settings import Setting, Settings

ALLOW_CLEARTEXT = "--allow-cleartext-auth"
"""The flag that says yes in advance to a password over a channel that others may read."""

_PASSWORDS = ("-ap", "--password", "--auth-password")
_ADVICE = (
    "An argument can be read by every user of the machine (ps). "
    "Use --password-file, --password-command, SMTPSHELL_PASSWORD or ~/.netrc."
)


class _NoPassword(argparse.Action):
    """Refuses a password as an argument, without repeating it."""

    def __call__(self, *_: object, **__: object) -> None:
        """Refuse."""
        raise UsageError("a password is never taken as an argument", self.dest, _ADVICE)


class _Set(argparse.Action):
    """Collects settings: pairs of a setting's name and the text of its value, with the spelling."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option: str | None = None,
    ) -> None:
        """Collect one."""
        text = self.const if self.nargs == 0 else str(values)
        given = [*(getattr(namespace, "given", None) or []), (self.dest, text, option or "")]
        namespace.given = given


def add_connection_flags(parser: argparse.ArgumentParser) -> None:
    """Add every setting's options to a parser."""
    group = parser.add_argument_group("connection, TLS and login")
    for row in SETTINGS.values():
        _add(group, row)
    group.add_argument(
        ALLOW_CLEARTEXT, action="store_true", help="send a password over a bad channel"
    )
    group.add_argument(*_PASSWORDS, nargs="?", action=_NoPassword, help=argparse.SUPPRESS)


def _add(group: argparse._ArgumentGroup, row: Setting) -> None:
    if row.flags:
        group.add_argument(
            *row.flags,
            dest=row.name,
            action=_Set,
            default=argparse.SUPPRESS,
            metavar="|".join(row.values) or row.kind.upper() or "VALUE",
            help=row.summary,
        )
    for flag, value, summary in row.switches:
        group.add_argument(
            flag,
            dest=row.name,
            action=_Set,
            nargs=0,
            const=value,
            default=argparse.SUPPRESS,
            help=summary,
        )


def take_connection_flags(options: argparse.Namespace, settings: Settings) -> frozenset[str]:
    """Set what was given on the command line; return the names of it. Raises `UsageError`."""
    given: list[tuple[str, str, str]] = getattr(options, "given", None) or []
    for name, text, option in given:
        settings.set(name, text, option)
    if options.allow_cleartext_auth:
        settings.allowed |= {ALLOW_CLEARTEXT}
    return frozenset(name for name, _, _ in given)
