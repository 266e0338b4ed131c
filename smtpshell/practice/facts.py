"""The facts of a moment, by the names that expressions, rules and reply texts use.

`expression.FACTS` says what each means. Those that cost a look-up in the world's DNS are got only
when a rule at this place asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.practice.policy import destination, owns
from smtpshell.protocol.text import decode

if TYPE_CHECKING:
    from smtpshell.practice.dialogue import Dialogue
    from smtpshell.practice.expression import Value
    from smtpshell.practice.scenario import Scenario
    from smtpshell.protocol.serverside import Request, ServerSide, Transaction, Verdict

NOT_OFFERED = ("UNKNOWN", "EXPN")
"""The places of commands that are refused unless a rule answers them."""

_UNKNOWN = ("not-recognized", "not-implemented")


def place_of(request: Request, verdict: Verdict) -> str:
    """Return where rules are to look for a request."""
    if request.kind == "command" and request.command.verb == "EXPN":
        return "EXPN"
    if verdict.name in _UNKNOWN:
        return "UNKNOWN"
    if request.ends_message:
        return "EOD"
    if request.kind == "answer":
        return "AUTH-STEP"
    return "EHLO" if request.verb == "LHLO" else request.verb


def subject_of(request: Request | None, scenario: Scenario) -> str:
    """Return what a rule's `match` looks at: an address, a mechanism, an argument, a line."""
    if request is None:
        return ""
    command = request.command
    if command.address is not None:
        return scenario.usual(command.address)
    if command.verb == "AUTH":
        return command.argument.split(" ")[0]
    if request.kind == "line" or not command.known:
        return decode(request.line)
    return command.argument


async def gather(dialogue: Dialogue, request: Request) -> dict[str, Value]:
    """Return the facts for a request."""
    side, record, world = dialogue.side, dialogue.record, dialogue.world
    command, transaction = request.command, side.transaction
    address = command.address if command.address is not None else ""
    sender = address if command.verb == "MAIL" else transaction.sender or ""
    recipients = [recipient for recipient, _ in transaction.recipients]
    parameters = command.parameters if command.verb == "MAIL" else transaction.parameters
    given = {keyword: value or "" for keyword, value in parameters}
    user = world.scenario.user(side.user) if side.user else None
    hello = command.verb in ("HELO", "EHLO", "LHLO")
    facts: dict[str, Value] = {
        "auth": bool(side.user),
        "tls": side.tls,
        "esmtp": side.esmtp,
        "local": destination(world.scenario, dialogue.host, address) == "here",
        "known": world.find_mailbox(address) is not None,
        "own_sender": user is not None and owns(user.may_send_as, world.scenario.usual(sender)),
        "smtputf8": "SMTPUTF8" in given,
        "early": record.early,
        "group": side.waiting > 0,
        "last": request.last,
        "host": dialogue.host.name,
        "port": dialogue.port,
        "client": record.client,
        "helo": command.argument.split(" ")[0] if hello else side.helo,
        "user": side.user,
        "mechanism": _mechanism(side, request),
        "login": side.outcome.user if request.verb == "AUTH" and side.outcome else "",
        "verb": command.verb,
        "argument": command.argument,
        "line": decode(request.line),
        "sender": sender,
        "recipient": address if command.verb == "RCPT" else (recipients or [""])[-1],
        "domain": world.scenario.usual(address).rpartition("@")[2],
        "body": given.get("BODY", ""),
        "recipients": len(recipients),
        "size": _size(given, transaction.octets),
        "octets": request.octets,
        "failures": record.failures,
        "refusals": record.refusals,
        "connections": record.connections,
        "transactions": record.accepted,
        "idle": world.clock.now() - record.spoke,
        "limit": side.profile.size,
    }
    if request.ends_message:
        facts["longest_line"] = _longest_line(transaction)
        facts["queue"] = world.queue_id()
    return facts


def bare_facts(dialogue: Dialogue) -> dict[str, Value]:
    """Return the facts of a moment that no request belongs to."""
    side, record = dialogue.side, dialogue.record
    return {
        "host": dialogue.host.name,
        "port": dialogue.port,
        "client": record.client,
        "connections": record.connections,
        "early": record.early,
        "tls": side.tls,
        "helo": side.helo,
        "auth": bool(side.user),
        "user": side.user,
    }


def _size(given: dict[str, str], octets: int) -> int:
    declared = given.get("SIZE", "")
    if octets or not declared.isdecimal() or len(declared) > 20:
        return octets
    return int(declared)


def _longest_line(transaction: Transaction) -> int:
    if transaction.counts is not None:
        return transaction.counts.longest_line
    return max(map(len, transaction.content.split(b"\n")), default=0)


def _mechanism(side: ServerSide, request: Request) -> str:
    if request.command.verb == "AUTH":
        return request.command.argument.split(" ")[0].upper()
    return side.exchange.mechanism.name if side.exchange is not None else side.mechanism
