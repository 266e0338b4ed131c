"""Whether a certificate names a host: RFC 9525, with the wildcard of section 6.3.

Only the subject alternative names count; the subject's common name is read by no client any more,
and is compared only to be able to say so.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable


def packed_address(text: str) -> bytes | None:
    """Return the octets of an IP address without its zone (`%eth0`); None for other text."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_pton(family, text.strip("[]").partition("%")[0])
        except (OSError, ValueError):
            continue
    return None


def ascii_name(name: str) -> str:
    """Return a host name in lower case and A-labels, without a final dot."""
    name = name.strip().rstrip(".").lower()
    if name.isascii():
        return name
    try:
        import idna

        return idna.encode(name, uts46=True).decode("ascii")
    except (ImportError, ValueError):  # idna.IDNAError is a UnicodeError
        return name


def matches(pattern: str, host: str) -> bool:
    """Tell whether a dNSName covers a host name (RFC 9525 6.3).

    A wildcard stands for exactly one label, as the whole leftmost label, and never directly above
    a top-level domain.
    """
    pattern, host = ascii_name(pattern), ascii_name(host)
    if not pattern or not host:
        return False
    first, _, rest = pattern.partition(".")
    if "*" not in pattern:
        return pattern == host
    if first != "*" or "*" in rest or "." not in rest:
        return False
    label, _, parent = host.partition(".")
    return bool(label) and parent == rest


def covers(host: str, dns_names: Iterable[str], addresses: Iterable[str]) -> bool:
    """Tell whether a certificate's names or addresses cover the host."""
    packed = packed_address(host)
    if packed is not None:
        return any(packed_address(address) == packed for address in addresses)
    return any(matches(name, host) for name in dns_names)
