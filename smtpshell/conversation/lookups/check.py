"""`check`: everything about one domain or many, as one report each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smtpshell.conversation.lookups import render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene
from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import FileError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Callable, Mapping

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.check import Area, CheckFinding


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domains", nargs="*", metavar="DOMAIN")
    parser.add_argument(
        "--file", metavar="FILE", help="domains from a file, one on a line; - is standard input"
    )
    parser.add_argument("--selector", action="append", default=[], help="a DKIM selector to check")
    parser.add_argument("--bimi-selector", default="default", metavar="NAME")
    parser.add_argument("--dnsbl", action="store_true", help="ask block lists too")
    parser.add_argument("--list", dest="lists", action="append", metavar="DOMAIN")
    parser.add_argument("--jobs", type=int, default=20, metavar="N", help="domains at once")
    parser.add_argument("--trace", action="store_true", help="show every question and answer")
    parser.add_argument("--strict", action="store_true", help="warnings count as problems")


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import check, dnsbl

    domains = [*options.domains, *(_listed(options.file) if options.file else [])]
    if not domains:
        raise UsageError("no domain is given", next="Name domains, or a file with --file.")
    if options.jobs < 1:
        raise UsageError("--jobs must be at least 1")
    lists = tuple(options.lists or (dnsbl.LISTS if options.dnsbl else ()))
    wanted = check.Options(tuple(options.selector), lists, options.bimi_selector)
    many = len(domains) > 1
    found = check.check_many(
        scene.resolver,
        domains,
        wanted,
        concurrency=options.jobs,
        done=lambda number: scene.progress(number, len(domains)) if many else None,
    )
    async for each in found:
        rows = report(each, trace=options.trace)
        status = render.status(each)
        if options.strict and render.standing(each) == "warning":
            status = 1
        facts = render.with_unicode(each.to_json())
        yield Result(facts, [*rows, Row("")] if many else rows, status)


def _listed(name: str) -> list[str]:
    """Return the domains of a file: the first word of each line, comments and blanks left out."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8", "replace")
    except OSError as error:
        raise FileError.from_os(error, name, "read") from error
    words = (line.partition("#")[0].split() for line in text.splitlines())
    return [line[0] for line in words if line]


def report(found: CheckFinding, *, trace: bool = False) -> Report:
    """Return a check for people: the verdict, one line for each area, then what to do."""
    errors = sum(problem.severity == "error" for problem in found.problems)
    warnings = sum(problem.severity == "warning" for problem in found.problems)
    sentence = f"{render.shown_name(found.domain)}: {_count(errors, 'error')}, "
    rows = render.verdict(found, f"{sentence}{_count(warnings, 'warning')}.")
    rows += render.facts((_title(area), _said(area)) for area in found.areas)
    if not any(area.name == "dkim" for area in found.areas):
        hint = "DKIM keys cannot be listed: name a selector with --selector to check its key."
        rows += render.wrapped(hint, "dim", 1)
    if trace:
        rows += render.steps(found.trace)
    for area in found.areas:
        serious = [each for each in area.problems if each.severity != "info" or trace]
        rows += render.problems(serious, _title(area))
    return rows


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _title(area: Area) -> str:
    return f"{area.title} {area.subject}" if area.name in {"dkim", "ptr"} else area.title


def _said(area: Area) -> str:
    word = render.STANDINGS["unanswered" if area.unanswered else _worst(area)][0]
    summary = SUMMARIES.get(area.name)
    told = summary(area.finding) if summary and not area.unanswered else ""
    return f"{word}: {told}" if told else word


def _worst(area: Area) -> str:
    from smtpshell.lookup.finding import worst

    return worst(area.problems) or ""


SUMMARIES: Final[Mapping[str, Callable[[Any], str]]] = {
    "mx": lambda found: {
        "mx": ", ".join(f"{each.preference} {each.host}" for each in found.exchangers),
        "implicit": "no MX, the domain's own address",
        "null": "takes no mail",
    }.get(found.fate, "nowhere to deliver"),
    "spf": lambda found: f"{found.record or 'none'} ({found.worst_case or 0} of 10 look-ups)",
    "dmarc": lambda found: (
        f"{found.policy} ({found.tag} of {found.policy_domain})"
        if found.result == "apply"
        else "does not apply"
    ),
    "dkim": lambda found: found.result,
    "mta-sts": lambda found: found.mode or found.result,
    "tlsrpt": lambda found: ", ".join(found.record.rua) if found.record else "none",
    "tlsa": lambda found: found.result,
    "ptr": lambda found: ", ".join(found.confirmed) or found.status,
    "bimi": lambda found: found.result,
    "dnsbl": lambda found: "listed" if found.listed else "not listed",
}


LOOKUP = Lookup("check", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
