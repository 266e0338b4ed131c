"""Conversations as JSON lines: one ASCII-escaped object per event, for programs.

The names and meanings of the fields are a contract with scripts. Octets that are not UTF-8 become
U+FFFD in text, and the field `octets` then holds the whole in base64.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from smtpshell.protocol.errors import SmtpshellError, Status
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
from smtpshell.protocol.text import encode, is_utf8
from smtpshell.transcript.notes import note_of
from smtpshell.transcript.plain import told


def as_json(value: object) -> str:
    """Return one line of ASCII-escaped JSON; lone surrogates become U+FFFD."""
    line = json.dumps(value)
    return json.dumps(_clean(value)) if _SURROGATE in line else line


_SURROGATE = r"\ud"
"""How the escapes of surrogates begin, in pairs or alone; only a line with one needs cleaning."""


def _clean(value: object) -> object:
    if isinstance(value, str):
        return value if is_utf8(value) else encode(value).decode("utf-8", "replace")
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    return value


def object_of(event: Event) -> dict[str, Any]:
    """Return the object of one event, ready for `as_json`."""
    match event:
        case Connected():
            return {
                "event": "connected",
                "target": event.target,
                "address": event.address,
                "port": event.port,
                "tls": event.tls,
            }
        case Sent():
            facts = {"event": "sent", "line": event.line, "verb": event.verb or None}
            return facts if is_utf8(event.line) else {**facts, "octets": _base64(event.line)}
        case Received():
            return _reply(event)
        case TlsStarted():
            return {
                "event": "tls",
                "version": event.version,
                "cipher": event.cipher,
                "verified": event.verified,
                "problems": list(event.problems),
            }
        case Closed():
            return {"event": "closed", "by": event.by, "clean": event.clean}
        case Failed():
            return {
                "event": "failed",
                "stage": event.stage,
                "status": event.status,
                "what": event.what,
                "next": event.next,
            }
        case Attempt():
            text = f"{event.address} port {event.port}: {event.outcome} after {told(event.ms)}"
            return {"event": "note", "text": text}
        case BodySent():
            return {"event": "note", "text": f"{event.octets} octets of {event.source} sent"}
        case Remark():
            return {"event": "note", "text": event.text}
    raise TypeError(f"no JSON form for {type(event).__name__}")


def failure_object(error: SmtpshellError) -> dict[str, Any]:
    """Return a `failed` object for an error that is no event of the connection."""
    return {
        "event": "failed",
        "stage": Status(error.status).name.lower() if error.status in list(Status) else "",
        "status": int(error.status),
        "what": f"{error.where}: {error.what}" if error.where else error.what,
        "next": error.next,
    }


def _reply(event: Received) -> dict[str, Any]:
    reply = event.reply
    note = note_of(event)
    facts: dict[str, Any] = {
        "event": "reply",
        "code": reply.code,
        "enhanced": reply.enhanced,
        "lines": list(reply.lines),
        "flaws": list(event.flaws),
        "ms": round(event.ms, 3),
        "unasked": event.unasked,
        "command": event.command,
        "note": {"meaning": note.meaning},
    }
    if note.glosses:
        facts["note"]["keywords"] = {gloss.keyword: gloss.meaning for gloss in note.glosses}
    if note.challenge:
        facts["note"]["challenge"] = note.challenge
    if event.recipient is not None:
        facts["recipient"] = event.recipient
    if "not-utf8" in reply.flaws:
        facts["octets"] = base64.b64encode(reply.raw).decode("ascii")
    return facts


def _base64(text: str) -> str:
    return base64.b64encode(encode(text)).decode("ascii")
