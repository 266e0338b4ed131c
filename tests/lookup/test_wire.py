"""The look-ups over a real name server on loopback: the same results, and the time they take."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from smtpshell.lookup import check, dane, dmarc
from smtpshell.lookup.resolver import Resolver, parse_master
from smtpshell.lookup.zone import Zone
from tests.lookup.dnsserver import DnsServer
from tests.lookup.tables import Row, differences, rows

HEX = "ab" * 32
DOMAIN = f"""
example.com.                 MX   10 mx.example.com.
example.com.                 TXT  "v=spf1 mx -all"
mx.example.com.              A    192.0.2.25
25.2.0.192.in-addr.arpa.     PTR  mx.example.com.
_dmarc.example.com.          TXT  "v=DMARC1; p=reject; rua=mailto:d@reports.example"
_smtp._tls.example.com.      TXT  "v=TLSRPTv1; rua=mailto:t@example.com"
_25._tcp.mx.example.com.     TLSA 3 1 1 {HEX}
"""


def bare(finding: object) -> object:
    """Return a finding's JSON form without what differs from run to run: times and servers."""

    def stripped(value: object) -> object:
        if isinstance(value, dict):
            return {
                name: stripped(item)
                for name, item in value.items()
                if name not in {"ms", "server", "ttl"}
            }
        return [stripped(item) for item in value] if isinstance(value, list) else value

    return stripped(finding.to_json())  # type: ignore[attr-defined]  # any finding


def test_shared_walks_over_the_wire() -> None:
    """Every shared walk ends over the wire as it does in memory."""

    async def outcome(row: Row) -> dict[str, Any]:
        case = json.loads(row.text)
        author = case["author"].removesuffix(".")
        lines = [f'{name}. TXT "{text}"' for name, held in case["txt"].items() for text in held]
        faults = {}
        if case["author_exists"]:
            lines.append(f"{author}. MX 0 .")
        else:
            faults[author] = "nxdomain"
        async with DnsServer(parse_master("\n".join(lines)), faults) as server:
            found = await dmarc.lookup(Resolver([server.address]), case["author"])
        return differences(row, found.to_json())

    async def run() -> dict[str, Any]:
        return {
            row.number: found for row in rows("dmarc.tsv", "walk") if (found := await outcome(row))
        }

    assert not asyncio.run(run())


def test_check_agrees_and_takes_the_depth() -> None:
    """A check finds the same in memory and over the wire, in a few round trips."""
    delay = 0.03

    async def run() -> None:
        memory = await check.check(Resolver(zone=Zone.from_text(DOMAIN)), "example.com")
        async with DnsServer(parse_master(DOMAIN), delay=delay) as server:
            start = time.monotonic()
            wire = await check.check(Resolver([server.address]), "example.com")
            spent = time.monotonic() - start
            assert len(server.asked) > 15
        strict = [area for area in memory.areas if area.name not in {"tlsa", "mta-sts"}]
        for area in strict:
            twin = next(
                other
                for other in wire.areas
                if (other.name, other.subject) == (area.name, area.subject)
            )
            assert bare(twin.finding) == bare(area.finding), area.name
        assert spent < 12 * delay  # four round trips in a row, and room for a busy machine

    asyncio.run(run())


def test_equal_questions_are_asked_once() -> None:
    """However many areas want an answer, the name server is asked for it once."""

    async def run() -> list[tuple[str, str]]:
        async with DnsServer(parse_master(DOMAIN), delay=0.01) as server:
            await check.check(Resolver([server.address]), "example.com")
            return [(name.lower(), rdtype) for name, rdtype, _ in server.asked]

    asked = asyncio.run(run())
    assert len(asked) == len(set(asked))


def test_authenticated_by_a_resolver_on_this_host() -> None:
    """The AD bit of a resolver on this host is believed, and the resolver is named."""

    async def run() -> None:
        for signed in (True, False):
            async with DnsServer(parse_master(DOMAIN), authenticated=signed) as server:
                found = await dane.lookup(Resolver([server.address]), "example.com")
            host = found.hosts[0]
            assert host.result == ("secure" if signed else "insecure")
            assert (server.address.partition(":")[0] in host.believed) is signed

    asyncio.run(run())


def test_unneeded_questions_are_not_waited_for() -> None:
    """A walk that ends early does not wait for names above that never answer."""
    zone = '_dmarc.example.com. TXT "v=DMARC1; p=reject; psd=n; rua=mailto:a@example.com"'

    async def run() -> float:
        async with DnsServer(parse_master(zone), {"_dmarc.com": "timeout"}) as server:
            start = time.monotonic()
            found = await dmarc.lookup(Resolver([server.address], timeout=3), "example.com")
            assert (found.result, found.org) == ("apply", "example.com")
            return time.monotonic() - start

    assert asyncio.run(run()) < 1.5
