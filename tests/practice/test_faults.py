"""Every fault that a scenario can ask for, on the wire."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.practice.malform import malform, unescape
from smtpshell.practice.scenario import WIRE_FAULTS
from smtpshell.practice.server import PracticeServer
from smtpshell.protocol.replies import ReplyReader
from tests.practice.talking import Client, scenario, trusting, with_client, with_server

FLAWS = {
    "bare-lf": {"bare-lf"},
    "mismatched-codes": {"mismatched-code"},
    "no-space": {"missing-space"},
    "no-text": {"bare-code"},
    "not-ascii": {"not-ascii"},
    "not-utf8": {"not-utf8"},
    "nul": {"nul"},
    "escape": {"control"},
    "long-line": {"long-line"},
    "flood": {"too-long"},
}


@pytest.mark.parametrize("fault", WIRE_FAULTS)
def test_each_fault_is_a_flaw_to_our_reader(fault: str) -> None:
    """What a fault does to a reply is seen by the reply reader under its name."""
    octets = malform(b"250-2.1.0 Ok\r\n250 2.1.0 Ok\r\n", [fault])
    reader = ReplyReader()
    replies = reader.feed(octets) + reader.close()
    assert replies[0].code == 250
    assert set(replies[0].flaws) >= FLAWS.get(fault, set())
    assert len(replies) == (2 if fault in ("twice", "injected") else 1)


@given(st.lists(st.sampled_from([name for name in WIRE_FAULTS if name != "flood"]), max_size=5))
def test_faults_can_be_combined(faults: list[str]) -> None:
    """Any combination gives octets, and they still end in a line end."""
    assert malform(b"250 2.1.0 Ok\r\n", faults).endswith(b"\n")


@given(st.text(max_size=50))
def test_any_text_can_be_unescaped(text: str) -> None:
    """Unescaping takes any text; without backslashes it is the text itself."""
    octets = unescape(text.replace("\\", "/"))
    assert octets == text.replace("\\", "/").encode("utf-8", "surrogateescape")
    unescape(text)


def test_escapes() -> None:
    """The escapes are those of /raw."""
    assert unescape(r"a\r\n\0\x1b\\n\q") == b"a\r\n\0\x1b\\n\\q"


def rule(on: str, what: str) -> str:
    """Return one rule."""
    return f'[[rule]]\non = "{on}"\n{what}\n'


def heard(rules: str, lines: list[str]) -> tuple[list[str], bytes]:
    """Return the codes for the lines, and all octets heard."""
    found: list[str] = []
    octets = []

    async def talk(client: Client) -> None:
        found.extend(await client.say(*lines))
        octets.append(client.heard)

    with_client(scenario(rules), talk)
    return found, octets[0]


def test_close_before_and_after() -> None:
    """The connection ends instead of the reply, or behind it."""
    assert heard(rule("NOOP", 'close = "before"'), ["NOOP", "NOOP"])[0] == ["closed"] * 2
    assert heard(rule("NOOP", "close = true"), ["NOOP", "NOOP"])[0] == ["250 2.0.0", "closed"]


def test_reset() -> None:
    """A reset is an error of the connection, not its end."""

    async def talk(client: Client) -> None:
        client.send(b"NOOP\r\n")
        with pytest.raises(ConnectionResetError):
            await client.reader.read()

    with_client(scenario(rule("NOOP", "reset = true")), talk)


def test_421_always_ends_the_connection() -> None:
    """Whoever says 421 hangs up (RFC 5321 section 3.8)."""
    codes, _ = heard(rule("NOOP", 'reply = "421 4.3.2 bye"'), ["NOOP", "NOOP"])
    assert codes == ["421 4.3.2", "closed"]


def test_delay_passes_on_the_practice_clock() -> None:
    """A slow reply costs practice time and hardly any real time."""

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        before = server.world.clock.now()
        assert await client.say("NOOP") == ["250 2.0.0"]
        assert server.world.clock.now() - before == 300
        await client.close()

    with_server(scenario(rule("NOOP", 'delay = "5m"')), run)


def test_drip_sends_octet_by_octet() -> None:
    """A dripping reply comes whole in the end, and each octet costs its time."""

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        before = server.world.clock.now()
        assert await client.say("NOOP") == ["250 2.0.0"]
        assert server.world.clock.now() - before == pytest.approx(len(b"250 2.0.0 Ok\r\n"))
        await client.close()

    with_server(scenario(rule("NOOP", 'drip = "1s"')), run)


def test_silence() -> None:
    """A rule may let a command go unanswered; the next one is answered."""

    async def talk(client: Client) -> None:
        client.send(b"NOOP\r\nRSET\r\n")
        reply = await client.reply()
        assert client.heard.endswith(b"ESMTP practice\r\n250 2.0.0 Ok\r\n")
        assert reply is not None

    with_client(scenario(rule("NOOP", "silent = true")), talk)


def test_raw_octets() -> None:
    """Raw text goes out as its escapes say, and the state follows its first reply."""
    codes, octets = heard(
        rule("MAIL", "raw = '250-x\\n250 {from}\\r\\n\\x00'"),
        ["EHLO x.example", "MAIL FROM:<a@b.example>"],
    )
    assert codes == ["250", "250"]
    assert octets.endswith(b"250-x\n250 a@b.example\r\n\0")


def test_keywords_added_and_dropped() -> None:
    """What EHLO does not show is not there, and what it shows is."""
    rules = rule("EHLO", 'drop = ["STARTTLS", "SMTPUTF8"]\nadd = ["ETRN", "SIZE 7"]')
    codes, octets = heard(rules, ["EHLO x.example", "STARTTLS", "MAIL FROM:<a@b.example> SMTPUTF8"])
    assert codes == ["250", "502 5.5.1", "555 5.5.4"]
    assert b"250-ETRN\r\n250 SIZE 7\r\n" in octets
    assert b"STARTTLS" not in octets


def test_injected_reply_before_the_handshake() -> None:
    """A line of plain text follows the 220 in the same breath."""
    rules = rule("STARTTLS", 'faults = ["injected"]')
    codes, octets = heard(rules, ["EHLO x.example", "STARTTLS"])
    assert codes[-1] == "220 2.0.0"
    assert octets.endswith(b"220 2.0.0 Ready to start TLS\r\n250 2.0.0 Injected in plain text\r\n")


def test_garbage_in_place_of_the_handshake() -> None:
    """Where TLS should begin, plain text comes."""

    async def talk(client: Client) -> None:
        await client.say("EHLO x.example", "STARTTLS")
        while await client.reply() is not None:
            pass
        assert client.heard.endswith(b"220 2.0.0 Ready to start TLS\r\nno\r\n")

    with_client(scenario(rule("TLS", r"raw = 'no\r\n'")), talk)


def test_certificate_by_rule() -> None:
    """A rule decides for one connection which certificate is shown."""
    rules = rule("STARTTLS", 'nth = 1\ncertificate = "none"')

    async def run(server: PracticeServer) -> None:
        codes = []
        for _ in range(2):
            client = await Client.open(server)
            await client.code()
            codes += await client.say("EHLO x.example", "STARTTLS")
            await client.close()
        assert codes == ["250", "454 4.7.0", "250", "220 2.0.0"]

    with_server(scenario(rules), run)


def test_data_line() -> None:
    """The connection can end inside a message, at the line that fits."""
    rules = rule("DATA-LINE", 'match = "*now*"\nclose = "before"')

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        await client.say("EHLO x.example")
        assert await client.transact("one\r\ntwo\r\n") == "250 2.0.0"
        assert await client.transact("one\r\nnow\r\n") == "closed"
        assert len(server.world.mailbox("bob")) == 1
        await client.close()

    with_server(scenario(rules), run)


@pytest.mark.parametrize(
    ("fate", "delivered", "queued", "returned"),
    [("deliver", 1, 0, 0), ("discard", 0, 0, 0), ("hold", 0, 1, 0), ("bounce", 0, 0, 1)],
)
def test_fates(fate: str, delivered: int, queued: int, returned: int) -> None:
    """An accepted message is delivered, thrown away, kept, or returned."""

    async def talk(client: Client) -> None:
        await client.say("EHLO x.example")
        assert await client.transact() == "250 2.0.0"

    world = with_client(scenario(rule("EOD", f'then = "{fate}"')), talk).world
    counts = (len(world.mailbox("bob")), len(world.queue), len(world.returned))
    assert counts == (delivered, queued, returned)


def test_delivered_though_the_reply_was_lost() -> None:
    """A connection that breaks before the last reply leaves the message delivered: duplicates."""

    async def run(server: PracticeServer) -> None:
        for _ in range(2):
            client = await Client.open(server)
            await client.code()
            await client.say("EHLO x.example")
            last = await client.transact()
            await client.close()
        assert last == "250 2.0.0"
        assert len(server.world.mailbox("bob")) == 2

    with_server(scenario(rule("EOD", 'nth = 1\nclose = "before"')), run)


def test_idle_connections_are_ended_by_the_practice_clock() -> None:
    """Five silent minutes on the clock end in 421, unasked; real time does not matter."""

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        server.world.clock.advance(299)
        assert await client.say("NOOP") == ["250 2.0.0"]
        server.world.clock.advance(299)
        await asyncio.sleep(0.01)
        assert client.ready == []
        server.world.clock.advance(2)
        assert [await client.code(), await client.code()] == ["421 4.4.2", "closed"]
        await client.close()

    with_server(scenario(), run)


def test_idle_rule() -> None:
    """A rule may say goodbye to the idle in other words."""

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        server.world.clock.advance(500)
        assert await client.code() == "421 4.4.9"
        await client.close()

    with_server(scenario(rule("IDLE", 'reply = "421 4.4.9 {host} asleep?"')), run)


def test_plain_text_behind_starttls_is_thrown_away() -> None:
    """Commands sent with STARTTLS in one packet are never carried out (RFC 3207 section 4.2)."""

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        await client.say("EHLO x.example")
        client.send(b"STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n")
        assert await client.code() == "220 2.0.0"
        await client.start_tls(trusting(server))
        assert await client.say("EHLO x.example", "RCPT TO:<bob@practice.example>") == [
            "250",
            "503 5.5.1",
        ]
        await client.close()

    with_server(scenario(), run)
