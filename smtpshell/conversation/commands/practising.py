"""/mailbox: the mail that reached the practice server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.report import Row, counted
from smtpshell.protocol.errors import SmtpshellError, Status, UsageError
from smtpshell.protocol.text import decode, visible

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.practice.mailbox import Message


async def mailbox(desk: Desk, argument: str) -> None:
    """List the mailboxes, the messages of one, or show one message as it was stored."""
    if desk.practice is None:
        raise SmtpshellError(
            "no practice server runs here",
            "/mailbox",
            "Start one with /connect practice.",
            status=Status.USAGE,
        )
    world = desk.practice.world
    words = argument.split()
    boxes = world.mailboxes()
    if not words:
        rows = [Row(counted(len(held), "message"), label=name) for name, held in boxes.items()]
        desk.show(rows, {"mailboxes": {name: len(held) for name, held in boxes.items()}})
        return
    name = world.find_mailbox(words[0])
    if name is None:
        known = ", ".join(boxes)
        raise UsageError(f"no mailbox is called {words[0]!r}", "/mailbox", f"There are: {known}.")
    messages = world.mailbox(name)
    if len(words) == 1 and len(messages) != 1:
        rows = [Row(_summary(held), label=str(number)) for number, held in enumerate(messages, 1)]
        facts = {"mailbox": name, "messages": [_facts(held) for held in messages]}
        desk.show(rows or [Row(f"The mailbox of {name} is empty.", "dim")], facts)
        return
    number = words[1] if len(words) > 1 else "1"
    if not number.isdecimal() or not 1 <= int(number) <= len(messages):
        held = counted(len(messages), "message")
        raise UsageError(f"there is no message {number}", f"/mailbox {name}", f"It holds {held}.")
    message = messages[int(number) - 1]
    lines = decode(message.raw).replace("\r\n", "\n").removesuffix("\n").split("\n")
    envelope = message.envelope
    rows = [
        Row(f"<{visible(envelope.sender)}>", "dim", label="envelope from"),
        Row(
            ", ".join(f"<{visible(to)}>" for to in envelope.recipients), "dim", label="envelope to"
        ),
        *(Row(visible(line.expandtabs())) for line in lines),
    ]
    desk.show(rows, {"mailbox": name, **_facts(message), "message": decode(message.raw)})


def _subject(message: Message) -> str | None:
    return next((value for name, value in message.fields if name.lower() == "subject"), None)


def _summary(message: Message) -> str:
    subject = visible(_subject(message) or "(no subject)")
    return f"from <{visible(message.envelope.sender)}>, {len(message.raw)} octets: {subject}"


def _facts(message: Message) -> dict[str, object]:
    return {
        "sender": message.envelope.sender,
        "recipients": list(message.envelope.recipients),
        "subject": _subject(message),
        "octets": len(message.raw),
    }
