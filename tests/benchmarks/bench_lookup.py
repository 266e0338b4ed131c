"""How fast look-ups are: `python -m tests.benchmarks.bench_lookup [DOMAINS]`.

A DNS server of its own, in another process on loopback, answers every question 30 ms late, as one
a few hundred kilometres away would. Against it run `smtpshell check` (as a library, with a fresh
resolver) and checkdmarc, one after the other, for one domain and for fifty; the names are new each
time, so that neither has anything in its cache. Beside the ratio of the two stands the ratio to the
floor: the longest chain of questions of which each needs the answer before, times 30 ms. Nothing
that asks the DNS can be faster than that.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import multiprocessing
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import cast

import dns.nameserver
import dns.rdatatype

from smtpshell.lookup import mx, spf
from smtpshell.lookup.check import check_many
from smtpshell.lookup.resolver import Resolver
from smtpshell.lookup.zone import Zone
from smtpshell.lookup.zonewire import respond

DELAY = 0.030  # seconds
MANY = 50
DEPTH = 4  # the record, _spf.mailer, the record inside that, the address of the name in it
CONCURRENCY = MANY

SHARED = """
_spf.mailer.example.   TXT "v=spf1 include:_a.mailer.example include:_b.mailer.example ~all"
_a.mailer.example.     TXT "v=spf1 ip4:198.51.100.0/25 a:out.mailer.example ~all"
_b.mailer.example.     TXT "v=spf1 ip4:198.51.100.128/25 ip6:2001:db8:b::/48 ~all"
out.mailer.example.    A   203.0.113.25
out.mailer.example.    AAAA 2001:db8:25::1
"""
EACH = """
$ORIGIN {domain}.
@      SOA  ns1 hostmaster 1 3600 600 86400 300
@      NS   ns1
@      NS   ns2
@      A    192.0.2.80
@      MX   10 mx1
@      MX   20 mx2
@      TXT  "v=spf1 mx a:out include:_spf.mailer.example include:_crm -all"
@      TXT  "site-verification=0123456789abcdef"
_crm   TXT  "v=spf1 ip4:203.0.113.0/28 -all"
_dmarc TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@{domain}"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@{domain}"
mx1    A    192.0.2.1
mx1    AAAA 2001:db8::1
mx2    A    192.0.2.2
mx2    AAAA 2001:db8::2
out    A    192.0.2.3
out    AAAA 2001:db8::3
ns1    A    192.0.2.53
ns2    A    192.0.2.54
""".replace("a:out ", "a:out.{domain} ").replace("include:_crm ", "include:_crm.{domain} ")


def domains(label: str, count: int) -> list[str]:
    """Return names that nobody has asked for before."""
    return [f"{label}{number}.example" for number in range(count)]


class _Late(asyncio.DatagramProtocol):
    """Answers each datagram 30 ms after it came; it never looks at anything twice."""

    def __init__(self, zone: Zone, asked: list[int]) -> None:
        self.zone = zone
        self.asked = asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked[0] += 1
        answer = respond(self.zone, data, 1232, _type_text, dns.rdatatype.from_text)
        if answer is not None:
            asyncio.get_running_loop().call_later(DELAY, self.transport.sendto, answer, addr)


def _type_text(code: int) -> str:
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(code))


def _serve(master: str, pipe: Connection) -> None:
    """Serve until told to stop; each word on the pipe is answered with the questions so far."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        asked = [0]
        zone = Zone.from_text(master)
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Late(zone, asked), local_addr=("127.0.0.1", 0)
        )
        host, port = transport.get_extra_info("sockname")

        async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked[0] += 1
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            query = await reader.readexactly(length)
            answer = respond(zone, query, 65535, _type_text, dns.rdatatype.from_text) or b""
            await asyncio.sleep(DELAY)
            writer.write(struct.pack("!H", len(answer)) + answer)
            writer.close()

        server = await asyncio.start_server(stream, host, port)
        pipe.send(port)
        while await loop.run_in_executor(None, pipe.recv) != "stop":
            pipe.send(asked[0])
        transport.close()
        server.close()

    asyncio.run(run())


@contextmanager
def late_server(master: str) -> Iterator[tuple[int, Callable[[], int]]]:
    """Run the server in a process; yields its port, and a count of the questions it was asked."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(master, theirs), daemon=True)
    process.start()

    def asked() -> int:
        ours.send("asked")
        return int(ours.recv())

    try:
        yield int(ours.recv()), asked
    finally:
        ours.send("stop")
        process.join(5)


def check_ours(port: int, names: list[str]) -> float:
    """Check domains with all areas; return the seconds it took."""

    async def run() -> int:
        resolver = Resolver([f"127.0.0.1:{port}"])
        return sum([1 async for _ in check_many(resolver, names, concurrency=CONCURRENCY)])

    start = time.perf_counter()
    assert asyncio.run(run()) == len(names)
    return time.perf_counter() - start


def mail_only(port: int, names: list[str]) -> float:
    """Look up mail exchangers and SPF alone; return the seconds it took."""

    async def run() -> None:
        resolver = Resolver([f"127.0.0.1:{port}"])
        await asyncio.gather(
            *(mx.lookup(resolver, name) for name in names),
            *(spf.lookup(resolver, name) for name in names),
        )

    start = time.perf_counter()
    asyncio.run(run())
    return time.perf_counter() - start


def check_theirs(port: int, names: list[str]) -> float:
    """Check domains with checkdmarc; return the seconds it took."""
    checkdmarc = importlib.import_module("checkdmarc")
    logging.disable()
    servers = [dns.nameserver.Do53Nameserver("127.0.0.1", port)]
    start = time.perf_counter()
    found = checkdmarc.check_domains(names, nameservers=servers)
    taken = time.perf_counter() - start
    first = found[0] if isinstance(found, list) else found
    assert first["spf"]["valid"], first["spf"]
    assert first["mx"]["hosts"], first["mx"]
    return taken


def main(many: int = MANY) -> None:
    """Run both, print times, ratios and floors."""
    rival = importlib.util.find_spec("checkdmarc") is not None
    rounds = [("warm", 1), ("one", 1), ("many", many)]
    names = {
        (who, label): domains(f"{who}-{label}-", count)
        for label, count in rounds
        for who in ("ours", "mail", "theirs")
    }
    master = SHARED + "".join(
        EACH.format(domain=domain) for group in names.values() for domain in group
    )
    floor = DEPTH * DELAY
    with late_server(master) as (port, asked):
        for label, count in rounds:
            runs: list[tuple[str, Callable[[int, list[str]], float]]]
            runs = [("ours", check_ours), ("mail", mail_only)]
            runs += [("theirs", check_theirs)] if rival else []
            taken = {}
            questions = {}
            for who, run in runs:
                before = asked()
                taken[who] = run(port, names[who, label])
                questions[who] = asked() - before
            if label == "warm":
                continue
            print(f"{count} domain{'s' if count > 1 else ''}")
            for who, title in (
                ("ours", "smtpshell check"),
                ("mail", "smtpshell mx + spf"),
                ("theirs", "checkdmarc"),
            ):
                if who in taken:
                    ratio = taken[who] / taken["ours"]
                    print(
                        f"  {title:20} {taken[who]:8.3f} s {questions[who]:6} questions "
                        f"{ratio:7.1f} x ours {taken[who] / floor:7.1f} x floor ({floor:.2f} s)"
                    )
    if not rival:
        print("checkdmarc is not installed, so there is nothing to compare with")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
