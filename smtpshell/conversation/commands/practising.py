"""/mailbox and /rule: what reached the practice server, and why it answered as it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.report import Row, counted
from smtpshell.protocol.errors import SmtpshellError, Status, UsageError
from smtpshell.protocol.text import decode, visible

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.practice.mailbox import Message
    from smtpshell.practice.scenario import Rule
    from smtpshell.practice.world import Decision, World


async def mailbox(desk: Desk, argument: str) -> None:
    """List the mailboxes, the messages of one, or show one message as it was stored."""
    world = _world(desk, "/mailbox")
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


async def rule(desk: Desk, argument: str) -> None:
    """Show the latest decision of the practice rules with its reasons, or the latest N."""
    world = _world(desk, "/rule")
    if argument and (not argument.isdecimal() or not int(argument)):
        raise UsageError(f"{argument!r} is not a number", "/rule", "Write /rule 5.")
    rules = {each.number: each for each in world.scenario.rules}
    decisions = world.trace[-int(argument or "1") :]
    rows = [
        row
        for each in decisions
        for row in _decision_rows(each, rules.get(each.rule) if each.rule is not None else None)
    ]
    none = "No rule has looked at anything yet." if rules else "This practice world has no rules."
    desk.show(
        rows or [Row(none, "dim")],
        {
            "scenario": world.scenario.name,
            "decisions": [_decision_facts(each) for each in decisions],
        },
    )


def _decision_rows(decision: Decision, fired: Rule | None) -> list[Row]:
    subject = f", for {decision.subject}" if decision.subject else ""
    place = f"At {decision.place}{subject}"
    if fired is None:
        rows = [Row(f"{place}: no rule fired, the server did what it always does.", "title")]
    else:
        rows = [
            Row(f"{place}: rule {fired.number} fired.", "title"),
            Row(visible(decision.because), label="because"),
            *(Row(visible(line), label="reply") for line in fired.reply),
        ]
        if fired.why:
            rows.append(Row(visible(fired.why), label="purpose"))
    passed = [
        Row(visible(why), "dim", label=f"not rule {number}") for number, why in decision.passed
    ]
    return [*rows, *passed]


def _decision_facts(decision: Decision) -> dict[str, object]:
    return {
        "at": decision.at,
        "connection": decision.connection,
        "place": decision.place,
        "subject": decision.subject,
        "rule": decision.rule,
        "because": decision.because or None,
        "passed": [{"rule": number, "because": why} for number, why in decision.passed],
    }


def _world(desk: Desk, command: str) -> World:
    if desk.practice is None:
        raise SmtpshellError(
            "no practice server runs here",
            command,
            "Start one with /connect practice; a teacher's server answers HELP MAILBOX.",
            status=Status.USAGE,
        )
    world: World = desk.practice.world
    return world


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
