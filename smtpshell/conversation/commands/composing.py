"""/send: compose a small message and play the transaction line by line, to be looked at."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from smtpshell.conversation.caution import question_before_delivery
from smtpshell.conversation.operations import hello, secure
from smtpshell.conversation.options import Parser
from smtpshell.conversation.report import Row
from smtpshell.conversation.sendflags import (
    DEFAULT_SUBJECT,
    add_envelope_flags,
    add_message_flags,
    add_play_flags,
    plan_from,
    with_header_words,
)
from smtpshell.conversation.transaction import Stopped, Transaction
from smtpshell.protocol.errors import SmtpshellError, Status, UsageError
from smtpshell.protocol.state import State
from smtpshell.protocol.values import replace

if TYPE_CHECKING:
    import argparse

    from smtpshell.conversation.desk import Desk

DEFAULT_SENDER = "visitor@client.example"
YES = "--yes"


def build_parser() -> Parser:
    """Return the parser of /send: the options of `smtpshell send`, without those to connect by."""
    parser = Parser(prog="/send", add_help=False, allow_abbrev=False)
    add_envelope_flags(parser)
    add_message_flags(parser)
    add_play_flags(parser)
    parser.add_argument(YES, action="store_true", help="send real mail without being asked")
    return parser


async def send(desk: Desk, argument: str) -> None:
    """Ask for what is not given, then greet where needed and play the transaction."""
    conversation = desk.conversation
    try:
        words = with_header_words(shlex.split(argument))
    except ValueError as error:
        raise UsageError(f"the quotes are not balanced ({error})", "/send") from error
    if words == ["--help"]:
        desk.show([Row(line) for line in build_parser().format_help().rstrip().split("\n")])
        return
    options = build_parser().parse_args(words)
    if not conversation.connected:
        raise SmtpshellError(
            "not connected", "/send", "/connect HOST opens a connection.", status=Status.USAGE
        )
    if "-" in (options.data, options.body, options.html):
        raise UsageError("standard input is taken already", "/send", "Name a file: --data FILE.")
    await _ask_for_the_rest(desk, options)
    plan = plan_from(options)
    transaction = Transaction(desk, plan)
    now = replace(conversation.snapshot, recipients=plan.recipients)
    question = question_before_delivery(now, conversation.target) if desk.interactive else ""
    if question and not options.yes and not await desk.ask(question, flag=YES):
        desk.say("Not sent.")
        return
    try:
        with conversation.driven("send"):
            await _make_ready(desk)
            await transaction.envelope_and_message()
    except Stopped:
        if plan.drop:
            await conversation.close()
    transaction.report()


async def _make_ready(desk: Desk) -> None:
    """Greet and encrypt as demanded; end a transaction that is under way."""
    conversation = desk.conversation
    if conversation.snapshot.helo is None:
        await hello(desk)
    await secure(desk)
    if conversation.snapshot.state not in (State.START, State.READY):
        await conversation.command("RSET")


async def _ask_for_the_rest(desk: Desk, options: argparse.Namespace) -> None:
    """Ask a person for the parts of a message that the options leave open."""
    if not desk.interactive:
        return
    if options.sender is None:
        options.sender = await _answer(desk, "from: ", _known_sender(desk))
    if not (options.to or options.cc or options.bcc):
        options.to = [await _answer(desk, "to: ", _known_recipient(desk))]
        if not options.to[0].strip():
            raise UsageError("nothing is sent: no recipient was named", "/send")
    if options.data or options.body is not None:
        return
    if not options.subject:
        options.subject = await _answer(desk, "subject: ", DEFAULT_SUBJECT)
    lines: list[str] = []
    while (line := await desk.ask_text("text (a dot ends it): ")) not in (None, "."):
        lines.append(line or "")
    options.body = "\n".join(lines)


async def _answer(desk: Desk, question: str, default: str) -> str:
    """Return the answer to a question; raises `UsageError` when it was given up."""
    answer = await desk.ask_text(question, default)
    if answer is None:
        raise UsageError("nothing is sent: the question was given up", "/send")
    return answer


def _known_sender(desk: Desk) -> str:
    """Return the address to propose: the user's where that is one, or a reserved one."""
    users = (desk.conversation.snapshot.user or "", str(desk.settings["user"]))
    return next((user for user in users if "@" in user), DEFAULT_SENDER)


def _known_recipient(desk: Desk) -> str:
    """Return a mailbox of the practice server to propose, "" elsewhere."""
    target = desk.conversation.target
    if target is None or not target.is_practice or desk.practice is None:
        return ""
    return next(iter(desk.practice.world.mailboxes()), "")
