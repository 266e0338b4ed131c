"""What the world's DNS says of a message: SPF, DKIM and DMARC, as a receiving host judges them.

The questions go to the zone of the scenario and nowhere else. The results are facts for rules, and
one Authentication-Results field (RFC 8601) on top of the stored message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection

    from smtpshell.lookup.resolver import Resolver


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is there to be judged: the client's address, its greeting, the envelope, the message.

    `content` is None before the message has come.
    """

    client: str
    helo: str
    sender: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The results, each "" where it was not asked for; `dkim` names each signature's domain too."""

    spf: str = ""
    mail_from: str = ""
    dkim: tuple[tuple[str, str], ...] = ()
    dkim_checked: bool = False
    dmarc: str = ""
    policy: str = ""
    author: str = ""

    @property
    def best_dkim(self) -> str:
        """The best result of all signatures, "none" without any, "" where nobody looked."""
        results = [result for result, _ in self.dkim]
        order = ("pass", "temperror", "fail", "permerror")
        found = next((result for result in order if result in results), "none")
        return found if self.dkim_checked else ""

    def facts(self) -> dict[str, str]:
        """Return the results as facts for rules."""
        return {
            "spf": self.spf,
            "dkim": self.best_dkim,
            "dmarc": self.dmarc,
            "policy": self.policy,
        }

    def field(self, host: str) -> str:
        """Return the text of an Authentication-Results field, "" when nothing was judged."""
        parts = []
        if self.spf:
            parts.append(f"spf={self.spf} smtp.mailfrom={visible(self.mail_from)}")
        parts += [f"dkim={result} header.d={visible(domain)}" for result, domain in self.dkim]
        if self.dkim_checked and not self.dkim:
            parts.append("dkim=none")
        if self.dmarc:
            policy = f" (p={self.policy})" if self.policy else ""
            parts.append(f"dmarc={self.dmarc}{policy} header.from={visible(self.author)}")
        return ";\r\n\t".join((host, *parts)) if parts else ""


async def judge(
    resolver: Resolver, seen: Sighting, wanted: Collection[str], now: float
) -> Verdicts:
    """Return the wanted verdicts ("spf", "dkim", "dmarc", "policy"); DMARC brings the others.

    `now` is the moment of judgement in seconds since 1970.
    """
    whole = seen.content is not None and not {"dmarc", "policy"}.isdisjoint(wanted)
    spf, mail_from = "", ""
    if "spf" in wanted or whole:
        spf, mail_from = await _spf(resolver, seen)
    if seen.content is None or not ("dkim" in wanted or whole):
        return Verdicts(spf, mail_from)
    from smtpshell.lookup.dkim_verify import verify

    found = await verify(resolver, seen.content, now=now)
    dkim = tuple((each.result, each.signature.domain) for each in found.signatures)
    verdicts = Verdicts(spf, mail_from, dkim, dkim_checked=True)
    return await _dmarc(resolver, verdicts, found.from_domain or "") if whole else verdicts


async def _spf(resolver: Resolver, seen: Sighting) -> tuple[str, str]:
    from smtpshell.lookup import spf
    from smtpshell.lookup.finding import SetupError

    sender = seen.sender or f"postmaster@{seen.helo}"
    try:
        finding = await spf.lookup(resolver, ip=seen.client, sender=sender, helo=seen.helo)
    except SetupError:
        return "none", sender
    return finding.result, sender


async def _dmarc(resolver: Resolver, verdicts: Verdicts, author: str) -> Verdicts:
    from smtpshell.lookup import dmarc
    from smtpshell.protocol.values import replace

    if not author:
        return replace(verdicts, dmarc="permerror")
    spf = [verdicts.mail_from.rpartition("@")[2]] if verdicts.spf == "pass" else []
    dkim = [domain for result, domain in verdicts.dkim if result == "pass"]
    finding = await dmarc.lookup(resolver, author, spf=spf, dkim=dkim, reports=False)
    if finding.result != "apply":
        return replace(verdicts, dmarc=finding.result, author=author)
    aligned = any(each.aligned for each in finding.alignments)
    result = "pass" if aligned else "fail"
    return replace(verdicts, dmarc=result, policy=finding.policy or "none", author=author)
