"""Conditions: subjects, operators, and what cannot be judged."""

from __future__ import annotations

import pytest

from smtpshell.practice.library import load_scenario
from smtpshell.practice.mailbox import Envelope, Message
from smtpshell.practice.world import World
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.state import State
from smtpshell.tutor.checks import PRACTICE_ONLY, SUBJECTS, Evidence, judge
from smtpshell.tutor.fences import READERS
from smtpshell.tutor.fences import SUBJECTS as WRITTEN
from smtpshell.tutor.lesson import Check

MESSAGE = Message(
    "1F",
    Envelope("ann@client.example", ("bob@practice.example", "carol@practice.example")),
    b"Subject: =?utf-8?q?caf=C3=A9?=\r\nTo: dan@client.example\r\n\r\nHello\r\n..\r\n",
    1893834000.0,
    results="mail.practice.example; spf=pass smtp.mailfrom=client.example; dmarc=fail",
)


def evidence(**changes: object) -> Evidence:
    """Return evidence of a delivered message and an open session."""
    world = World(load_scenario("plain"))
    world.store(MESSAGE, "bob@practice.example")
    facts: dict[str, object] = {
        "snapshot": Snapshot(state=State.READY, helo="Client.example", tls=True, user="alice"),
        "values": {"bob": "bob@practice.example", "size": "100"},
        "reply": Reply.parse("250-2.0.0 Ok\n250 2.0.0 queued"),
        "verbs": ("EHLO", "STARTTLS", "EHLO"),
        "user": "alice",
        "world": world,
        "arrived": (MESSAGE,),
        "elapsed": 360.0,
    }
    return Evidence(**{**facts, **changes})  # type: ignore[arg-type] # as the test says


def holds(line: str, given: Evidence | None = None) -> bool | None:
    """Judge one line of a check fence."""
    complaints: list[str] = []
    block = READERS["check"]([(1, line)], 0, "", lambda _, text: complaints.append(text))
    assert isinstance(block, Check)
    assert not complaints
    return judge(block.conditions[0], given or evidence()).holds


TRUE = """
reply.code == 250
reply.enhanced == 2.0.0
reply.text contains queued
session.tls exists
session.auth == alice
session.verbs includes starttls
session.verbs contains EHLO STARTTLS EHLO
session.verbs == EHLO STARTTLS EHLO
session.helo == client.example
envelope.from == <ann@client.example>
envelope.to includes {{bob}}
envelope.to == carol@practice.example, bob@practice.example
envelope.to is not includes dan@client.example
header Subject == café
header Cc is not exists
header To != {{bob}}
body contains ..
body matches Hello*
body is not empty
raw contains \\r\\n..\\r\\n
delivered bob count == 1
delivered {{bob}} exists
delivered carol count < 1
delivered bob contains Return-Path
spf == pass
dkim is not exists
dmarc == fail
elapsed == 6m
elapsed > 5m
var size > 20
var nothing is empty
""".strip().splitlines()


@pytest.mark.parametrize("line", TRUE)
def test_what_is_so_holds_and_its_contrary_does_not(line: str) -> None:
    """Each kind of subject and operator can tell true from false."""
    assert holds(line) is True
    subject, _, rest = line.partition(" ")
    turned = line.replace("is not ", "") if "is not " in line else None
    if turned is None:
        words = ("==", "!=", "<", ">", "includes", "contains", "matches", "exists", "empty")
        place = next(index for index, word in enumerate(rest.split()) if word in words)
        parts = rest.split()
        turned = " ".join([subject, *parts[:place], "is not", *parts[place:]])
        turned = turned.replace("is is not", "is not")
    assert holds(turned) is False


def test_an_open_transaction_is_looked_at_before_the_last_message() -> None:
    """Inside a transaction the envelope is the one being written."""
    snapshot = Snapshot(state=State.RCPT, sender="", recipients=("carol@practice.example",))
    given = evidence(snapshot=snapshot)
    assert holds("envelope.from == <>", given)
    assert holds("envelope.to == carol@practice.example", given)


def test_a_real_server_cannot_be_asked_what_only_a_world_knows() -> None:
    """Without a world such conditions are neither true nor false."""
    given = evidence(world=None, arrived=())
    lines = {"header": "header X exists", "delivered": "delivered bob exists"}
    lines["delivered count"] = "delivered bob count == 1"
    for subject in PRACTICE_ONLY:
        assert holds(lines.get(subject, f"{subject} exists"), given) is None
    assert holds("reply.code == 250", given) is True


def test_every_subject_that_can_be_written_can_be_judged() -> None:
    """The reader's table and the judge's are of the same subjects."""
    assert {*WRITTEN, "delivered count"} == set(SUBJECTS)
