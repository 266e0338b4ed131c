"""The resolver: questions in, plain answers out. The only module that knows dnspython.

The logic of asking (which server next, when to retry, TCP after truncation, CNAME chains) is
dnspython's own; a zone held in memory is served by a subclass of its `Nameserver`, with a round
trip through the wire, so that the same logic runs with a network and without. What this module
adds is what dnspython leaves to its user:

- nothing that comes back raises: every end of a question is an `Answer` with a status;
- a cache for the session, and equal questions in flight shared: one packet, many readers;
- a bound on the questions in flight, and on the time of each (dnspython overruns its own);
- EDNS with 1232 octets, so that long TXT answers need no second exchange, and a retry without
  EDNS for a server that does not know it;
- the AD bit is asked for, and believed only from a resolver on this host (RFC 6840 section 5.7
  makes it a statement of the last hop; anybody between could have set it).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.rrset
import dns.tokenizer
import dns.zone

from smtpshell.lookup.answer import Answer, Mx, Soa, Status, Tlsa
from smtpshell.lookup.finding import SetupError
from smtpshell.lookup.names import BadNameError, Labels, check, folded, parse, reverse_name, text
from smtpshell.lookup.nameservers import is_loopback, nameserver_text, parse_nameserver
from smtpshell.lookup.zone import Record, Zone, ZoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PAYLOAD: Final = 1232  # octets over UDP that no path fragments (RFC 9715 section 3.2)
TIMEOUT: Final = 5.0  # seconds for one question, all tries together
CONCURRENCY: Final = 128  # questions on the wire at once
CACHE_ENTRIES: Final = 20_000
SHORTEST: Final = 5.0  # seconds a TTL of 0 is kept, so that one evaluation sees one DNS
FAILURE: Final = 15.0  # seconds a failure is kept (RFC 9520 section 3.2: at least 1, at most 300)

Name = str | Labels


class Asked(NamedTuple):
    """One line of the log: what was asked, and whether it cost a packet (`how`)."""

    name: str
    rdtype: str
    how: str  # "sent", "shared" (joined an equal question in flight) or "cached"
    answer: Answer | None = None


class Resolver:
    """Asks the DNS. One per session; use it within one event loop.

    `nameservers` are texts "IP", "IP:PORT" or "[IPv6]:PORT"; without any, the system's own are
    taken. With a `zone` nothing leaves this process. `timeout` bounds each question, in seconds;
    `concurrency` the questions in flight. Raises SetupError when there is nobody to ask.
    """

    def __init__(
        self,
        nameservers: Sequence[str] = (),
        *,
        timeout: float = TIMEOUT,
        zone: Zone | None = None,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self.timeout = timeout
        self.zone = zone
        self.log: deque[Asked] = deque(maxlen=CACHE_ENTRIES)
        servers = [_ZoneServer(zone)] if zone is not None else _servers(nameservers)
        self.servers = tuple(server.answer_nameserver() for server in servers)
        self._stub = _stub(servers, timeout, edns=True)
        self._plain_stub = _stub(servers, timeout, edns=False)
        self._gate = asyncio.Semaphore(concurrency)
        self._cache: dict[tuple[Labels, str], tuple[float, Answer]] = {}
        self._flights: dict[tuple[Labels, str], _Flight] = {}

    async def ask(self, name: Name, rdtype: str) -> Answer:
        """Ask one question; the end of it, whatever it is, is the answer. Never raises.

        `name` is text in presentation format (U-labels become A-labels) or labels as octets.
        """
        rdtype = rdtype.upper()
        try:
            labels = parse(name) if isinstance(name, str) else check(name)
        except BadNameError as fault:
            shown = name if isinstance(name, str) else text(name)
            return Answer(shown.removesuffix("."), rdtype, "badname", detail=str(fault))
        key = folded(labels), rdtype
        kept = self._cache.get(key)
        if kept is not None and kept[0] > time.monotonic():
            answer = _renamed(kept[1], labels)
            self.log.append(Asked(answer.name, rdtype, "cached", answer))
            return answer
        return _renamed(await self._fly(key, labels, rdtype), labels)

    async def ask_all(self, questions: Iterable[tuple[Name, str]]) -> list[Answer]:
        """Ask several questions at once; the answers stand in the order of the questions."""
        return list(await asyncio.gather(*(self.ask(name, rdtype) for name, rdtype in questions)))

    async def addresses(self, name: Name) -> tuple[Answer, Answer]:
        """Ask for the addresses of a name: the answers for A and AAAA."""
        first, second = await self.ask_all([(name, "A"), (name, "AAAA")])
        return first, second

    async def reverse(self, address: str) -> Answer:
        """Ask for the PTR records of an IP address. Raises ValueError when it is none."""
        return await self.ask(reverse_name(address), "PTR")

    def forget(self) -> None:
        """Drop the cache: the next questions are asked anew."""
        self._cache.clear()

    async def _fly(self, key: tuple[Labels, str], labels: Labels, rdtype: str) -> Answer:
        """Ask on the wire, or join an equal question; the last to lose interest cancels it."""
        flight = self._flights.get(key)
        how = "shared" if flight else "sent"
        if flight is None:
            task = asyncio.create_task(self._question(key, labels, rdtype))
            flight = self._flights[key] = _Flight(task)
        flight.readers += 1
        try:
            answer = await asyncio.shield(flight.task)
        finally:
            flight.readers -= 1
            if self._flights.get(key) is flight and (flight.task.done() or not flight.readers):
                del self._flights[key]
                flight.task.cancel()
        self.log.append(Asked(text(labels), rdtype, how, answer))
        return answer

    async def _question(self, key: tuple[Labels, str], labels: Labels, rdtype: str) -> Answer:
        async with self._gate:
            start = time.monotonic()
            try:
                async with asyncio.timeout(self.timeout):
                    answer = await self._follow(labels, rdtype)
            except TimeoutError:
                detail = f"{self.timeout:g} s, asked {', '.join(self.servers)}"
                answer = Answer(text(labels), rdtype, "timeout", detail=detail)
            answer = replace(answer, ms=(time.monotonic() - start) * 1000)
        life = FAILURE if answer.failed else max(float(answer.ttl), SHORTEST)
        self._cache[key] = (time.monotonic() + life, answer)
        while len(self._cache) > CACHE_ENTRIES:
            del self._cache[next(iter(self._cache))]
        return answer

    async def _follow(self, labels: Labels, rdtype: str) -> Answer:
        """Ask, and go on where a server that does not recurse left a CNAME hanging."""
        answer, hanging = await self._once(labels, rdtype)
        seen = {folded(labels)}
        while hanging is not None and folded(hanging) not in seen:
            seen.add(folded(hanging))
            rest, hanging = await self._once(hanging, rdtype)
            answer = replace(
                rest,
                name=answer.name,
                chain=(*answer.chain, *rest.chain),
                ttl=min(answer.ttl, rest.ttl),
                ad=answer.ad and rest.ad,
                authenticated=answer.authenticated and rest.authenticated,
            )
        return answer

    async def _once(self, labels: Labels, rdtype: str) -> tuple[Answer, Labels | None]:
        """Run dnspython's resolution once; also the end of a CNAME chain left hanging."""
        name = text(labels)
        qname = dns.name.Name((*labels, b""))
        try:
            try:
                found = await self._stub.resolve(qname, rdtype, raise_on_no_answer=False)
            except dns.resolver.NoNameservers as fault:
                if not _knows_no_edns(fault):
                    raise
                found = await self._plain_stub.resolve(qname, rdtype, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN as fault:
            return self._nxdomain(name, rdtype, qname, fault), None
        except Exception as fault:  # noqa: BLE001 - whatever a server provokes is an answer
            status, detail = _failure(fault)
            return Answer(name, rdtype, status, detail=detail), None
        response = found.response
        chain = tuple(_plain_name(rrset[0].target) for rrset in found.chaining_result.cnames)
        trust = self._trust(response, found.nameserver)
        ttl = int(max(found.chaining_result.minimum_ttl, 0))
        server = nameserver_text(found.nameserver or "", found.port or 0)
        if found.rrset is None:
            answer = Answer(name, rdtype, "nodata", (), chain, ttl, 0.0, *trust, server)
            hanging = found.canonical_name if chain and not response.authority else None
            return answer, None if hanging is None else hanging.labels[:-1]
        values = tuple(_plain(rdata, rdtype) for rdata in found.rrset)
        return Answer(name, rdtype, "ok", values, chain, ttl, 0.0, *trust, server), None

    def _nxdomain(
        self, name: str, rdtype: str, qname: dns.name.Name, fault: dns.resolver.NXDOMAIN
    ) -> Answer:
        response: dns.message.QueryMessage = fault.kwargs["responses"][qname]
        result = response.resolve_chaining()
        chain = tuple(_plain_name(rrset[0].target) for rrset in result.cnames)
        trust = self._trust(response, self.servers[0] if len(self.servers) == 1 else "")
        server = self.servers[0] if len(self.servers) == 1 else ""
        ttl = int(max(result.minimum_ttl, 0))
        return Answer(name, rdtype, "nxdomain", (), chain, ttl, 0.0, *trust, server)

    def _trust(self, response: dns.message.Message, server: str | None) -> tuple[bool, bool]:
        """Return the AD bit, and whether it may be believed."""
        bit = bool(response.flags & dns.flags.AD)
        return bit, bit and (self.zone is not None or is_loopback(server or ""))


@dataclass(slots=True)
class _Flight:
    """A question on the wire and how many wait for it."""

    task: asyncio.Task[Answer]
    readers: int = 0


def _renamed(answer: Answer, labels: Labels) -> Answer:
    name = text(labels)
    return answer if answer.name == name else replace(answer, name=name)


def _servers(given: Sequence[str]) -> list[dns.nameserver.Nameserver]:
    if given:
        return [dns.nameserver.Do53Nameserver(*parse_nameserver(each)) for each in given]
    advice = "--nameserver IP[:PORT], or --zone FILE to answer from a file"
    try:
        system = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration as fault:
        raise SetupError("no nameserver is configured", str(fault), advice) from None
    servers = [
        server
        for each in system.nameservers
        for server in ([dns.nameserver.Do53Nameserver(each)] if isinstance(each, str) else [each])
    ]
    if not servers:
        raise SetupError("no nameserver is configured", "the system's settings", advice)
    return servers


def _stub(
    servers: Sequence[dns.nameserver.Nameserver], timeout: float, *, edns: bool
) -> dns.asyncresolver.Resolver:
    """Make dnspython's resolver: every server twice within the time, absolute names only."""
    stub = dns.asyncresolver.Resolver(configure=False)
    stub.nameservers = list(servers)
    stub.lifetime = timeout
    stub.timeout = timeout / (len(servers) + 1)
    stub.flags = dns.flags.RD | dns.flags.AD
    if edns:
        stub.use_edns(0, 0, PAYLOAD)
    return stub


class _ZoneServer(dns.nameserver.Nameserver):
    """A name server that reads its answers from a zone, through the wire and back."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone

    def __str__(self) -> str:
        return "zone"

    def kind(self) -> str:
        return "zone"

    def is_always_max_size(self) -> bool:
        return False

    def answer_nameserver(self) -> str:
        return "zone"

    def answer_port(self) -> int:
        return 0

    async def async_query(
        self,
        request: dns.message.QueryMessage,
        timeout: float,  # noqa: ASYNC109 - the signature is dnspython's
        source: str | None,
        source_port: int,
        max_size: bool,
        backend: object,
        one_rr_per_rrset: bool = False,
        ignore_trailing: bool = False,
    ) -> dns.message.Message:
        await asyncio.sleep(0)
        octets = respond(self.zone, request.to_wire(), 65535 if max_size else PAYLOAD)
        if octets is None:
            raise TimeoutError("the zone says so")  # an OSError: dnspython does not retry it
        return dns.message.from_wire(
            octets,
            one_rr_per_rrset=one_rr_per_rrset,
            ignore_trailing=ignore_trailing,
            raise_on_truncation=not max_size,
        )


_RCODES: Final[Mapping[str, dns.rcode.Rcode]] = {
    "noerror": dns.rcode.NOERROR,
    "nxdomain": dns.rcode.NXDOMAIN,
    "servfail": dns.rcode.SERVFAIL,
    "refused": dns.rcode.REFUSED,
}


def respond(zone: Zone, octets: bytes, limit: int) -> bytes | None:
    """Answer one query as a recursive server that knows the zone would; None: stay silent.

    `limit` is the largest answer in octets; a longer one is cut, with the TC bit set.
    """
    request = dns.message.from_wire(octets)
    response = dns.message.make_response(request, recursion_available=True)
    question = request.question[0]
    found = zone.find(question.name.labels[:-1], dns.rdatatype.to_text(question.rdtype))
    if found.outcome == "timeout":
        return None
    response.set_rcode(_RCODES[found.outcome])
    if zone.authenticated:
        response.flags |= dns.flags.AD
    for record in found.records:
        _add(response, response.answer, record)
    if found.soa is not None:
        _add(response, response.authority, found.soa)
    return response.to_wire(max_size=limit, prefer_truncation=True, want_shuffle=False)


def _add(message: dns.message.Message, section: list[dns.rrset.RRset], record: Record) -> None:
    rdtype = dns.rdatatype.from_text(record.rdtype)
    rdata = dns.rdata.from_wire(dns.rdataclass.IN, rdtype, record.rdata, 0, len(record.rdata))
    owner = dns.name.Name((*record.owner, b""))
    rrset = message.find_rrset(section, owner, dns.rdataclass.IN, rdtype, create=True)
    rrset.add(rdata, record.ttl)


def parse_master(master: str, origin: str = ".") -> list[Record]:
    """Read a master file into records. Raises ZoneError, with the line, where it does not parse.

    `$ORIGIN`, `$TTL` and `$GENERATE` work, `$INCLUDE` does not. Names that are not ASCII become
    A-labels.
    """
    try:
        base = dns.name.Name((*parse(origin), b""))
        zone = dns.zone.from_text(
            f"$TTL 300\n{master}",
            origin=base,
            relativize=False,
            check_origin=False,
            filename="line",
            idna_codec=dns.name.IDNA_2008_Practical,
        )
    except (dns.exception.DNSException, BadNameError, ValueError, UnicodeError) as fault:
        raise ZoneError("the zone does not parse", _line(str(fault)), status=64) from None
    return [
        Record(name.labels[:-1], dns.rdatatype.to_text(rdata.rdtype), ttl, rdata.to_wire() or b"")
        for name, ttl, rdata in zone.iterate_rdatas()
    ]


def _line(message: str) -> str:
    """Turn dnspython's "line:3: reason" into "line 2: reason" (one line was put before)."""
    place, _, reason = message.removeprefix("line:").partition(": ")
    return f"line {int(place) - 1}: {reason}" if place.isdigit() else message


def _plain_name(name: dns.name.Name) -> str:
    return text(name.labels[:-1] if name.is_absolute() else name.labels)


_PLAIN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "A": lambda rdata: rdata.address,
    "AAAA": lambda rdata: rdata.address,
    "TXT": lambda rdata: b"".join(rdata.strings),
    "SPF": lambda rdata: b"".join(rdata.strings),
    "MX": lambda rdata: Mx(rdata.preference, _plain_name(rdata.exchange)),
    "PTR": lambda rdata: _plain_name(rdata.target),
    "CNAME": lambda rdata: _plain_name(rdata.target),
    "DNAME": lambda rdata: _plain_name(rdata.target),
    "NS": lambda rdata: _plain_name(rdata.target),
    "TLSA": lambda rdata: Tlsa(rdata.usage, rdata.selector, rdata.mtype, rdata.cert.hex()),
    "SOA": lambda rdata: Soa(
        _plain_name(rdata.mname),
        _plain_name(rdata.rname),
        rdata.serial,
        rdata.refresh,
        rdata.retry,
        rdata.expire,
        rdata.minimum,
    ),
}


def _plain(rdata: dns.rdata.Rdata, rdtype: str) -> object:
    convert = _PLAIN.get(rdtype)
    return rdata.to_text() if convert is None else convert(rdata)


def _knows_no_edns(fault: dns.resolver.NoNameservers) -> bool:
    said = [error[3] for error in fault.kwargs.get("errors", ())]
    return bool(said) and all(word in {"FORMERR", "NOTIMP", "BADVERS"} for word in said)


def _failure(fault: Exception) -> tuple[Status, str]:
    """Turn what dnspython raised into a status; of several servers' faults the most telling."""
    if isinstance(fault, dns.resolver.LifetimeTimeout | dns.exception.Timeout):
        return "timeout", _reasons(fault.kwargs.get("errors", ()))
    if not isinstance(fault, dns.resolver.NoNameservers):
        return "malformed", str(fault) or type(fault).__name__
    errors = fault.kwargs.get("errors", ())
    said = [error[3] for error in errors]
    detail = _reasons(errors)
    if "SERVFAIL" in said:
        return "servfail", detail
    if "REFUSED" in said:
        return "refused", detail
    if any(isinstance(each, TimeoutError | dns.exception.Timeout) for each in said):
        return "timeout", detail
    if any(isinstance(each, str) for each in said):
        return "servfail", detail
    if any(isinstance(each, OSError | EOFError) for each in said):
        return "unreachable", detail
    if any(isinstance(each, dns.message.ChainTooLong) for each in said):
        return "servfail", "the CNAMEs form a loop or a very long chain"
    return "malformed", detail


def _reasons(errors: Iterable[Any]) -> str:
    """Say what each server did, once each: "192.0.2.53 port 53: REFUSED"."""
    said = {}
    for server, _, port, reason, _ in errors:
        host = server.partition(":")[2].rpartition("@")[0] or server
        place = f"{host} port {port}" if port else host
        said[f"{place}: {reason if isinstance(reason, str) else _reason(reason)}"] = True
    return "; ".join(said)


def _reason(fault: Exception) -> str:
    if isinstance(fault, dns.message.Truncated):
        return "the answer was truncated"
    if isinstance(fault, dns.exception.Timeout):
        return "no answer in time"
    if isinstance(fault, OSError):
        return fault.strerror or str(fault)
    return str(fault) or type(fault).__name__
