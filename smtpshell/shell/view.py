"""From events to lines of fragments: how a conversation looks on the screen.

    S: 250-SIZE 1048576          messages up to 1 MiB          wire text, with a gloss beside it
    S: 250 2.1.0 Ok                                     2 ms   timing at the right of a reply's end
       The server took the sender.                             notes, indented under the reply

Everything from the wire passes `text.visible` before it becomes a fragment. What the user typed
stands at the prompt already, so `Sent` events show only what was not typed, and what was changed on
the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from smtpshell.conversation.markup import unmarked
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
from smtpshell.protocol.values import dataclass
from smtpshell.shell.fragments import Line, at_right, paragraph, width_of, wrap
from smtpshell.transcript.notes import Note, long_note_of, note_of
from smtpshell.transcript.plain import told, wire_lines
from smtpshell.transcript.spelling import spelled

GLOSS_COLUMN = 28
"""Where glosses begin, unless every line of the reply is shorter."""

GLOSS_LEAST = 22
"""Columns that a gloss needs beside its line; with less it goes below."""

ENDINGS = {"\n": "ended by LF alone", "\r": "ended by CR alone", "": "without a line end"}
REMARKS = {"note": "note", "warning": "warn", "flaw": "warn"}
WHY = "/why"
VERDICTS = {True: ", certificate good", False: ", certificate NOT good", None: ""}


@dataclass(frozen=True, slots=True)
class Look:
    """How events are to be shown: the notes (off, short, long), timing or not, and the width.

    `typed` says that the lines now being sent were typed at the prompt, where they still stand.
    """

    notes: str = "short"
    timing: bool = True
    width: int = 80
    typed: bool = False
    spell: bool = False


def event_lines(event: Event, look: Look) -> Iterator[Line]:
    """Yield the lines of one event."""
    show = _SHOW.get(type(event))
    if show is not None:
        yield from show(event, look)


# --- replies --------------------------------------------------------------------------------------


def _received(event: Received, look: Look) -> Iterator[Line]:
    if event.unasked:
        why = EARLY.get(event.early, "the server says this on its own account")
        yield [("warn", "Unasked: "), ("note", f"{why}.")]
    note = note_of(event) if look.notes != "off" else Note("")
    timing = told(event.ms) if look.timing and not event.unasked else ""
    yield from _wire(event, note, timing, look.width)
    if look.spell:
        said = f"Spelled: {spelled(wire_lines(event)[-1])}"
        yield from paragraph(said, look.width, "gloss")
    if look.notes == "off":
        return
    text = unmarked(note.challenge or note.meaning)
    hint = WHY if event.reply.is_refusal and not event.unasked else ""
    yield from _with_hint(list(paragraph(text, look.width, "note")), hint, look.width)
    for flaw in note.flaws:
        yield from paragraph(f"Flaw: {flaw}.", look.width, "warn")
    if look.notes == "long":
        for label, words in long_note_of(event):
            if words == note.meaning:
                continue
            yield from labelled(label, words, look.width)


def _with_hint(lines: list[Line], hint: str, width: int) -> Iterator[Line]:
    """Yield lines with a hint at the end of the last, or below it where there is no room."""
    if not hint or not lines:
        yield from lines
        return
    *before, last = lines
    yield from before
    if width_of(last) + len(hint) + 3 <= width:
        yield [*last, ("", "   "), ("hint", hint)]
    else:
        yield last
        yield [("", "   "), ("hint", hint)]


def labelled(label: str, text: str, width: int, indent: int = 3) -> Iterator[Line]:
    """Yield "label: text" with the text hanging."""
    margin = indent + 2
    first, *rest = wrap(f"{label}: {text}", max(20, width - margin))
    head, colon, tail = first.partition(": ")
    yield [("", " " * indent), ("label", head + colon), ("", tail)]
    for piece in rest:
        yield [("", " " * margin), ("", piece)]


def _wire(event: Received, note: Note, timing: str, width: int) -> Iterator[Line]:
    texts = wire_lines(event)
    glosses = {gloss.line: gloss.meaning for gloss in note.glosses}
    longest = max((len(text) for number, text in enumerate(texts) if number in glosses), default=0)
    column = min(GLOSS_COLUMN, longest + 5)
    for number, text in enumerate(texts):
        lines = list(_with_gloss(_wire_line(text), glosses.get(number, ""), column, width))
        if timing and number == len(texts) - 1:
            lines = _timed(lines, timing, width)
        yield from lines


def _timed(lines: list[Line], timing: str, width: int) -> list[Line]:
    """Put the time at the right edge of the first line where it fits, or on one of its own."""
    tail: Line = [("timing", timing)]
    for index, line in enumerate(lines):
        whole = at_right(line, tail, width)
        if whole is not None:
            return [*lines[:index], whole, *lines[index + 1 :]]
    return [*lines, at_right([], tail, width) or tail]


def _wire_line(text: str) -> Line:
    code, rest = text[:3], text[3:]
    if code.isascii() and code.isdigit() and (not rest or rest[0] in " -"):
        family = code[0] if code[0] in "2345" else "odd"
        return [("mark", "S: "), (f"code.{family}", code), ("server", rest)]
    return [("mark", "S: "), ("server", text)]


def _with_gloss(line: Line, gloss: str, column: int, width: int) -> Iterator[Line]:
    """Yield a line with its gloss beside it in a column, or below where it does not fit."""
    if not gloss:
        yield line
        return
    room = width - column
    if room < GLOSS_LEAST:
        yield line
        yield from paragraph(gloss, width, "gloss", 6)
        return
    pieces = wrap(gloss, room)
    used = width_of(line)
    start = max(column, used + 2)
    if start + len(gloss) <= width:
        yield [*line, ("", " " * (start - used)), ("gloss", gloss)]
        return
    if used + 2 > column:
        yield line
    else:
        yield [*line, ("", " " * (column - used)), ("gloss", pieces.pop(0))]
    for piece in pieces:
        yield [("", " " * column), ("gloss", piece)]


# --- other events ---------------------------------------------------------------------------------


def _sent(event: Sent, look: Look) -> Iterator[Line]:
    if not look.typed:
        yield [("mark", "C: "), ("client", visible(event.line))]
    if look.notes == "off":
        return
    if event.ending in ENDINGS and event.kind != "octets":
        yield from paragraph(f"Sent {ENDINGS[event.ending]}.", look.width, "note")
    if event.stuffed:
        text = f"Sent as {visible(event.line)} with its leading dot doubled (RFC 5321 4.5.2)."
        yield from paragraph(text, look.width, "note")
    if event.oddities:
        text = f"Form: {'; '.join(event.oddities)}. It was sent as typed."
        yield from paragraph(text, look.width, "warn")
    if event.out_of_order:
        state = event.after.state.value
        text = (
            f"Out of order: {event.verb} is not expected now ({state}). It was sent all the same."
        )
        yield from paragraph(text, look.width, "warn")


def _body(event: BodySent, look: Look) -> Iterator[Line]:
    yield from paragraph(
        f"{event.octets} octets of {visible(event.source)} sent.", look.width, "note"
    )


def _connected(event: Connected, look: Look) -> Iterator[Line]:
    port = f" port {event.port}" if event.port else ""
    secured = ", TLS at once" if event.tls else ""
    same = event.target.partition("//")[2] or event.target
    named = same.strip("[]") in (event.address, f"{event.address}:{event.port}")
    target = "" if named else f"{visible(event.target)}, "
    text = f"Connected to {target}{visible(event.address)}{port}{secured}."
    yield from paragraph(text, look.width, "note", 0)


def _attempt(event: Attempt, look: Look) -> Iterator[Line]:
    if event.outcome != "connected":
        place = f"{visible(event.address)} port {event.port}"
        yield from paragraph(
            f"{place}: {event.outcome} after {told(event.ms)}.", look.width, "note"
        )


def _tls(event: TlsStarted, look: Look) -> Iterator[Line]:
    line: Line = [("warn" if event.verified is False else "good", "TLS: ")]
    line.append(("note", f"{event.version} with {event.cipher}{VERDICTS[event.verified]}."))
    timing: Line = [("timing", told(event.ms))]
    yield (at_right(line, timing, look.width) if look.timing else None) or line
    for problem in event.problems:
        yield from paragraph(f"{visible(problem)}.", look.width, "bad")


def _closed(event: Closed, look: Look) -> Iterator[Line]:
    how = "." if event.clean else ", without QUIT."
    yield from paragraph(f"Connection closed by the {event.by}{how}", look.width, "note", 0)


def _remark(event: Remark, look: Look) -> Iterator[Line]:
    yield from paragraph(visible(event.text), look.width, REMARKS.get(event.kind, "note"))


def _failed(event: Failed, look: Look) -> Iterator[Line]:
    yield from _with_hint(list(trouble(event.what, event.next, look.width)), WHY, look.width)


_SHOW: dict[type[Event], Callable[[Any, Look], Iterator[Line]]] = {
    Received: _received,
    Sent: _sent,
    BodySent: _body,
    Connected: _connected,
    Attempt: _attempt,
    TlsStarted: _tls,
    Closed: _closed,
    Remark: _remark,
    Failed: _failed,
}


def trouble(what: str, advice: str, width: int) -> Iterator[Line]:
    """Yield what went wrong and what to do about it."""
    first, *rest = wrap(f"Failed: {visible(what)}.", max(20, width))
    head, colon, tail = first.partition(":")
    yield [("bad", head + colon), ("", tail)]
    for piece in rest:
        yield [("", f"   {piece}")]
    if advice:
        yield from paragraph(visible(advice), width, "note")
