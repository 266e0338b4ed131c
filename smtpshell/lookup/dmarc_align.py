"""Identifier alignment: whether a domain SPF or DKIM vouched for speaks for the author domain.

Strict alignment compares the two names, relaxed alignment their Organizational Domains, each found
by its own tree walk (RFC 9989 section 4.10.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from smtpshell.lookup import dmarc_walk

if TYPE_CHECKING:
    from smtpshell.lookup.dmarc_walk import Walk
    from smtpshell.lookup.resolver import Resolver

Mechanism = Literal["spf", "dkim"]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Whether one authenticated identifier aligns with the author domain.

    `mode` is "r" or "s" as the policy record asks; `aligned` is None when a question that decides
    it was not answered. `org` and `author_org` are the Organizational Domains, None where they were
    not needed or could not be found.
    """

    mechanism: Mechanism
    identifier: str
    author: str
    mode: str
    aligned: bool | None
    why: str
    org: str | None = None
    author_org: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the alignment as a JSON object."""
        return {
            "mechanism": self.mechanism,
            "identifier": self.identifier,
            "mode": self.mode,
            "aligned": self.aligned,
            "org": self.org,
            "why": self.why,
        }


async def align(
    resolver: Resolver, author: Walk, identifier: str, mechanism: Mechanism, mode: str
) -> Alignment:
    """Compare an identifier with the author domain whose walk is given; never raises.

    `identifier` is the domain SPF passed for (MAIL FROM or HELO) or the `d=` of a valid DKIM
    signature; `mode` the record's `aspf` or `adkim`.
    """
    name = dmarc_walk.fold(identifier)
    given = (mechanism, name, author.start, mode)
    if name == author.start:
        return Alignment(*given, True, "the same domain", author_org=author.org)
    if mode == "s":
        return Alignment(*given, False, "strict alignment asks for the very same domain")
    other = await dmarc_walk.walk(resolver, name)
    orgs = (other.org, author.org)
    if other.org is None or author.org is None:
        return Alignment(*given, None, "the DNS did not answer a question of the walk", *orgs)
    if other.org == author.org:
        return Alignment(*given, True, f"both belong to {author.org}", *orgs)
    why = f"{name} belongs to {other.org}, {author.start} to {author.org}"
    return Alignment(*given, False, why, *orgs)
