"""The roof: the command line, turned into settings and one front door.

    smtpshell [options] [WORD ...]

The first word that is not an option is a sub-command, else a provider's name, else a TARGET; no
word means the practice server. Rooms are imported when they are entered, so that `--help` is quick;
`typing`, which would cost more than all that is imported here of ours, is left to the type checker.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys

from smtpshell import __version__
from smtpshell.conversation.connectionflags import add_connection_flags, take_connection_flags
from smtpshell.conversation.lookups import LOOKUPS, USAGE
from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import FileError, SmtpshellError, Status, UsageError
from smtpshell.protocol.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from smtpshell.conversation.settings import Settings

NAME = "smtpshell"


@dataclass(frozen=True, slots=True)
class SubCommand:
    """A reserved first word: what it does, and "module:function" taking (words, settings)."""

    name: str
    summary: str
    handler: str

    def load(self) -> Callable[[list[str], Settings], int]:
        """Import and return the handler."""
        from importlib import import_module

        module, _, function = self.handler.partition(":")
        handler: Callable[[list[str], Settings], int] = getattr(import_module(module), function)
        return handler


SUBCOMMANDS: dict[str, SubCommand] = {
    row.name: row
    for row in (
        SubCommand("send", "play one whole transaction", "smtpshell.conversation.send:main"),
        SubCommand(
            "practice", "run the practice server alone", "smtpshell.conversation.serving:main"
        ),
        SubCommand(
            "explain",
            "explain the replies in a text, a bounce, a log or a session",
            "smtpshell.conversation.explain_command:main",
        ),
        SubCommand("lesson", "list, play and check lessons", "smtpshell.shell.lessons:main"),
        SubCommand(
            "submit", "pack your lessons to hand them in", "smtpshell.tutor.classroom.submit:main"
        ),
        SubCommand(
            "grade",
            "do a class's lessons again, for points",
            "smtpshell.tutor.classroom.grade:main",
        ),
        SubCommand(
            "classroom", "serve and watch a class", "smtpshell.tutor.classroom.commands:main"
        ),
        *(SubCommand(row.name, row.summary, row.main) for row in LOOKUPS.values()),
    )
}
"""Every sub-command, by name; the words are reserved."""

EXAMPLES = """\
examples:
  smtpshell                              the shell, on the practice server
  smtpshell mx1.example.net              the shell, on a real server
  smtpshell -c "EHLO client.example" mx1.example.net
  smtpshell submissions://mail.example.net --json < session.txt

Exit status: 0 all went through, 1 usage, 2 no connection, 6 connection lost or timed
out, 10 a local file, 20-29 and 32 the stage that the server refused (21 greeting,
22 EHLO, 23 MAIL, 24 RCPT, 25 DATA, 26 message, 27 QUIT, 28 AUTH, 29 TLS, 32 EHLO after
TLS, 20 another verb). /help in the shell tells the rest.
"""


class _Line(argparse.Action):
    """Collects `-c` and `-f` in the order in which they stand."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        _option: str | None = None,
    ) -> None:
        """Append one source of lines."""
        sources = [*(getattr(namespace, "lines", None) or []), (self.const, str(values))]
        namespace.lines = sources


def _global_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("options that may stand anywhere")
    group.add_argument("--json", action="store_true", help="one JSON object per line")
    group.add_argument("--plain", action="store_true", help="append-only ASCII, no colour")
    group.add_argument("--spell", action="store_true", help="codes digit by digit, base64 in fours")
    group.add_argument("--notes", choices=("off", "short", "long"), help="what is said of replies")
    group.add_argument("--timeout", metavar="SECONDS", help="bound each wait")
    group.add_argument(
        "--nameserver", metavar="IP[:PORT]", action="append", help="ask this DNS server"
    )
    group.add_argument("--zone", metavar="FILE", help="answer DNS questions from a zone file")
    group.add_argument("-q", dest="quiet", action="store_true", help="wire lines only, no notes")


def build_parser() -> Parser:
    """Return the parser of the front door."""
    parser = Parser(
        prog=NAME,
        usage="%(prog)s [options] [TARGET | SUB-COMMAND ...]",
        description="An interactive shell that speaks raw SMTP, explains every reply, and teaches.",
        epilog=_listed() + EXAMPLES,
        allow_abbrev=False,
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="TARGET",
        help="host, host:port, [v6]:port, smtp://, submission://, submissions://, smtps://, "
        "lmtp://, unix:/path, pipe:COMMAND, or practice",
    )
    script = parser.add_argument_group("scripts (no terminal is used)")
    script.add_argument(
        "-c", metavar="LINE", action=_Line, const="line", help="send this line; may be repeated"
    )
    script.add_argument(
        "-f", metavar="FILE", action=_Line, const="file", help="send the lines of this file"
    )
    add_connection_flags(parser)
    _global_options(parser)
    parser.add_argument("--version", action="version", version=f"{NAME} {__version__}")
    return parser


def _listed() -> str:
    rows = "".join(f"  {row.name:<14} {row.summary}\n" for row in SUBCOMMANDS.values())
    return f"sub-commands:\n{rows}\n"


def _settings(options: argparse.Namespace) -> Settings:
    from smtpshell.conversation.settings import Settings

    settings = Settings()
    settings.load()
    settings.json = options.json
    settings.plain = settings.plain or options.plain or os.environ.get("TERM") == "dumb"
    settings.quiet = options.quiet
    if options.spell:
        settings.set("spell", "on", "--spell")
    if options.notes:
        settings.set("notes", options.notes, "--notes")
    if options.timeout:
        settings.set("timeout", options.timeout, "--timeout")
        settings.dns_timeout = settings.timeout
    settings.nameservers = tuple(options.nameserver or ())
    settings.zone = options.zone
    return settings


def run(arguments: list[str]) -> int:
    """Do what the command line says and return the exit status; raises `SmtpshellError`."""
    place, word = _first_word(arguments)
    if word in SUBCOMMANDS:
        try:
            return _enter(SUBCOMMANDS[word], arguments[:place] + arguments[place + 1 :])
        except UsageError as error:
            if word in LOOKUPS:
                raise UsageError(error.what, error.where, error.next, status=USAGE) from error
            raise
    options = build_parser().parse_args(arguments)
    if len(options.words) > 1:
        raise UsageError(
            f"one TARGET at a time, not {len(options.words)}",
            " ".join(options.words),
            f"{NAME} --help shows how to write one.",
        )
    target = options.words[0] if options.words else None
    if target and not word:
        target = _as_host(target)
    settings = _settings(options)
    take_connection_flags(options, settings)
    return _talk(target, options, settings)


def _as_host(target: str) -> str:
    """Return the target for a word behind `--`, which is a host whatever else it may mean."""
    return target if "://" in target else f"smtp://{target}"


def _enter(command: SubCommand, arguments: list[str]) -> int:
    """Run a sub-command; options that may stand anywhere are taken out of its words."""
    parser = Parser(prog=NAME, add_help=False, allow_abbrev=False)
    _global_options(parser)
    options, rest = parser.parse_known_args(arguments)
    return command.load()(rest, _settings(options))


def _options_with_value() -> frozenset[str]:
    """Return the options of the front door behind which a word is their value."""
    actions = build_parser()._actions  # noqa: SLF001 - argparse has no other way to ask
    return frozenset(
        word for action in actions if action.nargs is None for word in action.option_strings
    )


def _first_word(arguments: list[str]) -> tuple[int, str]:
    """Return the place of the first word that is no option, and the word; "" after `--`."""
    skip = False
    with_value: frozenset[str] | None = None
    for place, argument in enumerate(arguments):
        if skip:
            skip = False
        elif argument == "--":
            return place, ""
        elif not argument.startswith("-") or argument == "-":
            return place, argument
        else:
            with_value = with_value or _options_with_value()
            skip = argument in with_value
    return len(arguments), ""


def _talk(target: str | None, options: argparse.Namespace, settings: Settings) -> int:
    """Run a script where there is one or no terminal; otherwise the interactive shell."""
    sources: list[tuple[str, str]] = getattr(options, "lines", None) or []
    if not sources and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
        from smtpshell.shell.app import interact

        return int(interact(target, settings))
    import asyncio

    from smtpshell.conversation.script import run_lines

    sources = sources or [("stdin", "-")]
    _check_files(sources)
    return asyncio.run(run_lines(target, sources, settings))


def _check_files(sources: list[tuple[str, str]]) -> None:
    from pathlib import Path

    for kind, name in sources:
        if kind == "file" and name != "-":
            try:
                Path(name).open("rb").close()
            except OSError as error:
                raise FileError.from_os(error, name, "read") from error


def guarded(arguments: list[str]) -> int:
    """Run the command line; turn every error into one line and an exit status."""
    _open_streams()
    try:
        status = run(arguments)
        sys.stdout.flush()
        return status
    except SmtpshellError as error:
        from smtpshell.protocol.text import visible

        print(f"{NAME}: {visible(str(error))}", file=sys.stderr)
        return int(error.status)
    except KeyboardInterrupt:
        print(f"{NAME}: interrupted", file=sys.stderr)
        return Status.INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return Status.OK
    except OSError as error:
        if error.errno not in _OUTPUT_ERRORS:
            return _report_bug(error)
        _silence_stdout()
        print(f"{NAME}: {FileError.from_os(error, 'standard output', 'write')}", file=sys.stderr)
        return Status.FILE
    except Exception as error:  # noqa: BLE001 - the last resort, which reports a bug of ours
        return _report_bug(error)


_OUTPUT_ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)


def _open_streams() -> None:
    """Put streams that go nowhere in the place of those that the caller has closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - for good


def _silence_stdout() -> None:
    """Point standard output nowhere, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _report_bug(error: Exception) -> int:
    """Write a short report, without values that may be secret, and tell where it is."""
    import tempfile
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    places = "\n".join(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    report = (
        f"{NAME} {__version__}, Python {sys.version.split()[0]}\n{type(error).__name__}\n{places}\n"
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix=f"{NAME}-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(report)
        where = f"a report to file with the maintainers is in {file.name}"
    except OSError:
        where = "no report could be written"
    print(f"{NAME}: a bug of ours ({type(error).__name__}): {where}.", file=sys.stderr)
    return Status.BUG
