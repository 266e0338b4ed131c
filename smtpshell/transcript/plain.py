"""Conversations as plain text: `C:` what the client sent, `S:` what the server sent, `#` a note.

The notation of RFC 5321 appendix D. The wire lines hold exactly what went over the wire, made
printable; everything of ours is a `# ` line. Saved sessions, scripts, lessons and the README use
it.
"""

from __future__ import annotations

from collections.abc import Iterator

from smtpshell.protocol.events import (
    Attempt,
    BodySent,
    Closed,
    Connected,
    Event,
    Failed,
    Received,
    Remark,
    Sent,
    TlsStarted,
)
from smtpshell.protocol.pairing import EARLY
from smtpshell.protocol.text import visible
from smtpshell.transcript.notes import long_note_of, note_of
from smtpshell.transcript.spelling import spelled

_VERDICTS = {True: ", certificate good", False: ", certificate NOT good", None: ""}
_ENDINGS = {"\r\n": "", "\n": " [ended by LF alone]", "": " [no line end]"}


def plain_lines(
    event: Event,
    notes: str = "short",
    *,
    timing: bool = True,
    ascii_only: bool = False,
    spell: bool = False,
) -> Iterator[str]:
    """Yield the lines of one event. `notes` is off, short or long; off leaves wire lines alone.

    With `spell` the lines of a reply are said digit by digit below it.
    """
    for line in _lines(event, notes, timing=timing, spell=spell):
        if line.startswith("# ") and notes == "off":
            continue
        yield visible(line, ascii_only=ascii_only)


def _lines(event: Event, notes: str, *, timing: bool, spell: bool) -> Iterator[str]:
    match event:
        case Sent():
            yield f"C: {visible(event.line)}"
            if ending := _ENDINGS.get(event.ending, ""):
                yield f"#{ending}"
            if event.stuffed:
                yield "# A leading dot was doubled (RFC 5321 4.5.2)."
            if event.oddities:
                yield f"# Form: {'; '.join(event.oddities)}. It was sent as typed."
        case BodySent():
            yield f"# {event.octets} octets of {visible(event.source)} sent."
        case Received():
            yield from _received(event, notes, timing=timing, spell=spell)
        case Connected():
            port = f" port {event.port}" if event.port else ""
            secured = ", TLS at once" if event.tls else ""
            address = f", {event.address}{port}" if event.address else ""
            yield f"# Connected to {visible(event.target)}{address}{secured}."
        case Attempt() if event.outcome != "connected":
            yield f"# {event.address} port {event.port}: {event.outcome} after {told(event.ms)}."
        case TlsStarted():
            yield f"# {event.version} with {event.cipher}{_VERDICTS[event.verified]}."
            for problem in event.problems:
                yield f"# {visible(problem)}."
        case Closed():
            yield f"# Connection closed by the {event.by}{'' if event.clean else ', without QUIT'}."
        case Remark():
            yield f"# {visible(event.text)}"
        case Failed():
            yield f"# Failed: {visible(event.what)}. {visible(event.next)}".rstrip()
        case _:
            pass


def _received(event: Received, notes: str, *, timing: bool, spell: bool) -> Iterator[str]:
    lines = wire_lines(event)
    for line in lines:
        yield f"S: {line}"
    if spell:
        yield f"# Spelled: {spelled(lines[-1])}"
    if notes == "off":
        return
    if event.unasked:
        yield f"# Unasked: {EARLY.get(event.early, 'no command was waiting for this')}."
    note = note_of(event)
    for gloss in note.glosses:
        yield f"# {gloss.keyword}: {gloss.meaning}"
    took = f" ({told(event.ms)})" if timing and not event.unasked else ""
    yield f"# {note.meaning}{took}"
    if note.challenge:
        yield f"# {note.challenge}"
    for flaw in note.flaws:
        yield f"# Flaw: {flaw}."
    if notes == "long":
        for label, text in long_note_of(event):
            yield f"# {label}: {text}"


def wire_lines(event: Received) -> list[str]:
    """Return the reply's lines as they came over the wire, made printable, without line ends."""
    reply = event.reply
    lines = [
        visible(line.removesuffix(b"\r")) for line in reply.raw.removesuffix(b"\n").split(b"\n")
    ]
    if len(reply.raw) < reply.octets:
        lines.append(f"[{reply.octets - len(reply.raw)} octets more, not kept]")
    return lines


def told(ms: float) -> str:
    """Tell a duration in the unit that fits.

    >>> told(0.4), told(12.3), told(2345.0)
    ('<1 ms', '12 ms', '2.3 s')
    """
    if ms < 1:
        return "<1 ms"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"
