"""Weighing: what decides when several kinds of evidence speak."""

from __future__ import annotations

import pytest

from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.knowledge.likeness import Likeness
from smtpshell.knowledge.reading import read
from smtpshell.knowledge.rulebook import own_rulebook
from smtpshell.knowledge.verdict import Heard, decide, listen
from smtpshell.protocol.replies import Reply


def class_of(text: str, verb: str | None = None) -> str:
    """Return the class of a reply."""
    return explain(Reply.parse(text), Context(verb=verb)).class_


@pytest.mark.parametrize(
    ("site", "class_"),
    [
        ("https://check.spamhaus.org/listed/?searchterm=192.0.2.7", "ip_blocked"),
        ("http://www.openspf.org/Why?id=ann%40example.com", "sender_auth"),
    ],
)
def test_a_site_that_is_named_tells_the_reason(site, class_):
    """A refusal that only points to a site is about what that site is about."""
    assert class_of(f"550 rejected, see {site}", "RCPT") == class_


def test_no_recipient_left_is_not_an_unknown_recipient():
    """At DATA "no valid recipients" says that no RCPT went through, which the client should see."""
    assert class_of("554 5.5.1 Error: no valid recipients", "DATA") == "protocol"
    assert class_of("550 5.1.1 no valid recipient by that name", "RCPT") == "user_unknown"


def test_a_login_given_up_is_no_fault_of_the_protocol():
    """The 501 after a single * is the answer that the client asked for (RFC 4954 section 4)."""
    assert class_of("501 5.7.0 Authentication aborted", "AUTH") == "auth_required"


def test_a_greeting_that_refuses_is_about_the_client():
    """A 554 greeting turns the client away (RFC 5321 section 3.1)."""
    assert class_of("554 5.3.2 mx.example.com No mail is taken here", "CONNECT") == "ip_blocked"


@pytest.mark.parametrize(
    ("text", "class_"),
    [
        ("550 5.1.8 your domain does not exist", "sender_rejected"),
        ("550 5.1.2 the recipient's domain does not exist", "dns_host"),
        ("550 very low reputation of the sending domain", "sender_rejected"),
        ("550 very low reputation of the sending IP address", "ip_blocked"),
    ],
)
def test_whose_domain_is_meant_decides(text, class_):
    """The same fault is the sender's or the recipient's, by a single word."""
    assert class_of(text) == class_


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("user unknown", False),
        ("mailbox is full", False),
        ("nothing that a rule knows stands here", True),
        ("mailbox full or message too large", True),
    ],
)
def test_likeness_is_asked_where_the_rules_leave_it_open(text, asked):
    """No rule, or rules of several classes near each other: then alone the phrases are asked."""
    book = own_rulebook()
    questions = []

    def guess() -> Likeness | None:
        questions.append(text)
        return None

    heard = Heard(550, None, "", None, set())
    decide(book, listen(book, read(text)), heard, guess)
    assert bool(questions) is asked


def test_a_name_at_the_greeting_is_about_the_name():
    """A refusal of EHLO is about the name unless it says otherwise (RFC 5321 section 4.1.4)."""
    assert class_of("550 forged names are not accepted", "EHLO") == "rdns_helo"
    assert class_of("550 192.0.2.7 is on a block list", "EHLO") == "ip_blocked"


def test_the_next_servers_reason_counts_first():
    """Of a reply that quotes another one behind an arrow, the quoted reason decides."""
    text = "550 5.0.350 Remote server returned an error -> 554 rejected due to spam URL in content"
    assert class_of(text) == "spam_content"
