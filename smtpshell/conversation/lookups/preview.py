"""`preview`: what a receiver will see in a sender, before the message is sent.

In a session it is kept for /why, and tells beside what was foreseen what the server did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene
from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.events import Received
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.desk import Desk
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.report import Report
    from smtpshell.lookup.preview import PreviewFinding


JUDGING = ("MAIL", "RCPT", ".")
"""What is answered by a judgement on the sender."""


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
    options.done = _what_the_server_did(desk.conversation)
    options.keep = desk.conversation.foresee


def _what_the_server_did(conversation: Conversation) -> str:
    """Return the last reply that was about this sender or its message, in words; "" before any."""
    for event in reversed(conversation.log.events):
        if isinstance(event, Received) and event.command in JUDGING:
            reply, said = event.reply, visible(event.reply.text.replace("\n", " "))
            word = "accepted" if reply.is_positive else "refused"
            what = "the message" if event.command == "." else event.command
            return f"{word} {what}: {reply.code} {said}"
    return ""


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
    done = getattr(options, "done", "")
    getattr(options, "keep", lambda _: None)(found)
    rows = [*report(found), *([Row(done, label="the server")] if done else [])]
    facts = {**found.to_json(), "server": done} if done else found.to_json()
    yield Result(facts, rows, render.status(found))


def seen(found: PreviewFinding) -> Report:
    """Return in three or four rows what a receiver sees in a sender."""
    aligned = {True: "aligns with the author", False: "does not align", None: "alignment unknown"}
    dmarc = found.dmarc
    policy = (dmarc.policy or dmarc.result) if dmarc else "no From domain known"
    return render.facts(
        [
            ("SPF", f"{found.spf.result} for {found.spf.identity.domain}"),
            ("alignment", aligned[found.spf_aligned] if dmarc else ""),
            ("DMARC", f"{policy} for {found.author}" if dmarc else policy),
            ("reverse DNS", f"{found.ptr.status} {' '.join(found.ptr.confirmed)}"),
        ]
    )


def report(found: PreviewFinding) -> Report:
    """Return the receiver's eye for people."""
    return [
        *render.verdict(found, found.words),
        *seen(found),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


LOOKUP = Lookup("preview", _arguments, _run, _prepare)
main = LOOKUP.main
slash = LOOKUP.slash
