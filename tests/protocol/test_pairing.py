"""Who spoke too soon: replies to what is not whole yet, and commands that did not wait."""

from __future__ import annotations

import pytest

from smtpshell.protocol.pairing import EARLY, HASTY
from smtpshell.protocol.replies import ReplyReader
from smtpshell.protocol.session import Session

GREETED = (b"EHLO client.example\r\n", b"250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n")


def session_after(*turns: bytes, greeting: bytes = b"220 mx.example\r\n") -> Session:
    """Return a session that was greeted and played these octets, sent and received in turn."""
    session = Session()
    session.opened("mx.example", "192.0.2.1", 25)
    reader = ReplyReader()
    for reply in reader.feed(greeting):
        session.receive(reply)
    for place, octets in enumerate(turns):
        if place % 2 == 0:
            session.send(octets)
        else:
            for reply in reader.feed(octets):
                session.receive(reply)
    return session


def told(session: Session, octets: bytes, *, unsent: bool = False) -> tuple[bool, str]:
    """Return whether a reply was unasked, and what it came too early for."""
    (reply,) = ReplyReader().feed(octets)
    answer = session.receive(reply, unsent=unsent)
    return answer.unasked, session.snapshot().early


IN_MESSAGE = (
    *GREETED,
    *(b"MAIL FROM:<a@b.example>\r\n", b"250 ok\r\n"),
    *(b"RCPT TO:<c@d.example>\r\n", b"250 ok\r\n"),
    *(b"DATA\r\n", b"354 go on\r\n"),
    b"Subject: x\r\n",
)


def test_a_reply_inside_a_message_is_early_and_leaves_it_open():
    """A refusal before the dot is told to be early; what follows is message data all the same."""
    session = session_after(*IN_MESSAGE)
    assert told(session, b"552 5.3.4 too big\r\n") == (True, "message")
    assert session.mode.value == "message data"
    session.send(b".\r\n")
    assert told(session, b"250 ok\r\n") == (False, "")


def test_a_second_354_is_not_early():
    """Only a reply that ends something can come before its end."""
    assert told(session_after(*IN_MESSAGE), b"354 go on\r\n") == (True, "")


def test_a_reply_inside_a_chunk_is_early():
    """The reply to a BDAT whose octets are not all there yet answers it, and is early."""
    session = session_after(*GREETED, b"BDAT 10 LAST\r\nabc")
    assert told(session, b"503 5.5.1 no MAIL yet\r\n") == (False, "chunk")


def test_replies_to_commands_before_a_chunk_are_in_time():
    """What was pipelined before a BDAT may be answered while its octets are on their way."""
    session = session_after(*GREETED, b"MAIL FROM:<a@b.example>\r\nBDAT 10 LAST\r\nabc")
    assert told(session, b"250 ok\r\n") == (False, "")
    assert told(session, b"503 no\r\n") == (False, "chunk")


def test_a_reply_to_half_a_command_is_early():
    """A server that speaks before the line end had waited too long for it."""
    session = session_after(*GREETED, b"MAIL FR")
    assert told(session, b"421 4.4.2 timeout\r\n") == (True, "command")


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n", "group"),
        (b"MAIL FROM:<>\r\n", "command"),
        (b"BDAT 3 LAST\r\nabc", "chunk"),
    ],
)
def test_octets_that_have_not_left_make_a_reply_early(octets, expected):
    """Where the last of what was written has not left yet, it cannot have been read."""
    session = session_after(*GREETED, octets)
    assert told(session, b"421 4.7.0 too much\r\n", unsent=True) == (False, expected)


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ((*GREETED, b"NOOP\r\n", b"250 ok\r\n", b"NOOP\r\n"), ""),
        ((*GREETED, b"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n"), ""),
        ((*GREETED, b"NOOP\r\nNOOP\r\n"), "reply"),
        ((*GREETED, b"DATA\r\nSubject: x\r\n"), "reply"),
        ((b"EHLO client.example\r\nMAIL FROM:<>\r\n",), "reply"),
        (
            (b"HELO client.example\r\n", b"250 ok\r\n", b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\n"),
            "reply",
        ),
    ],
)
def test_commands_that_must_wait_are_hasty_without(turns, expected):
    """Only the commands of RFC 2920 may stand inside a group, and only where it is offered."""
    assert session_after(*turns).snapshot().hasty == expected


def test_speaking_before_the_greeting_is_hasty_for_good():
    """That the client spoke first stays known for as long as the connection lasts."""
    session = session_after(greeting=b"")
    session.send(b"EHLO client.example\r\n")
    assert session.snapshot().hasty == "greeting"
    for reply in ReplyReader().feed(b"220 mx.example\r\n250 mx.example\r\n"):
        session.receive(reply)
    assert session.snapshot().hasty == "greeting"
    session.opened("mx.example")
    assert session.snapshot().hasty == ""


def test_every_kind_has_words():
    """What can be early or hasty is told in words."""
    assert all(EARLY.values())
    assert all(HASTY.values())
