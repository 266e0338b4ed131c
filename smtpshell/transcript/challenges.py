"""What each 334 says and what to answer: a sink that follows a login through its challenges.

The meaning of a challenge depends on the mechanism and on how many came before it, which no single
event tells. A sink that shows notes owns a `Challenges` and hands it every event.
"""

from __future__ import annotations

from smtpshell.protocol.events import Connected, Event, Received, Sent, TlsStarted

CHALLENGE = 334


class Challenges:
    """Knows the mechanism under way and counts the server's challenges."""

    def __init__(self) -> None:
        self.mechanism = ""
        self._step = 0

    def __call__(self, event: Event) -> str:
        """Take note of an event; return what is to be said of a challenge, "" for anything else."""
        match event:
            case Connected() | TlsStarted():
                self.mechanism, self._step = "", 0
            case Sent(kind="command"):
                words = event.line.split()
                is_login = event.verb == "AUTH" and len(words) > 1
                self.mechanism, self._step = (words[1].upper() if is_login else ""), 0
            case Received(command="AUTH") if event.reply.code == CHALLENGE and self.mechanism:
                from smtpshell.protocol.sasl.challenges import explain_line

                self._step += 1
                challenge = event.reply.lines[-1] if event.reply.lines else ""
                return explain_line(self.mechanism, self._step, challenge)
            case _:
                pass
        return ""
