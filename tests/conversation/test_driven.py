"""While an operation carries on the dialogue, nobody is told what to type next."""

from __future__ import annotations

import pytest

from tests.conversation.running import in_process, smtpshell
from tests.conversation.test_script import Mailish, at
from tests.net.rogue import serve

BY_HAND = (
    "Next, name",
    "Name another",
    "Type the message",
    "nswer with base64",
    "/b64",
    "Greet it",
)
SEND = "/send --from alice@practice.example --to bob@practice.example --body hi"


def notes_after(run, line: str) -> str:
    """Return our own lines behind a line of the wire."""
    place = run.lines.index(line)
    return "\n".join(text for text in run.lines[place:] if text.startswith("#"))


@pytest.mark.parametrize("notes", ["short", "long"])
def test_an_operation_is_not_told_what_to_type(notes, tmp_path) -> None:
    """The notes of /starttls, /auth, /send and /data say what happened and no more."""
    letter = tmp_path / "letter.eml"
    letter.write_text("Subject: x\n\nhello\n")
    lines = ["/starttls", "/auth LOGIN alice", SEND]
    lines += [
        "MAIL FROM:<alice@practice.example>",
        "RCPT TO:<bob@practice.example>",
        f"/data {letter}",
    ]
    run = in_process("practice", *lines, notes=notes)
    assert run.status == 0
    before, _, after = "\n".join(run.lines).partition("C: STARTTLS")
    operations, _, by_hand = after.partition("C: MAIL FROM:<alice@practice.example>\n")
    assert "Greet it with EHLO" in before
    assert not [words for words in BY_HAND if words in operations]
    assert "Sender accepted." in operations
    assert "You are logged in." in operations
    assert "Next, name a recipient" in by_hand
    assert "The server takes the message now." in by_hand


def test_lines_sent_one_by_one_are_led_on() -> None:
    """Where a person types, the note of a 334 and of a 250 names the next line."""
    run = in_process("practice", "/starttls", "AUTH LOGIN", "YWxpY2U=", "*", "EHLO me.example")
    assert "Answer with base64 of your user name" in run.out
    assert "Next, name the sender" in run.out.rpartition("C: EHLO")[2]


def test_a_group_is_told_what_to_do_at_its_end_alone() -> None:
    """While replies to later lines are out, the note of an earlier one gives no advice."""
    with serve(Mailish(answers={"EHLO": b"250-rogue.example\r\n250 PIPELINING\r\n"})) as server:
        lines = "MAIL FROM:<a@client.example> | RCPT TO:<b@rogue.example>"
        run = in_process(at(server), "EHLO me.example", f"/pipeline {lines}")
    said = notes_after(run, "C: RCPT TO:<b@rogue.example>")
    assert "Sender accepted. (" in said
    assert "Name another one" in said


def test_send_gives_no_advice_to_a_typist() -> None:
    """The sub-command plays the whole transaction, and its notes only tell."""
    with serve(Mailish()) as server:
        run = smtpshell("send", at(server), "--from", "a@client.example", "--to", "b@rogue.example")
    assert run.status == 0
    assert not [words for words in BY_HAND if words in run.out]


def test_a_503_to_auth_is_not_blamed_on_the_password() -> None:
    """What a wrong password looks like is said of a 535 alone."""
    run = in_process("practice", "/starttls", "/auth PLAIN alice", "/auth PLAIN bob", "/why")
    assert "refused with 503" in run.err
    assert "535" not in run.err
    assert "You are logged in as alice already" in run.out
