"""The addresses of name servers: read, shown, and whether one stands on this very host."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path
from typing import Final

from smtpshell.lookup.finding import SetupError

DEFAULT_PORT: Final = 53
RESOLV_CONF: Final = "/etc/resolv.conf"


def parse_nameserver(given: str) -> tuple[str, int]:
    """Read "IP", "IP:PORT" or "[IPv6]:PORT". Raises SetupError with advice."""
    host, port = given.strip(), str(DEFAULT_PORT)
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        raise SetupError(
            "a nameserver is given as IP[:PORT]", repr(given), "--nameserver 127.0.0.1:5353", 64
        )
    return address, number


def nameserver_text(address: str, port: int = DEFAULT_PORT) -> str:
    """Write a name server as it is given: the port only where it is not 53."""
    if not port or port == DEFAULT_PORT:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def is_loopback(address: str) -> bool:
    """Tell whether a server stands on this host: nobody between can have touched its answers."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def system_nameservers(path: str = RESOLV_CONF) -> list[tuple[str, int]]:
    """Read the system's name servers, in order. Raises SetupError when there is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as fault:
        lines, reason = [], fault.strerror or str(fault)
    else:
        reason = "it names no nameserver"
    found = []
    for words in map(str.split, lines):
        if len(words) > 1 and words[0] == "nameserver":
            with contextlib.suppress(ValueError):
                found.append((str(ipaddress.ip_address(words[1])), DEFAULT_PORT))
    if not found:
        advice = "--nameserver IP[:PORT], or --zone FILE to answer from a file"
        raise SetupError("no nameserver is configured", f"{path}: {reason}", advice)
    return found
