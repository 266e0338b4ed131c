"""Connections that fail are explained like replies."""

from __future__ import annotations

import pytest

from smtpshell.knowledge.classes import CLASSES
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.failures import SERVICES, explain_failure, failures

NEEDED = {
    "unresolved",
    "no-dns",
    "refused",
    "filtered",
    "unreachable",
    "reset",
    "closed",
    "no-banner",
    "tls-to-plain",
    "plain-to-tls",
    "tls-failed",
    "not-smtp",
    "timeout",
}


@pytest.mark.parametrize("kind", failures())
@pytest.mark.parametrize("port", [25, 465, 587, 2525, None])
def test_each_failure_is_explained_on_each_port(kind, port):
    """Every kind has a class, a meaning, causes, commands and a section."""
    found = explain_failure(kind, Context(host="mx.example.com", port=port))
    assert found.class_ in CLASSES
    assert found.meaning.startswith("It failed: ")
    assert found.causes
    assert found.next
    assert found.sections[0].startswith("RFC ")


def test_the_ways_to_fail_are_all_there():
    """Each way in which a connection can fail is in the table, and tells of the host."""
    for kind in NEEDED:
        found = explain_failure(kind, Context(host="mx.example.com", port=25))
        assert "mx.example.com" in found.meaning
        assert len(found.causes) >= 2


def test_port_25_without_an_answer_points_at_submission():
    """No answer on port 25 is most often the own provider; the way out is port 587."""
    found = explain_failure("filtered", Context(host="mx.example.com", port=25))
    assert "port 25" in found.causes[0].text
    assert found.next[0] == "/connect mx.example.com:587"


def test_without_a_port_the_usual_ones_are_told():
    """Where nobody says which port it was, each usual one is named with what it means."""
    for kind in ("filtered", "refused", "failed"):
        found = explain_failure(kind, Context(host="mx.example.com"))
        assert found.next[0] == "/connect mx.example.com:587", kind
    one = explain_failure("refused", Context(host="mx.example.com", port=587))
    assert "on port 587." not in " ".join(cause.text for cause in one.causes)


def test_the_time_waited_is_told():
    """Without a banner the meaning says how long was waited."""
    found = explain_failure("no-banner", Context(host="mx.example.com", ms=30_000))
    assert "within 30 seconds" in found.meaning


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_another_service_is_named(service):
    """What answered instead of SMTP is named in words."""
    found = explain_failure(f"not-smtp:{service}", Context(host="mx.example.com", port=80))
    assert SERVICES[service] in found.meaning


def test_an_unknown_kind_is_an_error_of_the_caller():
    """Only kinds of the table are taken."""
    with pytest.raises(KeyError):
        explain_failure("bored", Context())
