"""`lesson replay --save-scenario`: what a real server said, saved as a practice scenario."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.protocol.events import Connected, Event
from smtpshell.tutor.authoring.course import Disguise, course_of, own_name
from smtpshell.tutor.authoring.personality import Likeness, likeness
from smtpshell.tutor.authoring.writing import write_new

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings


def save_scenario(
    path: Path,
    title: str,
    events: Iterable[Event],
    values: Mapping[str, str],
    settings: Settings,
) -> Likeness:
    """Write the scenario of a conversation to a new file, and tell what is not in it.

    `values` are what a user had put into the lesson, each with the lesson's own. Raises
    `FileError`.
    """
    kept = list(events)
    bits = list(course_of(kept))
    disguise = Disguise(values, own_name(bits))
    at_once = any(isinstance(event, Connected) and event.tls for event in kept[:3])
    drawn = asyncio.run(
        likeness(path.stem, title, [disguise.bit(bit) for bit in bits], tls_at_once=at_once)
    )
    write_new(path, drawn.text)
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        unlike = [f"{bit.place} {bit.subject}".strip() for bit in drawn.unlike]
        print(as_json({"scenario": str(path), "unlike": unlike}))
    elif not settings.quiet:
        name = path if len(path.parts) > 1 else f"./{path}"
        print(f"# Wrote {path}. smtpshell practice --scenario {name} serves it.")
    for bit in drawn.unlike:
        where = f"{bit.place} {bit.subject}".strip()
        print(
            f"smtpshell: {path}: the practice server cannot be made to answer {where} so: "
            f"{bit.reply[0] if bit.reply else 'nothing'}",
            file=sys.stderr,
        )
    return drawn
