"""`smtpshell send`: one whole transaction from the command line, and `/send` in the shell."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.login import ALLOW_CLEARTEXT, Login
from smtpshell.conversation.operations import options_from, resolve_target
from smtpshell.conversation.options import Parser
from smtpshell.conversation.settings import TLS_POLICIES
from smtpshell.conversation.transaction import STAGES, Plan, Stopped, Transaction
from smtpshell.protocol.errors import FileError, SmtpshellError, UsageError
from smtpshell.protocol.state import Mode, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smtpshell.conversation.script import ScriptDesk
    from smtpshell.conversation.settings import Settings

NOTIFY = ("never", "success", "failure", "delay")
_ADVICE = (
    "An argument can be read by every user of the machine (ps). "
    "Use --password-file, --password-command, SMTPSHELL_PASSWORD or ~/.netrc."
)


class _NoPassword(argparse.Action):
    """Refuses a password as an argument, without repeating it."""

    def __call__(self, *_: object, **__: object) -> None:
        """Refuse."""
        raise UsageError("a password is never taken as an argument", self.dest, _ADVICE)


def build_parser() -> Parser:
    """Return the parser of `send`. Spellings that swaks has too mean the same."""
    parser = Parser(
        prog="smtpshell send",
        usage="%(prog)s TARGET --from ADDRESS --to ADDRESS [options]",
        description="Play one whole SMTP transaction and report every recipient's fate.",
        allow_abbrev=False,
    )
    parser.add_argument("target", nargs="?", metavar="TARGET", help="as for smtpshell itself")
    parser.add_argument("-s", "--server", dest="server", metavar="TARGET", help="the same")
    parser.add_argument("-p", "--port", metavar="PORT", help="the target's port")
    envelope = parser.add_argument_group("envelope")
    envelope.add_argument(
        "-f", "--from", dest="sender", metavar="ADDRESS", help="reverse-path; <> for none"
    )
    for names, what in (
        (("-t", "--to"), "recipients, comma separated"),
        (("--cc", "-cc"), "recipients named in Cc:"),
        (("--bcc", "-bcc"), "recipients named nowhere in the message"),
    ):
        envelope.add_argument(
            *names,
            dest=names[-1].lstrip("-"),
            action="append",
            default=[],
            metavar="ADDRESS",
            help=what,
        )
    envelope.add_argument("--helo", "--ehlo", "--lhlo", dest="helo", metavar="NAME")
    envelope.add_argument("--lmtp", action="store_true", help="speak LMTP (RFC 2033)")
    message = parser.add_argument_group("message")
    message.add_argument("--subject", default="", metavar="TEXT")
    message.add_argument("--body", metavar="TEXT", help="the text; @FILE reads it from a file")
    message.add_argument("--html", default="", metavar="TEXT", help="an HTML form; @FILE as above")
    message.add_argument("--attach", action="append", default=[], metavar="FILE")
    message.add_argument("--header", "--add-header", action="append", default=[], metavar="LINE")
    message.add_argument("-d", "--data", metavar="FILE", help="send this file as it is; - is stdin")
    secure = parser.add_argument_group("TLS and login")
    secure.add_argument("--tls", choices=TLS_POLICIES, help="verify is the default with a login")
    secure.add_argument("-tls", dest="tls_required", action="store_true", help="--tls required")
    secure.add_argument("-tlsc", "--tls-on-connect", dest="tls_at_once", action="store_true")
    secure.add_argument(
        "-a",
        "--auth",
        nargs="?",
        const="",
        metavar="MECHANISM",
        help="log in; best offered by default",
    )
    secure.add_argument("-au", "--user", "--auth-user", dest="user", metavar="NAME")
    secure.add_argument("--authzid", default="", metavar="NAME", help="act as this user")
    secure.add_argument(
        "-ap", "--password", "--auth-password", action=_NoPassword, help=argparse.SUPPRESS
    )
    for name in (
        "password-file",
        "password-command",
        "cert",
        "key",
        "ca",
        "sni",
        "tls-min",
        "tls-max",
        "ciphers",
    ):
        secure.add_argument(f"--{name}", metavar="VALUE")
    secure.add_argument(
        ALLOW_CLEARTEXT, action="store_true", help="send a password over a bad channel"
    )
    play = parser.add_argument_group("how it is played")
    play.add_argument("--quit-after", choices=STAGES, metavar="STAGE", help=" ".join(STAGES))
    play.add_argument(
        "--drop-after", choices=STAGES, metavar="STAGE", help="the same, without QUIT"
    )
    play.add_argument("--pipelining", action="store_true", help="MAIL, RCPT and DATA at once")
    play.add_argument("--bdat", action="store_true", help="BDAT in place of DATA")
    play.add_argument("--smtputf8", action="store_true", help="demand SMTPUTF8")
    play.add_argument("--dsn-notify", default="", metavar="WHEN", help=",".join(NOTIFY))
    play.add_argument("--dsn-ret", choices=("full", "hdrs"), default="")
    play.add_argument("--dsn-envid", default="", metavar="ID")
    return parser


def _addresses(values: Sequence[str]) -> tuple[str, ...]:
    words = (word.strip() for value in values for word in value.split(","))
    return tuple(word.removeprefix("<").removesuffix(">") for word in words if word)


def _text(value: str | None, option: str) -> str:
    """Return the text of an option, read from a file where it is written @FILE."""
    if not value or not value.startswith("@"):
        return (value or "").replace("\\n", "\n")
    try:
        return Path(value[1:]).expanduser().read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise FileError.from_os(error, f"{option} {value}", "read") from error


def _message(options: argparse.Namespace, to: tuple[str, ...], cc: tuple[str, ...]) -> bytes | Path:
    if options.data == "-":
        return sys.stdin.buffer.read()
    if options.data:
        path = Path(options.data.removeprefix("@")).expanduser()
        try:
            path.open("rb").close()
        except OSError as error:
            raise FileError.from_os(error, path, "read") from error
        return path
    from smtpshell.conversation.compose import Draft, compose

    draft = Draft(
        options.sender,
        to,
        cc,
        options.subject or "Test from smtpshell",
        _text(options.body, "--body") or "This is a test message.",
        _text(options.html, "--html"),
        tuple(Path(name).expanduser() for name in options.attach),
        tuple(options.header),
    )
    return compose(draft, utf8=options.smtputf8)


def plan_from(options: argparse.Namespace, settings: Settings) -> Plan:
    """Return the plan that the options describe; raises `UsageError` and `FileError`."""
    if options.sender is None:
        raise UsageError("who is it from", "send", "Give --from ADDRESS, or --from '<>'.")
    options.sender = options.sender.strip().removeprefix("<").removesuffix(">")
    to, cc, bcc = (_addresses(values) for values in (options.to, options.cc, options.bcc))
    stops = [stop for stop in (options.quit_after, options.drop_after) if stop]
    early = bool(stops) and STAGES.index(stops[0]) < STAGES.index("rcpt")
    if not to + cc + bcc and not early:
        raise UsageError("who is it for", "send", "Give --to ADDRESS; --cc and --bcc add more.")
    if len(stops) > 1:
        raise UsageError("--quit-after and --drop-after cannot both be given", "send")
    notify = options.dsn_notify.lower().split(",") if options.dsn_notify else []
    if any(word not in NOTIFY for word in notify):
        raise UsageError(
            f"{options.dsn_notify!r} is not understood", "--dsn-notify", f"Use {', '.join(NOTIFY)}."
        )
    wants_login = options.auth is not None or bool(options.user)
    policy = options.tls or ("required" if options.tls_required else "")
    return Plan(
        sender=options.sender,
        recipients=tuple(dict.fromkeys(to + cc + bcc)),
        message=_message(options, to, cc),
        tls=policy or ("verify" if wants_login else settings["tls"]),
        login=Login(options.auth or "", options.user or "", options.authzid)
        if wants_login
        else None,
        stop_after=stops[0] if stops else "",
        drop=bool(options.drop_after),
        pipelining=options.pipelining,
        bdat=options.bdat,
        smtputf8=options.smtputf8,
        notify=",".join(notify).upper(),
        ret=options.dsn_ret.upper(),
        envid=options.dsn_envid,
    )


def _settle_settings(options: argparse.Namespace, settings: Settings) -> None:
    for name in (
        "helo",
        "password-file",
        "password-command",
        "cert",
        "key",
        "ca",
        "sni",
        "tls-min",
        "tls-max",
        "ciphers",
    ):
        value = getattr(options, name.replace("-", "_"))
        if value is not None:
            settings.set(name, value, f"--{name}")
    if options.allow_cleartext_auth:
        settings.allowed |= {ALLOW_CLEARTEXT}


def _target_text(options: argparse.Namespace) -> str:
    text = options.target or options.server
    if not text:
        raise UsageError("which server", "send", "smtpshell send TARGET --from A --to B.")
    if options.port:
        if "://" in text or text.startswith(("unix:", "pipe:")):
            raise UsageError("--port goes with a host alone", text, "Write the port in the URL.")
        text = f"[{text}]:{options.port}" if text.count(":") > 1 else f"{text}:{options.port}"
    if options.tls_at_once and "://" not in text:
        text = f"smtps://{text}"
    if options.lmtp and "://" not in text and not text.startswith("unix:"):
        text = f"lmtp://{text}"
    return str(text)


def main(arguments: list[str], settings: Settings) -> int:
    """Run `smtpshell send`; returns the exit status."""
    options = build_parser().parse_args(arguments)
    _settle_settings(options, settings)
    target = _target_text(options)
    return asyncio.run(_send(target, plan_from(options, settings), settings))


async def _send(target: str, plan: Plan, settings: Settings) -> int:
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.script import ScriptDesk
    from smtpshell.conversation.terms import Broken, ReplyTimeout

    conversation = Conversation(options_from(settings, verify=plan.tls == "verify"))
    desk = ScriptDesk(conversation, settings, sys.stdout, sys.stderr)
    transaction = Transaction(desk, plan)
    try:
        await conversation.connect(await resolve_target(desk, target))
        await _play(desk, transaction)
    except Broken:
        pass
    except ReplyTimeout:
        await conversation.close()
    except SmtpshellError as error:
        desk.printer.error(str(error))
        desk.worst_error = int(error.status)
    finally:
        await _leave(desk)
    transaction.report()
    return desk.outcome.status or desk.worst_error


async def _play(desk: ScriptDesk, transaction: Transaction) -> None:
    try:
        await transaction.play()
    except Stopped:
        if transaction.plan.drop:
            await desk.conversation.close()


async def _leave(desk: ScriptDesk) -> None:
    """Say QUIT where that can still be said, and close."""
    conversation = desk.conversation
    free = conversation.connected and conversation.mode is Mode.COMMAND and not conversation.waiting
    if free and conversation.snapshot.state is not State.QUIT:
        try:
            await conversation.command("QUIT")
        except SmtpshellError as error:
            desk.worst_error = desk.worst_error or int(error.status)
    await conversation.close()
    await desk.stop_practice()
