"""Whatever the other side sends, a client raises `SaslError` alone and a server refuses."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.protocol.sasl import (
    FAULTS,
    MECHANISMS,
    Account,
    ChannelBinding,
    Credentials,
    Outcome,
    SaslError,
    ServerTerms,
    client,
)
from smtpshell.protocol.sasl.exchange import ClientExchange, ServerExchange

from .test_vectors import scram_messages
from .wire import fixed, only

BINDING = ChannelBinding("tls-exporter", b"x")
SECRET = "hunter2-the-secret"
CREDENTIALS = Credentials("alice", SECRET, SECRET)
MESSAGES = [
    *scram_messages("SCRAM-SHA-256"),
    b"",
    b"Username:",
    b"Password:",
    b"<1896.697@host.example>",
    b'realm="a",nonce="b",qop="auth",algorithm=md5-sess,charset=utf-8',
    b"rspauth=ea40f60335c427b5527b84dbabcdfffd",
    b'{"status":"401","schemes":"bearer"}',
    b"\0alice\0pw",
    b"n,a=alice,\x01host=h\x01auth=Bearer x\x01\x01",
    b"user=alice\x01auth=Bearer x\x01\x01",
    b"[" * 9000,
    b'"' * 9000,
    b",=" * 4000,
    b"a=" * 4000,
    b"x" * 100_000,
    b"\xff\x00\x1b[31m",
    b"e=other-error",
    b'nonce="\\',
]
hostile = st.one_of(
    st.sampled_from(MESSAGES),
    st.binary(max_size=60),
    st.builds(
        lambda a, b, cut: a[:cut] + b + a[cut:],
        st.sampled_from(MESSAGES),
        st.binary(max_size=4),
        st.integers(0, 60),
    ),
)


@pytest.mark.parametrize("name", MECHANISMS)
@given(challenges=st.lists(hostile, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_a_client_raises_sasl_errors_alone(name, challenges):
    """Any challenges in any order: octets are answered or `SaslError` is raised, with advice."""
    exchange = ClientExchange(name, CREDENTIALS, binding=BINDING, iterations=range(1, 4097))
    exchange.start()
    raised = []
    try:
        for challenge in challenges:
            assert isinstance(exchange.answer(challenge), bytes)
        exchange.accepted()
    except SaslError as error:
        raised.append(error)
    for one in raised:
        assert SECRET not in str(one)
        assert str(one).isprintable()
        assert one.where == name


@pytest.mark.parametrize("name", MECHANISMS)
@given(responses=st.lists(hostile, min_size=1, max_size=5), initial=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_server_refuses_and_never_raises(name, responses, initial):
    """Any responses in any order end in a refusal with a fault, or in waiting for more."""
    account = Account("alice", SECRET, token=SECRET)
    terms = ServerTerms(name, only(account), iterations=1, bindings=(BINDING,))
    exchange = ServerExchange(terms)
    step = exchange.start(responses.pop() if initial else None)
    while isinstance(step, bytes) and responses:
        step = exchange.receive(responses.pop())
    if isinstance(step, Outcome) and name != "ANONYMOUS":
        assert not step.ok
        assert step.fault
        assert SECRET not in step.reason


@pytest.mark.parametrize("name", MECHANISMS)
def test_success_too_early_or_challenges_without_end_are_errors(name):
    """A server that goes on for ever is stopped after a few challenges."""
    exchange = ClientExchange(name, CREDENTIALS, binding=BINDING)
    exchange.start()
    with pytest.raises(SaslError):  # noqa: PT012  which of the challenges raises is the mechanism's
        for _ in range(5):
            exchange.answer(b"{}")


@pytest.mark.parametrize("name", [row.name for row in MECHANISMS.values() if row.client_first])
def test_a_challenge_where_none_is_due_is_an_error(name):
    """Where the client speaks first, the first challenge has to be empty."""
    exchange = ClientExchange(name, CREDENTIALS, binding=BINDING)
    with pytest.raises(SaslError, match="client speaks first"):
        exchange.answer(b"hello")


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "PLAIN", "XOAUTH2"])
def test_success_before_anything_was_sent_is_an_error(name):
    """A 235 to the bare AUTH line proves nothing."""
    with pytest.raises(SaslError, match="before the exchange was complete"):
        ClientExchange(name, CREDENTIALS).accepted()


def test_login_prompts_in_the_wrong_order_are_refused():
    """A password is never sent where a name is asked, nor the other way round."""
    exchange = ClientExchange("LOGIN", CREDENTIALS)
    with pytest.raises(SaslError, match="user name is due"):
        exchange.answer(b"Password:")
    exchange = ClientExchange("LOGIN", CREDENTIALS)
    assert exchange.answer(b"User Name\0") == b"alice"
    with pytest.raises(SaslError, match="password is due"):
        exchange.answer(b"Username:")


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        (b'realm="x",algorithm=md5-sess', "nonce is missing"),
        (b'nonce="a",nonce="b",algorithm=md5-sess', "twice"),
        (b'nonce="a"', "algorithm is missing"),
        (b'nonce="a",algorithm=md5', "md5-sess"),
        (b'nonce="a",algorithm=md5-sess,qop="auth-conf"', "auth-conf"),
        (b'nonce="a",algorithm=md5-sess,charset=utf-8,realm="\xff"', "not UTF-8"),
        (b'nonce="a', "octet 1"),
        (b'nonce="a",???', "octet 11"),
        (b"n=" * 5000, "at most 9216"),
        (b"", "nonce is missing"),
    ],
)
def test_a_wrong_digest_challenge_is_named(challenge, words):
    """Each way to break DIGEST-MD5's challenge is an error that says which."""
    with pytest.raises(SaslError, match=words):
        ClientExchange("DIGEST-MD5", CREDENTIALS).answer(challenge)


def test_a_wrong_rspauth_is_named():
    """A DIGEST-MD5 server that cannot prove itself is reported."""
    exchange = ClientExchange("DIGEST-MD5", CREDENTIALS)
    exchange.answer(MESSAGES[8])
    with pytest.raises(SaslError, match=r"rspauth.*wrong"):
        exchange.answer(MESSAGES[9])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((b"nc=00000001", b"nc=00000002"), "nc is not"),
        ((b'nonce="n"', b'nonce="m"'), "nonce is not"),
        ((b'realm="localhost"', b'realm="x"'), "realm is not"),
        ((b"smtp/", b"imap/"), "smtp/"),
        ((b"qop=auth", b"qop=auth-int"), "qop is not"),
        ((b'cnonce="n"', b'cnonce=""'), "cnonce is empty"),
    ],
)
def test_a_wrong_digest_response_is_named(change, words):
    """Each directive that does not belong to the challenge is a refusal that says which."""
    terms = ServerTerms("DIGEST-MD5", only(Account("alice", SECRET)), nonce=fixed("n"))
    server = ServerExchange(terms)
    challenge = server.start()
    assert isinstance(challenge, bytes)
    answer = ClientExchange("DIGEST-MD5", CREDENTIALS, nonce=fixed("n")).answer(challenge)
    assert change[0] in answer
    outcome = server.receive(answer.replace(*change))
    assert isinstance(outcome, Outcome)
    assert words in outcome.reason


@pytest.mark.parametrize("name", ["CRAM-MD5", "DIGEST-MD5"])
def test_an_initial_response_where_the_server_speaks_first_is_malformed(name):
    """RFC 4954 section 4 has it refused; LOGIN alone takes the user name there."""
    terms = ServerTerms(name, only(Account("alice", "pw")))
    outcome = ServerExchange(terms).start(b"alice")
    assert getattr(outcome, "fault", None) == "malformed"
    login = ServerExchange(ServerTerms("LOGIN", terms.users))
    assert login.start(b"alice") == b"Password:"
    assert getattr(login.receive(b"pw"), "ok", False)


def test_what_a_mechanism_cannot_carry_is_refused_before_it_is_sent():
    """NUL in PLAIN, Control-A in a token and text without UTF-8 raise at the start."""
    for name, credentials in (
        ("PLAIN", Credentials("alice", "a\0b")),
        ("PLAIN", Credentials("alice", "a\ud800")),
        ("XOAUTH2", Credentials("alice", token="a\x01b")),
        ("OAUTHBEARER", Credentials("a\x01", token="b")),
        ("EXTERNAL", Credentials(authzid="a\0")),
        ("ANONYMOUS", Credentials("a" * 256)),
        ("SCRAM-SHA-1", Credentials("\u00ad", "pw")),
        ("SCRAM-SHA-1", Credentials("a\x07", "pw")),
    ):
        with pytest.raises(SaslError):
            next(client(name, credentials))


def test_the_json_of_a_refused_token_is_json():
    """What the practice servers send is readable as JSON."""
    for name in ("XOAUTH2", "OAUTHBEARER"):
        server = ServerExchange(ServerTerms(name, only(Account("alice", token="x"))))
        message = next(client(name, Credentials("alice", token="y")))
        step = server.start(message)
        assert isinstance(step, bytes)
        assert json.loads(step)["status"]


def test_an_exchange_that_is_over_takes_no_more():
    """After the last message and after an error, every further challenge is an error."""
    exchange = ClientExchange("PLAIN", CREDENTIALS)
    exchange.start()
    for words in ("further challenge", "the exchange is over"):
        with pytest.raises(SaslError, match=words):
            exchange.answer(b"")


@pytest.mark.parametrize(
    ("name", "responses", "fault"),
    [
        ("PLAIN", [b"\0\0pw"], "malformed"),
        ("PLAIN", [b"alice\0pw"], "malformed"),
        ("PLAIN", [b"\0alice\0\x07"], "malformed"),
        ("LOGIN", [b"", b"pw"], "malformed"),
        ("CRAM-MD5", [b"alice"], "malformed"),
        ("CRAM-MD5", [b"keyless " + b"0" * 32], "no-keys"),
        ("DIGEST-MD5", [b"username=alice"], "malformed"),
        ("SCRAM-SHA-1", [b"n,,n=a=b,r=x"], "malformed"),
        ("SCRAM-SHA-1", [b"n,,n=alice,r="], "malformed"),
        ("SCRAM-SHA-1", [b"n,,m=x,n=alice,r=y"], "malformed"),
        ("OAUTHBEARER", [b"user=alice\x01auth=Bearer x\x01\x01"], "malformed"),
        ("OAUTHBEARER", [b"n,a=alice,\x01auth=Bearer x\x01"], "malformed"),
        ("XOAUTH2", [b"user=alice\x01auth\x01\x01"], "malformed"),
        ("XOAUTH2", [b"user=alice\x01user=bob\x01\x01"], "malformed"),
        ("XOAUTH2", [b"user=nobody\x01auth=Bearer x\x01\x01", b""], "unknown-user"),
        ("XOAUTH2", [b"user=keyless\x01auth=Bearer x\x01\x01", b""], "no-keys"),
        (
            "XOAUTH2",
            [b"user=alice\x01auth=Basic hunter2\x01\x01", b""],
            "bad-token",
        ),
        ("EXTERNAL", [b"a\0b"], "malformed"),
        ("ANONYMOUS", [b"x" * 256], "malformed"),
    ],
)
def test_each_wrong_response_has_its_fault(name, responses, fault):
    """A refusal names why, for the server's log, and the reason is one of the table's."""
    accounts = {"alice": Account("alice", SECRET, token=SECRET), "keyless": Account("keyless")}
    server = ServerExchange(ServerTerms(name, accounts.get))
    step = server.start()
    for response in responses:
        assert isinstance(step, bytes)
        step = server.receive(response)
    assert getattr(step, "fault", None) == fault
    assert fault in FAULTS
