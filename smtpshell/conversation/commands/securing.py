"""/starttls, /cert, /auth, /b64 and /unb64: encryption, certificates and logging in."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from smtpshell.conversation.login import Login, authenticate
from smtpshell.conversation.operations import starttls as upgrade
from smtpshell.conversation.report import Report, Row
from smtpshell.protocol import sasl
from smtpshell.protocol.errors import SmtpshellError, Status, UsageError
from smtpshell.protocol.text import decode, visible
from smtpshell.transcript.spelling import spelled

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.net.certificates import CertificateFacts
    from smtpshell.net.verdict import Verdict


async def starttls(desk: Desk, argument: str) -> None:
    """Upgrade to TLS, greet again, and show what changed."""
    if argument:
        raise UsageError(
            "/starttls takes no argument", argument, "Options are set by /set tls-min."
        )
    with desk.conversation.driven("starttls"):
        await upgrade(desk)


async def auth(desk: Desk, argument: str) -> None:
    """Log in; `/auth [--show] [MECHANISM] [USER]`."""
    words = argument.split()
    show = "--show" in words
    words = [word for word in words if word != "--show"]
    if any(word.startswith("-") for word in words):
        raise UsageError(
            "the only option is --show", "/auth", "A password is asked for, never given."
        )
    named = bool(words) and (
        words[0].upper() in sasl.MECHANISMS or words[0].upper() in sasl.RECOGNISED
    )
    mechanism = words.pop(0) if named else ""
    if len(words) > 1:
        raise UsageError(
            "too many words", "/auth", "Write /auth MECHANISM USER; the password is asked for."
        )
    with desk.conversation.driven("auth"):
        await authenticate(desk, Login(mechanism, words[0] if words else "", show=show))


async def b64(desk: Desk, argument: str) -> None:
    r"""Show the base64 of a text; `\0` and `\xHH` are octets, as in /raw."""
    from smtpshell.conversation.commands.sending import octets_of

    octets = octets_of(argument)
    text = base64.b64encode(octets).decode("ascii")
    rows = [Row(text, "code")]
    if desk.settings["spell"]:
        rows.append(Row(f"Spelled: {spelled(text)}", "dim"))
    desk.show(rows, {"base64": text, "octets": len(octets)})


async def unb64(desk: Desk, argument: str) -> None:
    """Show what a base64 text stands for."""
    octets = sasl.decode_line(argument.strip())
    text = visible(decode(octets))
    desk.show([Row(text, "code")], {"text": decode(octets), "octets": len(octets)})


async def cert(desk: Desk, argument: str) -> None:
    """Show the server's certificate, the verdict and the chain; `/cert pem` the PEM texts."""
    verdict = desk.conversation.verdict
    if verdict is None:
        raise SmtpshellError(
            "there is no certificate: the connection is not encrypted",
            "/cert",
            "/starttls upgrades it; smtps://HOST begins with TLS.",
            status=Status.USAGE,
        )
    verdict = _with_chain(desk, verdict)
    if argument.lower() in ("pem", "--pem"):
        rows = [Row(line) for facts in verdict.chain for line in facts.pem.strip().split("\n")]
        desk.show(rows, {"pem": [facts.pem for facts in verdict.chain]})
        return
    if argument:
        raise UsageError(
            f"{argument!r} is not understood", "/cert", "There is /cert and /cert pem."
        )
    desk.show(certificate_report(verdict), verdict_facts(verdict))


def _with_chain(desk: Desk, verdict: Verdict) -> Verdict:
    """Return the verdict with the chain's facts, which a handshake that verified left out."""
    conversation = desk.conversation
    link, target = conversation.link, conversation.target
    if verdict.chain or link is None or link.ssl_object is None or target is None:
        return verdict
    from smtpshell.conversation.handshake import settings_for
    from smtpshell.net.verdict import judge

    settings = settings_for(target, conversation.options)
    host = settings.sni or target.host
    full = judge(link.ssl_object, host, settings, group=link.group, full=True)
    conversation.verdict = full
    return full


def certificate_report(verdict: Verdict) -> Report:
    """Return the verdict on a certificate, what it says, and the chain."""
    rows: Report = [
        Row("Good: the certificate is trusted and fits.", "good")
        if verdict.verified
        else Row("NOT good:", "bad")
    ]
    for problem in verdict.problems:
        rows.append(Row(f"{problem.text}. {problem.advice}".strip(), "bad", indent=1))
    group = f", key exchange {verdict.group}" if verdict.group else ""
    rows.append(
        Row(f"{verdict.version}, {verdict.cipher}, {verdict.bits} bits{group}", label="channel")
    )
    for number, facts in enumerate(verdict.chain):
        rows.append(
            Row("server certificate" if not number else f"chain, certificate {number + 1}", "title")
        )
        rows += [
            Row(visible(text), label=label, indent=1)
            for label, text in _certificate_rows(facts)
            if text
        ]
    return rows


def _certificate_rows(facts: CertificateFacts) -> list[tuple[str, str]]:
    left = facts.days_left()
    dates = f"{facts.not_before:%Y-%m-%d} to {facts.not_after:%Y-%m-%d}"
    return [
        ("subject", facts.subject),
        ("names", " ".join((*facts.names, *facts.addresses))),
        ("issuer", "itself (self-signed)" if facts.self_signed else facts.issuer),
        ("valid", f"{dates}, {left} days left" if left >= 0 else f"{dates}, EXPIRED"),
        ("key", facts.key),
        ("signature", facts.signature),
        ("oddities", "; ".join(facts.oddities)),
        ("SHA-256", facts.sha256),
        ("SPKI", facts.spki_sha256),
    ]


def verdict_facts(verdict: Verdict) -> dict[str, object]:
    """Return what `/cert` shows, for `--json`."""
    return {**verdict.to_json(), "chain": [facts.to_json() for facts in verdict.chain]}
