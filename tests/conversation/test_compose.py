"""Messages made from options."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from smtpshell.conversation.compose import HEADER_WIDTH, Draft, compose
from smtpshell.protocol.errors import FileError, UsageError

PLAIN = Draft(
    "ann@client.example",
    ("bob@practice.example", "carol@practice.example"),
    ("dan@practice.example",),
    "Lunch",
    "Soup at noon.\n\nAnn",
)


def read(octets: bytes):
    """Read a message as a mail program does."""
    return message_from_bytes(octets, policy=policy.default)


def test_a_plain_message_needs_no_mime():
    """Short lines of ASCII go out as they are, behind the headers that RFC 5322 asks for."""
    head, _, text = compose(PLAIN).partition(b"\r\n\r\n")
    assert text == b"Soup at noon.\r\n\r\nAnn\r\n"
    names = [line.partition(":")[0] for line in head.decode("ascii").split("\r\n")]
    assert names == ["Date", "Message-ID", "From", "To", "Cc", "Subject"]


DRAFTS = {
    "plain": PLAIN,
    "letters": Draft("ann@client.example", ("b@c.example",), subject="Zoë", body="Grüße"),
    "long subject": Draft("a@b.example", ("c@d.example",), subject="word " * 40, body="x"),
    "long line": Draft("a@b.example", ("c@d.example",), subject="s", body="x" * 3000),
    "control": Draft("a@b.example", ("c@d.example",), subject="s", body="a\x00b\rc"),
    "html": Draft("a@b.example", ("c@d.example",), subject="s", body="x", html="<p>x</p>"),
    "nothing": Draft(""),
    "tabs": Draft("a@b.example", ("c@d.example",), subject="s", body="\ta\n\tb\n"),
}


@pytest.mark.parametrize("utf8", [False, True])
@pytest.mark.parametrize("name", DRAFTS)
def test_readable(name: str, utf8: bool):
    """Whatever goes in, a mail program reads it back; every line ends in CRLF and is short."""
    draft = DRAFTS[name]
    octets = compose(draft, utf8=utf8)
    assert octets.count(b"\n") == octets.count(b"\r\n")
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    message = read(octets)
    assert str(message["Subject"] or "").split() == draft.subject.split()
    assert parsedate_to_datetime(message["Date"]).tzinfo is not None
    body = message.get_body(("plain",))
    assert body is not None
    if name != "control":
        assert body.get_content().splitlines() == draft.body.splitlines()


def test_headers_of_ones_own_replace_and_add():
    """`headers` come in the place of those made by default, whatever their case, or beside them."""
    draft = Draft(
        "a@b.example",
        ("c@d.example",),
        body="x",
        headers=("SUBJECT: mine", "X-Test:  1", "Content-Type: text/html"),
    )
    message = read(compose(draft))
    assert message.get_all("Subject") == ["mine"]
    assert message["X-Test"] == "1"
    assert message.get_content_type() == "text/html"


@pytest.mark.parametrize("header", ["no colon", ": empty", "two words: x", "X: a\nInjected: b"])
def test_bad_headers(header: str):
    """What is no header is refused, and nothing slips a second one in."""
    with pytest.raises(UsageError):
        compose(Draft("a@b.example", headers=(header,)))


def test_message_ids_differ():
    """Two messages made at once have different identifiers, in the sender's domain."""
    first, second = (read(compose(PLAIN))["Message-ID"] for _ in range(2))
    assert first != second
    assert re.fullmatch(r"<[^<>@\s]+@client\.example>", first)
    assert len(f"Message-ID: {first}") <= HEADER_WIDTH


def test_attachments(tmp_path: Path):
    """A file goes along under its name; one that cannot be read is told."""
    note = tmp_path / "note.txt"
    note.write_text("hello")
    draft = Draft("a@b.example", ("c@d.example",), body="x", attachments=(note,))
    attached = list(read(compose(draft)).iter_attachments())
    assert [part.get_filename() for part in attached] == ["note.txt"]
    with pytest.raises(FileError):
        compose(Draft("a@b.example", attachments=(tmp_path / "none",)))
