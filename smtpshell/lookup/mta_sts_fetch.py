"""Fetching an MTA-STS policy over HTTPS, as strictly as RFC 8461 section 3.3 asks.

The certificate must be valid for `mta-sts.DOMAIN`; no redirect is followed; only status 200 and
media type text/plain count; the body is bounded in size and time. Nothing the web server sends can
do more than yield a fault in words. The names are asked of the given resolver, so a policy is
looked for where the rest of the look-up looks.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.resolver import Resolver

PATH: Final = "/.well-known/mta-sts.txt"
LIMIT: Final = 65_536  # octets of a body; RFC 8461 3.3 asks for a limit, 64 KiB is its example
HEADER_LIMIT: Final = 16_384  # octets of status line and header fields together
TIMEOUT: Final = 10.0  # seconds; RFC 8461 3.3 proposes one minute, a person waits here


@dataclass(frozen=True, slots=True)
class Fetch:
    """The end of one attempt to fetch a policy.

    `fault` says in words why it did not work and is empty when it did; `unanswered` tells that it
    was the DNS that gave no answer. `status` and `media_type` are what the web server said; `ms` is
    the time it took, in milliseconds.
    """

    url: str
    address: str = ""
    status: int | None = None
    media_type: str = ""
    body: bytes = b""
    fault: str = ""
    unanswered: bool = False
    ms: float = 0.0

    @property
    def valid(self) -> bool:
        """True when a policy text was received by the rules."""
        return not self.fault

    @property
    def text(self) -> str:
        """The body as text; octets that are not UTF-8 become U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def to_json(self) -> dict[str, object]:
        """Return the attempt as a JSON object."""
        return {
            "url": self.url,
            "address": self.address or None,
            "status": self.status,
            "media_type": self.media_type or None,
            "valid": self.valid,
            "fault": self.fault or None,
            "ms": round(self.ms, 1),
        }


def judge(status: int, media_type: str) -> str:
    """Return what stands against a response with this status and Content-Type; empty: nothing.

    >>> judge(200, "text/plain; charset=utf-8")
    ''
    """
    if 300 <= status < 400:
        return f"HTTP {status}: redirects must not be followed"
    if status != 200:
        return f"HTTP {status} in place of 200"
    bare = media_type.partition(";")[0].strip().lower()
    if bare != "text/plain":
        return f"Content-Type {media_type or 'missing'} in place of text/plain"
    return ""


async def fetch(
    resolver: Resolver,
    domain: str,
    *,
    addresses: Sequence[str] = (),
    port: int = 443,
    context: ssl.SSLContext | None = None,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - one bound for several awaits, told as a fault
) -> Fetch:
    """Fetch the policy of a domain; never raises.

    `addresses`, `port` and `context` (certificate authorities to trust) stand in for the real
    ones in tests. Addresses are tried in order until one accepts the connection.
    """
    host = f"mta-sts.{domain}"
    place = host if port == 443 else f"{host}:{port}"
    found = Fetch(f"https://{place}{PATH}")
    start = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            known = addresses
            if not known:
                answers = await resolver.addresses(host)
                known = [address for answer in answers for address in answer.records]
                if not known:
                    return _nowhere(found, host, answers)
            found = await _try(found, host, known, port, context or _system_trust())
    except TimeoutError:
        found = replace(found, fault=f"no complete answer within {timeout:g} s")
    return replace(found, ms=(time.monotonic() - start) * 1000)


def _nowhere(found: Fetch, host: str, answers: Sequence[Answer]) -> Fetch:
    failed = next((answer for answer in answers if answer.failed), None)
    fault = f"{host} has no address: {(failed or answers[0]).meaning}"
    return replace(found, fault=fault, unanswered=failed is not None)


@cache
def _system_trust() -> ssl.SSLContext:
    """Return the one context with the system's authorities; making it takes a while."""
    return ssl.create_default_context()


async def _try(
    found: Fetch, host: str, addresses: Sequence[str], port: int, context: ssl.SSLContext
) -> Fetch:
    faults: list[str] = []
    for address in addresses:
        try:
            async with _connection(address, port, host, context) as (reader, writer):
                writer.write(_request(host).encode("ascii"))
                await writer.drain()
                return await _read(replace(found, address=address), reader)
        except ssl.SSLCertVerificationError as fault:
            reason = fault.verify_message or "the certificate is not valid"
            return replace(found, address=address, fault=f"the certificate of {host}: {reason}")
        except ssl.SSLError as fault:
            faults.append(f"{address}: TLS failed ({fault.reason or fault})")
        except (OSError, EOFError, ValueError) as fault:
            said = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
            faults.append(f"{address}: {said}")
    return replace(found, fault="; ".join(dict.fromkeys(faults)))


@asynccontextmanager
async def _connection(
    address: str, port: int, host: str, context: ssl.SSLContext
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(
        address, port, ssl=context, server_hostname=host, limit=HEADER_LIMIT
    )
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def _request(host: str) -> str:
    return (
        f"GET {PATH} HTTP/1.1\r\n"
        f"Host: {host}\r\n"
        "User-Agent: smtpshell\r\n"
        "Accept: text/plain\r\n"
        "Accept-Encoding: identity\r\n"
        "Connection: close\r\n"
        "\r\n"
    )


async def _read(found: Fetch, reader: asyncio.StreamReader) -> Fetch:
    """Read a response (RFC 9112): status line, header fields, body by length, chunks or end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.LimitOverrunError:
        return replace(found, fault=f"the header is longer than {HEADER_LIMIT} octets")
    except asyncio.IncompleteReadError:
        return replace(found, fault="the connection ended before the header did")
    version, _, rest = head[0].partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdigit()):
        return replace(found, fault="this is no HTTP response")
    fields: dict[str, str] = {}
    for line in head[1:]:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), value.strip())
    media_type = fields.get("content-type", "")
    found = replace(found, status=int(code), media_type=media_type)
    fault = judge(int(code), media_type)
    if fault:
        return replace(found, fault=fault)
    body, fault = await _body(reader, fields)
    return replace(found, body=body, fault=fault)


async def _body(reader: asyncio.StreamReader, fields: dict[str, str]) -> tuple[bytes, str]:
    """Read the body; returns its octets and the fault in words."""
    too_long = f"the policy is longer than {LIMIT} octets"
    stated = fields.get("content-length", "")
    try:
        if fields.get("transfer-encoding", "").lower() == "chunked":
            return await _chunks(reader)
        if stated:
            if not (stated.isascii() and stated.isdigit()):
                return b"", f"Content-Length {stated} is no number"
            if len(stated) > 9 or int(stated) > LIMIT:
                return b"", too_long
            return await reader.readexactly(int(stated)), ""
        body = b""
        while len(body) <= LIMIT and (more := await reader.read(LIMIT)):
            body += more
    except asyncio.IncompleteReadError:
        return b"", "the connection ended before the policy did"
    return (body, "") if len(body) <= LIMIT else (b"", too_long)


async def _chunks(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    """Read a chunked body (RFC 9112 section 7.1)."""
    body = b""
    while True:
        try:
            line = await reader.readuntil(b"\r\n")
        except asyncio.LimitOverrunError:
            return b"", "a chunk size is too long"
        digits = line.partition(b";")[0].strip()
        if (
            not digits
            or len(digits) > 8
            or not all(each in b"0123456789abcdefABCDEF" for each in digits)
        ):
            return b"", "a chunk size is no number"
        size = int(digits, 16)
        if size == 0:
            return body, ""
        if len(body) + size > LIMIT:
            return b"", f"the policy is longer than {LIMIT} octets"
        body += await reader.readexactly(size)
        await reader.readexactly(2)
