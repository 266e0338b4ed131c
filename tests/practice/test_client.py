"""The ordinary client: what it makes of the replies of whoever plays the server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.practice.client import DELIVERED, LATER, RETURNED, Client
from smtpshell.protocol.replies import Reply

BOB, CAROL = "bob@practice.example", "carol@practice.example"


def played(*replies: str) -> tuple[list[str], dict[str, str]]:
    """Return the first word of each thing sent, and what became of the recipients."""
    client = Client()
    said = []
    for reply in replies:
        move = client.hear(Reply.parse(reply))
        said.append(move.octets.decode().partition(" ")[0].strip() or "hangs up")
        assert move.why.endswith(".")
        if move.over:
            break
    return said, client.fates


WELL = ("220 hi", "250 hello", "250 ok", "250 ok", "250 ok", "354 go", "250 done", "221 bye")


def test_a_good_server_gets_the_letter() -> None:
    """From the greeting to QUIT, in order."""
    said, fates = played(*WELL)
    assert said == ["EHLO", "MAIL", "RCPT", "RCPT", "DATA", "From:", "QUIT", "hangs up"]
    assert all(fate.startswith(DELIVERED) for fate in fates.values())


@pytest.mark.parametrize(
    ("place", "reply", "then", "fate"),
    [
        (0, "554 no service", "QUIT", LATER),
        (0, "421 busy", "hangs up", LATER),
        (0, "hello", "hangs up", LATER),
        (1, "451 later", "QUIT", LATER),
        (2, "550 not you", "QUIT", RETURNED),
        (2, "451 not now", "QUIT", LATER),
        (5, "451 not now", "QUIT", LATER),
        (5, "554 no", "QUIT", RETURNED),
        (5, "250 ok", "QUIT", LATER),
        (6, "452 full", "QUIT", LATER),
        (6, "550 spam", "QUIT", RETURNED),
        (6, "354 more", "QUIT", LATER),
        (4, "421 shutting down", "hangs up", LATER),
    ],
)
def test_the_first_digit_decides(place: int, reply: str, then: str, fate: str) -> None:
    """Four comes again, five goes back, and what is not due is no yes."""
    said, fates = played(*WELL[:place], reply, "221 bye")
    assert said[place] == then
    assert all(each.startswith(fate) for each in fates.values())


def test_without_ehlo_it_says_helo() -> None:
    """RFC 5321 section 3.2."""
    said, _ = played("220 hi", "502 what", "250 hello", "250 ok")
    assert said == ["EHLO", "HELO", "MAIL", "RCPT"]


def test_each_recipient_has_a_fate_of_its_own() -> None:
    """One is refused, the other gets the letter; with none left there is no DATA."""
    said, fates = played(*WELL[:3], "550 5.1.1 nobody", "250 ok", *WELL[5:])
    assert said[4:6] == ["DATA", "From:"]
    assert fates[BOB] == f"{RETURNED}, 550 5.1.1 nobody"
    assert fates[CAROL].startswith(DELIVERED)
    said, fates = played(*WELL[:3], "550 nobody", "451 later", "221 bye")
    assert said[-2:] == ["QUIT", "hangs up"]
    assert fates[CAROL].startswith(LATER)


@given(st.lists(st.binary(max_size=40) | st.sampled_from([each.encode() for each in WELL])))
def test_no_replies_upset_it(replies: list[bytes]) -> None:
    """Whatever is typed, it moves on or hangs up, and everybody has a fate in the end."""
    client = Client()
    for octets in replies:
        if client.hear(Reply.parse(octets)).over:
            assert all(client.fates.values())
            return
    client.left()
    assert all(client.fates.values())
