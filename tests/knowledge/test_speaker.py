"""Recognising who is speaking."""

from __future__ import annotations

import csv

import pytest

from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.knowledge.rulebook import own_rulebook
from smtpshell.knowledge.speaker import recognise, title
from smtpshell.protocol.replies import Reply
from tests.conftest import shared_data

KNOWN = {
    "Postfix": "postfix",
    "exim": "exim",
    "Sendmail": "sendmail",
    "Exchange Server": "exchange",
    "IIS": "iis",
    "MDaemon": "mdaemon",
    "IBM Domino": "domino",
    "PowerMTA": "powermta",
}


def test_banners_give_software_away():
    """Nine of ten banners of the common servers are recognised."""
    with shared_data("replies/banners.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["reply_to"] == "banners"]
    rows = [row for row in rows if row["product"] in KNOWN]
    missed = [row["text"] for row in rows if recognise(row["text"])[1] != KNOWN[row["product"]]]
    assert len(missed) <= len(rows) // 10, missed


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ("mx.google.com ESMTP x - gsmtp", "google"),
        ("BL0.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready", "microsoft"),
        ("mtaproxy1.mail.yahoo.com ESMTP ready", "yahoo"),
        ("mx1.hc1.eu.iphmx.com ESMTP", "cisco"),
        ("mx.example.com ESMTP", None),
    ],
)
def test_host_names_give_services_away(text, provider):
    """A service is recognised by the domain of its servers."""
    assert recognise(text)[0] == provider


def test_every_speaker_has_a_title_and_a_way_to_be_recognised():
    """No speaker of the table is nameless or can never be recognised."""
    for speaker in own_rulebook().speakers:
        assert title(speaker.name) == speaker.title
        assert speaker.match or speaker.domains
        assert speaker.kind in ("provider", "software", "list")


def test_a_number_of_one_service_tells_who_speaks():
    """An enhanced code that one hosted service alone uses names it, whatever the text says."""
    found = explain(Reply.parse("535 5.7.139 Authentication unsuccessful, try another way"))
    assert found.provider == "microsoft"
    assert explain(Reply.parse("550 5.7.60 not allowed")).provider is None


def test_a_provider_with_software_of_its_own_is_not_taken_for_postfix() -> None:
    """Exchange Online says "Recipient address rejected" as Postfix does, and is no Postfix."""
    text = "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"
    found = explain(Reply.parse(text), Context(verb="RCPT"))
    assert (found.provider, found.software) == ("microsoft", None)
