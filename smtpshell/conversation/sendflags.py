"""The options of `send` and `/send`, and the plan that they describe.

Spellings that swaks has too mean the same here, where they do not clash with ours.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.transaction import STAGES, Plan
from smtpshell.protocol.errors import FileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smtpshell.conversation.login import Login

NOTIFY = ("never", "success", "failure", "delay")

_STAGE_WORDS = {"first-ehlo": "ehlo", "first-helo": "ehlo", "helo": "ehlo", "lhlo": "ehlo"}
"""Other words for stages, as swaks has them."""

DEFAULT_SUBJECT = "Test from smtpshell"
DEFAULT_BODY = "This is a test message."


def _stage(text: str) -> str:
    """Read the name of a stage, in any case; raises ValueError, for argparse."""
    word = _STAGE_WORDS.get(text.lower(), text.lower())
    if word not in STAGES:
        raise argparse.ArgumentTypeError(f"{text!r} is no stage; there are: {' '.join(STAGES)}")
    return word


def add_envelope_flags(parser: argparse.ArgumentParser) -> None:
    """Add who it is from and for."""
    group = parser.add_argument_group("envelope")
    group.add_argument(
        "-f", "--from", dest="sender", metavar="ADDRESS", help="reverse-path; <> for none"
    )
    for names, what in (
        (("-t", "--to"), "recipients, comma separated"),
        (("--cc", "-cc"), "recipients named in Cc:"),
        (("--bcc", "-bcc"), "recipients named nowhere in the message"),
    ):
        group.add_argument(
            *names,
            dest=names[-1].lstrip("-"),
            action="append",
            default=[],
            metavar="ADDRESS",
            help=what,
        )


def add_message_flags(parser: argparse.ArgumentParser) -> None:
    """Add what the message holds."""
    group = parser.add_argument_group("message")
    group.add_argument("--subject", default="", metavar="TEXT", help="--h-NAME TEXT sets any field")
    group.add_argument("--body", metavar="TEXT", help="the text; @FILE reads a file, - stdin")
    group.add_argument("--html", default="", metavar="TEXT", help="an HTML form; @FILE as above")
    group.add_argument("--attach", action="append", default=[], metavar="FILE")
    group.add_argument("--header", "--add-header", action="append", default=[], metavar="LINE")
    group.add_argument("-d", "--data", metavar="FILE", help="send this file as it is; - is stdin")


def add_play_flags(parser: argparse.ArgumentParser) -> None:
    """Add how the transaction is played."""
    group = parser.add_argument_group("how it is played")
    group.add_argument("--quit-after", type=_stage, metavar="STAGE", help=" ".join(STAGES))
    group.add_argument("--drop-after", type=_stage, metavar="STAGE", help="the same, without QUIT")
    group.add_argument(
        "--pipelining", "--pipeline", action="store_true", help="MAIL, RCPT and DATA at once"
    )
    group.add_argument("--bdat", action="store_true", help="BDAT in place of DATA")
    group.add_argument("--smtputf8", action="store_true", help="demand SMTPUTF8")
    group.add_argument("--dsn-notify", default="", metavar="WHEN", help=",".join(NOTIFY))
    group.add_argument("--dsn-ret", choices=("full", "hdrs"), default="")
    group.add_argument("--dsn-envid", default="", metavar="ID")


def with_header_words(arguments: Sequence[str]) -> list[str]:
    """Return arguments with `--h-NAME TEXT` written as `--header "NAME: TEXT"`."""
    words: list[str] = []
    rest = iter(arguments)
    for word in rest:
        name = word.removeprefix("--h-").rstrip(":")
        if not word.startswith("--h-") or not name:
            words.append(word)
            continue
        words += ["--header", f"{name}: {next(rest, '')}"]
    return words


def split_addresses(values: Sequence[str]) -> tuple[str, ...]:
    """Return the addresses in comma separated lists, without angle brackets."""
    words = (word.strip() for value in values for word in value.split(","))
    return tuple(word.removeprefix("<").removesuffix(">") for word in words if word)


def plan_from(
    options: argparse.Namespace, login: Login | None = None, *, piped: bytes | Path = b""
) -> Plan:
    """Return the plan that the options describe; `piped` is what standard input held.

    Raises `UsageError` and `FileError`.
    """
    if options.sender is None:
        raise UsageError("who is it from", "send", "Give --from ADDRESS, or --from '<>'.")
    sender = options.sender.strip().removeprefix("<").removesuffix(">")
    to, cc, bcc = (split_addresses(values) for values in (options.to, options.cc, options.bcc))
    stops = [stop for stop in (options.quit_after, options.drop_after) if stop]
    if len(stops) > 1:
        raise UsageError("--quit-after and --drop-after cannot both be given", "send")
    stop = stops[0] if stops else ""
    if not to + cc + bcc and not _before(stop, "rcpt"):
        raise UsageError(
            "no recipient was named", "send", "Give --to ADDRESS; --cc and --bcc add more."
        )
    message = b"" if _before(stop, "mail") else _message(options, sender, to, cc, piped)
    return Plan(
        sender=sender,
        recipients=tuple(dict.fromkeys(to + cc + bcc)),
        message=message,
        login=login,
        stop_after=stop,
        drop=bool(options.drop_after),
        pipelining=options.pipelining,
        bdat=options.bdat,
        smtputf8=options.smtputf8,
        notify=_notify(options.dsn_notify),
        ret=options.dsn_ret.upper(),
        envid=_envid(options.dsn_envid),
    )


def _before(stop: str, stage: str) -> bool:
    return bool(stop) and STAGES.index(stop) < STAGES.index(stage)


def _notify(text: str) -> str:
    """Return the value of NOTIFY; NEVER stands alone (RFC 3461 section 4.1)."""
    words = text.lower().split(",") if text else []
    if any(word not in NOTIFY for word in words) or ("never" in words and len(words) > 1):
        raise UsageError(
            f"{text!r} is not understood",
            "--dsn-notify",
            "Use never alone, or success, failure and delay with commas between them.",
        )
    return ",".join(words).upper()


def _envid(text: str) -> str:
    from smtpshell.protocol.grammar import encode_xtext

    return encode_xtext(text)


def _text(value: str | None, option: str, piped: bytes | Path) -> str:
    """Return the text of an option, read from a file where it is written @FILE, or from stdin."""
    if value == "-":
        octets = piped.read_bytes() if isinstance(piped, Path) else piped
        return octets.decode("utf-8", "surrogateescape")
    if not value or not value.startswith("@"):
        return (value or "").replace("\\n", "\n")
    try:
        return Path(value[1:]).expanduser().read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise FileError.from_os(error, f"{option} {value}", "read") from error


def _message(
    options: argparse.Namespace,
    sender: str,
    to: tuple[str, ...],
    cc: tuple[str, ...],
    piped: bytes | Path,
) -> bytes | Path:
    if options.data == "-":
        return piped
    if options.data:
        path = Path(options.data.removeprefix("@")).expanduser()
        try:
            path.open("rb").close()
        except OSError as error:
            raise FileError.from_os(error, path, "read") from error
        return path
    from smtpshell.conversation.compose import Draft, compose

    draft = Draft(
        sender,
        to,
        cc,
        options.subject or DEFAULT_SUBJECT,
        _text(options.body, "--body", piped) or DEFAULT_BODY,
        _text(options.html, "--html", piped),
        tuple(Path(name).expanduser() for name in options.attach),
        tuple(options.header),
    )
    return compose(draft, utf8=options.smtputf8)
