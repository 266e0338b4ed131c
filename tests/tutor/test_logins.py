"""Logins in lessons: what may be matched of them, and octets that are the same every time."""

from __future__ import annotations

import asyncio

from smtpshell.protocol.sasl import encode_line
from smtpshell.transcript.plain import plain_lines
from smtpshell.tutor.moves import answer_lines
from smtpshell.tutor.mutants import Learner
from smtpshell.tutor.performance import on_stage, perform
from smtpshell.tutor.stage import client_nonce
from tests.tutor.making import Played, made, played, wire

DOOR = "/connect smtps://mail.practice.example:465"
HELLO = wire("S: 220 *", "C: EHLO client.example", "S: 250-*", "S: ...", step="hello")


def login(feedback: str, *lines: str) -> Played:
    """Play lines behind a 334 for a user's name, with feedback rules."""
    body = HELLO + wire("C: AUTH LOGIN", "S: 334 *", "C: {{b64(user)}}", "S: 334 *", step="login")
    lesson = made(
        f"{body}\n```feedback\n{feedback}\n```\n", scenario="submission", var_user="alice"
    )
    return played(lesson, DOOR, "EHLO client.example", "AUTH LOGIN", *lines)


def test_a_slip_with_a_published_name_meets_the_authors_words() -> None:
    """What is published may be matched, be it not encoded, or with an end of line in it."""
    assert "Not yet. Encode it." in login("C alice : Encode it.", "alice").lines
    with_newline = encode_line(b"alice\n")
    words = login(f"C {with_newline} : A newline.", with_newline)
    assert "Not yet. A newline." in words.lines


def test_what_is_not_published_can_never_be_matched() -> None:
    """A secret of the learner's own is hidden from the rules, and from everything said."""
    run = login("C *own* : Leak.\nC [hidden] : Hidden.", "my-own-secret")
    assert "Not yet. Leak." not in run.lines
    assert "my-own-secret" not in run.out


def test_a_nonce_is_read_from_a_first_message_alone() -> None:
    """Only what can be a SCRAM first message names a nonce."""
    first = encode_line(b"n,,n=alice,r=once")
    assert client_nonce(f"AUTH SCRAM-SHA-256 {first}") == "once"
    assert client_nonce(first) == "once"
    for other in ("EHLO x", "AUTH PLAIN !", f"AUTH PLAIN {first}", "biws", "", "[hidden]"):
        assert client_nonce(other) == ""


SCRAM = HELLO + wire(
    "C: AUTH SCRAM-SHA-256 {{scram_first(user, nonce)}}",
    "S: 334 {{first}}",
    "C: {{scram_final(user, password, nonce, first)}}",
    "S: 334 {{signature}}",
    "C:",
    "S: 235 *",
    step="scram",
)
ALICE = {"var_user": "alice", "var_password": "correct horse", "var_nonce": "authors"}


def scram(*lines: str, seed: int = 0) -> tuple[list[str], list[str]]:
    """Play lines against SCRAM, and the rest as /show says; return what was said and sent."""
    lesson = made(SCRAM, scenario="submission", **ALICE)

    async def run() -> tuple[list[str], list[str]]:
        canonical = await perform(lesson, seed=seed)
        async with on_stage(lesson, seed) as stage:
            learner = Learner(lesson, stage, canonical, seed)
            await learner.player.begin()
            await learner.type_all([DOOR, "EHLO client.example", *lines])
            for _ in range(3):
                if not learner.player.finished:
                    await learner.type(answer_lines(learner.player)[0])
            wired = [line for event in stage.events for line in plain_lines(event, "off")]
            assert learner.player.finished, learner.heard
            return learner.heard, wired

    return asyncio.run(run())


def test_a_login_by_auth_is_the_same_every_time() -> None:
    """/auth takes its random word from the world, so that what is graded can be done again."""
    one, two = (scram("/auth SCRAM-SHA-256 alice") for _ in range(2))
    assert one[1] == two[1]
    assert any(line.startswith("C: AUTH SCRAM-SHA-256 biws") for line in one[1])


def test_show_computes_the_last_line_for_the_nonce_that_was_used() -> None:
    """A nonce of the learner's own is as good as the author's; the proof is computed for it."""
    own = encode_line(b"n,,n=alice,r=mine")
    said, wired = scram(f"AUTH SCRAM-SHA-256 {own}")
    assert f"C: AUTH SCRAM-SHA-256 {own}" in wired
    assert [line for line in wired if line.startswith("S: ")][-1].startswith("S: 235")
    assert not any("Different" in line for line in said)


def test_show_gives_no_line_that_depends_on_a_reply_to_come() -> None:
    """Only what can be known already is shown, and nothing in its place."""
    lesson = made(SCRAM, scenario="submission", **ALICE)
    run = played(lesson, DOOR, "EHLO client.example", "/show")
    assert len(run.said("Answer:")) == 1
    assert run.said("Answer:")[0].startswith("Answer: AUTH SCRAM-SHA-256 ")


def test_logging_in_as_somebody_else_is_not_the_same() -> None:
    """The session compares by its user too, whatever name the user was given in the login."""
    body = wire(
        "@connect mail.practice.example:465",
        "S: 220 *",
        "C: EHLO client.example",
        "S: 250-*",
        "S: ...",
        "C: AUTH PLAIN {{plain(user, password)}}",
        "S: 235 *",
    )
    lesson = made(body, scenario="submission", **ALICE)
    bob = encode_line(b"\0bob\0battery staple")
    run = played(lesson, "EHLO client.example", f"AUTH PLAIN {bob}")
    assert "Not yet. The server took it, but you are logged in as bob, not as alice." in run.lines
    same = encode_line(b"\0alice@practice.example\0correct horse")
    assert played(lesson, "EHLO client.example", f"AUTH PLAIN {same}").finished
