"""Whether the server of this session is the one that a recipient's mail belongs to.

/why wants to know it, because "relay access denied" means one thing at the recipient's own mail
host and another anywhere else. Reserved domains are asked about only where a zone file, a named
name server or the practice world answers: the real DNS knows none of them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from smtpshell.conversation.caution import is_reserved
from smtpshell.protocol.errors import SmtpshellError

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.lookup.resolver import Resolver

PATIENCE = 2.0
"""Seconds that /why waits for the DNS; without an answer it does without."""


async def takes_mail_for_recipient(desk: Desk) -> bool | None:
    """Tell whether this server is a mail exchanger of the last recipient's domain.

    None when there is no recipient, or nobody who could tell.
    """
    now = desk.conversation.snapshot
    recipient = next(iter((*reversed(now.refused), *reversed(now.recipients))), "")
    domain = recipient.rpartition("@")[2]
    resolver = _resolver(desk, domain) if domain else None
    if resolver is None:
        return None
    from smtpshell.lookup import mx

    try:
        async with asyncio.timeout(PATIENCE):
            found = await mx.lookup(resolver, domain)
    except (TimeoutError, SmtpshellError):
        return None
    if found.fate == "unknown":
        return None
    names = {each.host.casefold().rstrip(".") for each in found.exchangers}
    addresses = {address for each in found.exchangers for address in each.addresses}
    return bool(_names_of_server(desk) & names) or now.address in addresses


def _resolver(desk: Desk, domain: str) -> Resolver | None:
    settings = desk.settings
    target = desk.conversation.target
    if target is not None and target.is_practice and desk.practice is not None:
        practice: Resolver | None = desk.practice.resolver if desk.practice.zone else None
        return practice
    if is_reserved(domain) and not (settings.zone or settings.nameservers):
        return None
    from smtpshell.conversation.lookups.base import resolver_for

    try:
        return resolver_for(settings, settings.nameservers, settings.zone, settings.dns_timeout)
    except SmtpshellError:
        return None


def _names_of_server(desk: Desk) -> set[str]:
    """Return the names that the server goes by: what was connected to, and how it greets."""
    target = desk.conversation.target
    banner = (desk.conversation.snapshot.banner or "").split(None, 1)
    names = [target.host if target is not None else "", banner[0] if banner else ""]
    return {name.casefold().rstrip(".") for name in names if name}
