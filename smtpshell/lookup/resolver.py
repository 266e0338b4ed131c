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
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.tlsabase
import dns.resolver
import dns.tokenizer
import dns.zonefile

from smtpshell.lookup.answer import Answer, Mx, Soa, Status, Tlsa
from smtpshell.lookup.names import BadNameError, Labels, check, folded, parse, reverse_name, text
from smtpshell.lookup.nameservers import (
    is_loopback,
    nameserver_text,
    parse_nameserver,
    system_nameservers,
)
from smtpshell.lookup.sharing import Asked, Sharing
from smtpshell.lookup.zone import CHAIN_LIMIT, Record, Zone, ZoneError
from smtpshell.lookup.zonewire import respond

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PAYLOAD: Final = 1232  # octets over UDP that no path fragments (RFC 9715 section 3.2)
TIMEOUT: Final = 5.0  # seconds for one question, all tries together
CONCURRENCY: Final = 128  # questions on the wire at once
LOG_ENTRIES: Final = 20_000
DEFAULT_TTL: Final = 300  # seconds, for records of a zone file that state none

LOOP: Final = "the CNAMEs form a loop or a very long chain"

Name = str | Labels

# A TLSA record whose data has the wrong length must be seen to be diagnosed; dnspython rejects it.
dns.rdtypes.tlsabase.TLSABase._cert_length_by_mtype = {}  # noqa: SLF001 - there is no other way


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
        self.log: deque[Asked] = deque(maxlen=LOG_ENTRIES)
        servers: list[dns.nameserver.Nameserver]
        if zone is not None:
            servers = [_ZoneServer(zone)]
        else:
            given = [parse_nameserver(each) for each in nameservers] or system_nameservers()
            servers = [_Server(*each) for each in given]
        self.servers = tuple((each.answer_nameserver(), each.answer_port()) for each in servers)
        self._stub = _stub(servers, timeout, edns=True)
        self._plain_stub = _stub(servers, timeout, edns=False)
        self._gate = asyncio.Semaphore(concurrency)
        self._sharing = Sharing()

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
        answer, how = await self._sharing.get(
            (folded(labels), rdtype), lambda: self._question(labels, rdtype)
        )
        if answer.name != text(labels):
            answer = replace(answer, name=text(labels))
        self.log.append(Asked(answer.name, rdtype, how, answer))
        return answer

    async def ask_all(self, questions: Iterable[tuple[Name, str]]) -> list[Answer]:
        """Ask several questions at once; the answers stand in the order of the questions."""
        return list(await asyncio.gather(*(self.ask(name, rdtype) for name, rdtype in questions)))

    async def addresses(self, name: Name) -> tuple[Answer, Answer]:
        """Ask for the addresses of a name: the answers for A and AAAA."""
        return await asyncio.gather(self.ask(name, "A"), self.ask(name, "AAAA"))

    async def reverse(self, address: str) -> Answer:
        """Ask for the PTR records of an IP address. Raises ValueError when it is none."""
        return await self.ask(reverse_name(address), "PTR")

    def forget(self) -> None:
        """Drop the cache: the next questions are asked anew."""
        self._sharing.forget()

    async def _question(self, labels: Labels, rdtype: str) -> Answer:
        async with self._gate:
            start = time.monotonic()
            try:
                async with asyncio.timeout(self.timeout):
                    answer = await self._follow(labels, rdtype)
            except TimeoutError:
                asked = ", ".join(nameserver_text(*each) for each in self.servers)
                detail = f"{self.timeout:g} s, asked {asked}"
                answer = Answer(text(labels), rdtype, "timeout", detail=detail)
            return replace(answer, ms=(time.monotonic() - start) * 1000)

    async def _follow(self, labels: Labels, rdtype: str) -> Answer:
        """Ask, and go on where a server that does not recurse left a CNAME hanging."""
        answer, hanging = await self._once(labels, rdtype)
        seen = {folded(labels)}
        while hanging is not None:
            if folded(hanging) in seen or len(seen) > CHAIN_LIMIT:
                return Answer(answer.name, rdtype, "servfail", chain=answer.chain, detail=LOOP)
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
            found = await self._resolve(qname, rdtype)
        except dns.resolver.NXDOMAIN as fault:
            response: dns.message.QueryMessage = fault.kwargs["responses"][qname]
            sole = self.servers[0] if len(self.servers) == 1 else ("", 0)
            answer = Answer(name, rdtype, "nxdomain")
            return self._filled(answer, response, response.resolve_chaining(), *sole), None
        except Exception as fault:  # noqa: BLE001 - whatever a server provokes is an answer
            status, detail = _failure(fault)
            return Answer(name, rdtype, status, detail=detail), None
        values = tuple(sorted(_plain(rdata, rdtype) for rdata in found.rrset or ()))
        answer = self._filled(
            Answer(name, rdtype, "nodata" if found.rrset is None else "ok", values),
            found.response,
            found.chaining_result,
            found.nameserver or "",
            found.port or 0,
        )
        left = answer.status == "nodata" and answer.chain and not found.response.authority
        return answer, found.canonical_name.labels[:-1] if left else None

    async def _resolve(self, qname: dns.name.Name, rdtype: str) -> dns.resolver.Answer:
        try:
            return await self._stub.resolve(qname, rdtype, raise_on_no_answer=False)
        except dns.resolver.NoNameservers as fault:
            said = [error[3] for error in fault.kwargs.get("errors", ())]
            if not said or any(each not in {"FORMERR", "NOTIMP", "BADVERS"} for each in said):
                raise
        return await self._plain_stub.resolve(qname, rdtype, raise_on_no_answer=False)

    def _filled(
        self,
        answer: Answer,
        response: dns.message.Message,
        result: dns.message.ChainingResult,
        server: str,
        port: int,
    ) -> Answer:
        ad = bool(response.flags & dns.flags.AD)
        return replace(
            answer,
            chain=tuple(_plain_name(rrset[0].target) for rrset in result.cnames),
            ttl=max(int(result.minimum_ttl), 0),
            ad=ad,
            authenticated=ad and (self.zone is not None or is_loopback(server)),
            server=nameserver_text(server, port),
        )


def _stub(
    servers: Sequence[dns.nameserver.Nameserver], timeout: float, *, edns: bool
) -> dns.asyncresolver.Resolver:
    """Make dnspython's resolver: each server asked, the first at least twice, within the time."""
    stub = dns.asyncresolver.Resolver(configure=False)
    stub.nameservers = list(servers)
    stub.lifetime = timeout * 0.95  # so that its own words reach the answer, not the outer bound
    stub.timeout = timeout / (len(servers) + 1)
    stub.flags = dns.flags.RD | dns.flags.AD
    if edns:
        stub.use_edns(0, 0, PAYLOAD)
    return stub


class _Server(dns.nameserver.Do53Nameserver):
    """A name server on the network, asked over UDP by a connected socket of its own per question.

    A connected socket hears that nobody listens at the other end, and nothing from anybody else.
    TCP is dnspython's.
    """

    async def async_query(
        self,
        request: dns.message.QueryMessage,
        timeout: float,  # noqa: ASYNC109 - the signature is dnspython's
        source: str | None,
        source_port: int,
        max_size: bool,
        backend: Any,  # noqa: ANN401 - dnspython does not export its type
        one_rr_per_rrset: bool = False,
        ignore_trailing: bool = False,
    ) -> dns.message.Message:
        if max_size:
            rest = source, source_port, max_size, backend, one_rr_per_rrset, ignore_trailing
            response = await super().async_query(request, timeout, *rest)
            if response.flags & dns.flags.TC:
                raise dns.message.Truncated(message=response)  # type: ignore[no-untyped-call]  # dnspython's
            return response
        transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagram(request), remote_addr=(self.address, self.port)
        )
        try:
            transport.sendto(request.to_wire())
            async with asyncio.timeout(timeout):
                return await protocol.answer
        except TimeoutError:
            raise dns.exception.Timeout(timeout=timeout) from None  # type: ignore[no-untyped-call]  # dnspython's
        finally:
            transport.close()


class _Datagram(asyncio.DatagramProtocol):
    """Waits for the answer to one query; what answers another question is passed over."""

    def __init__(self, request: dns.message.QueryMessage) -> None:
        self.request = request
        self.answer: asyncio.Future[dns.message.Message] = (
            asyncio.get_running_loop().create_future()
        )

    def datagram_received(self, data: bytes, addr: object) -> None:
        if self.answer.done() or data[:2] != self.request.id.to_bytes(2, "big"):
            return
        try:
            message = dns.message.from_wire(data, ignore_trailing=True, raise_on_truncation=True)
            if self.request.is_response(message):
                self.answer.set_result(message)
        except dns.message.Truncated as fault:
            if self.request.is_response(fault.message()):  # type: ignore[no-untyped-call]  # dnspython's
                self.answer.set_exception(fault)
        except Exception as fault:  # noqa: BLE001 - whatever octets provoke is an answer
            self.answer.set_exception(fault)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


class _ZoneServer(dns.nameserver.AddressAndPortNameserver):
    """A name server that reads its answers from a zone, through the wire and back."""

    def __init__(self, zone: Zone) -> None:
        super().__init__("zone", 0)
        self.zone = zone

    def kind(self) -> str:
        return "memory"

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
        limit = 65535 if max_size else PAYLOAD
        octets = respond(self.zone, request.to_wire(), limit, _type_text, dns.rdatatype.from_text)
        if octets is None:
            raise TimeoutError("the zone says so")  # an OSError: dnspython does not retry it
        return dns.message.from_wire(
            octets,
            one_rr_per_rrset=one_rr_per_rrset,
            ignore_trailing=ignore_trailing,
            raise_on_truncation=not max_size,
        )


def _type_text(code: int) -> str:
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(code))


class _Lines(dns.zonefile.RRsetsReaderTransaction):
    """Takes the records of a master file as they come; a SOA may stand at any name."""

    def __init__(self, origin: dns.name.Name) -> None:
        super().__init__(dns.zonefile.RRSetsReaderManager(origin), True, False)  # type: ignore[no-untyped-call]  # dnspython's
        self.records: dict[Record, None] = {}

    def add(self, *args: object) -> None:
        name, ttl, rdata = cast("tuple[dns.name.Name, int, dns.rdata.Rdata]", args)
        rdtype = dns.rdatatype.to_text(rdata.rdtype)
        self.records[Record(name.labels[:-1], rdtype, ttl, rdata.to_wire() or b"")] = None


def parse_master(master: str, origin: str = ".") -> list[Record]:
    """Read a master file into records. Raises ZoneError, with the line, where it does not parse.

    `$ORIGIN`, `$TTL` and `$GENERATE` work, `$INCLUDE` does not. Names that are not ASCII become
    A-labels. Records without a TTL get that of the record before, or 300 seconds.
    """
    try:
        return _read_master(master, origin)
    except (dns.exception.DNSException, ValueError) as fault:
        place, _, reason = str(fault).removeprefix("line:").partition(": ")
    if not place.isdigit():
        raise ZoneError("the zone does not parse", f"{place}: {reason}", status=64)
    line = int(place)
    try:  # dnspython often names the line after the bad one
        _read_master("".join(master.splitlines(keepends=True)[: line - 1]), origin)
    except (dns.exception.DNSException, ValueError):
        line -= 1
    raise ZoneError("the zone does not parse", f"line {line}: {reason}", status=64)


def _read_master(master: str, origin: str) -> list[Record]:
    lines = _Lines(dns.name.Name((*parse(origin), b"")))
    tokens = dns.tokenizer.Tokenizer(master, "line", idna_codec=dns.name.IDNA_2008_Practical)
    dns.zonefile.Reader(tokens, dns.rdataclass.IN, lines, default_ttl=DEFAULT_TTL).read()
    return list(lines.records)


def _plain_name(name: dns.name.Name) -> str:
    return text(name.labels[:-1] if name.is_absolute() else name.labels)


_PLAIN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "A": lambda rdata: rdata.address,
    "AAAA": lambda rdata: rdata.address,
    **dict.fromkeys(("TXT", "SPF"), lambda rdata: b"".join(rdata.strings)),
    "MX": lambda rdata: Mx(rdata.preference, _plain_name(rdata.exchange)),
    **dict.fromkeys(("PTR", "CNAME", "DNAME", "NS"), lambda rdata: _plain_name(rdata.target)),
    "TLSA": lambda rdata: Tlsa(rdata.usage, rdata.selector, rdata.mtype, rdata.cert.hex()),
    "SOA": lambda rdata: Soa(_plain_name(rdata.mname), _plain_name(rdata.rname), rdata.serial),
}


def _plain(rdata: dns.rdata.Rdata, rdtype: str) -> Any:  # noqa: ANN401 - one type per rdtype
    convert = _PLAIN.get(rdtype)
    return rdata.to_text() if convert is None else convert(rdata)


def _failure(fault: Exception) -> tuple[Status, str]:
    """Turn what dnspython raised into a status; of several servers' faults the most telling."""
    if isinstance(fault, dns.exception.Timeout):
        return "timeout", _reasons(fault.kwargs.get("errors", ()))
    if not isinstance(fault, dns.resolver.NoNameservers):
        return _status(fault), _reason(fault)
    errors = fault.kwargs.get("errors", ())
    found = {_status(error[3]) for error in errors}
    order: tuple[Status, ...] = ("servfail", "refused", "timeout", "unreachable", "malformed")
    return next(status for status in order if status in found), _reasons(errors)


def _status(reason: str | Exception) -> Status:
    """Return the status of one server's fault: a return code as text, or an exception."""
    match reason:
        case "REFUSED":
            return "refused"
        case str() | dns.message.ChainTooLong() | dns.resolver.YXDOMAIN():
            return "servfail"
        case TimeoutError() | dns.exception.Timeout():
            return "timeout"
        case OSError() | EOFError():
            return "unreachable"
        case _:
            return "malformed"


def _reasons(errors: Iterable[Any]) -> str:
    """Say what each server did, once each: "192.0.2.53: REFUSED"."""
    said = {}
    for server, _, port, reason, _ in errors:
        host = server.partition(":")[2].rpartition("@")[0] or server
        said[f"{nameserver_text(host, port)}: {_reason(reason)}"] = True
    return "; ".join(said)


def _reason(reason: str | Exception) -> str:
    match reason:
        case str():
            return reason
        case dns.message.Truncated():
            return "the answer was truncated"
        case dns.message.ChainTooLong():
            return LOOP
        case dns.exception.Timeout():
            return "no answer in time"
        case OSError(strerror=str(words)):
            return words
        case _:
            return str(reason) or type(reason).__name__
