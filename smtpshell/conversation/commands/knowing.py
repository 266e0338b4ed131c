"""/status, /help, /explain, /notes and /set: what is known, and what things mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.report import Report, Row, counted
from smtpshell.conversation.settings import NOTES, SETTINGS
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.protocol.session import Snapshot

VALUE_COLUMN = 10
"""Columns of a value in `/set`; longer ones push their summary to the right."""


async def status(desk: Desk, argument: str) -> None:
    """Show what is known of the session."""
    if argument:
        raise UsageError("/status takes no argument", argument)
    now = desk.conversation.snapshot
    rows = [Row(value, label=label) for label, value in _status_rows(desk, now) if value]
    desk.show(rows, _status_facts(now))


def _status_rows(desk: Desk, now: Snapshot) -> list[tuple[str, str]]:
    place = f"{now.address} port {now.port}" if now.port else now.address
    extensions = now.extensions
    sender = None if now.sender is None else f"<{visible(now.sender)}>"
    return [
        ("server", f"{visible(now.target)} ({place})" if now.connected else ""),
        ("state", now.state.value + (", LMTP" if now.lmtp else "")),
        (
            "waiting for",
            counted(now.pending, "reply").replace("replys", "replies") if now.pending else "",
        ),
        ("greeting", visible((now.banner or "").partition("\n")[0])),
        ("greeted as", visible(now.helo or "")),
        ("encrypted", _tls_words(desk, now)),
        ("logged in", _login_words(now)),
        ("reverse-path", sender or ""),
        ("recipients", ", ".join(f"<{visible(to)}>" for to in now.recipients)),
        ("refused", ", ".join(f"<{visible(to)}>" for to in now.refused)),
        ("announced", visible(" ".join(extensions.names)) if extensions is not None else ""),
        (
            "toggles",
            ", ".join(f"{name} {desk.settings.told(name)}" for name in ("notes", "stuffing")),
        ),
    ]


def _tls_words(desk: Desk, now: Snapshot) -> str:
    if not now.connected:
        return ""
    verdict = desk.conversation.verdict
    if not now.tls or verdict is None:
        return "yes" if now.tls else "no"
    good = "certificate good" if verdict.verified else "certificate NOT good, see /cert"
    return f"{verdict.version}, {verdict.cipher}, {good}"


def _login_words(now: Snapshot) -> str:
    if not now.connected or now.user is None:
        return "no" if now.connected else ""
    return f"as {visible(now.user) or 'a user'} by {now.mechanism or 'AUTH'}"


def _status_facts(now: Snapshot) -> dict[str, object]:
    return {
        "state": now.state.name.lower(),
        "target": now.target or None,
        "address": now.address or None,
        "port": now.port or None,
        "tls": now.tls,
        "lmtp": now.lmtp,
        "helo": now.helo,
        "user": now.user,
        "sender": now.sender,
        "recipients": list(now.recipients),
        "refused": list(now.refused),
        "extensions": list(now.extensions.names) if now.extensions is not None else [],
    }


async def help_(desk: Desk, argument: str) -> None:
    """Show help, in general or on one thing."""
    from smtpshell.conversation.help import help_on

    desk.show(help_on(argument))


async def explain(desk: Desk, argument: str) -> None:
    """Tell what a code, an enhanced code, a word or a whole reply means."""
    if not argument:
        raise UsageError(
            "nothing is named to explain",
            "/explain",
            "Write /explain 550, 5.1.1, a word, or a reply.",
        )
    from smtpshell.conversation.explaining import explain_text

    report, facts = explain_text(argument, desk.conversation)
    desk.show(report, facts)


async def notes(desk: Desk, argument: str) -> None:
    """Set how much is said under each reply; without an argument, show it."""
    if argument:
        desk.settings.set("notes", argument, "/notes")
    chosen = desk.settings.notes
    others = " and ".join(level for level in NOTES if level != chosen)
    desk.say(f"notes {chosen} (there are also {others})")


async def set_(desk: Desk, argument: str) -> None:
    """Show all settings, show one, or change one."""
    name, _, value = argument.partition(" ")
    if not name:
        told = {row: desk.settings.told(row) or "(none)" for row in SETTINGS}
        column = min(VALUE_COLUMN, max(map(len, told.values())))
        rows: Report = [
            Row(f"{told[row.name]:<{column}}  {row.summary}", label=row.name)
            for row in SETTINGS.values()
        ]
        desk.show(rows, {row: desk.settings[row] for row in SETTINGS})
        return
    if value.strip():
        desk.settings.set(name, value.strip())
    elif name not in SETTINGS:
        desk.settings.set(name, "")
    desk.say(f"{name} {desk.settings.told(name) or '(none)'}   {SETTINGS[name].summary}")


async def provider(desk: Desk, argument: str) -> None:
    """Show the providers, or how one takes submissions."""
    from smtpshell.knowledge.providers import providers

    known = providers()
    if not argument:
        rows: Report = [Row(row.title, label=name) for name, row in known.items()]
        desk.show(rows, {"providers": list(known)})
        return
    row = known.get(argument.lower())
    if row is None:
        names = ", ".join(known)
        raise UsageError(f"no provider is called {argument!r}", "/provider", f"There are: {names}.")
    words = {"tls": "TLS at once", "starttls": "STARTTLS"}
    ports = ", ".join(f"{port} ({words[security]})" for port, security in row.ports.items())
    rows = [
        Row(row.title, "title"),
        Row(row.host, label="host", indent=1),
        Row(ports, label="ports", indent=1),
        Row(row.user, label="user name", indent=1),
        Row(row.password, label="password", indent=1),
        Row(row.limits, label="limits", indent=1),
        Row(f"as of {row.as_of}; providers change these", "dim", label="true", indent=1),
        Row(f"/connect {row.name}", "code", label="connect", indent=1),
    ]
    facts = {
        "name": row.name,
        "host": row.host,
        "ports": {str(port): security for port, security in row.ports.items()},
        "user": row.user,
        "password": row.password,
        "limits": row.limits,
        "as_of": row.as_of,
    }
    desk.show(rows, facts)
