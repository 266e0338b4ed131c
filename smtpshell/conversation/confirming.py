"""What has to go before a command that checks a cause, so that its answer can tell anything.

By the time a user asks, the session has often moved on: the server hung up behind its refusal, the
transaction is over, or one is open in which AUTH has no place. A `RCPT` would then be answered
with "bad sequence", which says nothing about the recipient. So the check is led up to: connect
again, greet, encrypt where it was encrypted, name the same sender. And a sender that was refused
only when a recipient was named, as Postfix does, is tried with that recipient.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from smtpshell.conversation.local import split
from smtpshell.conversation.operations import own_name
from smtpshell.knowledge.places import unfilled
from smtpshell.protocol.commands import VERBS, Command
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.state import Mode, State
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.protocol.session import Snapshot

_TRANSACTION = (State.MAIL, State.RCPT, State.BDAT)
_LIKE = {"/auth": "AUTH", "/starttls": "STARTTLS"}
"""Local commands and the verb whose place in a session is theirs."""

_OF_A_SESSION = ("/auth", "/starttls", "/send", "/data", "/raw", "/cert")
"""Local commands that need a connection; the others ask the DNS, or nobody."""


def is_wire(command: str) -> bool:
    """Tell whether a command goes to the server, by itself or by what it does."""
    return not command.startswith("/") or f"/{split(command)[0]}" in _OF_A_SESSION


def lines_for(command: str, desk: Desk, before: Snapshot) -> list[str]:
    """Return the lines to send for a check: what must go before it, and the command.

    `before` is how the session stood when things went wrong. Raises `UsageError` where a message,
    a chunk or a login is under way, of which every line would become a part.
    """
    now = desk.conversation.snapshot
    name = f"/{split(command)[0]}" if command.startswith("/") else Command.parse(command).verb
    if name == "/set" and command != "/set":
        return [command, "/connect"]
    elsewhere = _other_server(desk, before)
    if command == "/connect" and elsewhere:
        return [elsewhere]
    if not is_wire(command):
        return [command]
    _mind_what_is_under_way(now, command)
    lines: list[str] = []
    state = now.state
    if name == "/cert" and not now.tls:
        return [*_connecting_for_certificate(desk), command]
    if state in (State.CLOSED, State.QUIT) or elsewhere:
        lines.append(elsewhere or "/connect")
        state = State.START
        if before.tls and name != "/starttls" and not _begins_encrypted(desk):
            lines.append("/starttls")
            state = State.READY
    verb = VERBS.get(_LIKE.get(name, name))
    places = verb.states if verb is not None else frozenset(("START", state.name))
    if state is State.START and "START" not in places and name not in _LIKE:
        hello = "LHLO" if now.lmtp else "EHLO"
        lines.append(f"{hello} {visible(before.helo or '') or own_name(desk)}")
        state = State.READY
    if state in _TRANSACTION and state.name not in places and "READY" in places:
        lines.append("RSET")
    if state is State.READY and "READY" not in places and before.sender is not None:
        lines.append(f"MAIL FROM:<{visible(before.sender)}>")
        if name == "DATA":
            lines += [f"RCPT TO:<{visible(to)}>" for to in before.recipients]
    return [*lines, command]


def _other_server(desk: Desk, before: Snapshot) -> str:
    """Return what leads back to the server in question, where another was connected to since."""
    target = desk.conversation.target
    if target is None or not before.target or before.target == target.label:
        return ""
    return f"/connect {visible(before.target)}"


def _mind_what_is_under_way(now: Snapshot, command: str) -> None:
    words = {Mode.DATA: "message", Mode.OCTETS: "chunk", Mode.ANSWER: "login"}.get(now.mode)
    if words is not None:
        end = "A line with * cancels it" if words == "login" else "End it"
        raise UsageError(
            f"{visible(command)} would become a part of the {words} that is under way",
            "/why",
            f"{end}, or drop the connection with /close; then ask again.",
        )


def _begins_encrypted(desk: Desk) -> bool:
    target = desk.conversation.target
    return target is not None and target.security in ("tls", "starttls")


def _connecting_for_certificate(desk: Desk) -> list[str]:
    """Return what makes an encrypted connection, whatever the certificate is worth."""
    lines = ["/set tls required"] if desk.settings["tls"] == "verify" else []
    if not desk.conversation.connected:
        lines.append("/connect")
    return lines if lines and _begins_encrypted(desk) else [*lines, "/starttls"]


async def run_check(command: str, desk: Desk, before: Snapshot, refused: str = "") -> None:
    """Run the command that checks a cause, or put it on the prompt where something is missing.

    `before` is how the session stood when things went wrong, `refused` the line that was refused.
    """
    missing = unfilled(command)
    if missing:
        desk.say(f"Fill in {' and '.join(dict.fromkeys(missing))}:")
        desk.put_text(visible(command))
        return
    lines = lines_for(command, desk, before)
    leading = len(lines) - 1
    if Command.parse(command).verb == "MAIL" and Command.parse(refused).verb == "RCPT":
        lines.append(visible(refused))
    desk.say(f"Running: {', then '.join(visible(line) for line in lines)}", "code")
    for number, line in enumerate(lines):
        mark = desk.conversation.log.mark()
        more_to_come = number < len(lines) - 1
        with desk.conversation.driven("why") if more_to_come else nullcontext():
            await desk.send_lines([line])
        failed = any(reply.reply.is_refusal for reply in desk.conversation.log.replies_since(mark))
        stands = desk.conversation.connected or line.startswith("/set")
        if failed or not stands:
            if number < leading:
                desk.say(
                    "The check ends here: what has to go before it did not go through.", "warn"
                )
            return
