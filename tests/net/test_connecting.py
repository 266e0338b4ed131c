"""Happy eyeballs on loopback: the race, its attempts, and the errors that sum them up."""

from __future__ import annotations

import asyncio
import socket
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.net import connecting
from smtpshell.net.endpoint import Endpoint
from smtpshell.net.link import Attempt, Link, LinkError, LinkOptions
from smtpshell.protocol.errors import SmtpshellError
from tests.net import rogue
from tests.net.helpers import run


def has_ipv6() -> bool:
    """Tell whether this machine has an IPv6 loopback."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 loopback here")


def resolving(*addresses: str):
    """Make a resolver that answers with these addresses."""

    async def resolve(host, port, family):
        return list(addresses)

    return resolve


def opened(port: int, *addresses: str, **options) -> tuple[Attempt | None, list[Attempt]]:
    """Open and close a link by way of these addresses; return the winner and all attempts."""
    seen: list[Attempt] = []

    async def work():
        chosen = LinkOptions(**({"timeout": 3.0, "resolve": resolving(*addresses)} | options))
        link = await Link.open(Endpoint("tcp", "mx.example", port), chosen, seen.append)
        await link.close()

    run(work())
    return next((one for one in seen if one.outcome == "connected"), None), seen


@needs_ipv6
@pytest.mark.parametrize(("listening", "refusing"), [("127.0.0.1", "::1"), ("::1", "127.0.0.1")])
def test_the_other_family_is_tried_at_once_when_one_refuses(listening, refusing, monkeypatch):
    """A refused address costs no delay, and both attempts are reported in order."""
    monkeypatch.setattr(connecting, "ATTEMPT_DELAY", 10)
    with rogue.serve(rogue.silent(), host=listening) as server:
        winner, seen = opened(server.port, refusing, listening)
    assert winner is not None
    assert winner.address == listening
    assert [(one.address, one.outcome) for one in seen] == [
        (refusing, "refused"),
        (listening, "connected"),
    ]
    assert {one.family for one in seen} == {"IPv4", "IPv6"}
    assert all(one.ms >= 0 for one in seen)


def _full_listener() -> tuple[socket.socket, list[socket.socket]]:
    """Make a listener whose queue is full, so that nobody gets an answer."""
    listener = socket.create_server(("127.0.0.2", 0), backlog=0)
    filling = [socket.socket() for _ in range(3)]
    for one in filling:
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
    return listener, filling


def test_a_silent_address_is_overtaken_by_the_next():
    """After the attempt delay the next address is tried, and the loser is reported as overtaken."""
    listener, filling = _full_listener()
    port = listener.getsockname()[1]
    try:
        with rogue.serve(rogue.silent(), port=port):
            started = time.perf_counter()
            winner, seen = opened(port, "127.0.0.2", "127.0.0.1")
            seconds = time.perf_counter() - started
    finally:
        for one in (listener, *filling):
            one.close()
    assert winner is not None
    assert winner.address == "127.0.0.1"
    assert {one.address: one.outcome for one in seen} == {
        "127.0.0.1": "connected",
        "127.0.0.2": "overtaken",
    }
    assert connecting.ATTEMPT_DELAY <= seconds < 2


def test_all_attempts_that_fail_are_in_the_error():
    """When every address fails, the error lists each and tells the most telling outcome."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(LinkError) as caught:
            opened(port, "127.0.0.1", "127.0.0.2")
    assert caught.value.kind == "refused"
    assert [one.address for one in caught.value.attempts] == ["127.0.0.1", "127.0.0.2"]
    assert "mx.example" in str(caught.value)
    assert "127.0.0.2" in str(caught.value)


def test_the_source_address_is_used():
    """The server sees the connection come from the address that was asked for."""
    peers = []

    def note_peer(connection):
        peers.append(connection.inner.getpeername()[0])

    with rogue.serve(note_peer) as server:
        opened(server.port, "127.0.0.1", source="127.0.0.3")
        time.sleep(0.05)
    assert peers == ["127.0.0.3"]


@pytest.mark.parametrize("source", ["::1", "192.0.2.1", "nonsense"])
def test_an_unusable_source_address_is_told(source):
    """A source of the other family, of another machine, or no address at all is kind source."""
    with rogue.serve(rogue.silent()) as server, pytest.raises(LinkError) as caught:
        opened(server.port, "127.0.0.1", source=source)
    assert caught.value.kind == "source"
    assert "source address" in str(caught.value)


def test_the_family_is_obeyed():
    """With IPv6 wanted, a host of IPv4 alone is not found, and the message says so."""
    with pytest.raises(LinkError, match="no IPv6 address") as caught:
        opened(25, "127.0.0.1", family=6)
    assert caught.value.kind == "resolve"


@pytest.mark.parametrize(
    "host", ["", ".", "..", "a" * 300, "x y", "nul\0", "\x1b[31m.example", "é" * 70]
)
def test_impossible_host_names_are_link_errors(host):
    """Whatever is given as host, the outcome is a LinkError of one printable line."""
    with pytest.raises(LinkError) as caught:
        run(Link.open(Endpoint("tcp", host, 1), LinkOptions(timeout=3)))
    assert str(caught.value).isprintable()


def test_a_resolver_that_hangs_is_bounded():
    """A look-up that never ends is a LinkError within the timeout."""

    async def forever(host, port, family):
        await asyncio.sleep(100)
        return []

    started = time.perf_counter()
    with pytest.raises(LinkError, match="not resolved within") as caught:
        opened(25, resolve=forever, timeout=0.1)
    assert caught.value.kind == "resolve"
    assert time.perf_counter() - started < 1


def test_a_system_look_up_that_hangs_holds_nothing_up(monkeypatch):
    """The system's look-up runs where neither the timeout nor the end of the loop waits for it."""
    monkeypatch.setattr(connecting, "_numeric", lambda *_: [])
    monkeypatch.setattr(connecting.socket, "getaddrinfo", lambda *_: time.sleep(1.5) or [])
    started = time.perf_counter()
    with pytest.raises(LinkError):
        run(Link.open(Endpoint("tcp", "slow.example", 25), LinkOptions(timeout=0.1)))
    assert time.perf_counter() - started < 1


def test_errors_of_a_resolver_become_link_errors():
    """A resolver's own errors keep their words; nothing else escapes."""

    async def broken(host, port, family):
        raise SmtpshellError("the name server said SERVFAIL", host, "Ask another one.")

    async def system_error(host, port, family):
        raise OSError(5, "input/output error")

    with pytest.raises(LinkError, match=r"SERVFAIL.*Ask another one") as caught:
        opened(25, resolve=broken)
    assert caught.value.kind == "resolve"
    with pytest.raises(LinkError) as caught:
        opened(25, resolve=system_error)
    assert caught.value.kind == "resolve"


@pytest.mark.parametrize("port", [0, -1, 65536, 99999, 2**70])
def test_impossible_ports_are_link_errors(port):
    """A port out of range is refused in place of being wrapped around to another."""
    with pytest.raises(LinkError, match="no port number"):
        run(Link.open(Endpoint("tcp", "127.0.0.1", port)))


def test_the_system_finds_localhost():
    """The system's look-up gives localhost's addresses as text."""
    found = run(connecting.system_resolve("localhost", 25, 4))
    assert "127.0.0.1" in found


@given(st.lists(st.sampled_from([4, 6]), max_size=12))
def test_families_alternate_and_nothing_is_lost(families):
    """Alternating keeps every address, each family's order, and the first one first."""
    addresses = [(family, (str(place),)) for place, family in enumerate(families)]
    mixed = connecting.alternate(addresses)
    assert sorted(mixed) == sorted(addresses)
    assert mixed[:1] == addresses[:1]
    for family in (4, 6):
        assert [one for one in mixed if one[0] == family] == [
            one for one in addresses if one[0] == family
        ]
    both = min(families.count(4), families.count(6))
    kinds = [family for family, _ in mixed[: 2 * both]]
    assert all(one != two for one, two in pairwise(kinds))


def test_advice_for_port_25_names_the_usual_cause():
    """A time-out on port 25 says that networks block it; on another port it does not."""
    attempt = Attempt("192.0.2.1", 25, "IPv4", "timeout", 1000.0)
    assert "block outgoing port 25" in str(connecting.failure("mx:25", 25, 1, (attempt,)))
    assert "block" not in str(connecting.failure("mx:587", 587, 1, (attempt,)))
