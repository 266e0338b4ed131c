"""Where a practice server may listen: loopback, or an address that somebody chose with open eyes.

A practice server takes mail from whoever reaches it, and its passwords are published. Nothing is
relayed, but strangers could fill it, or read what others left there; so an address that anybody may
reach has to be asked for twice.
"""

from __future__ import annotations

from ipaddress import ip_address

from smtpshell.protocol.errors import UsageError


def check_address(text: str, *, public: bool = False) -> None:
    """Raise `UsageError` for what is no address, or one that strangers may reach.

    Every address of the machine at once (0.0.0.0, ::) counts as public, since one of them may be.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        raise UsageError(f"{text!r} is no IP address", "--listen") from None
    inside = address.is_private or address.is_loopback or address.is_link_local
    if not public and (address.is_unspecified or not inside):
        raise UsageError(
            f"anybody may reach {text}",
            "--listen",
            "Name an address of your own network, or add --i-know.",
        )
