"""A steward: whoever keeps a practice server may have a word in its dialogues.

A server by itself needs none. A teacher's server has one: it finds out whose world a connection
belongs to, holds a class for a moment, hands on what the teacher says, and answers questions that
only a class asks. A steward speaks before the rules of a scenario do, and like any server only when
it is the server's turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smtpshell.practice.dialogue import Dialogue
    from smtpshell.protocol.replies import Reply
    from smtpshell.protocol.serverside import Request, Verdict


class Steward:
    """A steward who leaves everything as it is, and shows what others may do."""

    async def meet(self, dialogue: Dialogue, request: Request, verdict: Verdict) -> Verdict | None:
        """Look at a request; return what to answer in place of everything else, None for nothing.

        The dialogue may be led into another house on the way (`Dialogue.enter`).
        """
        del dialogue, request, verdict
        return None

    def amend(self, dialogue: Dialogue, request: Request, reply: Reply) -> Reply:
        """Return the reply to a request, with what else there is to say."""
        del dialogue, request
        return reply

    def logged_in(self, dialogue: Dialogue) -> None:
        """Learn that a client has logged in, as `dialogue.side.user`."""


NOBODY = Steward()
