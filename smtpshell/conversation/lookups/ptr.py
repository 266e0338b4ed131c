"""`ptr`: whether addresses have names that lead back to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.ptr import PtrFinding


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("addresses", nargs="+", metavar="IP")


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import ptr

    for address in options.addresses:
        found = await ptr.lookup(scene.resolver, address)
        yield Result(found.to_json(), report(found), render.status(found))


def report(found: PtrFinding) -> Report:
    """Return a reverse DNS finding for people."""
    names = ", ".join(map(render.shown_name, found.confirmed))
    sentence = {
        "pass": f"{found.address} is {names}, and the name leads back to it.",
        "fail": f"{found.address} has a name that does not lead back to it.",
        "permerror": f"{found.address} has no name.",
        "temperror": f"the DNS did not say which name {found.address} has.",
    }[found.status]
    return [
        *render.verdict(found, sentence),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


LOOKUP = Lookup("ptr", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
