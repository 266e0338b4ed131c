"""explain(): the classic cases, the session's facts, and that nothing can upset it."""

from __future__ import annotations

import csv
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.knowledge.classes import CLASSES, RETRY, WHO
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.knowledge.reading import LONGEST
from smtpshell.protocol.replies import Reply
from tests.conftest import shared_data

SESSION = Context(
    host="mail.example.net",
    port=25,
    tls=False,
    helo="client.example",
    extensions={"AUTH": ("PLAIN", "LOGIN"), "STARTTLS": (), "SIZE": ("1000",)},
    auth_mechanisms=("PLAIN", "LOGIN"),
    sender="ann@client.example",
    client_address="192.0.2.7",
)


def given_context(**changes) -> Context:
    """Return the session above with some facts changed."""
    fields = {name: getattr(SESSION, name) for name in Context.__slots__}
    return Context(**(fields | changes))


CASES = {
    "login refused": (
        "535 5.7.8 Error: authentication failed",
        {"verb": "AUTH", "port": 587, "tls": True},
        "auth_required",
        ["/auth"],
        "name or the password is wrong",
    ),
    "app password": (
        "535-5.7.8 Username and Password not accepted.\n535 5.7.8 support.google.com - gsmtp",
        {"verb": "AUTH", "port": 587, "tls": True, "host": "smtp.gmail.com"},
        "auth_required",
        ["/explain app password"],
        "app password",
    ),
    "encryption required": (
        "530 5.7.0 Must issue a STARTTLS command first",
        {"verb": "MAIL"},
        "tls",
        ["/starttls"],
        "not encrypted yet",
    ),
    "encryption not to be had": (
        "502 5.5.1 STARTTLS not supported",
        {"verb": "STARTTLS", "extensions": {"SIZE": ()}, "auth_mechanisms": ()},
        "tls",
        ["/connect submissions://mail.example.net:465"],
        "does not offer STARTTLS",
    ),
    "no such user": (
        "550 5.1.1 <zoe@example.com>: Recipient address rejected: User unknown",
        {"verb": "RCPT", "line": "RCPT TO:<zoe@example.com>"},
        "user_unknown",
        ["VRFY zoe@example.com", "RCPT TO:<RECIPIENT>"],
        "misspelt",
    ),
    "sender not owned": (
        "553 5.7.1 <ann@client.example>: Sender address rejected: not owned by user bob",
        {"verb": "RCPT", "user": "bob@client.example"},
        "sender_rejected",
        ["MAIL FROM:<bob@client.example>"],
        "logged in as bob@client.example",
    ),
    "too big": (
        "552 5.3.4 Message size exceeds fixed limit",
        {"verb": "MAIL", "message_size": 2000, "size_limit": 1000},
        "message_too_big",
        ["EHLO client.example"],
        "has 2000 octets, the server takes 1000",
    ),
    "relay denied": (
        "554 5.7.1 <zoe@elsewhere.example>: Relay access denied",
        {"verb": "RCPT", "line": "RCPT TO:<zoe@elsewhere.example>"},
        "relay_denied",
        ["/auth", "/connect mail.example.net:587"],
        "not logged in",
    ),
    "relay denied, settings": (
        "550 5.7.1 Unable to relay",
        {"verb": "RCPT", "user": "ann@client.example", "port": 587},
        "relay_denied",
        ["RCPT TO:<postmaster>"],
        "mynetworks and relay_domains, the relay list of the IIS",
    ),
    "relay denied, no MX": (
        "550 relay not permitted",
        {"verb": "RCPT", "line": "RCPT TO:<zoe@example.com>", "recipient_mx": False},
        "relay_denied",
        ["/mx example.com"],
        "not a mail exchanger of example.com",
    ),
    "greylisting": (
        "450 4.2.0 <zoe@example.com>: Recipient address rejected: Greylisted",
        {"verb": "RCPT", "line": "RCPT TO:<zoe@example.com>"},
        "greylisted",
        ["RCPT TO:<zoe@example.com>"],
        "Wait five minutes",
    ),
    "SPF": (
        "550 5.7.23 SPF fail - not authorized",
        {"verb": "RCPT"},
        "sender_auth",
        ["/spf client.example --ip 192.0.2.7"],
        "SPF record",
    ),
    "DKIM": (
        "550 5.7.20 No passing DKIM signature found",
        {"verb": "MESSAGE"},
        "sender_auth",
        ["/dkim SELECTOR client.example"],
        "DNS",
    ),
    "DMARC": (
        "550 5.7.1 rejected by DMARC policy for client.example",
        {"verb": "MESSAGE"},
        "sender_auth",
        ["/dmarc client.example", "/spf client.example --ip 192.0.2.7"],
        "policy is reject",
    ),
    "reverse DNS": (
        "550 5.7.25 The IP address sending this message does not have a PTR record",
        {"verb": "CONNECT"},
        "rdns_helo",
        ["/ptr 192.0.2.7"],
        "PTR record",
    ),
    "rate limit": (
        "421 4.7.0 Error: too many connections from 192.0.2.7",
        {"verb": "CONNECT"},
        "rate_limited",
        ["/connect mail.example.net:25"],
        "connections at once",
    ),
    "too many recipients": (
        "452 4.5.3 Error: too many recipients",
        {"verb": "RCPT", "recipients": ("zoe@example.com",)},
        "rate_limited",
        ["DATA"],
        "in another",
    ),
    "block list": (
        "554 5.7.1 Client host [192.0.2.9] blocked using zen.spamhaus.org",
        {"verb": "RCPT", "client_address": ""},
        "ip_blocked",
        ["/dnsbl 192.0.2.9"],
        "block list",
    ),
    "null MX": (
        "556 5.1.10 Recipient address has null MX",
        {"verb": "RCPT", "line": "RCPT TO:<zoe@example.com>"},
        "dns_host",
        ["/mx example.com"],
        "null MX",
    ),
    "SMTPUTF8": (
        "553 5.6.7 Must declare SMTPUTF8 to send unicode address",
        {"verb": "MAIL"},
        "content_format",
        ["EHLO client.example"],
        "SMTPUTF8",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_classic_case_comes_out_right(case):
    """The cases of every help page get their class, their cause and steps filled in."""
    text, facts, class_, commands, words = case
    found = explain(Reply.parse(text), given_context(**facts))
    assert found.class_ == class_
    for command in commands:
        assert command in found.next
    assert any(words in cause.text for cause in found.causes)


def test_every_class_has_causes_with_commands():
    """Whatever the class, there are causes, and each has the one command that settles it."""
    for reply in ("550 5.1.1 User unknown", "550", "450 zzz", "554 5.7.1 Relay denied"):
        found = explain(Reply.parse(reply))
        assert found.causes
        assert all(cause.confirm for cause in found.causes)
        assert found.next


def test_success_needs_no_cause():
    """A positive reply is class ok: nobody has to act."""
    found = explain(Reply.parse("250 2.1.0 Ok"), Context(verb="MAIL"))
    assert (found.class_, found.who, found.retry) == ("ok", "nobody", "-")
    assert found.causes == ()


def test_a_passing_refusal_may_be_sent_again():
    """A 4yz reply may be tried later, even when its class would not allow it after a 5yz."""
    assert explain(Reply.parse("450 4.1.1 User unknown")).retry == "later"
    assert explain(Reply.parse("550 5.1.1 User unknown")).retry == "no"


def test_the_session_reorders_the_causes():
    """Logged in, "you have not logged in" is no longer a cause of a relay refusal."""
    reply = Reply.parse("554 5.7.1 Relay access denied")
    anonymous = explain(reply, given_context(verb="RCPT"))
    known = explain(reply, given_context(verb="RCPT", user="ann@client.example"))
    assert "/auth" in anonymous.next
    assert "/auth" not in known.next


def test_the_facts_of_the_session_are_told():
    """What of the session counted stands among the facts."""
    found = explain(Reply.parse("554 5.7.1 Relay access denied"), given_context(verb="RCPT"))
    assert "you are not logged in" in found.facts
    assert "port 25" in found.facts


def test_who_is_speaking_is_recognised():
    """The provider and the software come from the text, the host's name, or the banner."""
    assert explain(Reply.parse("550 5.1.1 no such user - gsmtp")).provider == "google"
    found = explain(Reply.parse("550 no"), Context(banner="mx.example.com ESMTP Postfix"))
    assert found.software == "postfix"
    assert explain(Reply.parse("550 no"), Context(host="mx.mail.ru")).provider == "mailru"


def test_the_enhanced_code_is_found_where_qmail_puts_it():
    """An enhanced code at the end of the text counts like one at its head."""
    assert explain(Reply.parse("553 sorry (#5.7.1)")).enhanced == "5.7.1"


def test_a_contradiction_of_the_codes_is_told():
    """A basic and an enhanced code of different classes are pointed out."""
    assert explain(Reply.parse("450 5.1.1 User unknown")).disagreement


def test_text_without_a_code_is_explained_too():
    """What an operating system or a library says is understood as well."""
    assert explain(Reply.parse("Connection timed out")).class_ == "network"
    assert explain(Reply.parse("certificate verify failed")).class_ == "tls"


def test_what_a_server_writes_cannot_become_a_command():
    """A hostile reply or recipient never gets anything odd into a command line."""
    nasty = "550 5.1.1 <a;/quit\r\n\x1b[2J@b c>: User unknown /send x@example.com\n550 <`id`@$(x)>"
    found = explain(Reply.parse(nasty), given_context(verb="RCPT", refused=("x\r\n/quit@e",)))
    for command in found.next:
        assert command.isprintable()
        assert "/quit" not in command
        assert "`" not in command


def well_formed(found) -> bool:
    """Tell whether an explanation keeps what its class promises."""
    return (
        found.class_ in CLASSES
        and found.who in WHO
        and found.retry in RETRY
        and 0 <= found.confidence <= 1
        and all(line.isprintable() for line in (*found.next, found.meaning, *found.facts))
    )


@given(st.binary(max_size=400), st.sampled_from([None, "RCPT", "connect", ".", "\x00", "AUTH"]))
def test_no_reply_upsets_the_explainer(octets, verb):
    """Any octets at all, in any context, give a well-formed explanation."""
    assert well_formed(explain(Reply.parse(octets), Context(verb=verb)))


@given(
    st.builds(
        Reply,
        st.none() | st.integers(-5, 100_000),
        st.lists(st.text(max_size=60), max_size=3).map(tuple),
    ),
    st.builds(
        Context,
        verb=st.none() | st.text(max_size=8),
        line=st.text(max_size=30),
        host=st.text(max_size=20),
        port=st.none() | st.integers(),
        banner=st.text(max_size=40),
        sender=st.none() | st.text(max_size=20),
        recipients=st.lists(st.text(max_size=20), max_size=2).map(tuple),
        helo=st.text(max_size=10),
        user=st.none() | st.text(max_size=10),
    ),
)
def test_no_value_upsets_the_explainer(reply, context):
    """Replies and contexts that no server and no session could make are taken too."""
    assert well_formed(explain(reply, context))


HOSTILE = {
    "one word": "a",
    "spaces": " ",
    "at signs": "@",
    "dots": ".",
    "numbers": "1.",
    "colons": ":",
    "mail address": "a@a.",
    "person": "user ",
    "gaps": "message not user mail ",
    "everything": "user mailbox not found blocked message spam domain sender rejected ",
    "enhanced": "5.5.",
    "six": "a:b:",
    "letters": "é",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_takes_no_longer_than_its_length(piece):
    """Text sixteen times as long takes at most some sixteen times as long, and never long."""

    def cost(octets: int) -> float:
        reply = Reply(550, ((piece * octets)[:octets],))
        best = 1.0
        for _ in range(3):
            start = perf_counter()
            explain(reply)
            best = min(best, perf_counter() - start)
        return best

    cost(200)
    small, large = cost(LONGEST // 16), cost(LONGEST)
    assert large < 16 * 6 * max(small, 0.0002)
    assert cost(1_000_000) < 0.5


def test_most_labelled_replies_are_understood():
    """On the labelled replies that the rules were written from, 9 of 10 classes are right."""
    path = shared_data("replies/labelled.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["id"][-1] not in "0123"]
    right = sum(
        explain(Reply.parse(row["reply"]), Context(verb=row["command"] or None)).class_
        in row["accept"].split(",")
        for row in rows
    )
    assert right >= 0.9 * len(rows)
