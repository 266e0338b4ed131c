"""From an endpoint to a connected socket, or to the error that says why there is none."""

from __future__ import annotations

import asyncio
import errno
import socket

from smtpshell.net import connecting
from smtpshell.net.connecting import OnAttempt
from smtpshell.net.endpoint import Endpoint
from smtpshell.net.errors import Attempt, LinkError
from smtpshell.net.options import LinkOptions


async def tcp_socket(
    endpoint: Endpoint, options: LinkOptions, attempts: list[Attempt], on_attempt: OnAttempt
) -> socket.socket:
    """Connect to the host, or to the proxy on the way to it; raises LinkError."""
    proxy = options.proxy
    host, port = (proxy.host, proxy.port) if proxy else (endpoint.host, endpoint.port)
    label = proxy.label if proxy else endpoint.label
    addresses = await connecting.addresses_of(host, port, options.family, options.resolve)
    sock = await connecting.race(addresses, options.source, options.timeout, attempts, on_attempt)
    if sock is None:
        raise connecting.failure(label, port, options.timeout, tuple(attempts))
    return sock


async def unix_socket(endpoint: Endpoint) -> socket.socket:
    """Connect to a UNIX socket; raises LinkError."""
    where = endpoint.label
    if not hasattr(socket, "AF_UNIX"):
        raise LinkError("file", "this system has no UNIX sockets", where, "Use a host and port.")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, endpoint.path)
    except (OSError, ValueError) as error:
        sock.close()
        raise _unix_failure(error, where) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _unix_failure(error: OSError | ValueError, where: str) -> LinkError:
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ECONNREFUSED, errno.EAGAIN):
        return LinkError(
            "refused",
            "nobody listens on this socket",
            where,
            "The server that made it is not running, or is too busy.",
        )
    advice = {
        errno.ENOENT: "Check the path, and that the server is running.",
        errno.EACCES: "You may not use it: try as the mail system's user.",
        errno.ENOTSOCK: "This file is no socket.",
        errno.EPROTOTYPE: "It is a socket of another type.",
    }.get(number or 0, "Check the path.")
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return LinkError("file", f"cannot connect to the socket: {reason}", where, advice)


def open_timeout(
    endpoint: Endpoint, options: LinkOptions, attempts: tuple[Attempt, ...]
) -> LinkError:
    """Make the error of an `open` that took too long, by how far it came."""
    proxy = options.proxy
    if any(attempt.outcome == "connected" for attempt in attempts) and proxy:
        return LinkError(
            "proxy",
            f"no answer within {options.timeout:g} s",
            proxy.label,
            "Check that this is a SOCKS5 proxy, and that it can reach the server.",
            attempts=attempts,
        )
    if not attempts and endpoint.kind == "tcp":
        return LinkError(
            "resolve",
            f"the name was not resolved within {options.timeout:g} s",
            proxy.host if proxy else endpoint.host,
            "Check this machine's name servers; an address such as [192.0.2.1] needs no look-up.",
        )
    port = proxy.port if proxy else endpoint.port
    label = proxy.label if proxy else endpoint.label
    return connecting.failure(label, port, options.timeout, attempts)
