"""What the first octets tell about the server behind a port."""

from __future__ import annotations

import pytest

from smtpshell.net.doors import middlebox, plain_smtp, wrong_door

DOORS = [
    (b"\x15\x03\x01\x00\x02\x02\x46", "tls"),
    (b"HTTP/1.1 400 Bad Request\r\n", "http"),
    (b"<!DOCTYPE html>", "http"),
    (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00", "http2"),
    (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "imap"),
    (b"+OK POP3 ready\r\n", "pop3"),
    (b"-ERR unknown command\r\n", "pop3"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "ssh"),
    (b"220 files.example FTP server ready\r\n", "ftp"),
    (b"200 news.example InterNetNews NNRP server INN posting ok\r\n", "nntp"),
    (b'"IMPLEMENTATION" "Pigeonhole"\r\n', "sieve"),
    (b"\xff\xfd\x18\xff\xfd\x20", "telnet"),
    (b"J\x00\x00\x00\x0a8.0.36\x00", "mysql"),
    (b"RFB 003.008\n", "vnc"),
]


@pytest.mark.parametrize(("octets", "service"), DOORS)
def test_other_services_are_told_apart(octets, service):
    """Each known service's greeting is recognised and comes with advice."""
    door = wrong_door(octets)
    assert door is not None
    assert door.service == service
    assert door.meaning
    assert door.next.endswith(".")


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"2",
        b"220 mx.example ESMTP\r\n",
        b"220-mx.example\r\n220 ESMTP\r\n",
        b"554 no service\r\n",
        b"220 ftp.mail.example ESMTP and FTP gateway, SMTP ready\r\n",
        b"421 too many\r\n",
        b"\x00\x00",
        b"\xff",
    ],
)
def test_smtp_and_the_unknown_are_no_wrong_door(octets):
    """SMTP greetings, and octets that tell nothing, raise no false alarm."""
    assert wrong_door(octets) is None


def test_plain_smtp_knows_replies():
    """A reply needs three digits and a separator, the end of a line, or nothing."""
    assert plain_smtp(b"220 mx.example")
    assert plain_smtp(b"220-mx.example")
    assert plain_smtp(b"554")
    assert not plain_smtp(b"2200 x")
    assert not plain_smtp(b"120 x")
    assert not plain_smtp(b"\x16\x03\x01")


def test_a_middlebox_is_seen_by_its_blots():
    """Asterisks in the greeting, and X for STARTTLS, are both told; ordinary servers are not."""
    asterisks = middlebox(b"220 *****************2**0*****0**\r\n")
    assert "asterisks" in asterisks
    both = middlebox(b"220 ********2***\r\n", ["SIZE", "XXXXXXXA"])
    assert "asterisks" in both
    assert "XXXXXXXA" in both
    assert middlebox(b"220 mx.example ESMTP\r\n", ["SIZE", "XCLIENT", "XFORWARD"]) == ""
    assert middlebox(b"220 mx.example ***welcome***\r\n") == ""
    assert middlebox(b"") == middlebox(b"\r\n") == ""
