"""Replies as JSON lines: `{"reply": "...", "command": "RCPT", ...}` in, one answer each out.

Other keys of the object that are fields of `knowledge.context.Context` are used as such, as far as
their values fit; whatever a line holds, it gets one answer, so that lines stay aligned.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from smtpshell.knowledge.context import VERB_NAMES
from smtpshell.protocol.commands import VERBS
from smtpshell.protocol.replies import Reply
from smtpshell.transcript.intake.found import (
    LONGEST,
    Facts,
    Found,
    explained,
    has_code,
    reply_of,
    verb_of,
)

KEYS = (
    *("class", "who", "retry", "code", "enhanced", "meaning"),
    *("causes", "next", "provider", "software", "confidence"),
)
"""The keys that every answer has."""

RECORD_KEPT = 1 << 20
"""Octets of one line that are read; a longer one is answered by an error."""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _truth(value: object) -> bool | None:
    if isinstance(value, str):
        return {
            "yes": True,
            "true": True,
            "on": True,
            "no": False,
            "false": False,
            "off": False,
        }.get(value.lower())
    return value if isinstance(value, bool) else None


def _texts(value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _milliseconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and abs(value) < 1e12 else None


def _extensions(value: object) -> Mapping[str, tuple[str, ...]] | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        words = [item.split() for item in value if item.strip()]
        return {word[0].upper(): tuple(word[1:]) for word in words}
    if not isinstance(value, dict):
        return None
    return {
        str(name).upper(): tuple(map(str, item)) if isinstance(item, list) else (str(item),)
        for name, item in value.items()
    }


_FIELDS: dict[str, Callable[[object], object]] = {
    **dict.fromkeys(("line", "state", "host", "banner", "user", "mechanism", "helo"), _text),
    **dict.fromkeys(("sender", "client_address", "provider", "early", "hasty"), _text),
    **dict.fromkeys(("port", "message_size", "size_limit"), _count),
    **dict.fromkeys(("tls", "tls_verified", "esmtp", "recipient_mx"), _truth),
    **dict.fromkeys(("practice", "unasked", "driven", "quoted"), _truth),
    **dict.fromkeys(("auth_mechanisms", "recipients", "refused"), _texts),
    "ms": _milliseconds,
    "extensions": _extensions,
}
"""How a JSON value becomes each field of `Context`; None when it does not fit."""


def command_facts(command: str) -> Facts:
    """Return the facts of a command as people name it: "RCPT", "RCPT TO:<a@b>", "end of DATA".

    >>> command_facts("rcpt to:<a@b>")["verb"], command_facts("BANNER")["verb"]
    ('RCPT', 'CONNECT')
    """
    words = command.strip()[:2_000]
    first = words.split(None, 1)[0].upper().partition(":")[0] if words else ""
    if first in VERB_NAMES and first == words.upper():
        return {"verb": VERB_NAMES[first]}
    if first in VERBS:
        verb = VERB_NAMES.get(first, first)
        return {"verb": verb, "line": words} if " " in words and ":" in words else {"verb": verb}
    named = verb_of(words) or first
    return {"verb": named} if named else {}


def record_facts(record: Mapping[str, Any]) -> dict[str, object]:
    """Return the fields of `Context` that a record gives; what does not fit is left out."""
    facts: dict[str, object] = {}
    for name, value in record.items():
        convert = _FIELDS.get(name)
        fitting = convert(value) if convert is not None and value is not None else None
        if fitting is not None:
            facts[name] = fitting
    command = record.get("command") or record.get("verb")
    if isinstance(command, str):
        facts.update(command_facts(command))
    return facts


def answer(line: bytes, length: int, given: Facts) -> dict[str, object]:
    """Return the answer to one line; `length` is what it was before it was cut."""
    if length > len(line) + 2:
        return failed(f"the line is longer than {RECORD_KEPT} octets")
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return failed(f"not JSON: {_fault(error) if line.strip() else 'the line is empty'}")
    if not isinstance(record, dict):
        return failed("not a JSON object")
    text = _reply_text(record.get("reply"))
    if text is None:
        return failed('the key "reply" is missing or holds no text')
    facts = {**given, **record_facts(record)}
    one_line = has_code(text) and "\n" not in text and text[3:4] in " -"
    reply = reply_of(text) if one_line else Reply.parse(text[:LONGEST])
    return explained(Found(0, "record", reply, facts=facts)).to_json()


def _fault(error: Exception) -> str:
    """Return in words what is wrong with a line that is no JSON, and where."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"octet {error.start + 1} is not UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _reply_text(value: object) -> str | None:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1_000:
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


@cache
def _nothing() -> dict[str, object]:
    empty: dict[str, object] = dict.fromkeys(KEYS)
    empty |= {"class": "unknown", "who": "?", "retry": "?"}
    return empty | {"causes": [], "next": [], "confidence": 0.0}


def failed(why: str) -> dict[str, object]:
    """Return the answer to a line that holds no reply: class unknown, and the key `error`."""
    return {**_nothing(), "meaning": "There is no reply here to explain.", "error": why}
