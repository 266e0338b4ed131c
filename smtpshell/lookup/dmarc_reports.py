"""Report destinations outside the domain, and whether they agreed to receive the reports.

Anyone could name a victim's mailbox in `rua`. So when the destination belongs to another
Organizational Domain than the policy record, it must say yes: a TXT record that begins `v=DMARC1`
at `POLICY-DOMAIN._report._dmarc.DESTINATION` (RFC 9990 section 4, once RFC 7489 section 7.1).
Several such records say yes as well as one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from smtpshell.lookup import dmarc_record, dmarc_walk, uris
from smtpshell.lookup.answer import plain
from smtpshell.lookup.finding import Problem

if TYPE_CHECKING:
    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.dmarc_record import DmarcRecord
    from smtpshell.lookup.resolver import Resolver

DESTINATIONS: Final = 20  # addresses of one record whose consent is asked for


@dataclass(frozen=True, slots=True)
class Destination:
    """One place reports go to.

    `accepts`: True when reports may be sent there, False when they may not, None when the DNS did
    not answer. `external` tells whether it had to agree; `answer` is then what it said.
    """

    tag: str
    uri: str
    host: str
    external: bool
    accepts: bool | None
    answer: Answer | None = None

    @property
    def why(self) -> str:
        """The verdict in words."""
        if not self.external:
            return "belongs to the domain itself"
        if self.accepts:
            return "has agreed to receive the reports"
        if self.accepts is None:
            return "did not answer whether it agrees"
        return "has not agreed to receive the reports"

    def to_json(self) -> dict[str, object]:
        """Return the destination as a JSON object."""
        return {
            "tag": self.tag,
            "uri": self.uri,
            "destination": self.host,
            "external": self.external,
            "accepts": self.accepts,
            "query": self.answer.name if self.answer else None,
        }


def authorisation_name(domain: str, destination: str) -> str:
    """Return the name at which a destination agrees to receive a domain's reports.

    >>> authorisation_name("example.com", "reports.example")
    'example.com._report._dmarc.reports.example'
    """
    return f"{dmarc_walk.fold(domain)}._report._dmarc.{dmarc_walk.fold(destination)}"


async def accepts(
    resolver: Resolver, domain: str, destination: str, *, tag: str = "rua", uri: str = ""
) -> Destination:
    """Find out whether reports about `domain`'s policy may go to the host `destination`.

    The three things to know are asked at once: the Organizational Domains of both, and the
    destination's own word. Never raises.
    """
    host = dmarc_walk.fold(destination)
    if host == dmarc_walk.fold(domain):
        return Destination(tag, uri, host, False, True)
    own, other, answer = await asyncio.gather(
        dmarc_walk.walk(resolver, domain),
        dmarc_walk.walk(resolver, host),
        resolver.ask(authorisation_name(domain, host), "TXT"),
    )
    if own.org is not None and own.org == other.org:
        return Destination(tag, uri, host, False, True)
    agreed = answer.ok and any(
        dmarc_record.is_dmarc(str(plain(octets))) for octets in answer.records
    )
    known = not answer.failed
    return Destination(tag, uri, host, True, agreed if known else None, answer)


async def destinations(
    resolver: Resolver, domain: str, record: DmarcRecord
) -> tuple[Destination, ...]:
    """Check the addresses of `rua` and `ruf` of the record found at `domain`, all at once.

    Only so many are asked: a record could name thousands, and receivers stop early too.
    """
    wanted = [
        (tag, uri)
        for tag, listed in (("rua", record.rua), ("ruf", record.ruf))
        for uri in map(uris.parse_uri, listed)
        if uri.host
    ][:DESTINATIONS]
    return tuple(
        await asyncio.gather(
            *(accepts(resolver, domain, uri.host, tag=tag, uri=uri.text) for tag, uri in wanted)
        )
    )


def problems(domain: str, found: tuple[Destination, ...]) -> tuple[Problem, ...]:
    """Return a problem for each destination that has not agreed."""
    return tuple(
        Problem(
            "warning",
            "report-not-authorised",
            f"{each.tag} names {each.uri}, but {each.host} {each.why}.",
            "Receivers do not send the reports there.",
            f'Let {each.host} publish TXT "v=DMARC1" at '
            f"{authorisation_name(domain, each.host)}, or name an address of your own.",
            "RFC 9990 4",
        )
        for each in found
        if each.accepts is False
    )
