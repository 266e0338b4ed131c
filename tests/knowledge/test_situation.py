"""What a session shows decides which causes are named, and which command settles each."""

from __future__ import annotations

import pytest

from smtpshell.knowledge.advice import advice
from smtpshell.knowledge.classes import CLASSES
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.knowledge.logins import KINDS
from smtpshell.knowledge.places import is_sensible, nearest_verb, unfilled
from smtpshell.protocol.replies import Reply

LIVE = Context(
    state="READY",
    host="mail.example.net",
    port=587,
    tls=True,
    helo="client.example",
    extensions={"AUTH": ("PLAIN", "SCRAM-SHA-256"), "SIZE": ("1000000",)},
    auth_mechanisms=("PLAIN", "SCRAM-SHA-256"),
)


def causes(text: str, **facts) -> list[tuple[str, str]]:
    """Return the causes of a reply in a session as texts and commands."""
    from smtpshell.protocol.values import replace

    found = explain(Reply.parse(text), replace(LIVE, **facts))
    return [(cause.text, cause.confirm) for cause in found.causes]


@pytest.mark.parametrize(
    ("text", "facts", "words", "command"),
    [
        ("534 5.7.9 too weak", {"line": "AUTH LOGIN"}, "LOGIN is too weak", "/auth SCRAM-SHA-256"),
        ("432 4.7.12 transition", {"line": "AUTH CRAM-MD5"}, "CRAM-MD5 needs", "/auth PLAIN"),
        (
            "432 4.7.12 transition",
            {"line": "AUTH CRAM-MD5", "tls": False, "extensions": {"STARTTLS": (), "AUTH": ()}},
            "inside TLS",
            "/starttls",
        ),
        ("504 5.5.4 unrecognized", {"line": "AUTH GSSAPI"}, "not know GSSAPI", "/auth SCRAM"),
        (
            "504 5.5.4 unrecognized",
            {"line": "AUTH FOO", "auth_mechanisms": (), "extensions": {}},
            "not know FOO",
            "EHLO client.example",
        ),
        ("454 4.7.0 temporary", {"line": "AUTH PLAIN"}, "could not check", "/auth PLAIN"),
        (
            "534 5.7.9 Application-specific password required",
            {"line": "AUTH PLAIN"},
            "app password",
            "/auth",
        ),
        ("525 5.7.13 User account disabled", {"line": "AUTH PLAIN"}, "locked or closed", "/auth"),
        (
            "535 5.7.8 failed",
            {"line": "AUTH CRAM-MD5", "auth_mechanisms": ("CRAM-MD5", "PLAIN")},
            "keeps the password",
            "/auth PLAIN",
        ),
        ("535 5.7.8 no mechanism", {"line": "AUTH GSSAPI"}, "not among what", "/auth SCRAM"),
    ],
)
def test_a_refused_login_has_the_cause_of_its_code(text, facts, words, command) -> None:
    """The first cause of a login's refusal is that of its code, with one fitting command."""
    first = causes(text, verb="AUTH", **facts)[0]
    assert words in first[0]
    assert first[1].startswith(command)


def test_a_user_unknown_to_scram_looks_like_a_wrong_password() -> None:
    """SCRAM does not tell whether the user or the password is wrong, and that is said."""
    found = causes("535 5.7.8 failed", verb="AUTH", line="AUTH SCRAM-SHA-256")
    assert any("does not know looks to SCRAM-SHA-256" in text for text, _ in found)
    assert "/auth PLAIN" in [command for _, command in found]


def test_a_login_given_up_is_no_fault() -> None:
    """The 501 that answers the line with * confirms it, and nobody has to act."""
    context = Context(verb="AUTH", line="*")
    found = explain(Reply.parse("501 5.7.0 Authentication aborted"), context)
    assert (found.who, found.retry) == ("nobody", "-")
    assert "given up" in found.meaning
    assert explain(Reply.parse("501 5.5.2 bad"), Context(verb="AUTH")).who == "client"


def test_a_password_to_be_renewed_is_not_tried_again_unchanged() -> None:
    """A 432 is a 4yz that no waiting mends."""
    found = explain(Reply.parse("432 4.7.12 x"), Context(verb="AUTH", line="AUTH CRAM-MD5"))
    assert found.retry == "no"


@pytest.mark.parametrize(
    ("verb", "line", "state", "command"),
    [
        ("RCTP", "RCTP TO:<a@b.example>", "MAIL", "/help RCPT"),
        ("FOO", "FOO", "READY", "HELP"),
        ("MAIL", "MAIL FROM:<a@b.example>", "START", "EHLO client.example"),
        ("RCPT", "RCPT TO:<a@b.example>", "READY", "MAIL FROM:<SENDER>"),
        ("DATA", "DATA", "MAIL", "RCPT TO:<RECIPIENT>"),
        ("AUTH", "AUTH PLAIN", "RCPT", "RSET"),
        ("ETRN", "ETRN example.com", "READY", "EHLO client.example"),
        ("MAIL", "MAIL FROM: a@b.example", "READY", "/help MAIL"),
    ],
)
def test_a_protocol_error_names_what_this_command_lacks(verb, line, state, command) -> None:
    """The moment, the form and the name of the command decide what is told to run."""
    code = "500 5.5.2" if verb in ("FOO", "RCTP") else "503 5.5.1"
    found = causes(f"{code} Error", verb=verb, line=line, state=state)
    assert found[0][1] == command


def test_no_two_causes_have_the_same_command() -> None:
    """Each cause is settled by a command of its own."""
    replies = ("550 5.1.1 User unknown", "550 5.7.25 no PTR", "554 5.7.1 Relay access denied")
    for text in replies:
        commands = [command for _, command in causes(text, verb="RCPT")]
        assert len(commands) == len(set(commands))


@pytest.mark.parametrize(
    ("banner", "setting"),
    [
        ("mx.example ESMTP Postfix", "mynetworks"),
        ("win.example Microsoft ESMTP MAIL Service, Version: 10.0 ready", "relay list"),
        ("mx.example ESMTP Exim 4.96", "relay_from_hosts"),
        ("mx.example ESMTP OpenSMTPD", "smtpd.conf"),
    ],
)
def test_relaying_names_the_setting_of_this_software(banner, setting) -> None:
    """The setting to look at is that of the software which greeted."""
    line = "RCPT TO:<zoe@example.com>"
    found = causes("550 5.7.1 Relaying denied", verb="RCPT", line=line, banner=banner, user="ann")
    assert setting in found[0][0]
    assert found[0][1] == "RCPT TO:<postmaster>"


def test_what_the_session_rules_out_is_not_named() -> None:
    """Nobody is told that a message is too big when its size is known to fit."""
    texts = [
        text
        for text, _ in causes(
            "552 5.3.4 too big", verb="MAIL", message_size=1_000, size_limit=1_000_000
        )
    ]
    assert not any("octets, the server takes" in text for text in texts)
    assert not any("larger than the number after SIZE" in text for text in texts)


def test_a_private_address_is_not_asked_about() -> None:
    """Behind a router our own address says nothing to block lists; the one in the text does."""
    text = "554 5.7.1 Client host [203.0.113.9] blocked using zen.example"
    for address in ("192.168.1.7", "127.0.0.1", "fd00::7"):
        found = causes(text, verb="RCPT", client_address=address, user="ann")
        assert found[0][1] == "/dnsbl 203.0.113.9"


def test_a_submission_server_that_turns_strangers_away_wants_a_login() -> None:
    """Where logins are offered and nobody has logged in, that is the first cause to look at."""
    text = "554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied"
    assert causes(text, verb="RCPT")[0][1] == "/auth"
    assert causes(text, verb="RCPT", user="ann")[0][1] != "/auth"
    assert causes(text, verb="RCPT", port=25)[0][1] != "/auth"


@pytest.mark.parametrize(
    ("command", "sensible"),
    [
        ("/mx 127.0.0.1", False),
        ("/mx localhost", False),
        ("/mx [2001:db8::1]", False),
        ("/mx example.com", True),
        ("/connect mail.example.net:587", False),
        ("/connect mail.example.net:465", True),
        ("/connect", True),
        ("NOOP", True),
    ],
)
def test_commands_that_can_tell_nothing_are_known(command, sensible) -> None:
    """No mail host is asked for of an address, and no connection to where we are."""
    assert is_sensible(command, LIVE) is sensible


def test_words_to_be_filled_in_are_found() -> None:
    """Capitals that stand for what the user knows are told from verbs and values."""
    assert unfilled("/spf example.com --ip IP") == ("IP",)
    assert unfilled("RCPT TO:<RECIPIENT>") == ("RECIPIENT",)
    assert unfilled("/connect HOST:25") == ("HOST",)
    assert unfilled("RCPT TO:<zoe@example.com>") == ()
    assert nearest_verb("EHLLO") == "EHLO"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_refused_login_can_be_told(kind) -> None:
    """Each has a code or words that tell it, and a meaning."""
    assert kind.codes or kind.words
    assert kind.meaning


@pytest.mark.parametrize(
    "text",
    [
        "550 5.7.1 Unauthenticated email from shop.example is not accepted due to DMARC policy",
        "550 5.7.1 Email rejected per DMARC policy for shop.example",
        "550 5.7.26 blocked because unauthenticated. SPF [shop.example] with ip: [192.0.2.1]",
        "550 5.7.23 SPF failed: domain of ann@shop.example does not designate 192.0.2.7",
    ],
)
def test_the_domain_that_a_text_names_is_looked_up(text) -> None:
    """A refusal of an unproven sender that names the domain leads to a look-up of that domain."""
    found = explain(Reply.parse(text))
    assert any(command.split()[1:2] == ["shop.example"] for command in found.next)


def known_facts() -> tuple[set[str], tuple[str, ...]]:
    """Return the facts that situation.py names, whole ones and beginnings."""
    import ast
    from pathlib import Path

    from smtpshell.knowledge import situation

    whole: set[str] = set()
    heads: set[str] = set()
    for node in ast.walk(ast.parse(Path(situation.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            heads.add(str(node.values[0].value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            whole.add(node.value)
    return whole, tuple(head for head in heads if head[-1:] in ":-")


def test_the_table_of_causes_names_facts_that_exist() -> None:
    """Each fact of a row is one that a session can show, so that no row waits in vain."""
    whole, heads = known_facts()
    login = {f"login:{kind.name}" for kind in KINDS}
    for rows in advice().values():
        for row in rows:
            for fact in row.when | row.unless:
                assert fact in whole | login or fact.startswith(heads), (fact, row.text)
                assert not fact.startswith("login:") or fact in login, (fact, row.text)


def test_the_table_of_causes_names_classes_that_exist() -> None:
    """No row belongs to a class that no reply can fall into, and no row is twice in a class."""
    assert advice().keys() <= CLASSES.keys()
    for class_, rows in advice().items():
        told = [(row.text, row.when) for row in rows]
        assert len(told) == len(set(told)), class_


@pytest.mark.parametrize(("offered", "command"), [(True, "MAIL"), (False, "EHLO")])
def test_smtputf8_that_is_offered_has_only_to_be_asked_for(offered, command) -> None:
    """Where the server offers SMTPUTF8, the advice is the parameter, and no other host."""
    line = "MAIL FROM:<pelé@client.example>"
    extensions = {"SIZE": (), **({"SMTPUTF8": ()} if offered else {})}
    context = Context(
        verb="MAIL", line=line, host="mx.example.com", state="READY", extensions=extensions
    )
    found = explain(Reply.parse("553 5.6.7 Non-ASCII address needs SMTPUTF8"), context)
    assert found.causes[0].confirm.startswith(command)
    assert (f"{line} SMTPUTF8" in found.next) == offered
    assert any("not offer" in cause.text for cause in found.causes) != offered


@pytest.mark.parametrize("reply", ["555 5.5.4 Unsupported option: FOO=1", "501 5.5.4 Bad: FOO=1"])
def test_a_parameter_that_is_not_taken_is_named(reply) -> None:
    """Behind a well-formed MAIL with parameters these are suspected, not the verb."""
    line = "MAIL FROM:<ann@example.com> FOO=1"
    context = Context(verb="MAIL", line=line, host="mx.example.com", state="READY")
    found = explain(Reply.parse(reply), context)
    assert "not what this server takes: FOO=1." in found.causes[0].text
    assert not any("does not know MAIL" in cause.text for cause in found.causes)


def test_a_refused_starttls_is_one_also_where_nobody_tells_the_verb() -> None:
    """Pasted alone, "TLS not available" is still about the server, and not a certificate first."""
    found = explain(Reply.parse("454 4.7.0 TLS not available due to local problem"), Context())
    assert found.causes[0].text.startswith("The server cannot encrypt now")
