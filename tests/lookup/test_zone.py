"""Zones in memory: empty non-terminals, wildcards, chains, faults, and what does not parse."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.lookup.names import parse, text
from smtpshell.lookup.resolver import Resolver, parse_master
from smtpshell.lookup.zone import Record, Zone, ZoneError, wire
from tests.lookup.dnsserver import DnsServer

# The example of RFC 4592 section 2.2.1, with addresses for the exchangers left out.
WILD = """
$ORIGIN example.
@                  SOA   ns. host. 1 1 1 1 60
*                  TXT   "this is a wildcard"
*                  MX    10 host1
sub.*              TXT   "this is not a wildcard"
host1              A     192.0.2.1
_ssh._tcp.host1    SRV   0 0 22 host1
_ssh._tcp.host2    SRV   0 0 22 host1
"""


def outcome(zone: Zone, name: str, rdtype: str) -> tuple[str, int]:
    """Return the outcome of a question and the number of records in the answer."""
    found = zone.find(parse(name), rdtype)
    return found.outcome, len(found.records)


@pytest.mark.parametrize(
    ("name", "rdtype", "expected"),
    [
        ("host3.example", "MX", ("noerror", 1)),
        ("host3.example", "A", ("noerror", 0)),
        ("foo.bar.example", "TXT", ("noerror", 1)),
        ("host1.example", "MX", ("noerror", 0)),
        ("sub.*.example", "MX", ("noerror", 0)),
        ("_telnet._tcp.host1.example", "SRV", ("nxdomain", 0)),
        ("host.subdel.example", "A", ("noerror", 0)),
        ("ghost.*.example", "MX", ("nxdomain", 0)),
        ("_tcp.host2.example", "TXT", ("noerror", 0)),
        ("host2.example", "TXT", ("noerror", 0)),
        ("*.example", "TXT", ("noerror", 1)),
        ("HOST3.Example", "mx".upper(), ("noerror", 1)),
    ],
)
def test_wildcards(name, rdtype, expected):
    """The questions of RFC 4592 section 2.2.1 are answered as the RFC answers them."""
    assert outcome(Zone.from_text(WILD), name, rdtype) == expected


def test_synthesised_records_carry_the_name_asked():
    """A record made from a wildcard belongs to the name that was asked."""
    found = Zone.from_text(WILD).find(parse("Host3.example"), "MX")
    assert found.records[0].owner == (b"Host3", b"example")


def test_root_is_an_origin_too():
    """A file may hold names below any origin, the root's own records included."""
    zone = Zone.from_text(". TXT root\na.example. A 192.0.2.1\nb.test. A 192.0.2.2\n")
    assert outcome(zone, ".", "TXT") == ("noerror", 1)
    assert outcome(zone, "b.test", "A") == ("noerror", 1)
    assert outcome(zone, "example", "A") == ("noerror", 0)
    assert outcome(zone, "c.test", "A") == ("nxdomain", 0)


def test_relative_names_hang_below_the_origin():
    """An origin given beside the file is that of its relative names."""
    zone = Zone.from_text("www 60 IN A 192.0.2.1\n", origin="example.com")
    assert zone.find(parse("www.example.com"), "A").records[0].ttl == 60


def test_records_without_a_ttl_have_one():
    """A file that states no TTL parses all the same."""
    assert Zone.from_text("a.example. A 192.0.2.1").find(parse("a.example"), "A").records[0].ttl


def test_chains_are_part_of_the_answer():
    """CNAMEs come first, then what they lead to; a loop ends."""
    zone = Zone.from_text(
        "a.example. CNAME b.example.\nb.example. CNAME c.example.\nc.example. A 192.0.2.1\n"
        "x.example. CNAME y.example.\ny.example. CNAME x.example.\n*.w.example. CNAME c.example.\n"
    )
    assert [r.rdtype for r in zone.find(parse("a.example"), "A").records] == ["CNAME", "CNAME", "A"]
    assert [r.rdtype for r in zone.find(parse("q.w.example"), "A").records] == ["CNAME", "A"]
    assert [r.rdtype for r in zone.find(parse("a.example"), "CNAME").records] == ["CNAME"]
    assert len(zone.find(parse("x.example"), "A").records) == 20


def test_dname_redirects_what_is_below():
    """A DNAME yields a CNAME for names below it, and none for itself."""
    zone = Zone.from_text("old.example. DNAME new.example.\nmx.new.example. A 192.0.2.1\n")
    found = zone.find(parse("mx.old.example"), "A")
    assert [record.rdtype for record in found.records] == ["DNAME", "CNAME", "A"]
    assert found.records[1].rdata == wire(parse("mx.new.example"))
    assert outcome(zone, "old.example", "A") == ("noerror", 0)
    long = ".".join(["x" * 60] * 4)
    assert outcome(zone, f"{long[:-14]}.old.example", "A")[0] == "nxdomain"


def test_faults_by_name_and_type():
    """A fault strikes a name or one type of it, an exception spares a type, comments count."""
    zone = Zone.from_text(
        "a.example. TXT x\na.example. A 192.0.2.1\n; fault b.example MX servfail\n"
        ";fault C.example timeout\n;fault d.example. nxdomain\n",
        faults={"a.example": "refused", "a.example TXT": "none"},
    )
    assert outcome(zone, "a.example", "TXT") == ("noerror", 1)
    assert outcome(zone, "a.example", "A") == ("refused", 0)
    assert outcome(zone, "b.example", "MX") == ("servfail", 0)
    assert outcome(zone, "b.example", "A") == ("nxdomain", 0)
    assert outcome(zone, "c.EXAMPLE", "A") == ("timeout", 0)
    assert outcome(zone, "d.example", "A") == ("nxdomain", 0)


@pytest.mark.parametrize("faults", [{"a.example": "sleepy"}, {"a..b": "timeout"}])
def test_bad_faults_are_refused(faults):
    """A fault that is none, or at a name that is none, is an error of the author's."""
    with pytest.raises(ZoneError):
        Zone((), faults)


@pytest.mark.parametrize(
    "master",
    ["a.example. A 192.0.2\n", "a.example. NONSENSE x\n", "\n\nb. A\n", "$INCLUDE /etc/passwd\n"],
)
def test_errors_name_the_line(master):
    """A file that does not parse is an error that names the line."""
    with pytest.raises(ZoneError) as fault:
        Zone.from_text(master)
    line = master.count("\n", 0, len(master.rstrip())) + 1
    assert f"line {line}:" in fault.value.where
    assert fault.value.status == 64


def test_files(tmp_path):
    """A file is read; one that is absent or broken is an error that names it."""
    good, bad = tmp_path / "good.zone", tmp_path / "bad.zone"
    good.write_text("a.example. A 192.0.2.1\n")
    bad.write_text("a.example. A x\n")
    assert outcome(Zone.from_file(good), "a.example", "A") == ("noerror", 1)
    with pytest.raises(ZoneError, match=r"bad\.zone, line 1"):
        Zone.from_file(bad)
    with pytest.raises(ZoneError, match="absent") as fault:
        Zone.from_file(tmp_path / "absent.zone")
    assert fault.value.status == 10
    (tmp_path / "octets").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ZoneError, match="UTF-8"):
        Zone.from_file(tmp_path / "octets")


LABEL = st.sampled_from([b"a", b"b", b"*", b"c.d", b"E"])
NAME = st.lists(LABEL, max_size=4).map(tuple)
RDATA = st.one_of(
    st.just(("A", b"\xc0\x00\x02\x01")),
    st.just(("TXT", b"\x02hi")),
    NAME.map(lambda name: ("CNAME", wire(name))),
)
RECORDS = st.lists(st.tuples(NAME, RDATA), max_size=8)


def consistent(pairs):
    """Make records of pairs, leaving out a CNAME beside other records, and a second CNAME."""
    held: dict[tuple[bytes, ...], set[str]] = {}
    records: dict[Record, None] = {}
    for owner, (rdtype, rdata) in pairs:
        key = tuple(label.lower() for label in owner)
        types = held.setdefault(key, set())
        if "CNAME" in types or (rdtype == "CNAME" and types):
            continue
        types.add(rdtype)
        records[Record(key, rdtype, 300, rdata)] = None
    return list(records)


def shape(answer):
    """Return what two answers must have in common; a server may change the case of names."""
    return answer.status, str(answer.records).lower(), str(answer.chain).lower()


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.lists(st.tuples(NAME, st.sampled_from(["A", "TXT", "MX"])), max_size=4))
def test_memory_and_wire_agree(pairs, questions):
    """For any zone and any question, the path in memory and a real server give one answer."""
    records = consistent(pairs)

    async def run():
        inside = Resolver(zone=Zone(records))
        async with DnsServer(records) as server:
            outside = Resolver([server.address])
            for name, rdtype in [*questions, *((r.owner, r.rdtype) for r in records)]:
                one, other = await inside.ask(name, rdtype), await outside.ask(name, rdtype)
                assert shape(one) == shape(other), (text(name), rdtype)

    asyncio.run(run())


def test_master_files_know_generate_and_idna():
    """$GENERATE makes records, U-labels become A-labels, repetition is one record."""
    made = parse_master(
        "$GENERATE 1-3 h$.example. A 192.0.2.$\nbücher.example. A 192.0.2.9\n"
        "bücher.example. A 192.0.2.9\n"
    )
    assert [text(record.owner) for record in made] == [
        "h1.example",
        "h2.example",
        "h3.example",
        "xn--bcher-kva.example",
    ]


def test_a_wrong_tlsa_is_served_as_it_is():
    """A TLSA record with data of the wrong length reaches whoever wants to diagnose it."""
    zone = Zone.from_text("_25._tcp.mx.example. TLSA 3 1 2 abab\n")
    answer = asyncio.run(Resolver(zone=zone).ask("_25._tcp.mx.example", "TLSA"))
    assert answer.records == ((3, 1, 2, "abab"),)
