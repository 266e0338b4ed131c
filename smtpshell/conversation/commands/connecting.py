"""/connect, /close and /quit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.operations import open_target, resolve_target
from smtpshell.conversation.targets import PRACTICE
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.state import Mode, State

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk


async def connect(desk: Desk, argument: str) -> None:
    """Open a connection; without an argument to where the last one led."""
    last = desk.conversation.target
    if not argument and last is None:
        raise UsageError(
            "connect to what", "/connect", "Write /connect HOST, or /connect practice."
        )
    if argument or last is None:
        target = await resolve_target(desk, argument)
    else:
        target = await resolve_target(desk, last.label) if last.label == PRACTICE else last
    await open_target(desk, target)


async def close(desk: Desk, argument: str) -> None:
    """Drop the connection without a word."""
    if argument:
        raise UsageError("/close takes no argument", argument)
    if not desk.conversation.connected:
        desk.say("There is no connection to close.")
    await desk.conversation.close()


async def quit_(desk: Desk, argument: str) -> None:
    """Say QUIT where that can be said, close, and leave."""
    if argument:
        raise UsageError("/quit takes no argument", argument, "QUIT goes to the server.")
    conversation = desk.conversation
    sayable = conversation.connected and conversation.mode is Mode.COMMAND
    desk.leave()
    if sayable and conversation.snapshot.state not in (State.QUIT, State.GREETING):
        await conversation.command("QUIT")
    await conversation.close()
