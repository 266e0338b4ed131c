"""What becomes of accepted mail: reports, queue, retries, forwarding, LMTP; no network."""

from __future__ import annotations

import ast
from email import message_from_bytes
from pathlib import Path
from typing import Any, cast

import pytest

from smtpshell import practice
from smtpshell.practice.delivery import protocol_word
from smtpshell.practice.server import PracticeServer
from smtpshell.practice.world import Queued
from tests.practice.talking import HEAD, Client, scenario, with_client, with_server

HELLO = "EHLO client.example"


def parts_of(content: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return the words, the fields and the returned octets of a report, by Python's own parser."""
    message = message_from_bytes(content)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert message.defects == []
    words, status, original = cast("list[Any]", message.get_payload())
    fields = {name: value for block in status.get_payload() for name, value in block.items()}
    return words.get_payload(), fields, original.as_bytes()


def test_a_bounce_is_a_delivery_status_notification() -> None:
    """What is accepted and then refused comes back from <>, in three parts, with the message."""
    rules = '[[rule]]\non = "RCPT"\nmatch = "ghost@*"\nreply = "250 2.1.5 Ok"\n'

    async def talk(client: Client) -> None:
        await client.say(HELLO)
        sent = await client.transact(
            "Subject: boo\r\n\r\nbody\r\n",
            sender="alice@practice.example",
            recipient="ghost@practice.example",
        )
        assert sent == "250 2.0.0"

    world = with_client(scenario(rules), talk).world
    (report,) = world.mailbox("alice")
    assert report.envelope.sender == ""
    assert report.header("Auto-Submitted") == "auto-replied"
    words, fields, original = parts_of(report.content)
    assert "<ghost@practice.example>: 550 5.1.1 User unknown (5.1.1)" in words
    assert fields["Final-Recipient"] == "rfc822; ghost@practice.example"
    assert (fields["Action"], fields["Status"]) == ("failed", "5.1.1")
    assert b"body" in original


@pytest.mark.parametrize(
    ("mail", "rcpt", "recipient", "reports", "whole"),
    [
        ("", "", "ghost", 1, True),
        ("RET=HDRS", "", "ghost", 1, False),
        ("ENVID=abc", "NOTIFY=FAILURE", "ghost", 1, True),
        ("", "NOTIFY=NEVER", "ghost", 0, False),
        ("", "NOTIFY=SUCCESS", "ghost", 0, False),
        ("", "NOTIFY=SUCCESS", "bob", 1, False),
        ("", "", "bob", 0, False),
    ],
)
def test_reports_are_sent_as_asked(
    mail: str, rcpt: str, recipient: str, reports: int, whole: bool
) -> None:
    """NOTIFY decides whether, RET how much, ENVID and ORCPT come back."""
    rules = '[[rule]]\non = "RCPT"\nmatch = "ghost@*"\nreply = "250 2.1.5 Ok"\n'
    address = f"{recipient}@practice.example"

    async def talk(client: Client) -> None:
        await client.say(
            HELLO,
            f"MAIL FROM:<alice@practice.example> {mail}",
            f"RCPT TO:<{address}> {rcpt} ORCPT=rfc822;{address}",
            "DATA",
            "Subject: x\r\n\r\nbody\r\n.",
        )

    world = with_client(scenario(rules), talk).world
    assert len(world.mailbox("alice")) == reports
    for report in world.mailbox("alice"):
        _, fields, original = parts_of(report.content)
        assert fields["Original-Recipient"] == f"rfc822;{address}"
        assert (b"body" in original) is whole
        assert fields.get("Original-Envelope-Id") == ("abc" if "ENVID" in mail else None)


def test_a_bounce_never_answers_a_bounce() -> None:
    """Mail from <> that cannot be delivered is not reported to anybody."""

    async def talk(client: Client) -> None:
        await client.say(HELLO)
        assert await client.transact(sender="") == "250 2.0.0"

    world = with_client(scenario('[[rule]]\non = "EOD"\nthen = "bounce"\n'), talk).world
    assert world.returned == ()


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({}, "SMTP"),
        ({"esmtp": True}, "ESMTP"),
        ({"esmtp": True, "tls": True}, "ESMTPS"),
        ({"esmtp": True, "tls": True, "auth": True}, "ESMTPSA"),
        ({"esmtp": True, "utf8": True, "auth": True}, "UTF8SMTPA"),
        ({"esmtp": True, "lmtp": True, "tls": True}, "LMTPS"),
        ({"esmtp": True, "lmtp": True, "utf8": True}, "UTF8LMTP"),
    ],
)
def test_words_of_the_received_line(facts: dict[str, bool], word: str) -> None:
    """RFC 3848 and RFC 6531 name each way of coming."""
    usual = {"esmtp": False, "lmtp": False, "utf8": False, "tls": False, "auth": False}
    assert protocol_word(**{**usual, **facts}) == word


def waiting(server: PracticeServer) -> list[Queued]:
    """Return what lies in the queue."""
    return list(server.world.queue)


async def send_on_the_road(server: PracticeServer, recipient: str, parameters: str = "") -> None:
    """Submit a message of ann's to the first server of the road."""
    client = await Client.open(server)
    await client.code()
    codes = await client.say(
        HELLO,
        "AUTH PLAIN AGFubgBjb3JyZWN0IGhvcnNl",
        "MAIL FROM:<ann@sender.example>",
        f"RCPT TO:<{recipient}> {parameters}",
        "DATA",
        "Subject: x\r\n\r\nbody\r\n.",
    )
    assert codes[-1] == "250 2.0.0"
    await client.close()


def test_what_is_put_off_is_tried_again() -> None:
    """A greylisted message waits in the queue and is delivered when its time has come."""

    async def run(server: PracticeServer) -> None:
        await send_on_the_road(server, "bob@practice.example", "NOTIFY=SUCCESS,DELAY")
        (item,) = server.world.queue
        assert item.reason.startswith("451 4.7.1")
        assert server.world.mailbox("bob") == ()
        await server.advance(299)
        assert len(waiting(server)) == 1
        await server.advance(1)
        assert waiting(server) == []
        (message,) = server.world.mailbox("bob")
        received = [value for name, value in message.fields if name == "Received"]
        assert [line.split(" by ")[1].split()[0] for line in received] == [
            "mx.practice.example",
            "out.sender.example",
        ]
        subjects = [report.header("Subject") for report in server.world.mailbox("ann")]
        assert subjects == [
            "Delayed Mail (still being retried)",
            "Mail Relayed Without Confirmation of Delivery",
        ]

    with_server("road", run)


def test_what_is_refused_comes_back() -> None:
    """An unknown user at the second server becomes a report in the sender's mailbox."""

    async def run(server: PracticeServer) -> None:
        await send_on_the_road(server, "nobody@practice.example")
        (report,) = server.world.mailbox("ann")
        _, fields, _ = parts_of(report.content)
        assert fields["Diagnostic-Code"].startswith("smtp; 550 5.1.1")

    with_server("road", run)


def test_trying_ends_after_five_days() -> None:
    """What is put off for ever is given up and returned."""
    rules = """
    [host."mx.far.example"]
    ip = "192.0.2.99"
    ports = { 25 = "plain" }
    relay_for = ["far.example"]
    extensions = ["ENHANCEDSTATUSCODES"]
    [[rule]]
    on = "RCPT"
    host = "mx.far.example"
    reply = "450 4.2.0 never"
    """
    onward = HEAD.replace("[[user]]", "onward = true\n[[user]]", 1)

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        await client.say(HELLO)
        sent = await client.transact(sender="alice@practice.example", recipient="zoe@far.example")
        assert sent == "250 2.0.0"
        await server.advance(4 * 86400)
        assert len(waiting(server)) == 1
        await server.advance(10 * 86400)
        assert waiting(server) == []
        (report,) = server.world.mailbox("alice")
        assert parts_of(report.content)[1]["Status"] == "4.2.0"
        await client.close()

    with_server(scenario(rules, onward), run)


def test_lmtp_answers_once_for_each_recipient() -> None:
    """After the dot LMTP gives one reply per accepted recipient (RFC 2033 section 4.2)."""
    lmtp = HEAD.replace("[[user]]", "lmtp = true\n[[user]]", 1)

    async def talk(client: Client) -> None:
        codes = await client.say(
            "EHLO x.example",
            "LHLO x.example",
            "MAIL FROM:<a@b.example>",
            "RCPT TO:<alice@practice.example>",
            "RCPT TO:<x@practice.example>",
            "RCPT TO:<bob@practice.example>",
            "DATA",
            "hello\r\n.",
        )
        assert codes[0] == "500 5.5.2"
        assert [codes[-1], await client.code()] == ["250 2.0.0", "250 2.0.0"]
        assert await client.say("NOOP") == ["250 2.0.0"]

    world = with_client(scenario("", lmtp), talk).world
    assert world.mailbox("bob")[0].envelope.protocol == "LMTP"


def test_a_full_world_takes_no_more() -> None:
    """The number of messages is limited, and the refusal says so for now."""

    async def talk(client: Client) -> None:
        await client.say(HELLO)
        codes = [await client.transact() for _ in range(3)]
        assert codes == ["250 2.0.0", "250 2.0.0", "452 4.3.1"]

    with_client(scenario("[limits]\nmessages = 2\n"), talk)


def test_the_limit_of_a_class_is_what_size_says() -> None:
    """A smaller limit of the world shows in SIZE and counts."""

    async def talk(client: Client) -> None:
        await client.say(HELLO)
        assert b"SIZE 100\r\n" in client.heard
        assert await client.transact("x" * 101 + "\r\n") == "552 5.3.4"

    with_client(scenario("[limits]\nmessage = 100\n"), talk)


def test_nothing_in_the_practice_server_opens_a_connection() -> None:
    """No module of the room calls anything that could reach another machine."""
    forbidden = {
        "connect", "create_connection", "open_connection", "connect_ex", "sendto", "smtplib",
        "urlopen", "create_datagram_endpoint", "open_unix_connection", "sock_connect",
    }  # fmt: skip
    found = []
    for path in Path(practice.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "attr", getattr(node, "id", getattr(node, "name", "")))
            if name in forbidden:
                found.append((path.name, name))
    assert found == []
