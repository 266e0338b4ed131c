"""An ordinary client, for whoever plays the server: it does what RFC 5321 says, and says why.

It has one letter for some recipients and does no input or output: fed with replies, it returns what
it would send, and its reason. What it makes of a reply it reads from the first digit alone (RFC
5321 section 4.2.1), as clients do; the text is for people.
"""

from __future__ import annotations

from collections.abc import Callable

from smtpshell.protocol.extensions import parse_ehlo
from smtpshell.protocol.message import MessageEncoder
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass

NAME = "client.example"
SENDER = "ann@client.example"
RECIPIENTS = ("bob@practice.example", "carol@practice.example")
LETTER = "From: Ann <{sender}>\r\nTo: Bob <{to}>\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"

DELIVERED = "delivered"
LATER = "to be tried again"
RETURNED = "returned to the sender"
MOST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Move:
    """What the client does: the octets that it sends, and why. `over`: it hangs up."""

    octets: bytes
    why: str
    over: bool = False


class Client:
    """One session with a letter. `fates` tells what became of each recipient, "" while open."""

    def __init__(self, recipients: tuple[str, ...] = RECIPIENTS, sender: str = SENDER) -> None:
        self.fates = dict.fromkeys(recipients, "")
        self._sender = sender
        self._hear: Callable[[Reply], Move] = self._greeting
        self._asking: list[str] = list(recipients)
        self._taken: list[str] = []
        self._saying_goodbye = False

    def hear(self, reply: Reply) -> Move:
        """Take a reply, and return what follows from it."""
        if reply.code is None:
            self._settle(LATER, "no reply that a client understands")
            return Move(
                b"", "A reply begins with three digits. It cannot read this and hangs up.", True
            )
        if reply.code == 421:
            self._settle(LATER, _words(reply))
            return Move(b"", "421: the server closes. It hangs up, and comes again later.", True)
        return self._hear(reply)

    def left(self) -> None:
        """Note that the connection ended without a word."""
        self._settle(LATER, "the connection was lost")

    # --- one after the other --------------------------------------------------------------------

    def _greeting(self, reply: Reply) -> Move:
        if reply.family == 2:
            self._hear = self._ehlo
            return Move(
                _line(f"EHLO {NAME}"), "You are ready. It greets you and asks what you can."
            )
        return self._give_up(reply, LATER, "No service here. It tries another host, or later.")

    def _ehlo(self, reply: Reply) -> Move:
        if reply.family == 2:
            names = ", ".join(parse_ehlo(reply)) or "nothing"
            return self._mail(f"You can {visible(names)[:MOST_SHOWN]}. Now the sender.")
        if reply.family == 5:
            self._hear = self._helo
            return Move(
                _line(f"HELO {NAME}"), "No EHLO here. It falls back on HELO, as RFC 5321 asks."
            )
        return self._give_up(reply, LATER, "Not now. It says goodbye, and comes again later.")

    def _helo(self, reply: Reply) -> Move:
        if reply.family == 2:
            return self._mail("The old greeting will do. Now the sender.")
        return self._give_up(reply, LATER, "No greeting is good enough. It tries again later.")

    def _mail(self, why: str) -> Move:
        self._hear = self._after_mail
        return Move(_line(f"MAIL FROM:<{self._sender}>"), why)

    def _after_mail(self, reply: Reply) -> Move:
        if reply.family == 2:
            return self._recipient("The sender is taken. Now the recipients, one by one.")
        if reply.family == 5:
            return self._give_up(reply, RETURNED, "Never from this sender. The letter goes back.")
        return self._give_up(reply, LATER, "Not now. The letter waits in its queue.")

    def _recipient(self, why: str) -> Move:
        if self._asking:
            self._hear = self._after_recipient
            return Move(_line(f"RCPT TO:<{self._asking[0]}>"), why)
        if not self._taken:
            return self._goodbye(f"{why} Nobody is left to write to.")
        self._hear = self._after_data
        return Move(_line("DATA"), f"{why} That was the envelope; now the letter.")

    def _after_recipient(self, reply: Reply) -> Move:
        recipient = self._asking.pop(0)
        if reply.family == 2:
            self._taken.append(recipient)
            return self._recipient("Taken.")
        if reply.family == 5:
            self.fates[recipient] = f"{RETURNED}, {_words(reply)}"
            return self._recipient("Never to this one: the sender will get a notice.")
        self.fates[recipient] = f"{LATER}, {_words(reply)}"
        return self._recipient("Not now to this one: it will be tried again.")

    def _after_data(self, reply: Reply) -> Move:
        if reply.family == 3:
            self._hear = self._after_letter
            encoder = MessageEncoder()
            text = LETTER.format(sender=self._sender, to=self._taken[0]).encode()
            return Move(encoder.feed(text) + encoder.close(), "It sends the letter, and a dot.")
        if reply.family == 5:
            return self._give_up(reply, RETURNED, "You do not want the letter. It goes back.")
        if reply.family == 2:
            return self._give_up(reply, LATER, "Only 354 lets the letter in. It gives up for now.")
        return self._give_up(reply, LATER, "Not now. The letter waits in its queue.")

    def _after_letter(self, reply: Reply) -> Move:
        if reply.family == 2:
            self._settle(DELIVERED, _words(reply))
            return self._goodbye("You have taken it: from now on you answer for the letter.")
        if reply.family == 5:
            return self._give_up(reply, RETURNED, "Refused after all. The letter goes back.")
        return self._give_up(reply, LATER, "You have not taken it, so it keeps the letter.")

    # --- the end ---------------------------------------------------------------------------------

    def _give_up(self, reply: Reply, fate: str, why: str) -> Move:
        self._settle(fate, _words(reply))
        return self._goodbye(why)

    def _goodbye(self, why: str) -> Move:
        self._hear = self._after_quit
        return Move(_line("QUIT"), why)

    def _after_quit(self, _reply: Reply) -> Move:
        return Move(b"", "It hangs up.", True)

    def _settle(self, fate: str, words: str) -> None:
        for recipient, known in self.fates.items():
            if not known:
                self.fates[recipient] = f"{fate}, {words}"


def _line(text: str) -> bytes:
    return f"{text}\r\n".encode("ascii")


def _words(reply: Reply) -> str:
    first = reply.lines[0] if reply.lines else ""
    return visible(f"{reply.code} {first}".strip())[:MOST_SHOWN]
