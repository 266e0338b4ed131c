"""Every way in which a connection can fail has an explanation with a next step."""

from __future__ import annotations

import asyncio
import typing

import pytest

from smtpshell.conversation.driver import Conversation
from smtpshell.conversation.explaining import diagnose
from smtpshell.conversation.targets import parse_target
from smtpshell.conversation.terms import Options
from smtpshell.knowledge.classes import CLASSES
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.failures import SERVICES, explain_failure, failures, kind_of
from smtpshell.net import doors, errors
from smtpshell.net.link import LinkOptions
from smtpshell.protocol.errors import SmtpshellError
from tests.net import rogue


def kinds(literal: object) -> list[str]:
    """Return the words of a Literal, nested ones included."""
    found = []
    for word in typing.get_args(literal):
        found += [word] if isinstance(word, str) else kinds(word)
    return found


LINK_KINDS = kinds(errors.LinkKind)
TLS_KINDS = kinds(errors.TlsKind)
DOORS = sorted({service for service, *_ in doors._ROWS})
STAGES = ("connect", "wait", "write")
EMITTED = [
    *((stage, kind) for stage in STAGES for kind in (*LINK_KINDS, "")),
    *(("tls", kind) for kind in TLS_KINDS),
    *(("banner", service) for service in DOORS),
]


@pytest.mark.parametrize(("stage", "kind"), EMITTED)
def test_every_kind_has_a_next_step(stage: str, kind: str) -> None:
    """Whatever the link, TLS, a door or the driver emits is explained, with what to do next."""
    for greeted in (True, False):
        name = kind_of(stage, kind, greeted=greeted)
        explanation = explain_failure(name, Context(host="mx.example.com", port=25))
        assert explanation.class_ in CLASSES
        assert explanation.meaning.endswith(".")
        assert "{" not in explanation.meaning
        assert explanation.causes
        assert explanation.next
        assert all(command.strip() for command in explanation.next)


@pytest.mark.parametrize(
    ("stage", "kind", "greeted", "name"),
    [
        ("connect", "resolve", False, "unresolved"),
        ("connect", "timeout", False, "filtered"),
        ("wait", "timeout", False, "no-banner"),
        ("wait", "timeout", True, "timeout"),
        ("tls", "not-tls", True, "tls-to-plain"),
        ("tls", "alert", True, "tls-failed"),
        ("tls", "timeout", True, "tls-failed"),
        ("banner", "tls", False, "plain-to-tls"),
        ("banner", "imap", False, "not-smtp:imap"),
        ("connect", "refused", False, "refused"),
        ("wait", "something new", True, "failed"),
    ],
)
def test_kinds_lead_to_the_right_row(stage: str, kind: str, greeted: bool, name: str) -> None:
    """The same kind means different things at different stages."""
    assert kind_of(stage, kind, greeted=greeted) == name


def test_every_door_is_named_in_words() -> None:
    """A wrong server is told by what it is, not only that it is wrong."""
    for service in DOORS:
        if service != "tls":
            assert service in SERVICES
            words = explain_failure(f"not-smtp:{service}", Context(host="mx.example.com")).meaning
            assert SERVICES[service] in words


def test_the_table_has_no_row_that_nothing_leads_to() -> None:
    """Each row is reached from an event of the driver or from a phrase in a text."""
    from smtpshell.transcript.intake.phrases import PHRASES

    reached = {
        kind_of(stage, kind, greeted=flag) for stage, kind in EMITTED for flag in (True, False)
    }
    reached = {name.partition(":")[0] for name in reached} | {kind for _, kind in PHRASES}
    assert failures().keys() == reached


async def diagnosis(target: str, **options: typing.Any) -> typing.Any:
    """Connect, fail, and return what /why then says."""
    given = Options(timeout=0.3, connect_timeout=0.5, link=LinkOptions(), **options)
    async with Conversation(given) as conversation:
        with pytest.raises(SmtpshellError):
            await conversation.connect(parse_target(target))
        return diagnose(conversation)


@pytest.mark.parametrize(
    ("behaviour", "scheme", "class_", "words"),
    [
        (rogue.silent(), "smtp", "network", "no greeting"),
        (rogue.banner(b"* OK IMAP4rev1 ready\r\n"), "smtp", "protocol", "IMAP"),
        (rogue.banner(b"220 mx.example.com ESMTP\r\n"), "smtps", "tls", "plain text"),
        (rogue.reset(), "smtp", "network", "cut off"),
        (rogue.banner(b"", then_close=True), "smtp", "network", "closed"),
    ],
)
def test_why_explains_a_failed_connection(
    behaviour: rogue.Behaviour, scheme: str, class_: str, words: str
) -> None:
    """/why after a connection that failed tells what happened and what to run."""
    with rogue.serve(behaviour) as server:
        found = asyncio.run(diagnosis(f"{scheme}://127.0.0.1:{server.port}"))
    assert found.class_ == class_
    assert words in found.meaning
    assert found.next


def test_why_explains_a_port_where_nobody_listens() -> None:
    """A refused connection names the port, and other ports to try."""
    found = asyncio.run(diagnosis("smtp://127.0.0.1:1"))
    assert found.class_ == "network"
    assert "nothing listens on port 1" in found.meaning
