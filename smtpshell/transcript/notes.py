"""The note that stands with each reply: what it means here, and what each keyword brings.

The words come from the knowledge room and the keyword table; this module only asks for them with
the facts of the event, once, so that every sink says the same.
"""

from __future__ import annotations

from smtpshell.protocol.events import Received
from smtpshell.protocol.extensions import gloss
from smtpshell.protocol.replies import FLAWS
from smtpshell.protocol.session import CHALLENGE
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass
from smtpshell.transcript.context import context_of

HELLOS = ("EHLO", "LHLO")


@dataclass(frozen=True, slots=True)
class Gloss:
    """One keyword of an EHLO reply: the line of the reply it stands on, and what it means."""

    line: int
    keyword: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Note:
    """What is said of one reply.

    `meaning` is the short note. `glosses` explain the keywords of an EHLO reply. `flaws` are the
    departures from the grammar, each in words with its section. `challenge` says what a 334 asks
    for and what to answer.
    """

    meaning: str
    glosses: tuple[Gloss, ...] = ()
    flaws: tuple[str, ...] = ()
    challenge: str = ""


def note_of(event: Received) -> Note:
    """Return the short note of a reply."""
    from smtpshell.knowledge.notes import short

    context = context_of(event)
    meaning = short(event.reply, context)
    if event.reply.is_refusal:
        from smtpshell.knowledge.logins import login_advice

        meaning = f"{meaning} {login_advice(event.reply, context)}".rstrip()
    return Note(meaning, glosses_of(event), flaws_of(event), challenge_of(event))


def long_note_of(event: Received) -> list[tuple[str, str]]:
    """Return the long note of a reply: pairs of a label and a text."""
    from smtpshell.knowledge.notes import long

    return list(long(event.reply, context_of(event)))


def glosses_of(event: Received) -> tuple[Gloss, ...]:
    """Return what each keyword of a positive reply to EHLO means, by the line it stands on."""
    extensions = event.after.extensions
    if event.command not in HELLOS or event.reply.family != 2 or extensions is None:
        return ()
    return tuple(
        Gloss(number, visible(extension.keyword), gloss(extension))
        for number, extension in enumerate(extensions.items, start=1)
    )


def flaws_of(event: Received) -> tuple[str, ...]:
    """Return the flaws of a reply in words, each with the section that it departs from."""
    named = (FLAWS[name] for name in event.flaws)
    return tuple(f"{flaw.meaning} ({flaw.section})" for flaw in named)


def challenge_of(event: Received) -> str:
    """Return what a 334 says and what to answer; "" for any other reply."""
    mechanism = event.after.trying
    if event.reply.code != CHALLENGE or mechanism is None:
        return ""
    from smtpshell.protocol.sasl.challenges import explain_line

    text = event.reply.lines[-1] if event.reply.lines else ""
    return explain_line(mechanism, event.after.challenges, text, by_hand=not event.by)
