"""The tables of codes: complete, cited, and read by verb."""

from __future__ import annotations

import csv

import pytest

from smtpshell.knowledge.classes import CLASSES, RETRY, WHO
from smtpshell.knowledge.codes import Code, code_meaning, code_row, codes
from smtpshell.knowledge.enhanced import (
    REGISTRY,
    Detail,
    details,
    disagreement,
    enhanced_row,
    is_registered,
)
from tests.conftest import shared_data


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of the shared replies."""
    with shared_data(f"replies/{name}").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_every_basic_code_is_known():
    """Each basic code of the shared list has a row of ours."""
    missing = [row["code"] for row in rows("basic_codes.tsv") if code_row(int(row["code"])) is None]
    answered = {code for code, _ in codes()}
    assert [code for code in missing if int(code) not in answered] == []


def test_every_registered_enhanced_code_is_known():
    """Each enhanced code of the registry has a row of ours that is not called private."""
    for row in rows("enhanced_status_codes.tsv"):
        detail = row["code"].removeprefix("X.")
        assert (REGISTRY, detail) in details(), row["code"]


def test_every_row_has_its_section_and_class():
    """No row of the tables lacks a meaning, a citation or a known class."""
    rows_of_both: list[Code | Detail] = [*codes().values(), *details().values()]
    for row in rows_of_both:
        assert row.meaning
        assert row.section.startswith(("RFC ", "draft-"))
        assert row.class_ in CLASSES


def test_classes_agree_with_the_shared_table():
    """The classes are those of the shared table, with the same person and the same retry."""
    shared = {
        row["class"]: (row["who_must_act"], row["retry_unchanged"]) for row in rows("classes.tsv")
    }
    assert shared == {name: (row.who, row.retry) for name, row in CLASSES.items()}


def test_every_class_is_described():
    """Each class has a sentence, a person, a retry and a section in words of ours."""
    for row in CLASSES.values():
        assert row.sentence
        assert row.who in WHO
        assert row.retry in RETRY
        assert row.sections


def test_a_code_means_what_it_means_for_the_verb():
    """550 says another thing to RCPT than to MAIL, and an unknown verb gets the general row."""
    assert code_meaning(550, "RCPT") != code_meaning(550, "MAIL")
    assert code_meaning(250, "NOSUCH") == code_meaning(250)


@pytest.mark.parametrize(
    ("code", "words"), [(299, "Done"), (399, "Go on"), (499, "Not now"), (599, "for good")]
)
def test_an_unknown_code_is_read_by_its_first_digit(code, words):
    """A code that no row names still means what its first digit says."""
    assert words in code_meaning(code)


def test_a_code_that_is_none_is_said_to_be_none():
    """No code, and a code outside SMTP, are named as such."""
    assert "without" in code_meaning(None)
    assert "Not a code" in code_meaning(999)


def test_a_private_number_is_said_to_be_private():
    """A number outside the registry is private, with its subject, and is never guessed at."""
    row = enhanced_row("5.7.999")
    assert row is not None
    assert "private" in row.meaning
    assert "security" in row.meaning
    assert not is_registered("5.7.999")


def test_a_number_may_mean_another_thing_to_its_owner():
    """5.1.10 is a null MX in the registry, and an unknown recipient to Exchange Online."""
    registered, private = enhanced_row("5.1.10"), enhanced_row("5.1.10", "microsoft")
    assert registered is not None
    assert registered.class_ == "dns_host"
    assert private is not None
    assert private.class_ == "user_unknown"


def test_text_that_is_no_code_has_no_row():
    """Nothing is made of a subject that does not exist."""
    assert enhanced_row(None) is None
    assert enhanced_row("5.9.9") is None


def test_disagreement_of_the_two_codes_is_a_fact():
    """A basic code of one class with an enhanced code of another is pointed out, and cited."""
    assert disagreement(550, "5.1.1") is None
    assert disagreement(None, "5.1.1") is None
    said = disagreement(450, "5.1.1")
    assert said is not None
    assert "450" in said
    assert "RFC 2034" in said
