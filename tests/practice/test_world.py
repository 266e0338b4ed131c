"""Practice worlds: going back, being repeatable, finding mailboxes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.practice.addresses import fold
from smtpshell.practice.library import load_scenario
from smtpshell.practice.mailbox import Envelope, Message
from smtpshell.practice.server import PracticeServer
from smtpshell.practice.shuffling import mix
from smtpshell.practice.world import Queued, World
from tests.practice.talking import Client, with_server


def message(text: bytes = b"Subject: x\r\n\r\nhello\r\n") -> Message:
    """Return a message."""
    return Message("ID", Envelope("ann@client.example", ("bob@practice.example",)), text, 0.0)


def test_a_snapshot_brings_everything_back() -> None:
    """Mail, queue, counters, memory, draws, the clock and the client's address return."""
    world = World(load_scenario("plain"))
    world.store(message(), "bob@practice.example")
    world.count("x")
    world.draw("queue")
    then = world.snapshot()
    expected = (world.queue_id(), world.count("x"))
    world.restore(then)
    for _ in range(2):
        world.store(message(), "bob@practice.example")
        world.enqueue(Queued(message(), "hold"))
        world.return_unheard(message())
        world.remember(("a",), 1)
        world.clock.advance(60)
        world.client = "192.0.2.9"
        world.restore(then)
        assert len(world.mailbox("bob")) == 1
        assert (len(world.queue), len(world.returned)) == (0, 0)
        assert world.remember(("a",), 2) == 2
        assert world.clock.now() == world.scenario.clock
        assert world.client == world.scenario.client
        world.restore(then)
        assert (world.queue_id(), world.count("x")) == expected
        world.restore(then)


def test_a_fork_goes_its_own_way() -> None:
    """What happens in a fork is not seen in the world that it came from, nor the other way."""
    world = World(load_scenario("plain"))
    fork = world.fork()
    fork.store(message(), "bob@practice.example")
    world.store(message(), "carol@practice.example")
    fork.clock.advance(5)
    assert (len(world.mailbox("bob")), len(fork.mailbox("bob"))) == (0, 1)
    assert (len(world.mailbox("carol")), len(fork.mailbox("carol"))) == (1, 0)
    assert world.clock.now() < fork.clock.now()


def test_reset_is_a_new_beginning() -> None:
    """After a reset the world draws what it drew first."""
    world = World(load_scenario("plain"))
    first = world.queue_id()
    world.store(message(), "bob@practice.example")
    world.reset()
    assert world.queue_id() == first
    assert world.stored == 0


def test_undo_on_a_running_server() -> None:
    """A world that is restored while clients are connected serves on, and repeats its octets."""
    heard = []

    async def run(server: PracticeServer) -> None:
        then = server.world.snapshot()
        for _ in range(2):
            client = await Client.open(server)
            await client.code()
            await client.say("EHLO x.example")
            await client.transact()
            heard.append(client.heard)
            assert len(server.world.mailbox("bob")) == 1
            server.world.restore(then)
            assert await client.say("NOOP") == ["250 2.0.0"]
            await client.close()

    with_server("plain", run)
    assert heard[0] == heard[1]


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("bob@practice.example", "bob@practice.example"),
        ("BOB@Practice.Example", "bob@practice.example"),
        ("bob", "bob@practice.example"),
        ("bob+lists@practice.example", "bob@practice.example"),
        ("postmaster", "alice@practice.example"),
        ("Postmaster@practice.example", "alice@practice.example"),
        ("postmaster@elsewhere.example", None),
        ("bob@elsewhere.example", None),
        ("", None),
    ],
)
def test_mailboxes_are_found_as_servers_do(address: str, mailbox: str | None) -> None:
    """Case and what follows a plus do not count; postmaster is always somebody."""
    assert World(load_scenario("plain")).find_mailbox(address) == mailbox


@given(st.text(max_size=80))
def test_any_text_can_be_folded(text: str) -> None:
    """Folding takes any address, and folding twice is folding once."""
    local, domain = fold(text)
    World(load_scenario("plain")).find_mailbox(text)
    if text.isascii():
        assert fold(f"{local}@{domain}") == (local, domain)


def test_draws_differ_by_purpose_seed_and_number() -> None:
    """Nothing is drawn twice, and everything again from the same seed."""
    drawn = []
    for seed in (1, 2):
        world = World(load_scenario("plain"), seed=seed)
        drawn += [world.draw(purpose) for purpose in ("a", "b") for _ in range(50)]
    assert len(set(drawn)) == 200
    again = World(load_scenario("plain"), seed=1)
    assert [again.draw("a") for _ in range(50)] == drawn[:50]


def test_mixing_spreads() -> None:
    """Of neighbouring numbers about half the bits differ, so that chance is fair."""
    ones = sum((mix(7, n) ^ mix(7, n + 1)).bit_count() for n in range(1000)) / 1000
    assert 30 < ones < 34
    below = sum(mix(n) / 2**64 < 0.2 for n in range(2000)) / 2000
    assert 0.17 < below < 0.23
