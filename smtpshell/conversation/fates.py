"""What became of each recipient: the last word that the server said about it.

A recipient that was accepted at RCPT has its message only when the message itself was accepted;
in LMTP the server says so for each one (RFC 2033 section 4.2). Until then nothing is settled, and a
connection that breaks leaves it so.
"""

from __future__ import annotations

from typing import Any

from smtpshell.conversation.report import Report, Row
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass


@dataclass(frozen=True, slots=True)
class Fate:
    """The last reply about a recipient and the `stage` that it came at: "", rcpt or message."""

    reply: Reply | None = None
    stage: str = ""

    @property
    def accepted(self) -> bool | None:
        """Whether it was accepted; None when the server never said."""
        return None if self.reply is None else self.reply.is_positive

    @property
    def word(self) -> tuple[str, str]:
        """The fate in a word or two, and the style to show it in."""
        if self.reply is None:
            return "no word from the server", "warn"
        if not self.reply.is_positive:
            return "REFUSED", "bad"
        if self.stage == "message":
            return "accepted", "good"
        return "recipient accepted, but no message", "warn"


class Fates:
    """The fates of a transaction's recipients, in order."""

    def __init__(self, recipients: tuple[str, ...]) -> None:
        self._fates = dict.fromkeys(recipients, Fate())

    def __bool__(self) -> bool:
        return bool(self._fates)

    def __getitem__(self, address: str) -> Fate:
        return self._fates[address]

    def answered(self, address: str, reply: Reply) -> None:
        """Note the reply to a RCPT."""
        self._fates[address] = Fate(reply, "rcpt")

    def decided(self, reply: Reply, recipient: str | None = None) -> None:
        """Note a reply about the message, for one recipient or for all that stand accepted."""
        for address, fate in self._fates.items():
            if recipient in (None, address) and (fate.accepted or fate.stage == "message"):
                self._fates[address] = Fate(reply, "message")

    def report(self) -> Report:
        """Return a row for each recipient."""
        rows: Report = []
        for address, fate in self._fates.items():
            word, style = fate.word
            text = visible(fate.reply.text.replace("\n", " ")) if fate.reply else ""
            said = f": {fate.reply.code} {text}" if fate.reply else ""
            rows.append(Row(f"{word}{said}", style, label=visible(address)))
        return rows

    def facts(self) -> dict[str, Any]:
        """Return the same for machines."""
        recipients = [
            {
                "address": address,
                "accepted": fate.accepted,
                "code": fate.reply.code if fate.reply else None,
                "enhanced": fate.reply.enhanced if fate.reply else None,
                "stage": fate.stage or None,
            }
            for address, fate in self._fates.items()
        ]
        return {"event": "recipients", "recipients": recipients}
