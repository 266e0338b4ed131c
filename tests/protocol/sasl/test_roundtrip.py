"""Client and server wired to each other: the right secret logs in, any other does not."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smtpshell.protocol.sasl import (
    MECHANISMS,
    Account,
    ChannelBinding,
    Credentials,
    SaslError,
    ServerTerms,
)
from smtpshell.protocol.sasl.exchange import ClientExchange
from smtpshell.protocol.sasl.prepare import saslprep
from smtpshell.protocol.sasl.scram import stored_keys

from .wire import letters, only, play

BINDING = ChannelBinding("tls-server-end-point", b"\x01\x02 certificate hash")
FEW = range(1, 4097)

PASSWORD_MECHANISMS = [row.name for row in MECHANISMS.values() if "password" in row.needs]
TOKEN_MECHANISMS = [row.name for row in MECHANISMS.values() if "token" in row.needs]
NO_CONTROLS = st.characters(exclude_categories=["Cc", "Cs"])


def terms_for(name, account, **more):
    """Return server's terms under TLS with few iterations."""
    plus = name.endswith("-PLUS")
    return ServerTerms(
        name, only(account), iterations=2, bindings=(BINDING,), plus_offered=plus, **more
    )


def exchange_for(name, credentials, **more):
    """Return a client that knows the TLS channel where the mechanism binds to it."""
    binding = BINDING if name.endswith("-PLUS") else None
    return ClientExchange(name, credentials, binding=binding, iterations=FEW, **more)


@pytest.mark.parametrize("name", PASSWORD_MECHANISMS)
@given(user=letters(), password=letters(), initial=st.booleans())
@settings(max_examples=30, deadline=None)
def test_right_password_logs_in(name, user, password, initial):
    """Whatever name and password SASLprep allows, the account with that password is let in."""
    outcome, server = play(
        exchange_for(name, Credentials(user, password)),
        terms_for(name, Account(user, password)),
        initial=initial,
    )
    assert outcome.ok, outcome
    assert outcome.user == outcome.authzid == user
    assert server.tokens


@pytest.mark.parametrize("name", PASSWORD_MECHANISMS)
@given(user=letters(), right=letters(), wrong=letters())
@settings(max_examples=30, deadline=None)
def test_wrong_password_does_not(name, user, right, wrong):
    """Any other password is refused as wrong, and the reason does not quote it."""
    assume(saslprep(right) != saslprep(wrong))
    outcome, _ = play(
        exchange_for(name, Credentials(user, wrong)), terms_for(name, Account(user, right))
    )
    assert not outcome.ok
    assert outcome.fault == "wrong-password"
    assert outcome.authzid == ""


@pytest.mark.parametrize("name", PASSWORD_MECHANISMS)
def test_unknown_user_is_refused_after_the_same_number_of_steps(name):
    """An exchange for an unknown name is as long as one with a wrong password."""
    lengths = set()
    for user, fault in (("alice", "wrong-password"), ("nobody", "unknown-user")):
        outcome, server = play(
            exchange_for(name, Credentials(user, "guess")),
            terms_for(name, Account("alice", "correct horse")),
        )
        assert outcome.fault == fault
        lengths.add(len(server.tokens))
    assert len(lengths) == 1


@pytest.mark.parametrize("name", TOKEN_MECHANISMS)
@given(user=letters(NO_CONTROLS), initial=st.booleans())
@settings(max_examples=30, deadline=None)
def test_right_token_logs_in(name, user, initial):
    """The bearer of the user's token is let in, whatever the user is called."""
    outcome, _ = play(
        exchange_for(name, Credentials(user, token="abc.def-123"), host="mx.example", port=587),
        terms_for(name, Account(user, token="abc.def-123")),
        initial=initial,
    )
    assert outcome.ok, outcome
    assert outcome.user == user


@pytest.mark.parametrize("name", TOKEN_MECHANISMS)
def test_wrong_token_is_refused_with_json_before_the_outcome(name):
    """The error comes as a challenge of JSON first, and the refusal follows the client's answer."""
    outcome, server = play(
        exchange_for(name, Credentials("alice", token="old")),
        terms_for(name, Account("alice", token="new"), scope="mail.example"),
    )
    assert outcome.fault == "bad-token"
    assert server.tokens[-2].octets.startswith(b'{"status": ')
    assert b"mail.example" in server.tokens[-2].octets


@pytest.mark.parametrize(
    "name", ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "DIGEST-MD5"]
)
def test_acting_as_another_needs_leave(name):
    """Another identity is granted where the account may act as it, and refused elsewhere."""
    account = Account("alice", "pw", may_act_as=frozenset({"list=a,b"}))
    allowed = exchange_for(name, Credentials("alice", "pw", authzid="list=a,b"))
    outcome, _ = play(allowed, terms_for(name, account))
    assert (outcome.user, outcome.authzid) == ("alice", "list=a,b")
    other = exchange_for(name, Credentials("alice", "pw", authzid="carol"))
    outcome, _ = play(other, terms_for(name, account))
    assert outcome.fault == "not-authorized"


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_stored_keys_replace_the_password(name):
    """A server that holds salt, count and the two hashes lets the right password in."""
    digest = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}[name]
    keys = stored_keys("pencil", b"salt of my own", 7, digest)
    account = Account("alice", keys={digest: keys})
    outcome, _ = play(exchange_for(name, Credentials("alice", "pencil")), terms_for(name, account))
    assert outcome.ok
    outcome, _ = play(
        exchange_for("PLAIN", Credentials("alice", "pencil")), terms_for("PLAIN", account)
    )
    assert outcome.fault == "no-keys"


def test_external_takes_the_identity_from_outside():
    """EXTERNAL logs in whom the certificate names, and nobody without one."""
    outcome, _ = play(
        exchange_for("EXTERNAL", Credentials()),
        terms_for("EXTERNAL", Account("alice"), identity="alice"),
    )
    assert (outcome.ok, outcome.user) == (True, "alice")
    outcome, _ = play(
        exchange_for("EXTERNAL", Credentials(authzid="bob")),
        terms_for("EXTERNAL", Account("alice"), identity="alice"),
    )
    assert outcome.fault == "not-authorized"
    outcome, _ = play(exchange_for("EXTERNAL", Credentials()), terms_for("EXTERNAL", Account("a")))
    assert outcome.fault == "no-identity"


@given(trace=st.text(st.characters(exclude_categories=["Cs"]), max_size=255))
@settings(max_examples=30, deadline=None)
def test_anonymous_keeps_the_trace(trace):
    """Anyone is let in as anonymous, and the trace is kept for the log."""
    outcome, _ = play(
        exchange_for("ANONYMOUS", Credentials(trace)), terms_for("ANONYMOUS", Account("alice"))
    )
    assert outcome.ok
    assert repr(trace) in outcome.reason


@pytest.mark.parametrize("name", ["PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_differently_typed_passwords_are_one(name):
    """What SASLprep holds for equal is equal: a ligature, a soft hyphen, an odd space."""
    outcome, _ = play(
        exchange_for(name, Credentials("al\u00adice", "o\ufb03ce\u00a0hours")),
        terms_for(name, Account("alice", "office hours")),
    )
    assert outcome.ok, outcome


def test_digest_md5_without_utf8_refuses_what_it_cannot_say():
    """A password outside ISO 8859-1 is an error where the server does not offer UTF-8."""
    exchange = exchange_for("DIGEST-MD5", Credentials("alice", "\u5bc6\u78bc"))
    with pytest.raises(SaslError, match="charset=utf-8"):
        exchange.answer(b'nonce="n",algorithm=md5-sess')


def test_digest_md5_speaks_latin_1_where_utf8_is_not_offered():
    """Without charset=utf-8 the name travels in ISO 8859-1, and the realm chosen is the host's."""
    exchange = exchange_for(
        "DIGEST-MD5", Credentials("ann\u00e9", "pw"), host="b.example", nonce=lambda: "c"
    )
    challenge = (
        b'realm="a.example",realm="b.example",nonce="n",qop="auth-int,auth",algorithm=md5-sess'
    )
    answer = exchange.answer(challenge)
    assert b'username="ann\xe9",realm="b.example"' in answer
    assert b'digest-uri="smtp/b.example"' in answer
