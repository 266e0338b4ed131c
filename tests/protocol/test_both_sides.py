"""Client and server wired together: the same tables, so never two opinions of where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.message import MessageEncoder
from smtpshell.protocol.replies import ReplyReader
from smtpshell.protocol.serverreplies import wire_lines
from smtpshell.protocol.serverside import Profile, ServerSide
from smtpshell.protocol.session import Session
from smtpshell.protocol.state import Mode, State
from tests.protocol.feeding import cut, one_by_one, places

KEYWORDS = ("PIPELINING", "SIZE 1000", "8BITMIME", "SMTPUTF8", "DSN", "CHUNKING", "STARTTLS")


class Pair:
    """A client's session and a server's side, joined by octets."""

    def __init__(self, *, lmtp: bool = False) -> None:
        self.client = Session(lmtp=lmtp)
        self.server = ServerSide(Profile("mail.example", KEYWORDS, lmtp=lmtp, size=1000))
        self.reader = ReplyReader()
        self.codes: list[int | None] = []
        self.messages: list[bytes] = []
        self.client.opened("mail.example")
        greeting = self.server.greeting().reply
        self.server.greeted(greeting)
        self.hear(wire_lines(greeting))

    def hear(self, octets: bytes) -> None:
        """Let the client read what the server wrote."""
        for reply in self.reader.feed(octets):
            assert not self.client.receive(reply).unasked
            self.codes.append(reply.code)

    def say(self, octets: bytes) -> None:
        """Let the client send octets, and the server answer all that is complete."""
        self.client.send(octets)
        self.server.feed(octets)
        while (request := self.server.next()) is not None:
            content = bytes(self.server.transaction.content)
            count = max(1, len(self.server.transaction.recipients) * self.server.profile.lmtp)
            verdict = self.server.judge(request)
            self.server.conclude(request, verdict.reply)
            if request.ends_message and verdict.accepted:
                self.messages.append(content)
            self.hear(wire_lines(verdict.reply) * (count if request.ends_message else 1))
            if self.server.state is State.TLS:
                self.server.discard()
                self.server.handshaken()
                self.client.tls_started()

    @property
    def agreed(self) -> bool:
        """Whether both sides believe in the same state and envelope."""
        now, transaction = self.client.snapshot(), self.server.transaction
        return (
            now.state is self.server.state
            and now.sender == transaction.sender
            and now.recipients == tuple(address for address, _ in transaction.recipients)
            and now.tls == self.server.tls
        )


TRANSACTION = (
    b"EHLO client.example\r\nMAIL FROM:<ann@client.example> SIZE=20\r\n"
    b"RCPT TO:<bob@mail.example>\r\nRCPT TO:<carol@mail.example>\r\n"
)


@pytest.mark.parametrize("by", [one_by_one, lambda octets: [octets]], ids=["octets", "whole"])
def test_a_transaction_goes_through(by):
    """Hello to goodbye, cut anyhow: the message arrives and both sides agree all along."""
    pair = Pair()
    for octets in (TRANSACTION, b"DATA\r\n", b"..dot\r\ntext\r\n.\r\n", b"QUIT\r\n"):
        for piece in by(octets):
            pair.say(piece)
        assert pair.agreed
    assert pair.codes == [220, 250, 250, 250, 250, 354, 250, 221]
    assert pair.messages == [b".dot\r\ntext\r\n"]
    assert pair.client.pending == 0


def test_a_chunked_message_goes_through():
    """Chunks are counted alike on both sides."""
    pair = Pair()
    pair.say(TRANSACTION + b"BDAT 5\r\none\r\nBDAT 3\r\n.\r\nBDAT 0 LAST\r\nNOOP\r\n")
    assert pair.agreed
    assert pair.codes[5:] == [250, 250, 250, 250]
    assert pair.messages == [b"one\r\n.\r\n"]


def test_lmtp_gives_each_recipient_a_reply():
    """Both sides count the same recipients."""
    pair = Pair(lmtp=True)
    pair.say(TRANSACTION.replace(b"EHLO", b"LHLO") + b"DATA\r\n")
    pair.say(b"text\r\n.\r\nQUIT\r\n")
    assert pair.codes[-4:] == [354, 250, 250, 221]
    assert pair.agreed
    assert pair.client.pending == 0


def test_a_message_sent_behind_data_without_waiting_is_a_message():
    """Both sides take pipelined message data for what it is."""
    pair = Pair()
    pair.say(TRANSACTION + b"DATA\r\nRSET\r\n.\r\nQUIT\r\n")
    assert pair.codes[-3:] == [354, 250, 221]
    assert pair.messages == [b"RSET\r\n"]
    assert pair.agreed


def test_what_was_pipelined_behind_starttls_is_lost_on_both_sides():
    """Neither side carries plain text over the handshake."""
    pair = Pair()
    pair.say(b"EHLO client.example\r\nSTARTTLS\r\nMAIL FROM:<x@attacker.example>\r\n")
    assert pair.agreed
    assert (pair.client.state, pair.client.pending) == (State.START, 0)
    pair.say(b"EHLO client.example\r\n")
    assert "STARTTLS" not in (pair.client.snapshot().extensions or ())
    assert pair.agreed


commands = st.lists(
    st.sampled_from(
        [
            *("EHLO c.example", "HELO c.example", "LHLO c.example", "RSET", "NOOP", "STARTTLS"),
            *("MAIL FROM:<a@c.example>", "MAIL FROM:<>", "MAIL FROM: <a@c.example> SIZE=2000"),
            *("RCPT TO:<b@mail.example>", "RCPT TO:<c@mail.example>", "RCPT TO:<b..@x>"),
            *("DATA", "BDAT 0 LAST", "BDAT 0", "BDAT x", "VRFY b", "HELP", "AUTH PLAIN", "XFOO"),
            *("", "mail from:<a@c.example>", "QUIT now", "TURN", "EXPN l"),
        ]
    ),
    max_size=25,
)


@given(commands, st.booleans(), places)
def test_both_sides_always_agree(lines, lmtp, where):
    """Whatever is sent in whatever order, refused or not, the states are the same on both sides."""
    pair = Pair(lmtp=lmtp)
    for line in lines:
        for piece in cut(f"{line}\r\n".encode(), where):
            pair.say(piece)
        assert pair.agreed
        if pair.client.mode is Mode.DATA:
            pair.say(b"text\r\n.\r\n")
            assert pair.agreed
    assert pair.client.pending == 0


@given(commands, places)
def test_both_sides_agree_on_pipelined_lines(lines, where):
    """Everything in one piece, message data in between or not: they end in the same state."""
    pair = Pair()
    octets = "".join(f"{line}\r\n" for line in lines if line not in ("STARTTLS", "BDAT x")).encode()
    for piece in cut(octets, where):
        pair.say(piece)
    if pair.client.mode is Mode.DATA:
        pair.say(b".\r\n")
    assert pair.agreed
    assert pair.client.pending == 0


@given(st.binary(max_size=200))
def test_any_message_arrives_as_it_was(octets):
    """Encoded by one side and decoded by the other, a message is itself with its lines ended."""
    pair = Pair()
    pair.say(TRANSACTION + b"DATA\r\n")
    encoder = MessageEncoder()
    pair.say(encoder.feed(octets) + encoder.close())
    expected = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if expected and not expected.endswith(b"\r\n"):
        expected += b"\r\n"
    assert pair.messages == [expected]
