"""Who is checked: the arguments of check_host and what the macro letters stand for (RFC 7208 4.1).

A sender without a local part is postmaster's (4.3); an empty sender is postmaster at the HELO name
(2.4). Internationalised domains are checked as A-labels (RFC 8616 section 4).
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from typing import Final

from smtpshell.lookup import names
from smtpshell.lookup.finding import SetupError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

UNKNOWN: Final = "unknown"  # RFC 7208 7.3: the value of "p" and "r" when there is none


def read_address(text: str) -> Address:
    """Read an IP address; an IPv4-mapped IPv6 address is IPv4 (5). Raises SetupError."""
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        raise SetupError("this is no IP address", repr(text), "--ip 192.0.2.1", 64) from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


@dataclass(frozen=True, slots=True)
class Identity:
    """The arguments of one check.

    `domain` is the one whose record is asked for first, `sender` the whole address, `local` and
    `sender_domain` its parts; `helo` and `receiver` are host names; `now` is in seconds since 1970.
    Without an address (`ip`) only a survey of the record is possible. `assumed` are the macro
    letters whose values were not given.
    """

    domain: str
    sender: str
    local: str
    sender_domain: str
    helo: str
    ip: Address | None = None
    receiver: str = UNKNOWN
    now: int = 0
    assumed: frozenset[str] = frozenset()

    @property
    def family(self) -> str:
        """The type of the address records that matter: A or AAAA."""
        return "AAAA" if isinstance(self.ip, ipaddress.IPv6Address) else "A"

    def values(self, domain: str) -> dict[str, str]:
        """Return the macro letters' values while the record of `domain` is evaluated (7.2).

        "p" is missing, because it must be looked up. Without an address "i", "c" and "v" are
        missing too, and what was assumed, because any sender may come.
        """
        found = {
            "s": self.sender,
            "l": self.local,
            "o": self.sender_domain,
            "d": domain,
            "h": self.helo,
            "r": self.receiver,
            "t": str(self.now),
        }
        if self.ip is None:
            return {letter: value for letter, value in found.items() if letter not in self.assumed}
        found |= {"i": _dotted(self.ip), "c": str(self.ip)}
        found["v"] = "in-addr" if self.ip.version == 4 else "ip6"
        return found


def _dotted(ip: Address) -> str:
    """Return the value of "i": dotted quad, or 32 nibbles with dots between (7.3)."""
    return str(ip) if ip.version == 4 else ".".join(ip.packed.hex().upper())


def identify(
    domain: str = "",
    *,
    ip: str | None = None,
    sender: str | None = None,
    helo: str | None = None,
    receiver: str = UNKNOWN,
    now: float | None = None,
) -> Identity:
    """Fill in what is not given.

    Without a `domain` it is that of the sender, or the HELO name. Without a sender it is
    postmaster at the HELO name, or at the domain. Raises SetupError when `ip` is no address.
    """
    sender = sender or ""
    local, _, sender_domain = sender.rpartition("@")
    if not sender:
        sender_domain = helo or domain
    domain = _ascii(domain or sender_domain)
    sender_domain = _ascii(sender_domain)
    assumed = frozenset("" if sender else "sl") | frozenset("" if helo else "h")
    local = local or "postmaster"
    return Identity(
        domain=domain,
        sender=f"{local}@{sender_domain}",
        local=local,
        sender_domain=sender_domain,
        helo=_ascii(helo or domain),
        ip=None if ip is None else read_address(ip),
        receiver=receiver,
        now=int(time.time() if now is None else now),
        assumed=assumed,
    )


def _ascii(domain: str) -> str:
    try:
        return names.to_ascii(domain)
    except names.BadNameError:
        return domain


def labels(domain: str) -> names.Labels:
    """Return the labels of an expanded name: split at dots, nothing is an escape.

    Raises BadNameError when the DNS cannot carry the name.
    """
    octets = domain.removesuffix(".").encode("utf-8", "surrogateescape")
    return names.check(tuple(octets.split(b".")))


def is_checkable(domain: str) -> bool:
    """Tell whether check_host may go on: a well-formed name of two labels or more (4.3)."""
    if domain.startswith("["):
        return False
    try:
        return len(labels(domain)) > 1
    except names.BadNameError:
        return False
