"""The keys of the shell: one table for the bindings, the bar, the help and the documentation."""

from __future__ import annotations

from smtpshell.protocol.values import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One key: how it is shown, what it does, the action it is bound to, and a word for the bar.

    `action` names a function of the shell's key room; "" marks what the line editor does by itself.
    """

    shown: str
    summary: str
    action: str = ""
    bar: str = ""


KEYS: tuple[Key, ...] = (
    Key("Enter", "send the line; take a selected completion without sending", "enter"),
    Key("Tab", "offer completions, then walk through them", "tab"),
    Key("Right", "take the grey suggestion from the history"),
    Key("Up", "earlier lines that begin like this one", "up"),
    Key("Down", "into the menu of completions, or later lines", "down"),
    Key("Ctrl-R", "search the history"),
    Key("Ctrl-C", "clear the line, or stop waiting for a reply", "interrupt"),
    Key("Ctrl-D", "QUIT and leave; inside a message, offer to drop the connection", "end"),
    Key("Ctrl-]", "a /command inside a message or an answer to a challenge", "local"),
    Key("F1", "help on the verb under the cursor", "help", "help"),
    Key("F2", "notes: off, short, long", "notes", "notes"),
    Key("F3", "timing beside replies", "timing", "timing"),
    Key("F4", "emacs or vi keys", "editing", "keys"),
)
"""All keys with a meaning of their own, in the order in which help lists them."""
