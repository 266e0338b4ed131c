"""Refused logins: the advice uses what the session knows."""

from __future__ import annotations

import pytest

from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.knowledge.logins import login_advice
from smtpshell.knowledge.providers import providers
from smtpshell.protocol.replies import Reply

OFFERED = ("PLAIN", "LOGIN", "SCRAM-SHA-256")


@pytest.mark.parametrize(
    ("reply", "facts", "said"),
    [
        ("535 5.7.8 no", {"host": "smtp.gmail.com:587"}, "app password"),
        ("535 5.7.8 no", {"tls": False, "extensions": {"STARTTLS": ()}}, "/starttls"),
        ("535 5.7.8 no", {"tls": False}, "smtps://"),
        ("535 5.7.8 no", {"tls": True, "port": 25}, "587"),
        (
            "535 5.7.8 no",
            {"tls": True, "mechanism": "CRAM-MD5", "auth_mechanisms": OFFERED},
            "keeps the password itself",
        ),
        ("534 5.7.9 no", {"line": "AUTH PLAIN [hidden]", "auth_mechanisms": OFFERED}, "SCRAM"),
        ("538 5.7.11 no", {"tls": False, "extensions": {"STARTTLS": ()}}, "/starttls"),
        ("530 5.7.0 no", {"tls": False, "extensions": {"STARTTLS": ()}}, "/starttls"),
        ("530 5.7.0 no", {"tls": True, "auth_mechanisms": OFFERED}, "/auth"),
        ("530 5.7.0 Must issue STARTTLS", {"tls": False, "auth_mechanisms": OFFERED}, "smtps://"),
        ("432 4.7.12 no", {"auth_mechanisms": OFFERED}, "PLAIN inside TLS"),
        ("454 4.7.0 no", {}, "later"),
        ("504 5.5.4 no", {"line": "AUTH FOO", "auth_mechanisms": OFFERED}, "PLAIN, LOGIN"),
    ],
)
def test_each_code_has_its_advice(reply, facts, said) -> None:
    """Mechanism, TLS, port and provider are used where they are known."""
    verb = "MAIL" if reply.startswith("530") else "AUTH"
    assert said in login_advice(Reply.parse(reply), Context(verb=verb, **facts))


@pytest.mark.parametrize("code", [432, 454, 504, 530, 534, 535, 538])
def test_without_facts_nothing_is_made_up(code) -> None:
    """An empty context gives advice that is true of any session, or none."""
    advice = login_advice(Reply.parse(f"{code} no"), Context(verb="AUTH"))
    assert "STARTTLS" not in advice
    assert ", ," not in advice


def test_other_replies_get_none() -> None:
    """504 to MAIL is about a parameter, 454 to STARTTLS about TLS."""
    assert login_advice(Reply.parse("504 5.5.4 no"), Context(verb="MAIL")) == ""
    assert login_advice(Reply.parse("454 4.7.0 no"), Context(verb="STARTTLS")) == ""


@pytest.mark.parametrize("provider", providers().values(), ids=lambda row: row.name)
def test_every_provider_says_what_it_wants(provider) -> None:
    """A refused login at a provider names its user name and its kind of password."""
    advice = login_advice(Reply.parse("535 no"), Context(verb="AUTH", host=provider.host))
    assert provider.user in advice
    assert provider.password in advice


@pytest.mark.parametrize(
    "text", ["535 5.7.8 Error: authentication failed", "The user name or password is incorrect"]
)
def test_a_refused_login_is_one_also_where_nobody_tells_the_verb(text) -> None:
    """The codes and the words of refused logins answer AUTH alone, so nothing else is advised."""
    found = explain(Reply.parse(text), Context())
    assert "password is wrong" in found.causes[0].text
    assert not any("have not logged in" in cause.text for cause in found.causes)
