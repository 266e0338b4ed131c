"""Stored mail: trace fields, headers read back, any octets taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.practice.mailbox import Envelope, Message, read_header


def stored(content: bytes, **envelope) -> Message:
    """Return a stored message."""
    given = {"sender": "ann@client.example", "recipients": ("bob@practice.example",), **envelope}
    return Message("4F2A", Envelope(helo="client.example", client="192.0.2.7", **given), content, 0)


def test_trace_fields_are_those_of_the_rfc() -> None:
    """Return-Path on top, then Received, with FOR only when there is one recipient."""
    message = stored(b"Subject: x\r\n\r\nhi\r\n", host="mx.example", protocol="ESMTPS")
    assert message.raw.decode() == (
        "Return-Path: <ann@client.example>\r\n"
        "Received: from client.example ([192.0.2.7])\r\n"
        "\tby mx.example with ESMTPS id 4F2A\r\n"
        "\tfor <bob@practice.example>; Thu, 01 Jan 1970 00:00:00 +0000\r\n"
        "Subject: x\r\n\r\nhi\r\n"
    )
    many = stored(b"", recipients=("a@x.example", "b@x.example"))
    assert "for <" not in many.trace
    assert stored(b"", sender="").trace.startswith("Return-Path: <>\r\n")


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        (b"Subject: plain\r\n\r\n", "plain"),
        (b"subject:no space\r\n\r\n", "no space"),
        (b"Subject: folded\r\n  over lines\r\n\r\n", "folded over lines"),
        (b"Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\n", "gr\u00fc\u00dfe"),
        (b"Subject: =?nonsense?q?x?=\r\n\r\n", "=?nonsense?q?x?="),
        (b"Subject: gr\xc3\xbc\xc3\x9fe\r\n\r\n", "gr\u00fc\u00dfe"),
        (b"Subject: first\r\nSubject: second\r\n\r\n", "first"),
        (b"X: 1\r\n\r\nSubject: in the body\r\n", None),
        (b"no header\r\nSubject: x\r\n", None),
    ],
)
def test_headers_are_read_back(content: bytes, subject: str | None) -> None:
    """Folding, encoded words and raw UTF-8 are undone; the body's lines are not fields."""
    assert stored(content).header("Subject") == subject


def test_a_message_without_a_blank_line_has_no_body() -> None:
    """What has no blank line has no body; what is no field begins the body."""
    assert stored(b"Subject: x\r\n").body == b""
    assert stored(b"Subject: x\r\n\r\n.\r\n").body == b".\r\n"
    assert stored(b"hello there\r\n").body == b"hello there\r\n"


@given(st.binary(max_size=300))
def test_any_octets_are_a_message(octets: bytes) -> None:
    """Reading a header takes anything and loses nothing of the body."""
    fields, body = read_header(octets)
    assert octets.endswith(body)
    message = stored(octets)
    assert message.raw.endswith(octets)
    for name, _ in fields:
        message.header(name)
