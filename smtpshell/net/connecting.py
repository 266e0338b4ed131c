"""Name to connected socket: the race between a host's addresses, each attempt reported.

RFC 8305 (happy eyeballs): the addresses are tried alternating between IPv6 and IPv4, the next one
250 ms after the one before, or at once when that one failed; the first to answer wins and the rest
are dropped. A slow or broken IPv6 path then costs a quarter of a second in place of a time-out.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import zip_longest
from typing import Any

from smtpshell.net.errors import Attempt, LinkError, Outcome
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.text import visible

ATTEMPT_DELAY = 0.25  # seconds, RFC 8305 section 5

Resolve = Callable[[str, int, int], Awaitable[Sequence[str]]]
SocketAddress = tuple[Any, ...]
OnAttempt = Callable[[Attempt], None]

_FAMILIES = {0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}
_FAMILY_NAMES = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}

_OUTCOMES: dict[int, Outcome] = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EAFNOSUPPORT: "unreachable",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
}

# What is told when several attempts failed in different ways: the first of these that occurred.
_TELLING: tuple[Outcome, ...] = (
    "refused",
    "reset",
    "denied",
    "timeout",
    "source",
    "unreachable",
    "failed",
)

_WORDS: dict[str, tuple[str, str]] = {
    "refused": (
        "connection refused",
        "Nothing listens on port {port} there: check it (587 and 465 are for submission).",
    ),
    "reset": (
        "the connection was reset while it was being made",
        "A firewall or a busy server does this: try again later or from another network.",
    ),
    "denied": (
        "this machine does not permit the connection",
        "Look at its firewall rules for outgoing traffic to port {port}.",
    ),
    "timeout": (
        "no answer within {seconds:g} s",
        "Something on the way drops the packets: check host and port, or try another port.",
    ),
    "timeout 25": (
        "no answer within {seconds:g} s",
        "Many networks block outgoing port 25: try port 587, or another network.",
    ),
    "source": (
        "the source address cannot be used",
        "Give an address of this machine, of the same family as the server's.",
    ),
    "unreachable": (
        "the network or host is unreachable",
        "Check this machine's network, and whether it has the address family in use.",
    ),
    "failed": ("the connection failed", "Check host and port."),
}


def _numeric(address: str, port: int, family: int) -> list[tuple[int, SocketAddress]]:
    """Return (family, socket address) of a numeric address; empty when it is not numeric."""
    try:
        found = socket.getaddrinfo(
            address,
            port,
            _FAMILIES[family],
            socket.SOCK_STREAM,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
    except (OSError, UnicodeError, ValueError):
        return []
    return [(int(entry[0]), entry[4]) for entry in found[:1]]


async def system_resolve(host: str, port: int, family: int) -> list[str]:
    """Return the host's addresses as the operating system orders them.

    The look-up runs in a daemon thread of its own, because it cannot be cancelled and the pool of
    the loop would be waited for at the end. Raises OSError or UnicodeError.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def deliver(addresses: list[str], error: Exception | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(addresses)
        else:
            answer.set_exception(error)

    def look_up() -> None:
        addresses: list[str] = []
        failure: Exception | None = None
        try:
            found = socket.getaddrinfo(host, port, _FAMILIES[family], socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        except (OSError, UnicodeError, ValueError) as error:
            failure = error
        try:
            loop.call_soon_threadsafe(deliver, addresses, failure)
        except RuntimeError:  # the loop is gone, and with it whoever asked
            return

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    return await answer


def alternate(addresses: Sequence[tuple[int, SocketAddress]]) -> list[tuple[int, SocketAddress]]:
    """Order addresses so that the families alternate, the first one's first (RFC 8305 4)."""
    if not addresses:
        return []
    first = [entry for entry in addresses if entry[0] == addresses[0][0]]
    second = [entry for entry in addresses if entry[0] != addresses[0][0]]
    mixed = [entry for pair in zip_longest(first, second) for entry in pair]
    return [entry for entry in mixed if entry is not None]


async def addresses_of(
    host: str, port: int, family: int, resolve: Resolve | None
) -> list[tuple[int, SocketAddress]]:
    """Return the socket addresses to try, in order; raises LinkError of kind `resolve`."""
    numeric = _numeric(host, port, family)
    if numeric:
        return numeric
    shown = visible(host)
    wanted = {0: "", 4: "IPv4 ", 6: "IPv6 "}[family]
    advice = (
        "Check the spelling and this machine's name servers; "
        "an address such as [192.0.2.1] needs no look-up."
    )
    try:
        names = await (resolve or system_resolve)(host, port, family)
    except LinkError:
        raise
    except SmtpshellError as error:
        raise LinkError("resolve", error.what, shown, error.next or advice) from error
    except socket.gaierror as error:
        temporary = error.errno == socket.EAI_AGAIN
        what = (
            "the name servers did not answer" if temporary else f"the name has no {wanted}address"
        )
        raise LinkError("resolve", what, shown, advice) from error
    except (OSError, UnicodeError, ValueError) as error:
        raise LinkError("resolve", "this is no valid host name", shown, advice) from error
    found = [entry for name in names for entry in _numeric(name, port, family)]
    if not found:
        raise LinkError("resolve", f"the name has no {wanted}address", shown, advice)
    return alternate(found)


def outcome_of(error: OSError) -> Outcome:
    """Name the way in which a connection attempt failed."""
    if isinstance(error, TimeoutError):
        return "timeout"
    return _OUTCOMES.get(error.errno or 0, "failed")


def failure(
    label: str,
    port: int,
    seconds: float,
    attempts: tuple[Attempt, ...],
    reason: str = "",
    *,
    alias: bool = False,
) -> LinkError:
    """Make the one error that sums up attempts which all failed.

    `alias` says that the label names another place than the addresses that were tried.
    """
    outcomes = {attempt.outcome for attempt in attempts}
    kind: Outcome = next((name for name in _TELLING if name in outcomes), "failed")
    key = "timeout 25" if kind == "timeout" and port == 25 else kind
    what, advice = _WORDS[key]
    if kind == "failed" and reason:
        what = f"{what}: {reason}"
    where = label
    tried = ", ".join(attempt.address for attempt in attempts)
    if tried and tried not in label and not alias:
        where = f"{label} ({tried})"
    return LinkError(
        kind,
        what.format(seconds=seconds),
        where,
        advice.format(port=port),
        attempts=attempts,
    )


async def _connect_one(
    family: int,
    address: SocketAddress,
    source: str | None,
    attempts: list[Attempt],
    report: OnAttempt,
) -> socket.socket | None:
    """Try one address; report the attempt; return the connected socket or None."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    outcome: Outcome = "failed"
    error_text = ""
    connected = False
    sock: socket.socket | None = None
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        if source:
            outcome = "source"
            local = _numeric(source, 0, 4 if family == socket.AF_INET else 6)
            if not local:
                error_text = "of the other address family, or no address at all"
                return None
            sock.bind(local[0][1])
            outcome = "failed"
        await loop.sock_connect(sock, address)
        connected = True
        outcome = "connected"
        return sock
    except asyncio.CancelledError as cancelled:
        outcome = "timeout" if "timeout" in cancelled.args else "overtaken"
        raise
    except OSError as error:
        error_text = (os.strerror(error.errno) if error.errno else str(error)).lower()
        if outcome != "source":
            outcome = outcome_of(error)
        return None
    finally:
        if sock is not None and not connected:
            sock.close()
        attempt = Attempt(
            address=str(address[0]),
            port=int(address[1]),
            family=_FAMILY_NAMES.get(socket.AddressFamily(family), ""),
            outcome=outcome,
            ms=(time.perf_counter() - started) * 1000,
            error=error_text,
        )
        attempts.append(attempt)
        report(attempt)


async def race(
    addresses: Sequence[tuple[int, SocketAddress]],
    source: str | None,
    deadline: float,
    attempts: list[Attempt],
    report: OnAttempt,
) -> socket.socket | None:
    """Connect to the first address that answers before `deadline`; None when none does.

    `deadline` is a time of the running loop's clock; `attempts` collects what is reported.
    """
    loop = asyncio.get_running_loop()
    waiting = list(addresses)
    running: set[asyncio.Task[socket.socket | None]] = set()
    winner: socket.socket | None = None
    reason = "timeout"
    try:
        while waiting or running:
            if waiting:
                family, address = waiting.pop(0)
                attempt = _connect_one(family, address, source, attempts, report)
                running.add(asyncio.create_task(attempt))
            left = deadline - loop.time()
            if left <= 0:
                break
            done, running = await asyncio.wait(
                running,
                timeout=min(left, ATTEMPT_DELAY) if waiting else left,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                sock = task.result()
                if sock is None:
                    continue
                if winner is None:
                    winner = sock
                else:
                    sock.close()
            if winner is not None:
                reason = "overtaken"
                break
        return winner
    except BaseException:
        reason = "overtaken"
        raise
    finally:
        for task in running:
            task.cancel(reason)
        for task in running:
            late = await _settle(task)
            if late is not None:
                late.close()


async def _settle(task: asyncio.Task[socket.socket | None]) -> socket.socket | None:
    """Wait for a cancelled attempt to end, which it does at once."""
    await asyncio.wait([task])
    return None if task.cancelled() else task.result()
