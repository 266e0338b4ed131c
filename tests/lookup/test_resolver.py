"""The resolver: every end of a question is an answer, over the wire and from a zone."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.lookup.answer import Answer, Mx, Soa, Tlsa
from smtpshell.lookup.finding import SetupError
from smtpshell.lookup.nameservers import system_nameservers
from smtpshell.lookup.resolver import Resolver
from smtpshell.lookup.zone import Zone
from tests.lookup.dnsserver import DnsServer

T = TypeVar("T")

MASTER = """
$ORIGIN example.com.
@       SOA  ns hostmaster 7 3600 600 86400 60
@       NS   ns
@       MX   10 mail
@       MX   5 backup.example.net.
@       TXT  "v=spf1 " "-all"
mail    A    192.0.2.1
mail    AAAA 2001:db8::1
alias   CNAME mail
chain   CNAME alias
out     CNAME nowhere.example.
loop    CNAME pool
pool    CNAME loop
_25._tcp.mail TLSA 3 1 1 ABAB
1.2.0.192.in-addr.arpa. PTR mail
bücher  A    192.0.2.33
odd\\.dot A  192.0.2.34
"""


def records(master: str = MASTER):
    """Return the records of a master file."""
    from smtpshell.lookup.resolver import parse_master

    return parse_master(master)


def on_wire(
    talk: Callable[[Resolver, DnsServer], Awaitable[T]],
    faults: dict[str, str] | None = None,
    *,
    timeout: float = 2.0,
    master: str = MASTER,
    **options: object,
) -> T:
    """Run a talk with a resolver whose only name server is a real one on loopback."""

    async def run() -> T:
        async with DnsServer(records(master), faults, **options) as server:  # type: ignore[arg-type]  # passed through
            return await talk(Resolver([server.address], timeout=timeout), server)

    return asyncio.run(run())


def ask(name: str, rdtype: str, **options: object) -> Answer:
    """Ask one question over the wire."""
    return on_wire(lambda resolver, _: resolver.ask(name, rdtype), **options)  # type: ignore[arg-type]  # passed through


@pytest.mark.parametrize(
    ("name", "rdtype", "expected"),
    [
        ("mail.example.com", "A", ("192.0.2.1",)),
        ("mail.example.com", "aaaa", ("2001:db8::1",)),
        ("MAIL.Example.COM.", "A", ("192.0.2.1",)),
        ("example.com", "TXT", (b"v=spf1 -all",)),
        ("_25._tcp.mail.example.com", "TLSA", (Tlsa(3, 1, 1, "abab"),)),
        ("1.2.0.192.in-addr.arpa", "PTR", ("mail.example.com",)),
        ("example.com", "NS", ("ns.example.com",)),
        ("example.com", "SOA", (Soa("ns.example.com", "hostmaster.example.com", 7),)),
        ("bücher.example.com", "A", ("192.0.2.33",)),
        ("odd\\.dot.example.com", "A", ("192.0.2.34",)),
    ],
)
def test_values_are_plain(name, rdtype, expected):
    """Each type's records come as the plain values its documentation promises."""
    answer = ask(name, rdtype)
    assert (answer.status, answer.records) == ("ok", expected)


def test_mx_are_pairs():
    """Mail exchangers are pairs of preference and host."""
    answer = ask("example.com", "MX")
    assert sorted(answer.records) == [Mx(5, "backup.example.net"), Mx(10, "mail.example.com")]


def test_names_may_be_octets():
    """A name given as labels is asked as it is, dots and backslashes inside labels included."""
    answer = on_wire(lambda resolver, _: resolver.ask((b"odd.dot", b"example", b"com"), "A"))
    assert answer.records == ("192.0.2.34",)
    assert answer.name == "odd\\.dot.example.com"


@pytest.mark.parametrize(
    ("name", "rdtype", "status", "absent", "failed"),
    [
        ("mail.example.com", "TXT", "nodata", True, False),
        ("none.example.com", "TXT", "nxdomain", True, False),
        ("_tcp.mail.example.com", "TXT", "nodata", True, False),
        ("servfail.example.com", "TXT", "servfail", False, True),
        ("timeout.example.com", "TXT", "timeout", False, True),
        ("refused.example.com", "TXT", "refused", False, True),
        ("a..example.com", "TXT", "badname", True, False),
    ],
)
def test_ends_differ(name, rdtype, status, absent, failed):
    """SERVFAIL, time-out, refusal, NXDOMAIN, no data and a bad name are told apart."""
    faults = {f"{word}.example.com": word for word in ("servfail", "timeout", "refused")}
    answer = ask(name, rdtype, faults=faults, timeout=0.2)
    assert (answer.status, answer.absent, answer.failed) == (status, absent, failed)
    assert not answer.ok
    assert answer.meaning


@pytest.mark.parametrize("fault", ["wrongid", "garbage", "noquestion", "othername"])
def test_forged_octets_time_out(fault):
    """Datagrams that are no answer to the question are passed over, like those of a forger."""
    answer = ask("mail.example.com", "A", faults={"mail.example.com": fault}, timeout=0.3)
    assert answer.status == "timeout"
    assert answer.ms < 1000


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("notimp", "servfail"),
        ("yxdomain", "servfail"),
        ("cut", "malformed"),
        ("short", "malformed"),
    ],
)
def test_odd_answers_are_failures(fault, status):
    """Return codes nobody expects and answers cut even over TCP are failures, not exceptions."""
    answer = ask("mail.example.com", "A", faults={"mail.example.com": fault}, timeout=0.5)
    assert answer.failed
    assert answer.status == status


def test_truncation_falls_back_to_tcp():
    """A truncated datagram is asked again over TCP, and the whole answer counts."""

    async def talk(resolver, server):
        return await resolver.ask("mail.example.com", "A"), server.asked

    answer, asked = on_wire(talk, {"mail.example.com": "truncated"})
    assert answer.records == ("192.0.2.1",)
    assert [transport for _, _, transport in asked] == ["udp", "tcp"]


def test_broken_tcp_is_unreachable():
    """When TCP fails after a truncated datagram, the answer says so."""
    answer = ask("mail.example.com", "A", faults={"mail.example.com": "hangup"}, timeout=0.5)
    assert answer.status == "unreachable"
    assert "truncated" in answer.detail


def test_a_thousand_records():
    """An answer of a thousand records arrives whole."""
    master = "".join(f"big.example. A 192.0.{i // 250}.{i % 250}\n" for i in range(1000))
    answer = ask("big.example", "A", master=master)
    assert len(set(answer.records)) == 1000


def test_long_text_fits_edns():
    """A TXT of a thousand octets needs one datagram, because EDNS is on."""

    async def talk(resolver, server):
        return await resolver.ask("long.example", "TXT"), server.asked

    master = "long.example. TXT " + " ".join('"' + "x" * 250 + '"' for _ in range(4))
    answer, asked = on_wire(talk, master=master)
    assert len(answer.records[0]) == 1000
    assert asked == [("long.example", "TXT", "udp")]


def test_server_without_edns():
    """A server that answers FORMERR to EDNS is asked once more without it."""
    answer = ask("mail.example.com", "A", faults={"mail.example.com": "noedns"})
    assert answer.records == ("192.0.2.1",)


@pytest.mark.parametrize("follow", [True, False])
def test_cnames_are_followed(follow):
    """A chain is followed to its end, also when the server leaves it hanging at each link."""
    answer = ask("chain.example.com", "A", follow=follow)
    assert answer.records == ("192.0.2.1",)
    assert answer.chain == ("alias.example.com", "mail.example.com")
    assert answer.canonical == "mail.example.com"


@pytest.mark.parametrize("follow", [True, False])
def test_cname_to_nowhere(follow):
    """A CNAME to a name that does not exist is NXDOMAIN, and the chain says where it led."""
    answer = ask("out.example.com", "A", follow=follow)
    assert (answer.status, answer.chain) == ("nxdomain", ("nowhere.example",))


@pytest.mark.parametrize("follow", [True, False])
def test_cname_loop_ends(follow):
    """A loop of CNAMEs ends without records."""
    answer = ask("loop.example.com", "A", follow=follow)
    assert not answer.records
    assert answer.failed


def test_equal_questions_share_one_packet():
    """Equal questions in flight cost one packet, whatever their case; later ones the cache's."""

    async def talk(resolver, server):
        names = ["mail.example.com", "MAIL.example.com", "mail.EXAMPLE.com"] * 7
        answers = await resolver.ask_all((name, "A") for name in names)
        again = await resolver.ask("mail.example.com", "A")
        return names, answers, again, server.asked, [each.how for each in resolver.log]

    names, answers, again, asked, log = on_wire(talk, delay=0.02)
    assert len(asked) == 1
    assert {answer.records for answer in [*answers, again]} == {("192.0.2.1",)}
    assert [answer.name for answer in answers] == names
    assert (log.count("sent"), log.count("shared"), log.count("cached")) == (1, 20, 1)


def test_forget_asks_again():
    """After forget() a question goes out anew."""

    async def talk(resolver, server):
        await resolver.ask("mail.example.com", "A")
        resolver.forget()
        await resolver.ask("mail.example.com", "A")
        return len(server.asked)

    assert on_wire(talk) == 2


def test_one_reader_leaving_does_not_disturb_another():
    """A shared question lives on when one of its readers is cancelled."""

    async def talk(resolver, _):
        first = asyncio.create_task(resolver.ask("mail.example.com", "A"))
        second = asyncio.create_task(resolver.ask("mail.example.com", "A"))
        await asyncio.sleep(0.01)
        first.cancel()
        return await second, await asyncio.gather(first, return_exceptions=True)

    answer, gone = on_wire(talk, delay=0.05)
    assert answer.ok
    assert isinstance(gone[0], asyncio.CancelledError)


def test_a_question_nobody_waits_for_is_given_up():
    """When the last reader is cancelled the question is dropped, and can be asked again."""

    async def talk(resolver, server):
        only = asyncio.create_task(resolver.ask("mail.example.com", "A"))
        await asyncio.sleep(0.02)
        only.cancel()
        await asyncio.gather(only, return_exceptions=True)
        flights = resolver._sharing.in_flight
        return flights, await resolver.ask("mail.example.com", "A"), len(server.asked)

    assert on_wire(talk, delay=0.05)[0] == 0
    assert on_wire(talk, delay=0.05)[1].ok


def test_concurrency_is_bounded():
    """No more questions are on the wire at once than allowed."""

    async def run():
        async with DnsServer(records(), delay=0.03) as server:
            resolver = Resolver([server.address], concurrency=2)
            tasks = [asyncio.create_task(resolver.ask(f"n{i}.example.com", "A")) for i in range(6)]
            await asyncio.sleep(0.02)
            seen = len(server.asked)
            await asyncio.gather(*tasks)
            return seen, len(server.asked)

    assert asyncio.run(run()) == (2, 6)


def test_time_is_bounded():
    """A silent server costs the time-out and not more."""
    start = time.monotonic()
    answer = ask("slow.example.com", "A", faults={"slow.example.com": "timeout"}, timeout=0.3)
    assert answer.status == "timeout"
    assert 0.25 < time.monotonic() - start < 1.0


def test_second_server_is_asked():
    """When the first server refuses, the second one's answer counts, and is named."""

    async def run():
        async with (
            DnsServer((), {"mail.example.com": "refused"}) as first,
            DnsServer(records()) as second,
        ):
            resolver = Resolver([first.address, second.address])
            return await resolver.ask("mail.example.com", "A"), second.address

    answer, address = asyncio.run(run())
    assert answer.records == ("192.0.2.1",)
    assert answer.server == address


def test_closed_port_is_unreachable():
    """A name server that is not there is unreachable, and found out quickly."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    start = time.monotonic()
    answer = asyncio.run(Resolver([f"127.0.0.1:{port}"], timeout=3).ask("example.com", "A"))
    assert answer.status == "unreachable"
    assert time.monotonic() - start < 1


def test_authenticated_from_loopback():
    """The AD bit is believed from a resolver on this host, which is named."""
    answer = ask("mail.example.com", "A", authenticated=True)
    assert (answer.ad, answer.authenticated) == (True, True)
    assert answer.server.startswith("127.0.0.1:")
    assert not ask("mail.example.com", "A").authenticated


@pytest.mark.parametrize("given", ["example.com", "192.0.2.1:0", "192.0.2.1:99999", "", "::1:53x"])
def test_bad_nameserver_is_refused(given):
    """A nameserver that is no address is refused with advice, before anything is asked."""
    with pytest.raises(SetupError) as fault:
        Resolver([given])
    assert fault.value.status == 64
    assert "--nameserver" in fault.value.next


def test_no_nameserver_is_a_clear_error(tmp_path):
    """Without any name server the error says so and names the flags that help."""
    empty = tmp_path / "resolv.conf"
    for text in ("", "# nothing\nsearch example.com\nnameserver\nnameserver mail.example\n"):
        empty.write_text(text)
        with pytest.raises(SetupError) as fault:
            system_nameservers(str(empty))
        assert "--zone" in str(fault.value)
        assert fault.value.status == 3
    with pytest.raises(SetupError, match="no nameserver"):
        system_nameservers(str(tmp_path / "absent"))


def test_system_nameservers_are_read(tmp_path):
    """The system's name servers are taken in order, comments and options passed over."""
    conf = tmp_path / "resolv.conf"
    conf.write_text("; x\nnameserver 192.0.2.53\noptions edns0\nnameserver 2001:db8::53 # y\n")
    assert system_nameservers(str(conf)) == [("192.0.2.53", 53), ("2001:db8::53", 53)]


def test_zone_faults_need_no_waiting():
    """A time-out written into a zone is a time-out at once."""
    zone = Zone.from_text(MASTER, faults={"slow.example.com": "timeout"})
    start = time.monotonic()
    answer = asyncio.run(Resolver(zone=zone, timeout=5).ask("slow.example.com", "A"))
    assert answer.status == "timeout"
    assert time.monotonic() - start < 1


class Mangler(DnsServer):
    """Answers with octets of the test's choice behind the query's own number."""

    mangle: Callable[[bytes], bytes]

    def reply(self, octets, transport):
        """Answer as usual, then mangle what is not the number."""
        wire = super().reply(octets, transport)
        return None if wire is None else octets[:2] + self.mangle(wire)[2:]


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(2, 200), st.integers(1, 255))))
def test_no_octets_raise(tail, flips):
    """Whatever octets come back, random or a good answer spoilt, the end is an answer."""

    def spoil(wire):
        spoilt = bytearray(wire)
        for place, bits in flips:
            spoilt[place % len(spoilt)] ^= bits
        return bytes(spoilt)

    async def run():
        async with Mangler(records()) as server:
            resolver = Resolver([server.address], timeout=0.1)
            answers = []
            for server.mangle in (spoil, lambda _: b"xx" + tail, lambda wire: wire[:12] + tail):
                for question in (("chain.example.com", "A"), ("example.com", "MX")):
                    resolver.forget()
                    answers.append(await resolver.ask(*question))
            return answers

    for answer in asyncio.run(run()):
        assert answer.meaning
        assert answer.to_json()["status"] == answer.status
        assert answer.ms < 1000
