"""`smtpshell explain`: find the replies in a pasted text, and explain each.

smtpshell explain "554 5.7.1 <zoe@elsewhere.example>: Relay access denied" --command RCPT
smtpshell explain --file bounce.eml
journalctl -u postfix | smtpshell explain --summary
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from smtpshell.conversation.explain_views import make_view
from smtpshell.conversation.options import Parser
from smtpshell.conversation.report import counted
from smtpshell.knowledge.classes import CLASSES
from smtpshell.protocol.errors import FileError, Status, UsageError
from smtpshell.protocol.text import encode
from smtpshell.transcript.intake.finder import Finder
from smtpshell.transcript.intake.found import Facts
from smtpshell.transcript.intake.lines import capped_lines, text_lines
from smtpshell.transcript.intake.records import RECORD_KEPT, answer, command_facts

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings

NOTHING_FOUND = 1

_WRITTEN_END = re.compile(r"(?:\\r)?\\n(?=[2-5][0-9]{2}[ -])")
"""A line end written as two or four characters, as logs and shells write it, before a code."""

_EPILOG = """\
examples:
  smtpshell explain "550 5.7.1 Message rejected" --command MESSAGE
  smtpshell explain bounce.eml
  smtpshell explain --summary --file /var/log/mail.log
  smtpshell explain --jsonl < replies.jsonl

Your own rules, files NAME.toml in ~/.config/smtpshell/rules, count before ours; --rules tries them.
Exit status: 0 something was explained, 1 nothing could be read or usage, 10 a local file.
"""


def parser() -> Parser:
    """Return the parser of the command's words."""
    made = Parser(
        prog="smtpshell explain",
        description="Find the replies in a text (a reply, a bounce, a mail log, a session, the "
        "error of a program) and explain each.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    made.add_argument(
        "text",
        nargs="*",
        metavar="TEXT",
        help="the text, or one name with a dot or a slash of a file; - or none: standard input",
    )
    made.add_argument(
        "--file", metavar="FILE", help="read the text from a file (-: standard input)"
    )
    made.add_argument("--json", action="store_true", help="one JSON object for each reply")
    made.add_argument(
        "--jsonl",
        action="store_true",
        help='read {"reply": ..., "command": ...} lines, answer each',
    )
    made.add_argument("--long", action="store_true", help="causes and next steps of each reply")
    made.add_argument("--all", action="store_true", help="list replies that said yes, too")
    made.add_argument("--summary", action="store_true", help="count by class, with frequent texts")
    made.add_argument(
        "--only", metavar="CLASS", action="append", help="this class alone; may be repeated"
    )
    made.add_argument(
        "--rules", action="store_true", help="try the examples of your own rules, or show one"
    )
    facts = made.add_argument_group("what is known of the session")
    facts.add_argument(
        "--command", metavar="VERB", help="the command answered: RCPT, AUTH, CONNECT"
    )
    facts.add_argument("--host", metavar="NAME", help="the server")
    facts.add_argument("--port", metavar="N", type=_port, help="its port")
    facts.add_argument("--tls", choices=("yes", "no"), help="whether the channel was encrypted")
    facts.add_argument("--user", metavar="NAME", help="who was logged in")
    facts.add_argument("--sender", metavar="ADDRESS", help="the envelope sender")
    facts.add_argument("--recipient", metavar="ADDRESS", help="the recipient", action="append")
    facts.add_argument("--banner", metavar="TEXT", help="the server's greeting")
    return made


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to 65535")
    return int(text)


def given_facts(options: argparse.Namespace) -> Facts:
    """Return what the options tell about the session, under the names of `Context`."""
    facts: dict[str, object] = {
        name: value
        for name in ("host", "port", "user", "sender", "banner")
        if (value := getattr(options, name))
    }
    if options.tls:
        facts["tls"] = options.tls == "yes"
    if options.recipient:
        facts["refused"] = tuple(options.recipient)
    if options.command:
        facts.update(command_facts(options.command))
    return facts


def _classes(names: list[str] | None) -> frozenset[str]:
    wanted = frozenset(word for name in names or () for word in name.split(",") if word)
    unknown = sorted(wanted - CLASSES.keys())
    if unknown:
        raise UsageError(
            f"no class is called {unknown[0]!r}", "--only", f"There are: {', '.join(CLASSES)}."
        )
    return wanted


@contextmanager
def _source(options: argparse.Namespace) -> Iterator[tuple[BinaryIO, int]]:
    """Open what is to be read; yield it with its size, 0 where that is not known."""
    text = " ".join(options.text)
    if options.file and options.text:
        raise UsageError("give a text or --file, not both", text[:40])
    if names_file(text):
        options.file = text
    if options.file and options.file != "-":
        try:
            file = Path(options.file).open("rb")  # noqa: SIM115 - closed by the with below
            size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise FileError.from_os(error, options.file, "read") from error
        with file:
            yield file, size
    elif options.text and text != "-":
        yield io.BytesIO(encode(_WRITTEN_END.sub("\n", text))), 0
    else:
        if sys.stdin is None:
            raise UsageError("there is no standard input", "explain", "Give a text or --file FILE.")
        if sys.stdin.isatty():
            print("Paste the text, then press Ctrl-D.", file=sys.stderr)
        yield sys.stdin.buffer, 0


def names_file(text: str) -> bool:
    """Tell whether a text can be nothing but the name of a file that is there.

    >>> names_file("550 5.1.1 User unknown"), names_file(__file__)
    (False, True)
    """
    if not ("." in text or "/" in text) or text.split()[:1] != [text] or len(text) > 4_000:
        return False
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


_Item = TypeVar("_Item")


def _reading(lines: Iterator[_Item], name: str) -> Iterator[_Item]:
    """Yield lines; an error of reading them, and no other, becomes a `FileError`."""
    while True:
        try:
            line = next(lines, None)
        except OSError as error:
            raise FileError.from_os(error, name, "read") from error
        if line is None:
            return
        yield line


class _Progress:
    """A bar on standard error, when that is a terminal and the length of the input is known."""

    EVERY = 4_096

    def __init__(self, size: int, settings: Settings) -> None:
        self._size = size
        self._shown = size > 1 << 20 and sys.stderr is not None and sys.stderr.isatty()
        self._plain = settings.plain
        self._done = self._lines = 0
        self._at = monotonic()

    def step(self, octets: int) -> None:
        """Note a line read."""
        self._done += octets
        self._lines += 1
        if self._shown and not self._lines % self.EVERY and monotonic() - self._at > 0.2:
            self._draw()

    def _draw(self) -> None:
        self._at = monotonic()
        share = min(self._done / self._size, 1.0)
        full, empty = ("#", ".") if self._plain else ("█", "░")
        bar = full * int(share * 30) + empty * (30 - int(share * 30))
        print(f"\r{bar} {share:4.0%}  {self._lines:,} lines", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Remove the bar."""
        if self._shown:
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)


def main(words: list[str], settings: Settings) -> int:
    """Run `smtpshell explain`; return the exit status. Raises `SmtpshellError`."""
    options = parser().parse_args(words)
    settings.json = settings.json or options.json or options.jsonl
    if options.rules:
        from smtpshell.conversation.explain_rules import check_rules

        return check_rules(settings)
    with _source(options) as (stream, size):
        progress = _Progress(size, settings)
        try:
            if options.jsonl:
                return _answer_records(stream, options, settings, progress)
            return _explain(stream, options, settings, progress)
        finally:
            progress.end()


def _explain(
    stream: BinaryIO, options: argparse.Namespace, settings: Settings, progress: _Progress
) -> int:
    view = make_view(
        settings,
        given_facts(options),
        only=_classes(options.only),
        long=options.long or settings.notes == "long",
        everything=options.all,
        summary=options.summary,
    )
    finder = Finder()
    for line, octets in _reading(text_lines(stream), options.file or "-"):
        for found in finder.feed(line):
            view.take(found)
        progress.step(octets)
    for found in finder.close():
        view.take(found)
    progress.end()
    view.close(finder)
    return Status.OK if view.explained else NOTHING_FOUND


def _answer_records(
    stream: BinaryIO, options: argparse.Namespace, settings: Settings, progress: _Progress
) -> int:
    """Answer each line; those that hold no reply are counted on standard error, at the end."""
    from smtpshell.transcript.jsonl import as_json

    given = given_facts(options)
    faults, number, first = 0, 0, ""
    write = sys.stdout.write
    lines = _reading(capped_lines(stream, RECORD_KEPT), options.file or "-")
    for number, (line, length) in enumerate(lines, 1):
        told = answer(line, length, given)
        if "error" in told:
            told["line"] = number
            first = first or f"line {number}: {told['error']}"
            faults += 1
        write(as_json(told) + "\n")
        progress.step(length)
    progress.end()
    if faults and not settings.quiet:
        print(f"smtpshell: {counted(faults, 'line')} held no reply. {first}.", file=sys.stderr)
    return Status.OK if number > faults else NOTHING_FOUND
