"""`smtpshell send`: one whole transaction from the command line."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from smtpshell.conversation.connectionflags import add_connection_flags, take_connection_flags
from smtpshell.conversation.login import Login
from smtpshell.conversation.operations import options_from, resolve_target
from smtpshell.conversation.options import Parser
from smtpshell.conversation.sendflags import (
    add_envelope_flags,
    add_message_flags,
    add_play_flags,
    plan_from,
    with_header_words,
)
from smtpshell.conversation.spool import spooled
from smtpshell.conversation.transaction import Plan, Stopped, Transaction
from smtpshell.protocol.errors import SmtpshellError, UsageError
from smtpshell.protocol.state import Mode, State

if TYPE_CHECKING:
    import argparse

    from smtpshell.conversation.script import ScriptDesk
    from smtpshell.conversation.settings import Settings
    from smtpshell.conversation.targets import Target


def build_parser() -> Parser:
    """Return the parser of `send`."""
    parser = Parser(
        prog="smtpshell send",
        usage="%(prog)s TARGET --from ADDRESS --to ADDRESS [options]",
        description="Play one whole SMTP transaction and report every recipient's fate.",
        allow_abbrev=False,
    )
    parser.add_argument("target", nargs="?", metavar="TARGET", help="as for smtpshell itself")
    parser.add_argument("-s", "--server", metavar="TARGET", help="the same")
    parser.add_argument("-p", "--port", metavar="PORT", help="the target's port")
    parser.add_argument("--socket", metavar="PATH", help="a UNIX socket as the target")
    parser.add_argument("--pipe", metavar="COMMAND", help="a command as the target")
    parser.add_argument("--lmtp", action="store_true", help="speak LMTP (RFC 2033)")
    add_envelope_flags(parser)
    add_message_flags(parser)
    add_play_flags(parser)
    add_connection_flags(parser)
    login = parser.add_argument_group("more of TLS and login; --tls verify is the login's default")
    login.add_argument(
        "-tls", dest="policy", action="store_const", const="required", help="--tls required"
    )
    login.add_argument(
        "-tlso",
        "--tls-optional",
        dest="policy",
        action="store_const",
        const="optional",
        help="--tls optional",
    )
    login.add_argument(
        "-tlsc", "--tls-on-connect", dest="tls_at_once", action="store_true", help="as smtps://"
    )
    login.add_argument(
        "-a",
        "--auth",
        nargs="?",
        const="",
        metavar="MECHANISM",
        help="log in; by the best mechanism unless one is named",
    )
    login.add_argument("--authzid", default="", metavar="NAME", help="act as this user")
    return parser


def _login(options: argparse.Namespace, settings: Settings) -> Login | None:
    """Return the login that the options ask for; settles what is demanded of TLS."""
    given = take_connection_flags(options, settings)
    login = None
    if options.auth is not None or "user" in given:
        login = Login(options.auth or "", str(settings["user"]), options.authzid)
    if options.policy:
        settings.set("tls", options.policy)
    if not settings["tls"]:
        secret = "verify" if settings["verify"] else "required"
        settings.set("tls", secret if login is not None else "optional")
    return login


def _target_text(options: argparse.Namespace) -> str:
    """Return the target that the options name, in its one notation."""
    named = [
        text
        for text in (
            options.target,
            options.server,
            options.socket and f"unix:{options.socket}",
            options.pipe and f"pipe:{options.pipe}",
        )
        if text
    ]
    if len(named) != 1:
        what = "which server" if not named else "one server at a time"
        raise UsageError(what, "send", "smtpshell send TARGET --from A --to B.")
    text = str(named[0])
    bare = "://" not in text and not text.startswith(("unix:", "pipe:", "mx:"))
    if options.port:
        if not bare:
            raise UsageError("--port goes with a host alone", text, "Write the port in the URL.")
        text = f"[{text}]:{options.port}" if text.count(":") > 1 else f"{text}:{options.port}"
    if options.tls_at_once and bare:
        text = f"smtps://{text}"
    if options.lmtp and bare:
        text = f"lmtp://{text}"
    return text


def main(arguments: list[str], settings: Settings) -> int:
    """Run `smtpshell send`; returns the exit status."""
    options = build_parser().parse_args(with_header_words(arguments))
    login = _login(options, settings)
    target = _target_text(options)
    with spooled("-" in (options.data, options.body, options.html)) as piped:
        plan = plan_from(options, login, piped=piped)
        return asyncio.run(_send(target, plan, settings, lmtp=options.lmtp))


async def _send(text: str, plan: Plan, settings: Settings, *, lmtp: bool) -> int:
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.script import ScriptDesk
    from smtpshell.conversation.terms import Broken, ReplyTimeout
    from smtpshell.protocol.values import replace

    conversation = Conversation(options_from(settings))
    desk = ScriptDesk(conversation, settings, sys.stdout, sys.stderr)
    transaction = Transaction(desk, plan)
    try:
        target = await resolve_target(desk, text)
        with conversation.driven("send"):
            await _play(transaction, replace(target, lmtp=True) if lmtp else target)
        await _goodbye(desk)
    except Broken:
        pass
    except ReplyTimeout:
        await conversation.close()
    except SmtpshellError as error:
        desk.report_error(error)
        await _goodbye(desk)
    finally:
        await conversation.close()
        await desk.stop_practice()
    transaction.report()
    return desk.status


async def _play(transaction: Transaction, target: Target) -> None:
    try:
        await transaction.play(target)
    except Stopped:
        if transaction.plan.drop:
            await transaction.desk.conversation.close()


async def _goodbye(desk: ScriptDesk) -> None:
    """Say QUIT where that can still be said."""
    conversation = desk.conversation
    if not conversation.connected or conversation.waiting:
        return
    if conversation.mode is Mode.COMMAND and conversation.snapshot.state is not State.QUIT:
        try:
            await conversation.command("QUIT")
        except SmtpshellError as error:
            desk.worst_error = desk.worst_error or int(error.status)
    elif conversation.in_message:
        conversation.remark("Inside a message there is no QUIT: the connection is dropped.")
