"""The practice world's own DNS: names that exist nowhere else.

While the practice server runs, look-ups of reserved names and addresses (RFC 2606, RFC 5737, RFC
3849) are answered from the zone of its world. No such name can exist elsewhere, so nothing real is
ever hidden by it; every other name goes to the real DNS.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

RESERVED: Final = (
    "example",
    "test",
    "invalid",
    "localhost",
    "example.com",
    "example.net",
    "example.org",
)
NETWORKS: Final = (
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "2001:db8::/32",
    "127.0.0.0/8",
    "::1/128",
)
SUBJECTS: Final = ("domain", "domains", "subject", "addresses", "ip", "author", "sender", "helo")


def is_reserved(text: str) -> bool:
    """Tell whether a domain, a mailbox or an address is one of those set aside for examples.

    >>> is_reserved("ann@mail.example"), is_reserved("192.0.2.1"), is_reserved("example.edu")
    (True, True, False)
    """
    name = text.rpartition("@")[2].strip("[]").lower().removesuffix(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return any(name == each or name.endswith(f".{each}") for each in RESERVED)
    return any(address in ipaddress.ip_network(each) for each in NETWORKS)


def is_about_practice(options: argparse.Namespace) -> bool:
    """Tell whether everything a look-up was asked about is reserved."""
    words: list[str] = []
    for name in SUBJECTS:
        value = getattr(options, name, None)
        words += value if isinstance(value, list) else [value] if value else []
    return all(map(is_reserved, words))
