"""What stands in the way: a server that speaks no SMTP, and firewalls that rewrite the talk."""

from __future__ import annotations

from smtpshell.protocol.errors import SmtpshellError, Status
from smtpshell.protocol.session import Snapshot


def wrong_server(octets: bytes, where: str) -> tuple[SmtpshellError, str] | None:
    """Return an error and the service's name when first octets are those of another protocol."""
    from smtpshell.net.doors import wrong_door

    door = wrong_door(octets)
    if door is None:
        return None
    return SmtpshellError(door.meaning, where, door.next, status=Status.BANNER), door.service


def rewritten(now: Snapshot) -> str:
    """Say what shows that a firewall rewrites the conversation; "" when nothing does.

    Only where STARTTLS is missing from an EHLO reply: it is what such firewalls take away.
    """
    if now.tls or now.extensions is None or "STARTTLS" in now.extensions:
        return ""
    from smtpshell.net.doors import middlebox

    greeting = f"220 {now.banner or ''}".encode("utf-8", "replace")
    found = middlebox(greeting, [item.keyword for item in now.extensions.items])
    return f"{found[:1].upper()}{found[1:]}, and STARTTLS with it." if found else ""
