"""The receiver's eye: what a receiver will make of a sender before it sees the message's text.

Given the client's address, the HELO name, the reverse-path and the domain of the From field, a
receiver asks three questions: does SPF allow this host, does that align with the author so that
DMARC passes, and has the address a name. They are asked here at once, and their answers put
together into the sentence that matters: whether the message stands or falls with DKIM.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from smtpshell.lookup import dmarc, names, ptr, spf
from smtpshell.lookup.finding import Problem, Step, problems_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from smtpshell.lookup.dmarc import DmarcFinding
    from smtpshell.lookup.ptr import PtrFinding
    from smtpshell.lookup.resolver import Resolver
    from smtpshell.lookup.spf import SpfFinding

Outlook = Literal["pass", "needs-dkim", "none", "temperror"]


@dataclass(frozen=True, slots=True)
class PreviewFinding:
    """What a receiver will see. `dmarc` is None when the author domain is not known yet.

    `outlook`: `pass` (SPF passes and aligns, or an aligned DKIM signature does), `needs-dkim` (only
    an aligned DKIM signature can make DMARC pass), `none` (DMARC does not apply), `temperror`.
    """

    ip: str
    helo: str
    sender: str
    author: str | None
    spf: SpfFinding = field(repr=False)
    ptr: PtrFinding = field(repr=False)
    dmarc: DmarcFinding | None = field(default=None, repr=False)

    @property
    def spf_aligned(self) -> bool | None:
        """Whether an SPF pass aligns with the author domain; None when nobody knows."""
        return (
            next((each.aligned for each in self.dmarc.alignments if each.mechanism == "spf"), None)
            if self.dmarc
            else None
        )

    @property
    def dkim_aligned(self) -> bool:
        """Whether any of the DKIM domains aligns with the author domain."""
        aligned = self.dmarc.alignments if self.dmarc else ()
        return any(each.mechanism == "dkim" and each.aligned for each in aligned)

    @property
    def outlook(self) -> Outlook:
        """What DMARC will come to."""
        if self.dmarc is None or self.dmarc.result == "none":
            return "none"
        if self.dmarc.unanswered:
            return "temperror"
        if self.dkim_aligned or (self.spf.result == "pass" and self.spf_aligned):
            return "pass"
        if self.spf.result == "temperror" or self.spf_aligned is None:
            return "temperror"
        return "needs-dkim"

    @property
    def unanswered(self) -> bool:
        """True when the DNS gave no answer that decides."""
        return self.outlook == "temperror"

    @property
    def words(self) -> str:
        """The outlook as a sentence."""
        policy = self.dmarc.policy if self.dmarc else None
        consequence = {
            "reject": "it asks receivers to refuse the message",
            "quarantine": "it asks receivers to treat the message as suspicious",
        }.get(policy or "", "it asks receivers for nothing")
        return {
            "pass": "DMARC will pass.",
            "needs-dkim": f"DMARC passes only with a DKIM signature of {self.author}'s "
            f"organizational domain; without one {consequence} (policy {policy}).",
            "none": "DMARC does not apply: no policy, or no From domain known.",
            "temperror": "The DNS did not answer, so nobody knows.",
        }[self.outlook]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What stands in the way, the gravest first."""
        return tuple(self._problems())

    def _problems(self) -> Iterator[Problem]:
        if self.outlook == "needs-dkim":
            why = (
                f"SPF says {self.spf.result}"
                if self.spf.result != "pass"
                else f"SPF passes for {self.spf.identity.domain}, which does not align"
            )
            yield Problem(
                "error" if self.dmarc and self.dmarc.policy != "none" else "warning",
                "needs-dkim",
                f"{why}. {self.words}",
                "Most receivers follow the policy.",
                "Send from a host the SPF record allows, with a reverse-path of the author's "
                "domain, or sign with DKIM.",
                "RFC 9989 4.10",
            )
        yield from self.spf.problems
        yield from self.ptr.problems
        if self.dmarc is not None and self.dmarc.unanswered:
            yield from self.dmarc.problems

    @property
    def trace(self) -> tuple[Step, ...]:
        """The three questions with their own traces."""
        steps = [
            Step(f"SPF of {self.spf.identity.domain}", self.spf.result, steps=self.spf.trace),
            Step(f"reverse DNS of {self.ip}", self.ptr.status, steps=self.ptr.trace),
        ]
        if self.dmarc is not None:
            outcome = self.dmarc.policy or self.dmarc.result
            steps.append(Step(f"DMARC of {self.author}", outcome, steps=self.dmarc.trace))
        return tuple(steps)

    def to_json(self) -> dict[str, object]:
        """Return the finding as a JSON object."""
        return {
            "ip": self.ip,
            "helo": self.helo,
            "sender": self.sender,
            "author": self.author,
            "outlook": self.outlook,
            "words": self.words,
            "spf": self.spf.result,
            "spf_domain": self.spf.identity.domain,
            "spf_aligned": self.spf_aligned,
            "dkim_aligned": self.dkim_aligned,
            "dmarc": self.dmarc.result if self.dmarc else None,
            "policy": self.dmarc.policy if self.dmarc else None,
            "ptr": self.ptr.status,
            "names": list(self.ptr.confirmed),
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


async def preview(
    resolver: Resolver,
    *,
    ip: str,
    helo: str,
    sender: str,
    author: str | None = None,
    dkim: Sequence[str] = (),
) -> PreviewFinding:
    """See a sender as a receiver will.

    `sender` is the reverse-path's address without brackets, empty for `<>`; `author` the domain of
    the From field; `dkim` the domains of signatures that are sure to hold. Raises ValueError or
    SetupError when `ip` is no address.
    """
    domain = sender.rpartition("@")[2] or helo
    author = names.normal(author) if author else None
    sent, named, policy = await asyncio.gather(
        spf.lookup(resolver, ip=ip, sender=sender or None, helo=helo),
        ptr.lookup(resolver, ip),
        dmarc.lookup(resolver, author, spf=[domain], dkim=dkim, reports=False)
        if author
        else _unknown(),
    )
    return PreviewFinding(named.address, helo, sender, author, sent, named, policy)


async def _unknown() -> None:
    return None
