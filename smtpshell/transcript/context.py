"""From an event to what the explainer wants to know about the session around it."""

from __future__ import annotations

from smtpshell.knowledge.context import Context
from smtpshell.protocol.commands import Command
from smtpshell.protocol.events import Received
from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.state import State

PRACTICE = "practice"


def verb_of(event: Received) -> str | None:
    """Return the verb that a reply answers, as the explainer names it; CONNECT for a greeting."""
    if event.command is not None:
        return "MESSAGE" if event.command == "." else event.command
    if event.early in ("message", "chunk"):
        return "MESSAGE"
    return "CONNECT" if _greets(event) else None


def _greets(event: Received) -> bool:
    return not event.unasked and event.before.state is State.GREETING


def context_of(event: Received, **more: object) -> Context:
    """Return the context of a reply; `more` adds or replaces fields of it."""
    now = event.before
    facts: dict[str, object] = {
        **session_facts(now),
        "verb": verb_of(event),
        "line": event.line,
        "unasked": event.unasked,
        "ms": event.ms,
        "early": event.early,
        "driven": bool(event.by) or event.after.pending > 0,
    }
    if event.command == "MAIL":
        facts["message_size"] = declared_size(event.line)
    if _greets(event):
        facts["banner"] = event.reply.text
    facts.update(more)
    return Context(**facts)  # type: ignore[arg-type] # the names are those of Context


def declared_size(line: str) -> int | None:
    """Return the octets that a MAIL declares (RFC 1870 section 6); None where it says nothing.

    >>> declared_size("MAIL FROM:<ann@example.com> SIZE=1000 BODY=8BITMIME")
    1000
    """
    value = dict(Command.parse(line).parameters).get("SIZE") or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 20 else None


def session_facts(now: Snapshot) -> dict[str, object]:
    """Return what a snapshot tells, under the names that `Context` uses."""
    extensions = now.extensions
    return {
        "state": now.state.name,
        "host": now.target.removesuffix(f":{now.port}"),
        "port": now.port or None,
        "tls": now.tls,
        "banner": now.banner or "",
        "extensions": {item.keyword: item.parameters for item in extensions.items}
        if extensions is not None
        else {},
        "auth_mechanisms": extensions.auth_mechanisms if extensions is not None else (),
        "size_limit": extensions.size if extensions is not None else None,
        "user": now.user,
        "mechanism": now.trying or now.mechanism,
        "helo": now.helo or "",
        "esmtp": now.esmtp if now.helo is not None else None,
        "sender": now.sender,
        "recipients": now.recipients,
        "refused": now.refused,
        "hasty": now.hasty,
        "practice": now.target == PRACTICE,
    }
