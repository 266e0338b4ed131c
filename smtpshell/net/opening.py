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
from smtpshell.protocol.text import visible


async def connected_socket(
    endpoint: Endpoint, options: LinkOptions, deadline: float, on_attempt: OnAttempt
) -> socket.socket:
    """Connect to a host (or to the proxy on the way to it) or to a UNIX socket.

    `deadline` is a time of the running loop's clock. Raises LinkError.
    """
    attempts: list[Attempt] = []
    proxy = options.proxy
    host, port = (proxy.host, proxy.port) if proxy else (endpoint.host, endpoint.port)
    label = proxy.label if proxy else endpoint.label
    if endpoint.kind == "tcp" and not 0 < port < 65536:
        raise LinkError("failed", f"{port} is no port number", label, "Give one from 1 to 65535.")
    try:
        async with asyncio.timeout_at(deadline):
            if endpoint.kind == "unix":
                return await _unix_socket(endpoint)
            addresses = await connecting.addresses_of(host, port, options.family, options.resolve)
    except TimeoutError as error:
        raise no_answer(endpoint, options) from error
    sock = await connecting.race(addresses, options.source, deadline, attempts, on_attempt)
    if sock is None:
        named = port if proxy else endpoint.named.port
        raise connecting.failure(
            label, named, options.timeout, tuple(attempts), alias=not proxy and named != port
        )
    return sock


async def _unix_socket(endpoint: Endpoint) -> socket.socket:
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


def no_answer(endpoint: Endpoint, options: LinkOptions) -> LinkError:
    """Make the error of a name, a UNIX socket or a proxy that kept us waiting too long."""
    proxy = options.proxy
    what = f"no answer within {options.timeout:g} s"
    if endpoint.kind == "unix":
        return LinkError("timeout", what, endpoint.label, "Its server is too busy: try again.")
    if proxy is not None:
        return LinkError(
            "proxy", what, proxy.label, "Check that it is a SOCKS5 proxy and can reach the server."
        )
    return LinkError(
        "resolve",
        f"the name was not resolved within {options.timeout:g} s",
        visible(endpoint.host),
        "Check this machine's name servers; an address such as [192.0.2.1] needs no look-up.",
    )
