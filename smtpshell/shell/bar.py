"""The bar at the bottom: the syntax of the verb being typed, or else how the session stands.

On the right are the keys that toggle something. In a narrow window the keys go first, then the
summary, then the section; the syntax stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.keys import KEYS
from smtpshell.conversation.local import LOCAL
from smtpshell.protocol.commands import VERBS
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass
from smtpshell.shell.fragments import Fragment, Line, shortened, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtpshell.conversation.guest import GuestCommand
    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.session import Snapshot

WAYS_OUT: dict[str, str] = {
    "data": "message data: a dot alone on a line ends it; Ctrl-] for a /command",
    "octets": "chunk octets: they go out as they are; Ctrl-] for a /command",
    "answer": "answer to a challenge: base64, hidden; * cancels the login; Ctrl-] for a /command",
    "local": "one /command, then back; an empty line goes back at once",
    "question": "Ctrl-C gives up",
    "asking": "your answer, or a /command",
    "closed": "not connected: /connect HOST opens a connection",
}
"""What the bar says in each mode but that of commands: where you are and how to get out."""

MORE: dict[str, str] = {"closed": "   /connect practice needs no network, ? helps"}
"""What it says besides, where there is room."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the bar is drawn from: the kind of prompt, the line so far, and what is known."""

    kind: str
    text: str
    now: Snapshot
    settings: Settings
    verified: bool | None = None
    guest: Mapping[str, GuestCommand] | None = None


def bar_line(moment: Moment, width: int) -> Line:
    """Return the bar, fitted to a width."""
    left = _left(moment)
    while width_of(left) > width and len(left) > 1:
        left.pop()
    if width_of(left) > width:
        style, text = left[0]
        left = [(style, shortened(text, width))]
    keys = key_hints(moment.settings)
    while keys and width_of(left) + width_of(keys) + 2 > width:
        keys = keys[:-2]
    room = width - width_of(left) - width_of(keys)
    return [*left, ("", " " * max(0, room)), *keys]


def _left(moment: Moment) -> Line:
    text = moment.text
    if moment.kind in ("command", "local", "closed", "asking") and text.startswith("/"):
        found = _local(text, moment)
        if found:
            return found
    if moment.kind in WAYS_OUT:
        more = MORE.get(moment.kind, "")
        return [("bar.syntax", WAYS_OUT[moment.kind]), *([("", more)] if more else [])]
    return _verb(text, moment) or _session(moment)


def _local(text: str, moment: Moment) -> Line:
    name = text[1:].partition(" ")[0].lower()
    guest = (moment.guest or {}).get(name)
    command = guest or LOCAL.get(name)
    if command is None:
        return []
    syntax = f"/{command.name} {command.syntax}".strip()
    return [("bar.syntax", syntax), ("", f"   {command.summary}")]


def _verb(text: str, moment: Moment) -> Line:
    word = text.strip().partition(" ")[0].upper()
    verb = VERBS.get(word)
    if verb is None:
        return []
    line: Line = [("bar.syntax", verb.syntax)]
    extensions = moment.now.extensions
    if moment.now.state.name not in verb.states:
        line.append(("bar.warn", "  out of order now"))
    elif verb.keyword and extensions is not None and verb.keyword not in extensions:
        line.append(("bar.warn", f"  {verb.keyword} not announced"))
    return [*line, ("", f", {verb.section}"), ("", f"   {verb.summary}")]


def _session(moment: Moment) -> Line:
    now = moment.now
    line: Line = [("bar.syntax", now.state.value)]
    line.append(_tls(moment))
    if now.user is not None:
        line.append(("", f"   user {visible(now.user) or '(unnamed)'}"))
    if now.lmtp:
        line.append(("", "   LMTP"))
    if not moment.settings.stuffing and moment.guest is None:
        line.append(("bar.warn", "   stuffing off"))
    return line


def _tls(moment: Moment) -> Fragment:
    if not moment.now.tls:
        return ("", "   no TLS")
    if moment.verified is False:
        return ("bar.warn", "   TLS, certificate NOT good")
    return ("", "   TLS")


def key_hints(settings: Settings) -> Line:
    """Return the keys of the table that have a word for the bar, with what they are set to."""
    values = {"notes": settings.notes, "timing": settings.told("timing"), "keys": settings["keys"]}
    line: Line = []
    for key in KEYS:
        if key.bar:
            value = f" {values[key.bar]}" if key.bar in values else ""
            line += [("bar.key", f" {key.shown}"), ("", f" {key.bar}{value} ")]
    return line
