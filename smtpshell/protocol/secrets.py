"""What may never be shown, decided by where a session stands and not by what a text looks like.

The arguments of AUTH behind the mechanism's name (the initial response, RFC 4954 section 4) and
every line that answers a 334 are secret, whatever they hold: base64 counts as clear text. They
are replaced before an event is made, so that no sink ever holds them.
"""

from __future__ import annotations

HIDDEN = "[hidden]"
"""Stands in the place of what is secret."""

CANCEL = "*"
"""The one answer to a challenge that gives nothing away: it gives up (RFC 4954 section 4)."""


def redact_command(line: str) -> str:
    """Return an AUTH command line with everything behind the mechanism's name hidden.

    >>> redact_command("AUTH PLAIN AGFsaWNlAHNlY3JldA==")
    'AUTH PLAIN [hidden]'
    >>> redact_command("AUTH LOGIN")
    'AUTH LOGIN'
    """
    words = line.split(None, 2)
    if len(words) < 3 or words[2].strip() == "=":  # "=" is an empty response
        return line
    head = line[: line.index(words[2], len(words[0]) + len(words[1]))]
    return head + HIDDEN


def redact_answer(line: str) -> str:
    """Return a line that answers a 334, hidden unless it is empty or gives up."""
    return line if line in ("", CANCEL) else HIDDEN
