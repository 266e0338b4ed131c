"""The notes under a reply: plain, short, and cheap until something is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from smtpshell.knowledge.context import Context
from smtpshell.knowledge.notes import long, short
from smtpshell.protocol.replies import Reply

RELAY = Reply.parse("554 5.7.1 <zoe@elsewhere.example>: Relay access denied")


@pytest.mark.parametrize(
    ("reply", "verb", "words"),
    [
        ("220 mx.example.com ESMTP", "CONNECT", "Greet it with EHLO"),
        ("220 2.0.0 Ready to start TLS", "STARTTLS", "handshake"),
        ("250 mx.example.com", "EHLO", "MAIL FROM"),
        ("250 mx.example.com", "HELO", "MAIL FROM"),
        ("250 2.1.0 Ok", "MAIL", "RCPT TO"),
        ("250 2.1.5 Ok", "RCPT", "DATA"),
        ("354 go ahead", "DATA", "only a dot"),
        ("250 2.0.0 Ok: queued", "MESSAGE", "answers for it"),
        ("250 2.0.0 Ok: queued", ".", "answers for it"),
        ("250 2.0.0 Ok: queued", "BDAT", "answers for it"),
        ("221 Bye", "QUIT", "Goodbye"),
        ("334 VXNlcm5hbWU6", "AUTH", "base64"),
        ("235 2.7.0 ok", "AUTH", "logged in"),
        ("252 2.0.0 zoe", "VRFY", "does not tell"),
    ],
)
def test_success_says_what_comes_next(reply, verb, words):
    """After each step of a session the note leads to the next one."""
    assert words in short(Reply.parse(reply), Context(verb=verb))


def test_a_chunk_is_not_a_message():
    """A reply to BDAT without LAST is not read as the server's word for the whole message."""
    reply = Reply.parse("250 2.0.0 Ok: 4 octets")
    assert "this chunk" in short(reply, Context(verb="BDAT", line="BDAT 4"))
    assert "answers for it" in short(reply, Context(verb="BDAT", line="BDAT 4 LAST"))


def test_a_refusal_says_why_and_for_whom():
    """The note of a refusal names its reason, with the domain it is about."""
    assert short(RELAY, Context(verb="RCPT")) == (
        "Refused for good: this server does not forward mail to elsewhere.example for you."
    )


def test_without_diagnosis_the_codes_speak():
    """Asked not to diagnose, the note reads both codes and nothing else."""
    note = short(RELAY, Context(verb="RCPT"), diagnose=False)
    assert note.startswith("Refused for good: ")
    assert "5.7.1: not allowed" in note
    assert short(Reply(450, ("busy",)), diagnose=False).startswith("Not now: ")


def test_an_unasked_goodbye_is_said_to_be_one():
    """A 421 that answers no command is told as the server's own doing."""
    note = short(Reply.parse("421 4.4.2 idle too long"), Context(unasked=True))
    assert note.startswith("Nobody asked")
    assert "time-out" in note


def test_the_long_note_says_who_must_act_and_what_to_try():
    """The long note of a refusal has its labels, a command, and an RFC."""
    lines = dict(long(RELAY, Context(verb="RCPT")))
    assert lines["who must act"]
    assert lines["try"].startswith(("/", "RCPT"))
    assert "RFC" in lines["read"]


def test_the_long_note_of_success_is_short():
    """Success has nobody to act; its long note says what comes next."""
    labels = [label for label, _ in long(Reply.parse("250 ok"), Context(verb="MAIL"))]
    assert labels == ["meaning", "next", "read"]


def test_no_sentence_is_longer_than_a_novice_reads():
    """The notes of the codes keep to thirty words."""
    for code in range(200, 600):
        for verb in ("", "CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE", "AUTH"):
            note = short(Reply(code, ("text",)), Context(verb=verb), diagnose=False)
            assert len(note.split()) <= 30, note


def test_success_reads_no_rules():
    """The first note of a session loads neither the rules nor what reads TOML."""
    program = (
        "import sys\n"
        "from smtpshell.knowledge.notes import short\n"
        "from smtpshell.protocol.replies import Reply\n"
        "short(Reply(220, ('mx.example.com',)))\n"
        "print([name for name in sys.modules if 'rulebook' in name or name == 'tomllib'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
