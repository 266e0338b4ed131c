"""A small real DNS server on loopback, UDP and TCP on one port, with faults on demand.

It finds its answers by walking a tree of labels from the root (RFC 1034 section 4.3.2), which is
not how the package's own zones do it, so that the two can be held against each other.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from smtpshell.lookup.zone import Record

RCODES = {
    "servfail": dns.rcode.SERVFAIL,
    "refused": dns.rcode.REFUSED,
    "nxdomain": dns.rcode.NXDOMAIN,
    "notimp": dns.rcode.NOTIMP,
    "yxdomain": dns.rcode.YXDOMAIN,
}


@dataclass
class Node:
    """One node of the tree: its children by label, its records by type."""

    children: dict[bytes, Node] = field(default_factory=dict)
    records: dict[str, list[dns.rdata.Rdata]] = field(default_factory=dict)


class DnsServer:
    """Serve records, and faults by "NAME" or "NAME TYPE", in an async with block.

    Faults: timeout, servfail, refused, nxdomain, notimp, yxdomain; wrongid, garbage, short,
    noquestion, othername (octets that are no answer); truncated (TC on UDP, all of it on TCP),
    cut (TC on both), noedns (FORMERR to a query with EDNS), hangup (TC on UDP, then the TCP
    connection is closed). `delay` is in seconds. `asked` logs (name, type, transport).
    """

    def __init__(
        self,
        records: Iterable[Record] = (),
        faults: Mapping[str, str] | None = None,
        *,
        delay: float = 0.0,
        authenticated: bool = False,
        follow: bool = True,
    ) -> None:
        self.root = Node()
        for record in records:
            rdtype = dns.rdatatype.from_text(record.rdtype)
            octets = record.rdata
            rdata = dns.rdata.from_wire(dns.rdataclass.IN, rdtype, octets, 0, len(octets))
            node = self.root
            for label in reversed(record.owner):
                node = node.children.setdefault(label.lower(), Node())
            node.records.setdefault(record.rdtype, []).append(rdata)
        self.faults = {place.lower(): fault for place, fault in (faults or {}).items()}
        self.delay = delay
        self.authenticated = authenticated
        self.follow = follow
        self.asked: list[tuple[str, str, str]] = []
        self.address = ""

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        while True:
            self._tcp = await asyncio.start_server(self._stream, "127.0.0.1", 0)
            host, port = self._tcp.sockets[0].getsockname()
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _Udp(self), local_addr=(host, port)
                )
            except OSError:  # somebody has this port for UDP
                self._tcp.close()
                continue
            self.address = f"{host}:{port}"
            self._tasks: set[asyncio.Task[None]] = set()
            return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        self._udp.close()
        self._tcp.close()
        await self._tcp.wait_closed()
        await asyncio.sleep(0)

    def find(self, name: dns.name.Name) -> Node | None:
        """Return the node that answers for a name, a wildcard's included; None: NXDOMAIN."""
        node = self.root
        for label in reversed(name.labels[:-1]):
            child = node.children.get(label.lower())
            if child is None:
                return node.children.get(b"*")
            node = child
        return node

    def reply(self, octets: bytes, transport: str) -> bytes | None:
        """Answer one query, faults applied; None: stay silent."""
        query = dns.message.from_wire(octets)
        question = query.question[0]
        rdtype = dns.rdatatype.to_text(question.rdtype)
        asked = question.name.to_text(omit_final_dot=True)
        self.asked.append((asked, rdtype, transport))
        key = b".".join(label.lower() for label in question.name.labels[:-1]).decode("latin-1")
        fault = self.faults.get(f"{key} {rdtype.lower()}") or self.faults.get(key, "none")
        if fault == "timeout":
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if self.authenticated:
            response.flags |= dns.flags.AD
        if fault in RCODES:
            response.set_rcode(RCODES[fault])
        elif fault == "noedns" and query.edns >= 0:
            response = dns.message.make_response(query)
            response.use_edns(-1)
            response.set_rcode(dns.rcode.FORMERR)
        else:
            self._fill(response, question.name, rdtype)
        limit = 65535 if transport == "tcp" else max(query.payload, 512)
        wire = response.to_wire(max_size=limit, prefer_truncation=True)
        return self._spoil(wire, fault, transport)

    def _fill(self, response: dns.message.Message, name: dns.name.Name, rdtype: str) -> None:
        for _ in range(20):
            node = self.find(name)
            if node is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                return
            shown = rdtype if rdtype in node.records or "CNAME" not in node.records else "CNAME"
            for rdata in node.records.get(shown, ()):
                rrset = response.find_rrset(
                    response.answer, name, dns.rdataclass.IN, rdata.rdtype, create=True
                )
                rrset.add(rdata, 300)
            if shown == rdtype or not self.follow:
                return
            name = node.records["CNAME"][0].target  # type: ignore[attr-defined]  # a CNAME has one

    def _spoil(self, wire: bytes, fault: str, transport: str) -> bytes:
        if fault == "wrongid":
            return bytes([wire[0] ^ 0xFF]) + wire[1:]
        if fault == "garbage":
            return b"\xff" * 40
        if fault == "short":
            return wire[:7]
        if fault == "noquestion":
            return wire[:4] + b"\0" * 8
        if fault == "othername":
            return wire.replace(b"\x07example", b"\x07elpmaxe")
        if fault in {"truncated", "hangup"} and transport == "udp":
            return wire[:2] + bytes([wire[2] | 0x02]) + wire[3:]
        if fault == "cut":
            return wire[:2] + bytes([wire[2] | 0x02]) + wire[3:]
        return wire

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            octets = await reader.readexactly(length)
            wire = self.reply(octets, "tcp")
            question = dns.message.from_wire(octets).question[0].name.to_text(omit_final_dot=True)
            if self.faults.get(question.lower()) == "hangup":
                return
            await asyncio.sleep(self.delay)
            if wire is not None:
                writer.write(struct.pack("!H", len(wire)) + wire)
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        wire = self.server.reply(data, "udp")
        if wire is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self.server.delay, self._send, wire, addr)

    def _send(self, wire: bytes, addr: tuple[str, int]) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(wire, addr)
