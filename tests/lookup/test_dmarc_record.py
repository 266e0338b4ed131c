"""DMARC records: the shared cases, and what RFC 9989 says about the corners."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.lookup.dmarc_record import is_dmarc, parse_record
from tests.lookup.tables import differences, rows


def codes(text: str) -> set[str]:
    """Return the codes of a record's problems."""
    return {problem.code for problem in parse_record(text).problems}


def test_shared_records() -> None:
    """Every shared record is read as RFC 9989 reads it."""
    wrong = {
        row.number: found
        for row in rows("dmarc.tsv", "record")
        if (found := differences(row, parse_record(row.text).to_json()))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=DMARC1", True),
        ("v=DMARC1;", True),
        ("v=DMARC1 ; p=none", True),
        ("V\t=\tDMARC1\t;", True),
        (" v=DMARC1; p=none", False),
        ("v=DMARC1, p=none", False),
        ("p=none; v=DMARC1", False),
        ("v=DMARC1.0; p=none", False),
        ("", False),
    ],
)
def test_version_decides(text: str, expected: bool) -> None:
    """A text is a DMARC record exactly when it begins with the version and nothing else."""
    assert is_dmarc(text) is expected
    assert parse_record(text).is_dmarc is expected


@pytest.mark.parametrize(
    ("tags", "action", "policies"),
    [
        ("p=reject; sp=none; np=quarantine", "apply", ("reject", "none", "quarantine")),
        ("p=reject; sp=", "no DMARC processing", (None, None, None)),
        ("sp=reject", "no DMARC processing", (None, None, None)),
        (
            "sp=reject; rua=mailto:a@example.com",
            "p=none because rua is valid",
            ("none", None, None),
        ),
        ("p=x; rua=nobody", "no DMARC processing", (None, None, None)),
        ("p=x; rua=bad,https://r.example/", "p=none because rua is valid", ("none", None, None)),
        ("p=x; ruf=mailto:a@example.com", "no DMARC processing", (None, None, None)),
    ],
)
def test_unusable_policies(tags: str, action: str, policies: tuple[str | None, ...]) -> None:
    """A bad policy tag turns the record into p=none when it asks for reports, else into nothing."""
    record = parse_record(f"v=DMARC1; {tags}")
    assert record.action == action
    assert (record.p, record.sp, record.np) == policies


@pytest.mark.parametrize(
    ("value", "options"),
    [("1", ("1",)), ("d : s", ("d", "s")), ("0:x", ("0",)), ("", ("0",)), ("S:D", ("s", "d"))],
)
def test_failure_options(value: str, options: tuple[str, ...]) -> None:
    """An unknown failure option spoils the list; blanks and case do not."""
    assert parse_record(f"v=DMARC1; p=none; fo={value}").fo == options


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("v=DMARC1; p=reject; pct=50", "removed-tag"),
        ("v=DMARC1; p=reject; rua=mailto:a@b.example!10m", "report-uri-size"),
        ("v=DMARC1; p=reject; rua=a@b.example", "report-uri-invalid"),
        ("v=DMARC1; p=reject; rua=mailto:", "report-uri-address"),
        ("v=DMARC1; p=reject; sp=none", "sp-weaker"),
        ("v=DMARC1; p=reject; t=y", "testing"),
        ("v=DMARC1; p=reject; fo=0:1", "fo-contradiction"),
        ("v=DMARC1; p=reject; adkim=x", "adkim-invalid"),
        ("v=DMARC1; p=reject; colour=blue", "unknown-tag"),
        ("v=DMARC1; p=reject; fo:1", "junk"),
        ("v=DMARC1; p=reject; p=none", "duplicate-tag"),
        ("v=DMARC1; p=reject", "no-rua"),
        ("v=DMARC1; rua=mailto:a@b.example", "p-missing"),
        ("v=DMARC1 p=reject", "not-dmarc"),
    ],
)
def test_faults_are_told(text: str, code: str) -> None:
    """Each fault yields its own problem, with a reason and advice."""
    problems = [problem for problem in parse_record(text).problems if problem.code == code]
    assert len(problems) == 1
    assert problems[0].why
    assert problems[0].advice
    assert problems[0].section.startswith("RFC ")


def test_good_record_has_no_problem() -> None:
    """A record without fault is not nagged about."""
    assert not codes("v=DMARC1; p=reject; rua=mailto:a@b.example")


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """No text makes the parser raise, and its JSON always has every field."""
    found = parse_record(f"v=DMARC1;{text}").to_json()
    assert found["is_dmarc"] is True
    assert {"action", "p", "sp", "np", "adkim", "aspf", "fo", "psd", "t", "rua", "ruf"} <= set(
        found
    )
