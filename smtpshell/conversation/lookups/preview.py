"""`preview`: what a receiver will see in a sender, before the message is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene
from smtpshell.protocol.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.desk import Desk
    from smtpshell.conversation.report import Report
    from smtpshell.lookup.preview import PreviewFinding


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ip", nargs="?", metavar="IP", help="the address the receiver sees")
    parser.add_argument("--helo", default="", metavar="NAME", help="the name greeted with")
    parser.add_argument("--sender", default="", metavar="ADDRESS", help="MAIL FROM; empty for <>")
    parser.add_argument("--from", dest="author", metavar="DOMAIN", help="domain of the From field")
    parser.add_argument(
        "--dkim", action="append", default=[], metavar="DOMAIN", help="a d= that will hold"
    )


def _prepare(desk: Desk, options: argparse.Namespace) -> None:
    """Take from the session what was not said: who greeted, who sends, from where."""
    now = desk.conversation.snapshot
    options.helo = options.helo or now.helo or ""
    options.sender = options.sender or now.sender or ""
    if not options.ip and desk.practice is not None:
        options.ip = desk.practice.scenario.client
    elif not options.ip and desk.conversation.link is not None:
        options.ip = desk.conversation.link.local_address


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup.preview import preview

    if not options.ip:
        raise UsageError("the client's IP address is missing")
    if not (options.helo or options.sender):
        raise UsageError("--helo or --sender is missing")
    author = (options.author or "").rpartition("@")[2] or options.sender.rpartition("@")[2]
    try:
        found = await preview(
            scene.resolver,
            ip=options.ip,
            helo=options.helo,
            sender=options.sender,
            author=author or None,
            dkim=options.dkim,
        )
    except ValueError as fault:
        raise UsageError(str(fault), options.ip) from None
    yield Result(found.to_json(), report(found), render.status(found))


def report(found: PreviewFinding) -> Report:
    """Return the receiver's eye for people."""
    aligned = {True: "aligns with the author", False: "does not align", None: "alignment unknown"}
    dmarc = found.dmarc
    policy = (dmarc.policy or dmarc.result) if dmarc else "no From domain known"
    return [
        *render.verdict(found, found.words),
        *render.facts(
            [
                ("SPF", f"{found.spf.result} for {found.spf.identity.domain}"),
                ("alignment", aligned[found.spf_aligned] if dmarc else ""),
                ("DMARC", f"{policy} for {found.author}" if dmarc else policy),
                ("reverse DNS", f"{found.ptr.status} {' '.join(found.ptr.confirmed)}"),
            ]
        ),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


LOOKUP = Lookup("preview", _arguments, _run, _prepare)
main = LOOKUP.main
slash = LOOKUP.slash
