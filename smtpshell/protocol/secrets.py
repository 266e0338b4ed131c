"""What may never be shown, decided by where a session stands and not by what a text looks like.

The arguments of AUTH behind the mechanism's name (the initial response, RFC 4954 section 4), every
line that answers a 334 and the address in BURL (it carries a right of access, RFC 4467) are secret,
whatever they hold: base64 counts as clear text. They are replaced before an event is made, so that
no sink ever holds them.
"""

from __future__ import annotations

from smtpshell.protocol.grammar import matches
from smtpshell.protocol.verbs import EVERYTHING, VERBS

HIDDEN = "[hidden]"
"""Stands in the place of what is secret."""

CANCEL = "*"
"""The one answer to a challenge that gives nothing away: it gives up (RFC 4954 section 4)."""


# sasl-mech = 1*20(UPPER-ALPHA / DIGIT / HYPHEN / UNDERSCORE)      RFC 4422 section 3.1
_MECHANISM = "[A-Za-z0-9_-]{1,20}"


def is_mechanism(word: str) -> bool:
    """Tell whether a word can be the name of a mechanism, in any case."""
    return matches(_MECHANISM, word)


def redact_command(line: str) -> str:
    """Return a command line with its secret arguments hidden.

    What stands in the mechanism's place but cannot be one may be a response that was typed too
    early; it is hidden too.

    >>> redact_command("AUTH PLAIN AGFsaWNlAHNlY3JldA==")
    'AUTH PLAIN [hidden]'
    >>> redact_command("AUTH LOGIN")
    'AUTH LOGIN'
    >>> redact_command("AUTH AGFsaWNlAHNlY3JldA==")
    'AUTH [hidden]'
    """
    verb, *arguments = line.split(None, 2)
    row = VERBS.get(verb.upper())
    if row is None or not row.secret or not arguments:
        return line
    shown = 0 if row.secret == EVERYTHING or not is_mechanism(arguments[0]) else 1
    if [word.strip() for word in arguments[shown:]] in ([], ["="]):  # "=" is an empty response
        return line
    head = line[: len(line) - len(line.lstrip()) + len(verb)]
    if shown:
        start = line.index(arguments[0], len(head)) + len(arguments[0])
        head = line[:start]
    return f"{head} {HIDDEN}"


def redact_answer(line: str) -> str:
    """Return a line that answers a 334, hidden unless it is empty or gives up."""
    return line if line in ("", CANCEL) else HIDDEN
