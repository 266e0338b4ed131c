"""Rules: which one fires, how matches are counted and remembered, and what is told about it."""

from __future__ import annotations

from typing import Any

import pytest

from smtpshell.practice.rules import Rulebook, fill
from smtpshell.practice.world import World
from tests.practice.talking import Client, scenario, with_client, with_server


def decide(rules: str, moments: list[dict[str, Any]], place: str = "RCPT") -> list[int | None]:
    """Return the numbers of the rules that fire at each moment: facts, and `wait` in seconds."""
    world = World(scenario(rules))
    book = Rulebook(world.scenario)
    fired = []
    for moment in moments:
        facts = dict(moment)
        world.clock.advance(facts.pop("wait", 0))
        scope = {name: facts.pop(name, 1) for name in ("connection", "transaction")}
        subject = facts.pop("subject", "")
        parameters = facts.pop("parameters", ())
        rule = book.choose(world, place, subject, facts, parameters=parameters, scope=scope)
        fired.append(rule.number if rule else None)
    return fired


ON = '[[rule]]\non = "RCPT"\nreply = "450 x"\n'


@pytest.mark.parametrize(
    ("more", "moments", "fired"),
    [
        ("", [{}, {}], [1, 1]),
        (
            'match = "*@x.example"',
            [{"subject": "A@X.example"}, {"subject": "a@y.example"}],
            [1, None],
        ),
        ('host = "mx2.*"', [{"host": "mx1.example"}, {"host": "mx2.example"}], [None, 1]),
        ('parameter = "NOTIFY=*"', [{"parameters": ("notify=NEVER",)}, {}], [1, None]),
        ("size = 100", [{"size": 100}, {"size": 101}, {}], [None, 1, None]),
        ('when = "tls"', [{"tls": True}, {"tls": False}, {}], [1, None, None]),
        ("nth = 2", [{}] * 3, [None, 1, None]),
        ("times = 2", [{}] * 3, [1, 1, None]),
        ("after = 2", [{}] * 4, [None, None, 1, 1]),
        ("after = 1\ntimes = 2", [{}] * 4, [None, 1, 1, None]),
        (
            'nth = 2\nper = "connection"',
            [{"connection": c} for c in (1, 2, 1, 2)],
            [None, None, 1, 1],
        ),
        ('nth = 2\nwhen = "tls"', [{"tls": t} for t in (True, False, True)], [None, None, 1]),
        ('until = "5m"', [{}, {"wait": 299}, {"wait": 1}, {"wait": 9}], [1, 1, None, None]),
        (
            'memory = "client"\nuntil = "5m"',
            [{"client": "a"}, {"client": "b", "wait": 200}, {"client": "A", "wait": 100}],
            [1, 1, None],
        ),
        ('memory = "client"', [{"client": c} for c in "abab"], [1, 1, None, None]),
        ('rate = "2 per 1m"', [{}, {}, {}, {"wait": 60}, {}, {}], [None, None, 1, None, None, 1]),
        ("chance = 0.0", [{}] * 3, [None] * 3),
        ("chance = 1.0", [{}] * 3, [1] * 3),
    ],
)
def test_conditions(more: str, moments: list[dict[str, Any]], fired: list[int | None]) -> None:
    """Each condition holds when it should, and is counted only when the others hold."""
    assert decide(ON + more, moments) == fired


def test_the_first_that_fires_wins() -> None:
    """Order in the file is order of precedence; a rule that passes leaves the next one its turn."""
    rules = f"{ON}nth = 1\n{ON}match = 'a*'\n{ON}"
    assert decide(rules, [{}, {"subject": "ab"}, {"subject": "b"}]) == [1, 2, 3]


def test_a_rule_may_look_at_several_places() -> None:
    """A list of places counts as one rule."""
    world = World(scenario('[[rule]]\non = ["MAIL", "RCPT"]\nnth = 2\nreply = "450 x"\n'))
    book = Rulebook(world.scenario)
    assert book.choose(world, "MAIL", "", {}) is None
    assert book.choose(world, "RCPT", "", {}) is not None
    assert not book.looks_at("DATA")


def test_decisions_say_why() -> None:
    """The trace tells which rule fired, what fitted, and why others passed."""
    world = World(scenario(f"{ON}nth = 2\n{ON}match = '*@x.example'\nwhen = 'not tls'\n"))
    book = Rulebook(world.scenario)
    book.choose(world, "RCPT", "a@x.example", {"tls": False}, scope={"connection": 3})
    (decision,) = world.trace
    assert (decision.place, decision.subject, decision.rule) == ("RCPT", "a@x.example", 2)
    assert decision.because == "'*@x.example' fits, 'not tls' holds"
    assert decision.passed == ((1, "this is match 1, it waits for match 2"),)
    assert decision.connection == 3


def test_the_trace_is_bounded_and_printable() -> None:
    """However many decisions and whatever the client sent, the trace stays small and clean."""
    world = World(scenario(ON))
    book = Rulebook(world.scenario)
    for _ in range(2000):
        book.choose(world, "RCPT", "\x1b[31m" + "x" * 10_000, {})
    assert len(world.trace) <= 500
    assert world.trace[-1].subject.startswith("\\x1b[31mx")
    assert len(world.trace[-1].subject) <= 256


def test_facts_in_replies_cannot_break_the_line() -> None:
    """What a client sent is made printable and cut before it stands in a reply."""
    facts = {"recipient": "a\r\n250 ok\x1b" + "x" * 1000, "sender": "s", "size": 3}
    line = fill("550 {to} {from} {size} {nothing} {", facts)
    assert "\r" not in line
    assert "\n" not in line
    assert len(line) < 400
    assert line.endswith(" s 3 {nothing} {")


def test_a_rule_answers_in_place_of_the_server() -> None:
    """The reply of a rule is what the client hears and what the state follows."""
    rules = """
    [[rule]]
    on = "RCPT"
    match = "x@practice.example"
    reply = ["250-2.1.5 taken", "250 2.1.5 <{to}> from {from} at {host}"]
    [[rule]]
    on = "NOOP"
    times = 1
    reply = "451 4.3.0 not now"
    [[rule]]
    on = "UNKNOWN"
    match = "XMAS*"
    reply = "250 2.0.0 Merry"
    [[rule]]
    on = "EXPN"
    match = "staff"
    reply = ["250-2.1.5 <ann@practice.example>", "250 2.1.5 <bob@practice.example>"]
    """

    async def talk(client: Client) -> None:
        await client.say("EHLO x.example", "MAIL FROM:<a@b.example>")
        client.send(b"RCPT TO:<x@practice.example>\r\n")
        reply = await client.reply()
        assert reply is not None
        words = "2.1.5 <x@practice.example> from a@b.example at mail.practice.example"
        assert reply.lines == ("2.1.5 taken", words)
        assert await client.say("EXPN staff", "EXPN all") == ["250 2.1.5", "502 5.5.1"]
        codes = await client.say("NOOP", "NOOP", "XMAS now", "XMA", "DATA")
        assert codes == ["451 4.3.0", "250 2.0.0", "250 2.0.0", "500 5.5.2", "354"]

    with_client(scenario(rules), talk)


def test_protocol_speaks_before_rules() -> None:
    """What is out of order or malformed is refused as such, unless a rule is for any command."""
    rules = """
    [[rule]]
    on = "RCPT"
    reply = "451 4.7.1 later"
    [[rule]]
    on = "ANY"
    nth = 4
    reply = "421 4.3.2 enough"
    """

    async def talk(client: Client) -> None:
        codes = await client.say("RCPT TO:<bob@practice.example>", "EHLO x.example", "NOOP", "FOO")
        assert codes == ["503 5.5.1", "250", "250 2.0.0", "421 4.3.2"]
        assert await client.code() == "closed"

    with_client(scenario(rules), talk)


def test_nth_connection() -> None:
    """The second connection, and only that one, is hung up on after eight seconds."""
    rules = '[[rule]]\non = "CONNECT"\nnth = 2\ndelay = "8s"\nclose = "before"\n'

    async def run(server) -> None:
        codes = []
        for _ in range(3):
            client = await Client.open(server)
            codes.append(await client.code())
            await client.close()
        assert codes == ["220", "closed", "220"]
        assert server.world.clock.now() - server.scenario.clock == 8

    with_server(scenario(rules), run)
