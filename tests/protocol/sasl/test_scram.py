"""SCRAM's defences: each lie of a server or a go-between is noticed, and named."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.sasl import (
    Account,
    ChannelBinding,
    Credentials,
    SaslError,
    ServerTerms,
    client,
    server,
)
from smtpshell.protocol.sasl.exchange import ClientExchange, ServerExchange
from smtpshell.protocol.sasl.prepare import saslprep
from smtpshell.protocol.sasl.scram import escaped_name, gs2_header, unescaped_name
from smtpshell.protocol.sasl.scram_server import client_first

from .test_vectors import SCRAM, scram_messages
from .wire import fixed, letters, only, play

NAME = "SCRAM-SHA-256"
END_POINT = ChannelBinding("tls-server-end-point", b"hash of the certificate")
EXPORTER = ChannelBinding("tls-exporter", b"exported keying material")


def started(**more):
    """Return a client of the RFC's example that has sent its first message."""
    steps = client(NAME, Credentials("user", "pencil"), nonce=fixed(SCRAM[NAME][0]), **more)
    next(steps)
    return steps


def challenge_with(**changes):
    """Return the RFC's server-first message with some attributes changed."""
    parts = {"r": "".join(SCRAM[NAME][:2]), "s": SCRAM[NAME][2], "i": "4096"} | changes
    return ",".join(f"{name}={value}" for name, value in parts.items()).encode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"r": "somebodyelse"}, "does not begin with"),
        ({"r": SCRAM[NAME][0]}, "added no valid nonce"),
        ({"r": SCRAM[NAME][0] + "\u00e9"}, "added no valid nonce"),
        ({"s": ""}, "s= is empty"),
        ({"s": "not base64!"}, "s= is not base64"),
        ({"i": "0"}, "not a positive number"),
        ({"i": "-1"}, "not a positive number"),
        ({"i": "9" * 5000}, "not a positive number"),
        ({"i": "\u0664\u0660\u0669\u0666"}, "not a positive number"),
        ({"i": "1"}, "cheap to guess"),
        ({"i": "1000001"}, "keep this machine computing"),
        ({"i": "4294967295"}, "keep this machine computing"),
        ({"m": "something"}, "mandatory extension"),
    ],
)
def test_a_wrong_server_first_message_is_named(changes, words):
    """Each way to break the server's first message is an error that says which."""
    with pytest.raises(SaslError, match=words):
        started().send(challenge_with(**changes))


def test_a_huge_iteration_count_is_refused_at_once():
    """Ten digits of iterations cost no time."""
    before = time.process_time()
    with pytest.raises(SaslError, match="9999999999 iterations"):
        started().send(challenge_with(i="9999999999"))
    assert time.process_time() - before < 0.2


def test_unknown_optional_extensions_are_ignored():
    """An attribute behind the iteration count changes nothing but the signed text."""
    answer = started().send(challenge_with(x="new"))
    assert answer.startswith(b"c=biws,r=")


@pytest.mark.parametrize(
    ("final", "words"),
    [
        (b"v=" + base64.b64encode(bytes(32)), "signature is wrong"),
        (b"v=" + base64.b64encode(b"short"), "signature is wrong"),
        (b"v=", "v= is empty"),
        (b"v=?", "not base64"),
        (b"", "not a letter"),
        (b"e=invalid-proof", "the proof is wrong"),
        (b"e=\x1b[31m", "its own e="),
        (b"x=1,v=abcd", "in that order"),
    ],
)
def test_a_wrong_server_signature_is_named(final, words):
    """Each way to fail the server's proof is an error that says which."""
    steps = started()
    steps.send(challenge_with())
    with pytest.raises(SaslError, match=words) as caught:
        steps.send(final)
    assert "\x1b" not in str(caught.value)


def test_success_before_the_signature_is_an_error():
    """A 235 at any point before the server's signature was checked is not success."""
    for answered in range(2):
        steps = started()
        if answered:
            steps.send(challenge_with())
        with pytest.raises(SaslError, match="before the exchange was complete"):
            next(steps)


def test_a_challenge_after_the_end_is_an_error():
    """Nothing may follow the server's signature."""
    steps = started()
    for message in scram_messages(NAME)[1::2]:
        steps.send(message)
    with pytest.raises(SaslError, match="further challenge"):
        steps.send(b"")


@pytest.mark.parametrize(
    ("offered", "flag"),
    [
        ([NAME], b"y,,"),
        ([], b"y,,"),
        ([NAME, f"{NAME.lower()}-plus"], b"n,,"),
        (["SCRAM-SHA-1-PLUS"], b"y,,"),
    ],
)
def test_the_client_says_whether_plus_was_offered(offered, flag):
    """With a binding at hand, `y` is said unless the -PLUS of this mechanism was offered."""
    steps = client(NAME, Credentials("user", "pencil"), binding=END_POINT, offered=offered)
    assert next(steps).startswith(flag)
    assert next(client(NAME, Credentials("user", "pencil"))).startswith(b"n,,")


def plus_terms(mechanism=f"{NAME}-PLUS", *, plus_offered=True):
    """Return the terms of a server that knows two bindings of its channel."""
    return ServerTerms(
        mechanism,
        only(Account("alice", "pencil")),
        bindings=(END_POINT, EXPORTER),
        plus_offered=plus_offered,
    )


@pytest.mark.parametrize("binding", [END_POINT, EXPORTER])
def test_plus_binds_to_the_channel(binding):
    """The same channel at both ends logs in, by any type that the server has."""
    exchange = ClientExchange(f"{NAME}-PLUS", Credentials("alice", "pencil"), binding=binding)
    outcome, _ = play(exchange, plus_terms())
    assert outcome.ok, outcome


@pytest.mark.parametrize(
    ("binding", "words"),
    [
        (ChannelBinding("tls-exporter", b"another channel"), "c= is not"),
        (ChannelBinding("tls-unique", b"x"), "tls-unique"),
    ],
)
def test_a_go_between_is_noticed_by_the_server(binding, words):
    """A channel that differs at the two ends is refused, even with the right password."""
    exchange = ClientExchange(f"{NAME}-PLUS", Credentials("alice", "pencil"), binding=binding)
    outcome, _ = play(exchange, plus_terms())
    assert outcome.fault == "channel-binding"
    assert words in outcome.reason


def test_a_stricken_offer_is_noticed_by_the_server():
    """If someone removed -PLUS from the offer, the client's `y` gives it away."""
    exchange = ClientExchange(
        NAME, Credentials("alice", "pencil"), binding=END_POINT, offered=[NAME]
    )
    outcome, _ = play(exchange, plus_terms(mechanism=NAME))
    assert outcome.fault == "channel-binding"
    honest = ClientExchange(NAME, Credentials("alice", "pencil"), binding=END_POINT, offered=[NAME])
    outcome, _ = play(honest, plus_terms(mechanism=NAME, plus_offered=False))
    assert outcome.ok


@pytest.mark.parametrize(("name", "first"), [(NAME, b"p=tls-exporter,,"), (f"{NAME}-PLUS", b"n,,")])
def test_flag_and_mechanism_must_agree(name, first):
    """p= without -PLUS and -PLUS without p= are refused."""
    step = ServerExchange(plus_terms(mechanism=name)).start(first + b"n=alice,r=abc")
    assert getattr(step, "fault", None) == "channel-binding"


@pytest.mark.parametrize(
    ("final", "fault"),
    [
        (b"c=biws,r=other,p=AAAA", "malformed"),
        (b"c=eSws,r=abcdef,p=AAAA", "channel-binding"),
        (b"c=biws,r=abcdef,p=AAAA", "wrong-password"),
        (b"c=biws,r=abcdef,p=", "malformed"),
        (b"c=biws,r=abcdef", "malformed"),
        (b"p=AAAA", "malformed"),
        (b"c=biws,r=abcdef,m=x,p=AAAA", "malformed"),
        (b"\xff", "malformed"),
        (b"", "malformed"),
    ],
)
def test_a_wrong_final_message_is_refused(final, fault):
    """Each way to break the client's final message is a refusal with its own fault."""
    terms = ServerTerms(NAME, only(Account("alice", "pencil")), nonce=fixed("def"))
    exchange = ServerExchange(terms)
    exchange.start(b"n,,n=alice,r=abc")
    outcome = exchange.receive(final)
    assert getattr(outcome, "fault", None) == fault


def test_the_answer_to_the_signature_must_be_empty():
    """Octets behind the server's signature are refused."""
    name = "SCRAM-SHA-256"
    first, _, final, _ = scram_messages(name)
    salt = base64.b64decode(SCRAM[name][2])
    terms = ServerTerms(
        name, only(Account("user", "pencil")), nonce=fixed(SCRAM[name][1]), salt=fixed(salt)
    )
    steps = server(terms)
    next(steps)
    steps.send(first)
    steps.send(final)
    with pytest.raises(StopIteration) as end:
        steps.send(b"more")
    assert end.value.value.fault == "malformed"


def test_an_unknown_user_gets_the_same_salt_twice():
    """The stand-in salt of a name is stable, and differs from name to name."""

    def salt(user):
        terms = ServerTerms(NAME, fixed(None), nonce=fixed("def"))
        return ServerExchange(terms).start(b"n,,n=" + user + b",r=abc")

    assert salt(b"nobody") == salt(b"nobody")
    assert salt(b"nobody") != salt(b"noone")


@given(user=letters(), authzid=st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
def test_names_survive_the_first_message(user, authzid):
    """Commas and equals signs in names come out at the other side as they went in."""
    message = gs2_header("n", authzid) + f"n={escaped_name(user)},r=abc"
    first = client_first(message, "test")
    assert first.user == saslprep(user)
    assert first.authzid == authzid
    assert first.header + first.bare == message


@pytest.mark.parametrize("name", ["a=b", "a=2c", "=", "=3"])
def test_a_bare_equals_sign_in_a_name_is_an_error(name):
    """Only =2C and =3D may stand in a name."""
    with pytest.raises(SaslError, match="=2C"):
        unescaped_name(name)


@pytest.mark.parametrize("nonce", ["", "a,b", "\u00e9", "a b"])
def test_a_nonce_that_breaks_the_grammar_is_an_error(nonce):
    """An injected nonce is held to the grammar like any other."""
    with pytest.raises(SaslError, match="nonce"):
        next(client(NAME, Credentials("user", "pencil"), nonce=fixed(nonce)))
