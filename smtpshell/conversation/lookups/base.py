"""Running a look-up, whoever asked: parse its words, ask, and hand out results one by one.

A result carries the facts for `--json`, the report for people, and the exit status, so that the
sub-command and the local command differ only in where results go.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from smtpshell.conversation.lookups import FINE, LOOKUPS, NO_ANSWER, PROBLEM, USAGE
from smtpshell.conversation.lookups.imaginary import is_about_practice
from smtpshell.conversation.options import Parser
from smtpshell.conversation.report import Report, Row, plain_lines
from smtpshell.protocol.errors import FileError, SmtpshellError, UsageError
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.conversation.settings import Settings
    from smtpshell.lookup.resolver import Resolver

NAME = "smtpshell"


@dataclass(frozen=True, slots=True)
class Result:
    """One thing looked up: facts for programs, a report for people, an exit status."""

    facts: dict[str, Any]
    report: Report
    status: int


@dataclass(frozen=True, slots=True)
class Scene:
    """What a look-up runs with: the settings, the resolver when it is wanted, and progress.

    `practice` is the practice server where one runs in this session. `progress` is called with the
    number done and the total; it shows nothing where nobody looks.
    """

    settings: Settings
    options: argparse.Namespace
    progress: Callable[[int, int], None]
    practice: Any = None

    @property
    def imaginary(self) -> bool:
        """Whether the practice world's own DNS answers."""
        given = self.options
        named = given.nameserver or given.zone or self.settings.nameservers or self.settings.zone
        return self.practice is not None and not named and is_about_practice(given)

    @property
    def resolver(self) -> Resolver:
        """The session's resolver. Raises SmtpshellError when there is nobody to ask."""
        given = self.options
        if self.imaginary:
            resolver: Resolver = self.practice.resolver
            return resolver
        return resolver_for(
            self.settings,
            tuple(given.nameserver or self.settings.nameservers),
            given.zone or self.settings.zone,
            given.timeout or self.settings.dns_timeout,
        )


Run = Callable[[Scene, argparse.Namespace], AsyncIterator[Result]]


@dataclass(frozen=True, slots=True)
class Lookup:
    """One look-up as a command: its row, its own arguments, and its run.

    `prepare` fills in, for a local command, what the session knows.
    """

    name: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Run
    prepare: Callable[[Desk, argparse.Namespace], None] | None = None

    def parser(self, program: str) -> Parser:
        """Return the parser of the look-up's words."""
        row = LOOKUPS[self.name]
        parser = Parser(
            prog=f"{program}{self.name}",
            description=f"{row.summary[0].upper()}{row.summary[1:]}.",
            epilog="Exit status: 0 fine, 1 a problem, 3 no answer, 64 usage.",
            allow_abbrev=False,
        )
        self.add_arguments(parser)
        group = parser.add_argument_group("asking")
        group.add_argument("--json", action="store_true", help="one JSON object for each result")
        group.add_argument(
            "--nameserver", action="append", metavar="IP[:PORT]", help="ask this DNS server"
        )
        group.add_argument("--zone", metavar="FILE", help="answer from a zone file")
        group.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="for each question")
        return parser

    def main(self, words: list[str], settings: Settings) -> int:
        """Run as `smtpshell NAME`: write results to standard output, return the exit status."""
        try:
            options = self.parser(f"{NAME} ").parse_args(words)
            settings.json = settings.json or options.json
            scene = Scene(settings, options, _progress(settings))
            return asyncio.run(self._print(scene, options))
        except SmtpshellError as error:
            print(f"{NAME}: {visible(str(error))}", file=sys.stderr)
            return USAGE if isinstance(error, UsageError) else int(error.status)

    async def _print(self, scene: Scene, options: argparse.Namespace) -> int:
        statuses = []
        async for result in results(self, scene, options):
            print("\n".join(_lines(result, scene.settings)), flush=True)
            statuses.append(result.status)
        return total(statuses)

    async def slash(self, desk: Desk, argument: str) -> None:
        """Run as a local command: show each result on the desk. Raises SmtpshellError."""
        import shlex

        try:
            words = shlex.split(argument)
        except ValueError as error:
            raise UsageError(f"the quotes do not match: {error}", argument) from None
        parser = self.parser("/")
        if {"-h", "--help"} & set(words):
            desk.show([Row(line) for line in parser.format_help().splitlines()])
            return
        options = parser.parse_args(words)
        if self.prepare is not None:
            self.prepare(desk, options)
        with desk.progress(f"/{self.name}", None) as tell:
            scene = Scene(desk.settings, options, lambda done, _: _tell(tell, done), desk.practice)
            async for result in results(self, scene, options):
                note = [Row("Answered by the practice world's own DNS.", "dim")]
                desk.show([*result.report, *note * scene.imaginary], result.facts)


def _tell(tell: object, done: int) -> None:
    if callable(tell):
        tell(done)


async def results(
    lookup: Lookup, scene: Scene, options: argparse.Namespace
) -> AsyncIterator[Result]:
    """Run a look-up and yield its results; faults of the asking become errors of ours."""
    from smtpshell.lookup.finding import SetupError

    try:
        async for result in lookup.run(scene, options):
            yield result
    except SetupError as fault:
        advice = f"Try: {fault.next}" if fault.next else ""
        raise _error(fault.what, fault.where, advice, fault.status) from None


def _error(what: str, where: str, advice: str, status: int) -> SmtpshellError:
    if status == USAGE:
        return UsageError(what, where, advice)
    return SmtpshellError(what, where, advice, status=status)


def total(statuses: list[int]) -> int:
    """Return the exit status of several results: a problem outweighs silence, silence outweighs 0.

    >>> total([0, 3, 1])
    1
    """
    if PROBLEM in statuses:
        return PROBLEM
    return NO_ANSWER if NO_ANSWER in statuses else FINE


def _lines(result: Result, settings: Settings) -> list[str]:
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        return [as_json(result.facts)]
    lines = plain_lines(result.report, listed=settings.plain)
    return [visible(line, ascii_only=settings.plain) for line in lines]


def _progress(settings: Settings) -> Callable[[int, int], None]:
    """Return a function that counts on standard error, where that is a terminal."""

    def count(done: int, of: int) -> None:
        end = "\n" if done == of else ""
        print(f"\r{done} of {of} done", end=end, file=sys.stderr, flush=True)

    shown = sys.stderr is not None and sys.stderr.isatty() and not settings.plain
    return count if shown else lambda _done, _of: None


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def port_number(text: str) -> int:
    """Read a port for argparse."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to 65535")
    return int(text)


_Kept = WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[Any, ...], "Resolver"]]
_RESOLVERS: WeakKeyDictionary[Settings, _Kept] = WeakKeyDictionary()


def resolver_for(
    settings: Settings,
    nameservers: tuple[str, ...] = (),
    zone: str | None = None,
    timeout: float | None = None,
) -> Resolver:
    """Return the resolver of this session and loop, made when it is first wanted.

    What was asked once is remembered for as long as the settings live. Raises SmtpshellError when
    there is nobody to ask, or the zone file is not to be read.
    """
    from smtpshell.lookup.finding import SetupError
    from smtpshell.lookup.resolver import TIMEOUT, Resolver
    from smtpshell.lookup.zone import Zone

    loops = _RESOLVERS.setdefault(settings, WeakKeyDictionary())
    kept = loops.setdefault(asyncio.get_running_loop(), {})
    key = (nameservers, zone, timeout)
    if key not in kept:
        try:
            held = Zone.from_file(zone) if zone else None
            kept[key] = Resolver(nameservers, timeout=timeout or TIMEOUT, zone=held)
        except SetupError as fault:
            advice = f"Try: {fault.next}" if fault.next else ""
            raise _error(fault.what, fault.where, advice, fault.status) from None
    return kept[key]


def record_text(given: str, *, lines: bool = False) -> str:
    r"""Return a record given on the command line: the text, or the file behind `@`.

    With `lines`, a `\n` written as two characters starts a new line, for texts of several lines.
    Raises FileError.
    """
    if given.startswith("@"):
        path = given[1:]
        try:
            text = Path(path).read_bytes().decode("utf-8", "replace")
        except OSError as error:
            raise FileError.from_os(error, path, "read") from error
        return text if lines else text.rstrip("\r\n")
    if lines and "\n" not in given:
        return given.replace("\\r", "\r").replace("\\n", "\n")
    return given


def add_record(parser: argparse.ArgumentParser, what: str = "record") -> None:
    """Add `--record`: try a text before it is published."""
    parser.add_argument(
        "--record",
        metavar="TEXT",
        help=f"try this {what} (@FILE reads it) in place of the published one",
    )


def add_probing(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the options of a probe; `what` says what it does."""
    group = parser.add_argument_group("probing")
    group.add_argument("--probe", action="store_true", help=what)
    group.add_argument("--port", type=port_number, default=25, metavar="N", help="the hosts' port")


def one_of(options: argparse.Namespace, *names: str) -> None:
    """Raise UsageError unless one of the named options was given; an empty record counts."""
    given = {name: getattr(options, name) for name in names}
    if not any(value or (name == "record" and value is not None) for name, value in given.items()):
        said = " or ".join(name.upper() if name == "domain" else f"--{name}" for name in names)
        raise UsageError(f"{said} is missing")
