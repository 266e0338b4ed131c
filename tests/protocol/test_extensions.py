"""Extensions: any EHLO reply is read, and every keyword means something."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.extensions import (
    KEYWORDS,
    Difference,
    Extension,
    Extensions,
    difference,
    gloss,
    parse_ehlo,
    parse_extension,
)
from smtpshell.protocol.glosses import GLOSSES, octets_in_words
from smtpshell.protocol.replies import Reply, ReplyReader
from smtpshell.protocol.verbs import VERBS
from tests.protocol.feeding import one_by_one

REGISTERED = """SEND SOML SAML EXPN HELP TURN 8BITMIME SIZE VERB ONEX CHUNKING BINARYMIME CHECKPOINT
DELIVERBY PIPELINING DSN ETRN ENHANCEDSTATUSCODES STARTTLS NO-SOLICITING MTRK SUBMITTER ATRN AUTH
FUTURERELEASE UTF8SMTP BURL SMTPUTF8 CONPERM CONNEG MT-PRIORITY RRVS REQUIRETLS LIMITS"""

EHLO = b"""250-mail.practice.example greets you\r
250-SIZE 1048576\r
250-size 7\r
250-AUTH PLAIN login\r
250-AUTH=LOGIN XOAUTH2\r
250-XVERP=Courier\r
250-PIPELINING\r
250-\r
250 HELP\r
"""


def announced(octets: bytes) -> Extensions:
    """Read an EHLO reply from the wire."""
    return parse_ehlo(ReplyReader().feed(octets)[0])


def test_the_registered_keywords_are_all_there():
    """IANA's list of SMTP service extensions is complete, VRFY beside it."""
    assert {name for name, row in KEYWORDS.items() if row.registered} == {
        *REGISTERED.split(),
        "VRFY",
    }


@pytest.mark.parametrize("row", KEYWORDS.values(), ids=KEYWORDS)
def test_each_row_is_whole(row):
    """A keyword has words for a beginner, a source, and only verbs that exist."""
    assert re.fullmatch(r"[A-Z0-9][A-Z0-9_-]*", row.name)
    assert row.summary
    assert not row.summary.endswith(".")
    assert row.section
    assert set(row.verbs) <= set(VERBS)
    assert not row.syntax or row.syntax.startswith(row.name)
    assert len(row.summary) <= 62


def test_a_reply_is_read_into_what_it_announces():
    """Domain, keywords in order, mechanisms of both forms and the first size come out."""
    extensions = announced(EHLO)
    assert extensions.domain == "mail.practice.example"
    assert extensions.names == ("SIZE", "AUTH", "XVERP", "PIPELINING", "HELP")
    assert list(extensions) == list(extensions.names)
    assert len(extensions) == 5
    assert extensions.auth_mechanisms == ("PLAIN", "LOGIN", "XOAUTH2")
    assert extensions.size == 1_048_576
    assert "auth" in extensions
    assert "STARTTLS" not in extensions
    assert extensions["xverp"].parameters == ("Courier",)
    assert extensions.get("starttls") is None
    assert len(extensions.items) == 7


def test_cuts_do_not_matter():
    """An EHLO reply that arrives octet by octet announces the same."""
    reader = ReplyReader()
    (reply,) = [reply for octet in one_by_one(EHLO) for reply in reader.feed(octet)]
    assert parse_ehlo(reply) == announced(EHLO)


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("SIZE 1000", 1000),
        ("SIZE 0", 0),
        ("SIZE", 0),
        ("SIZE many", 0),
        ("SIZE ²", 0),
        ("SIZE -1", 0),
        ("SIZE " + "9" * 5000, 0),
        ("HELP", None),
    ],
)
def test_size_is_a_number_or_no_limit_or_absent(line, size):
    """Whatever stands behind SIZE, a number or none comes out."""
    assert parse_ehlo(Reply(250, ("mx.example.com", line))).size == size


@pytest.mark.parametrize(
    "reply",
    [Reply(502, ("no", "SIZE 1")), Reply(None, ()), Reply(250, ()), Reply(421, ("bye",))],
)
def test_a_refusal_announces_nothing(reply):
    """Only a positive reply announces extensions."""
    assert parse_ehlo(reply) == Extensions()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("SIZE 1048576", "messages up to 1 MiB"),
        ("SIZE 35882577", "messages up to 34.2 MiB"),
        ("SIZE 0", "the size may be told in advance; no limit is stated"),
        ("SIZE", "the size may be told in advance; no limit is stated"),
        ("AUTH PLAIN", "login by PLAIN"),
        ("AUTH PLAIN LOGIN", "login by PLAIN or LOGIN"),
        ("AUTH=PLAIN LOGIN", "login by PLAIN or LOGIN (form for old clients)"),
        ("AUTH", "login is possible, but no mechanism is offered now"),
        ("STARTTLS", "the connection can be encrypted"),
        ("PIPELINING", "several commands may be sent without waiting"),
        (
            "LIMITS RCPTMAX=100 MAILMAX=5",
            "at most 100 recipients a message and 5 messages a connection",
        ),
        ("LIMITS", "the server's limits are listed"),
        ("LIMITS junk", "the server's limits are listed"),
        ("DELIVERBY 240", "a deadline may be set, 240 seconds at the shortest"),
        (
            "FUTURERELEASE 604800 2030-01-01T00:00:00Z",
            "messages may be held for later, up to 7 days",
        ),
        ("FUTURERELEASE 90 x", "messages may be held for later, up to 90 seconds"),
        ("MT-PRIORITY MIXER", "messages may be marked urgent, by the table MIXER"),
        ("XXXXXXXA", "a firewall on the way has blotted out STARTTLS"),
        ("X-UNHEARD-OF", ""),
    ],
)
def test_a_gloss_says_what_a_line_means(line, words):
    """Known keywords are put into plain words with their parameters; others get none."""
    assert gloss(parse_extension(line)) == words


def test_every_known_keyword_has_a_gloss():
    """No known keyword is left without words, with or without parameters."""
    for name in KEYWORDS:
        assert gloss(Extension(name))
        assert gloss(Extension(name, ("1", "b=2", "c"), f"{name} 1 b=2 c"))
    assert set(GLOSSES) <= set(KEYWORDS)


words = st.text(st.characters(exclude_categories=()), max_size=30)


@given(
    st.lists(words, max_size=6)
    | st.lists(
        st.sampled_from(sorted(KEYWORDS)).flatmap(
            lambda name: words.map(lambda rest: f"{name} {rest}")
        ),
        max_size=6,
    )
)
def test_any_reply_can_be_read(lines):
    """No announced text raises, in reading, in look-up or in its gloss."""
    extensions = parse_ehlo(Reply(250, ("mx.example.com", *lines)))
    assert extensions.size is None or extensions.size >= 0
    for extension in extensions.items:
        assert extension.keyword in extensions
        assert len(gloss(extension)) < 150
    assert difference(extensions, extensions) == Difference()


def test_a_difference_tells_what_encryption_changed():
    """What appeared, what vanished and what changed its parameters are told apart."""
    before = parse_ehlo(Reply(250, ("mx", "STARTTLS", "SIZE 10", "AUTH SCRAM-SHA-256", "HELP")))
    after = parse_ehlo(Reply(250, ("mx", "SIZE 10", "AUTH PLAIN", "REQUIRETLS", "HELP")))
    found = difference(before, after)
    assert [extension.keyword for extension in found.added] == ["REQUIRETLS"]
    assert [extension.keyword for extension in found.removed] == ["STARTTLS"]
    assert [(old.raw, new.raw) for old, new in found.changed] == [
        ("AUTH SCRAM-SHA-256", "AUTH PLAIN")
    ]
    assert found
    assert not difference(after, after)


@pytest.mark.parametrize(
    ("octets", "said"),
    [(1, "1 octets"), (1024, "1 KiB"), (1 << 30, "1 GiB"), (10**18, "931322574.6 GiB")],
)
def test_sizes_are_told_in_binary_units(octets, said):
    """A size is told with at most one decimal."""
    assert octets_in_words(octets) == said
