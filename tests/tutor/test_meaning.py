"""Lines of a client compared by meaning, by octets, or not at all."""

from __future__ import annotations

import pytest

from smtpshell.tutor.lesson import Client
from smtpshell.tutor.meaning import octets_of, remark, same_address, same_command, same_line

SAME = [
    ("MAIL FROM:<ann@client.example>", "mail from:<ann@CLIENT.example>"),
    ("MAIL FROM:<ann@client.example>", "MAIL FROM: <ann@client.example>"),
    (
        "MAIL FROM:<a@b.example> SIZE=9 BODY=8BITMIME",
        "MAIL FROM:<a@b.example> body=8bitmime size=9",
    ),
    ("EHLO client.example", "ehlo Client.Example"),
    ("AUTH PLAIN AGEAYg==", "auth plain AGEAYg=="),
    ("BDAT 10 LAST", "bdat 10 last"),
    ("NOOP", "noop"),
    ("MAIL FROM:<>", "mail from:<>"),
]
OTHER = [
    ("MAIL FROM:<ann@client.example>", "MAIL FROM:<Ann@client.example>"),
    ("MAIL FROM:<ann@client.example>", "RCPT TO:<ann@client.example>"),
    ("MAIL FROM:<a@b.example> SIZE=9", "MAIL FROM:<a@b.example>"),
    ("MAIL FROM:<a@b.example>", "MAIL FROM:<>"),
    ("AUTH PLAIN AGEAYg==", "AUTH PLAIN ageayg=="),
    ("EHLO client.example", "HELO client.example"),
    ("BDAT 10 LAST", "BDAT 10"),
    ("VRFY bob", "VRFY Bob"),
    ("XYZZY a", "XYZZY  a"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_lines_that_ask_for_the_same_are_the_same(one: str, other: str) -> None:
    """Letter case of what is not case-sensitive, and the order of parameters, mean nothing."""
    assert same_command(one, other)
    assert same_command(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_lines_that_ask_for_something_else_differ(one: str, other: str) -> None:
    """What a server could treat in another way is not the same."""
    assert not same_command(one, other)


def test_octets_are_compared_where_a_lesson_says_so() -> None:
    """`C=` counts every octet, line ends and escapes included; `C~` counts none."""
    exact = Client("=", r"a\x00b", 1)
    assert same_line(exact, "a\0b", "\r\n", {}, data=False)
    assert not same_line(exact, "a\0B", "\r\n", {}, data=False)
    assert not same_line(exact, "a\0b", "\n", {}, data=False)
    bare = Client("=", r"a\n", 1)
    assert same_line(bare, "a", "\n", {}, data=True)
    assert same_line(Client("~", "anything", 1), "else", "\r\n", {}, data=True)


def test_message_data_is_compared_as_it_stands() -> None:
    """In a message no letter case is forgiven."""
    assert same_line(
        Client(":", "Hello {{who}}", 1), "Hello Bob", "\r\n", {"who": "Bob"}, data=True
    )
    assert not same_line(Client(":", "Hello", 1), "hello", "\r\n", {}, data=True)


def test_lines_go_out_with_crlf_except_where_they_say_otherwise() -> None:
    """A chunk's octets and a written line end are left alone."""
    assert octets_of(Client(":", r"a\n", 1), {}) == b"a\\n\r\n"
    assert octets_of(Client("=", r"a\n", 1), {}) == b"a\n"
    assert octets_of(Client("=", "a", 1), {}) == b"a\r\n"
    assert octets_of(Client("=", "a", 1), {}, chunk=True) == b"a"


def test_a_lenient_server_is_named_as_such() -> None:
    """What a server forgives is told with its rule."""
    assert "no space belongs behind FROM:" in remark("MAIL FROM: <a@b.example>")
    assert remark("MAIL FROM:<a@b.example>") == ""


def test_addresses_differ_in_their_local_parts() -> None:
    """Domains are folded, local parts are the receiver's affair."""
    assert same_address("a@B.example.", "a@b.example")
    assert not same_address("A@b.example", "a@b.example")
    assert same_address(None, None)
    assert not same_address(None, "")
