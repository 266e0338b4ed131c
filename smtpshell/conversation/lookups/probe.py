"""Probing a mail host: connect, read the banner, greet, upgrade to TLS, judge, leave.

This is what a look-up cannot know from the DNS. Each address is probed by itself, all at once, and
whatever the server does becomes a fact or a fault in words, never an exception.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from smtpshell.conversation.lookups import render
from smtpshell.conversation.report import Row
from smtpshell.net.certificates import presented_chain
from smtpshell.net.link import Endpoint, Link, LinkError, LinkOptions
from smtpshell.net.tls import TlsSettings, make_context
from smtpshell.net.verdict import judge
from smtpshell.protocol.extensions import parse_ehlo
from smtpshell.protocol.replies import ReplyReader
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smtpshell.conversation.report import Report
    from smtpshell.conversation.settings import Settings
    from smtpshell.net.verdict import Verdict
    from smtpshell.protocol.replies import Reply

SECONDS: Final = 15.0  # for one address, everything together
PLACES: Final = 16  # addresses probed for one domain


@dataclass(frozen=True, slots=True)
class Probe:
    """What one address did. `fault` says where it ended early; `chain` is in DER, server first.

    `ms` is the time until the greeting had arrived, in milliseconds.
    """

    host: str
    address: str
    port: int
    greeting: str = ""
    code: int | None = None
    extensions: tuple[str, ...] = ()
    starttls: bool | None = None
    verdict: Verdict | None = field(default=None, repr=False)
    chain: tuple[bytes, ...] = field(default=(), repr=False)
    fault: str = ""
    ms: float | None = None

    @property
    def good(self) -> bool:
        """True when the host greets, offers STARTTLS, and its certificate verifies."""
        return not self.fault and self.verdict is not None and self.verdict.verified

    def to_json(self) -> dict[str, Any]:
        """Return the probe as a JSON object."""
        return {
            "host": self.host,
            "address": self.address,
            "port": self.port,
            "code": self.code,
            "banner": self.greeting or None,
            "extensions": list(self.extensions),
            "starttls": self.starttls,
            "tls": self.verdict.to_json() if self.verdict else None,
            "fault": self.fault or None,
            "ms": None if self.ms is None else round(self.ms, 1),
        }


def tls_settings(settings: Settings) -> TlsSettings:
    """Return how to speak TLS in a probe: nothing is demanded, everything is judged."""
    from smtpshell.conversation.operations import options_from

    return options_from(settings).tls


async def probe_all(
    places: Iterable[tuple[str, str]], port: int, settings: Settings
) -> list[Probe]:
    """Probe pairs of host and address at once, in their order."""
    wanted = list(places)[:PLACES]
    return list(await asyncio.gather(*(probe(*place, port, settings) for place in wanted)))


async def probe(host: str, address: str, port: int, settings: Settings) -> Probe:
    """Probe one address of a host; never raises."""
    found = Probe(host, address, port)
    talk = _Talk(found, settings)
    try:
        async with asyncio.timeout(min(SECONDS, settings.timeout)):
            await talk.run()
    except TimeoutError:
        talk.found = replace(talk.found, fault="it took too long")
    except LinkError as error:
        talk.found = replace(talk.found, fault=error.what)
    finally:
        talk.leave()
    return talk.found


class _Talk:
    """One probing session; `found` grows as it goes on."""

    def __init__(self, found: Probe, settings: Settings) -> None:
        self.found = found
        self._settings = settings
        self._tls = tls_settings(settings)
        self._link: Link | None = None
        self._reader = ReplyReader()
        self._replies: list[Reply] = []

    async def run(self) -> None:
        found = self.found
        started = time.monotonic()
        endpoint = Endpoint("tcp", host=found.address, port=found.port)
        self._link = await Link.open(endpoint, LinkOptions(timeout=SECONDS))
        greeting = await self._reply()
        first = greeting.lines[0] if greeting.lines else ""
        ms = (time.monotonic() - started) * 1000
        self.found = replace(found, greeting=visible(first), code=greeting.code, ms=ms)
        if greeting.code != 220:
            self.found = replace(self.found, fault=f"it greets with {greeting.code}")
            return
        hello = await self._command(f"EHLO {self._name()}")
        if hello.code != 250:
            self.found = replace(self.found, fault=f"it answers EHLO with {hello.code}")
            return
        names = tuple(visible(name) for name in parse_ehlo(hello).names)
        self.found = replace(self.found, extensions=names, starttls="STARTTLS" in names)
        if self.found.starttls:
            await self._upgrade()

    async def _upgrade(self) -> None:
        ready = await self._command("STARTTLS")
        if ready.code != 220 or self._link is None:
            self.found = replace(self.found, fault=f"it answers STARTTLS with {ready.code}")
            return
        host = self.found.host
        await self._link.start_tls(make_context(self._tls), host, SECONDS)
        tls = self._link.ssl_object
        if tls is not None:
            verdict = judge(tls, host, self._tls, group=self._link.group, full=True)
            self.found = replace(self.found, verdict=verdict, chain=presented_chain(tls))

    def _name(self) -> str:
        """Return the name to greet with (RFC 5321 section 4.1.4)."""
        if self._settings["helo"]:
            return str(self._settings["helo"])
        address = self._link.local_address if self._link else ""
        return f"[IPv6:{address}]" if ":" in address else f"[{address or '127.0.0.1'}]"

    async def _command(self, line: str) -> Reply:
        assert self._link is not None
        self._link.write(line.encode("ascii", "replace") + b"\r\n")
        await self._link.drain()
        return await self._reply()

    async def _reply(self) -> Reply:
        assert self._link is not None
        while not self._replies:
            octets = await self._link.read()
            if not octets:
                self._replies += self._reader.close()
                if not self._replies:
                    raise LinkError.lost("closed", "it hung up", self.found.address)
            self._replies += self._reader.feed(octets)
        return self._replies.pop(0)

    def leave(self) -> None:
        """Say QUIT without waiting, and drop the connection."""
        if self._link is not None:
            try:
                self._link.write(b"QUIT\r\n")
            except LinkError:
                pass
            self._link.abort()


def report(probes: Iterable[Probe]) -> Report:
    """Return probes side by side, for people, and then what each of them said."""
    found = list(probes)
    if not found:
        return [Row("No address to probe.", "warn")]
    table = [("host", "greeting", "STARTTLS", "TLS", "certificate"), *map(_line, found)]
    widths = [max(len(line[column]) for line in table) for column in range(4)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, [*widths, 0], strict=True))
        for line in table
    ]
    rows: Report = [render.title("Probed"), Row(lines[0], "dim", 1)]
    rows += [Row(line, _style(each), 1) for each, line in zip(found, lines[1:], strict=True)]
    for each in found:
        rows += [Row(f"{each.host} {each.address}: {_words(each)}", _style(each), 1)]
        rows += render.facts(_facts(each), 2)
    return rows


def _style(found: Probe) -> str:
    return "good" if found.good else "bad" if found.fault else "warn"


def _line(found: Probe) -> tuple[str, str, str, str, str]:
    """Return a probe's cells: where, greeting, STARTTLS, TLS version, certificate."""
    verdict = found.verdict
    certificate = {True: "verified", False: "NOT verified", None: "-"}[
        verdict.verified if verdict else None
    ]
    offered = {True: "yes", False: "NO", None: "-"}[found.starttls]
    code = "-" if found.code is None else str(found.code)
    return found.address, code, offered, verdict.version if verdict else "-", certificate


def _words(found: Probe) -> str:
    if found.fault:
        return f"FAULT, {found.fault}"
    if not found.starttls:
        return "WARNING, no STARTTLS: mail to it is not encrypted"
    if found.verdict is not None and found.verdict.verified:
        return "OK, encrypted, and the certificate verifies"
    return "WARNING, encrypted, but the certificate does not verify"


def _facts(found: Probe) -> list[tuple[str, str]]:
    verdict = found.verdict
    if found.code is None:
        return []
    return [
        ("banner", f"{found.code} {found.greeting} ({found.ms or 0:.0f} ms)"),
        ("EHLO", " ".join(found.extensions)),
        ("TLS", f"{verdict.version}, {verdict.cipher}" if verdict else ""),
        *(("problem", problem.text) for problem in (verdict.problems if verdict else ())),
    ]
