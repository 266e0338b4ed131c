"""The practice server as a source of conversations: events as a client would have them."""

from __future__ import annotations

import pytest

from smtpshell.practice.accounts import is_published
from smtpshell.practice.library import load_scenario
from smtpshell.practice.server import PracticeServer
from smtpshell.practice.tap import Journal
from smtpshell.protocol.events import Closed, Connected, Event, Received, Remark, Sent, TlsStarted
from smtpshell.protocol.sasl import Credentials
from smtpshell.protocol.sasl.exchange import ClientExchange
from smtpshell.protocol.sasl.line import decode_line, encode_line
from smtpshell.protocol.state import State
from tests.practice.talking import HEAD, Client, scenario, trusting, with_server


def told(events: tuple[Event, ...]) -> list[str]:
    """Return events as lines of a transcript."""
    lines = []
    for event in events:
        match event:
            case Sent():
                lines.append(f"C: {event.line}")
            case Received():
                lines.append(f"S: {event.reply.code} {event.reply.lines[0]} [{event.command}]")
            case Remark():
                lines.append(f"# {event.text}")
            case Connected() | TlsStarted() | Closed():
                lines.append(type(event).__name__)
    return lines


def test_a_conversation_is_heard_in_its_order() -> None:
    """Commands, message lines and replies come in the order in which they took effect."""
    journal = Journal()

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        client.send(
            b"EHLO x.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@practice.example>\r\n"
            b"DATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n"
        )
        while await client.reply() is not None:
            pass
        await client.close()

    with_server("plain", run, observer=journal)
    assert journal.connections() == (1,)
    events = journal.of(1)
    assert told(events) == [
        "Connected",
        "S: 220 mail.practice.example ESMTP practice [None]",
        "C: EHLO x.example",
        "S: 250 mail.practice.example [EHLO]",
        "C: MAIL FROM:<a@b.example>",
        "S: 250 2.1.0 Ok [MAIL]",
        "C: RCPT TO:<bob@practice.example>",
        "S: 250 2.1.5 Ok [RCPT]",
        "C: DATA",
        "S: 354 End data with <CR><LF>.<CR><LF> [DATA]",
        "C: Subject: x",
        "C: ",
        "C: ..dot",
        "C: .",
        "S: 250 2.0.0 Ok: queued as 0C99BB0B11 [.]",
        "C: QUIT",
        "S: 221 2.0.0 Bye [QUIT]",
        "Closed",
    ]
    assert events[4].after.sender is None
    assert events[7].after.recipients == ("bob@practice.example",)
    closed = events[-1]
    assert isinstance(closed, Closed)
    assert closed.clean


def test_tls_and_injected_text_are_told() -> None:
    """The handshake is an event, and what was thrown away before it a remark."""
    journal = Journal()

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        await client.say("EHLO x.example")
        client.send(b"STARTTLS\r\nNOOP\r\n")
        await client.code()
        await client.start_tls(trusting(server))
        await client.say("EHLO x.example")
        await client.close()

    with_server("plain", run, observer=journal)
    lines = told(journal.of(1))
    at = lines.index("TlsStarted")
    assert lines[at - 1] == "# 6 octets in plain text before the handshake, thrown away"
    assert lines[at + 1] == "C: EHLO x.example"
    assert journal.of(1)[at].after.state is State.START


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"\0alice\0correct horse", True),
        (b"alice@practice.example\0alice\0correct horse", True),
        (b"\0alice\0my own secret", False),
        (b"\0me@bank.example\0correct horse", False),
        (b"alice correct horse", False),
    ],
)
def test_only_published_passwords_are_shown(line: bytes, shown: bool) -> None:
    """A published login stands in the transcript; anybody's own is hidden."""
    journal = Journal()
    encoded = encode_line(line)

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        await client.say("EHLO x.example", "STARTTLS")
        await client.start_tls(trusting(server))
        await client.say("EHLO x.example", f"AUTH PLAIN {encoded}", "RSET")
        await client.say("AUTH PLAIN", encoded)
        await client.close()

    with_server("plain", run, observer=journal)
    sent = [line for line in told(journal.of(1)) if line.startswith("C: ")]
    assert (f"C: AUTH PLAIN {encoded}" in sent) is shown
    text = "\n".join(told(journal.of(1)))
    assert (encoded in text) is shown


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256", "LOGIN"])
@pytest.mark.parametrize("password", ["correct horse", "my own secret"])
def test_a_proof_is_shown_only_if_it_is_of_a_published_password(
    mechanism: str, password: str
) -> None:
    """Whoever could guess a secret from its proof finds none in the transcript."""
    journal = Journal()
    answers: list[str] = []
    open_auth = HEAD + '[auth]\noffer = "always"\n'

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        await client.say("EHLO x.example")
        exchange = ClientExchange(mechanism, Credentials("alice", password))
        initial = exchange.start()
        line = f"AUTH {mechanism}"
        if initial is not None:
            line += f" {encode_line(initial, initial=True)}"
        while True:
            client.send(f"{line}\r\n".encode())
            reply = await client.reply()
            assert reply is not None
            if reply.code != 334:
                break
            line = encode_line(exchange.answer(decode_line(reply.text)))
            answers.append(line)
        assert (reply.code == 235) is (password == "correct horse")
        await client.close()

    with_server(scenario("", open_auth), run, observer=journal)
    text = "\n".join(told(journal.of(1)))
    proof = answers[1] if mechanism == "LOGIN" else answers[0]
    assert (proof in text) is (password == "correct horse")


def test_published_words_without_a_login_under_way() -> None:
    """Asked out of the blue, only what names a published user, or is published, passes."""
    plain = load_scenario("plain")
    shown = [
        ("PLAIN", b"\0bob\0battery staple"),
        ("LOGIN", b"bob"),
        ("LOGIN", b"bob\n"),
        ("PLAIN", b"bob\0battery staple"),
        ("LOGIN", b"battery staple"),
        ("XOAUTH2", b"user=bob\x01auth=Bearer practice-token-of-bob\x01\x01"),
        ("SCRAM-SHA-256", b"n,,n=bob,r=abc"),
        ("PLAIN", b""),
    ]
    hidden = [
        ("PLAIN", b"\0bob\0other"),
        ("LOGIN", b"other"),
        ("XOAUTH2", b"user=bob\x01auth=Bearer other\x01\x01"),
        ("SCRAM-SHA-256", b"n,,n=other,r=abc"),
        ("SCRAM-SHA-256", b"c=biws,r=abc,p=AAAA"),
        ("CRAM-MD5", b"bob 0123456789abcdef0123456789abcdef"),
    ]
    for mechanism, octets in shown:
        assert is_published(plain, mechanism, encode_line(octets).encode()), mechanism
    for mechanism, octets in hidden:
        assert not is_published(plain, mechanism, encode_line(octets).encode()), mechanism
    assert not is_published(plain, "PLAIN", b"not base64")
    assert is_published(plain, "LOGIN", b"bob"), "a slip: not encoded"


def test_a_journal_is_bounded() -> None:
    """However long people talk, only the latest events are kept."""
    journal = Journal(kept=10)

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        await client.say(*["NOOP"] * 20)
        await client.close()

    with_server("plain", run, observer=journal)
    assert len(journal.of(1)) == 10
