"""What becomes of an accepted message: mailboxes, the queue, a report, the next host of this world.

Nothing here opens a connection, and nothing can: mail for anywhere else stays in the queue of this
world for ever. The one way on is to another host of the same world, in memory (`hop`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.practice.mailbox import Envelope, Message
from smtpshell.practice.policy import destination, forwarded
from smtpshell.practice.reports import Fate, report, wants_report
from smtpshell.practice.world import Queued
from smtpshell.protocol.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from smtpshell.practice.scenario import Host
    from smtpshell.practice.world import World
    from smtpshell.protocol.serverside import Transaction

    Carry = Callable[[Host, Message, tuple[str, ...]], Awaitable[tuple[Fate, ...]]]
    """Hands a message to the next host for some recipients and returns what that one said."""

RETRY = 300.0
"""Seconds until a message that was put off is tried again; doubled with every try."""

LIFETIME = 5 * 86400.0
"""Seconds after which trying is given up (RFC 5321 section 4.5.4.1: at least 4 to 5 days)."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who handed a message over, for the envelope: what is not part of the transaction."""

    helo: str
    client: str
    user: str
    protocol: str


def make_message(
    world: World, host: Host, transaction: Transaction, sender: Sender, queue_id: str
) -> Message:
    """Return the message of a finished transaction."""
    envelope = Envelope(
        sender=transaction.sender or "",
        recipients=tuple(address for address, _ in transaction.recipients),
        helo=sender.helo,
        client=sender.client,
        host=host.name,
        protocol=sender.protocol,
        user=sender.user,
        parameters=transaction.parameters,
        recipient_parameters=tuple(transaction.recipients),
    )
    return Message(queue_id, envelope, bytes(transaction.content), world.clock.now())


def protocol_word(*, esmtp: bool, lmtp: bool, utf8: bool, tls: bool, auth: bool) -> str:
    """Return the word for the Received line (RFC 3848, RFC 6531 section 4.3).

    >>> protocol_word(esmtp=True, lmtp=False, utf8=False, tls=True, auth=True)
    'ESMTPSA'
    """
    if not esmtp:
        return "SMTP"
    base = ("UTF8" if utf8 else "") + ("LMTP" if lmtp else "SMTP" if utf8 else "ESMTP")
    return base + "S" * tls + "A" * auth


async def deliver(world: World, host: Host, message: Message, fate: str, carry: Carry) -> None:
    """Do with a message what its fate (of `scenario.FATES`) says, and report where that is due."""
    recipients = message.envelope.recipients
    if world.on_accepted is not None:
        world.on_accepted(message)
    if fate == "discard":
        return
    if fate == "hold":
        world.enqueue(Queued(message, "hold", recipients))
        return
    fates: list[Fate] = []
    onward: list[str] = []
    for recipient in recipients:
        if neighbour := world.neighbour(recipient):
            fates.append(_next_door(neighbour, message, recipient))
            continue
        to = forwarded(world.scenario, host, recipient) or recipient
        where = destination(world.scenario, host, to)
        mailbox = world.find_mailbox(to) if where == "here" else None
        if fate == "bounce":
            words = "550 5.1.1 rejected after it had been accepted"
            fates.append(Fate(recipient, "failed", "5.1.1", words))
        elif mailbox is not None:
            world.store(message, mailbox if fate != "junk" else f"{mailbox}/junk")
            fates.append(Fate(recipient, "delivered", "2.0.0"))
        elif where == "here":
            fates.append(Fate(recipient, "failed", "5.1.1", "550 5.1.1 User unknown"))
        elif where == "onward":
            onward.append(to)
        else:
            world.enqueue(Queued(message, "leaves this world", (recipient,)))
    if onward:
        fates += await _pass_on(world, host, Queued(message, "onward", tuple(onward)), carry)
    _report(world, message, fates)


def _next_door(neighbour: World, message: Message, recipient: str) -> Fate:
    """Put a message into a mailbox of a linked world."""
    mailbox = neighbour.find_mailbox(recipient)
    if mailbox is None:
        return Fate(recipient, "failed", "5.1.1", "550 5.1.1 User unknown")
    neighbour.store(message, mailbox)
    return Fate(recipient, "delivered", "2.0.0")


async def try_again(world: World, item: Queued, carry: Carry) -> None:
    """Try once more to hand on a message that was taken out of the queue."""
    host = world.scenario.host(item.message.envelope.host)
    if host is not None:
        _report(world, item.message, await _pass_on(world, host, item, carry))


async def _pass_on(world: World, host: Host, item: Queued, carry: Carry) -> list[Fate]:
    """Hand a message on; what is put off goes back into the queue, until it is too old."""
    fates = list(await carry(host, item.message, item.left))
    delayed = tuple(fate for fate in fates if fate.action == "delayed")
    if not delayed:
        return fates
    now = world.clock.now()
    if now - item.message.arrived >= LIFETIME:
        return [replace(fate, action="failed") if fate in delayed else fate for fate in fates]
    left = tuple(fate.recipient for fate in delayed)
    due = now + RETRY * 2**item.tries
    world.enqueue(Queued(item.message, delayed[0].diagnostic, left, due, item.tries + 1))
    return [fate for fate in fates if fate not in delayed or not item.tries]


def _report(world: World, message: Message, fates: list[Fate]) -> None:
    for action in ("failed", "delayed", "relayed", "delivered"):
        due = tuple(fate for fate in fates if fate.action == action and wants_report(message, fate))
        if due:
            _return(world, message, due)


def _return(world: World, message: Message, fates: tuple[Fate, ...]) -> None:
    sender, host = message.envelope.sender, message.envelope.host
    content = report(message, fates, world.token("boundary"))
    envelope = Envelope("", (sender,), host, "127.0.0.1", host, "LMTP")
    notice = Message(world.queue_id(), envelope, content, world.clock.now())
    mailbox = world.find_mailbox(sender)
    if mailbox is not None:
        world.store(notice, mailbox)
    else:
        world.return_unheard(notice)
