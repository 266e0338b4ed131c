"""Names that say whose world it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.grammar import domain_problem
from smtpshell.tutor.classroom.keys import Key, Keys, label_of
from smtpshell.tutor.classroom.submission import check_student

KEYS = Keys(["001", "017", "Ann_B", "c.d"])


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("s017.practice.example", "017"),
        ("S017.Practice.Example.", "017"),
        ("alice@s017.practice.example", "017"),
        ("laptop.s017.practice.example", "017"),
        ("sann-b.practice.example", "Ann_B"),
        ("bob@sc.d.practice.example", "c.d"),
    ],
)
def test_a_domain_tells_the_student(name: str, student: str) -> None:
    """In any case, with what stands before it, as a host or in an address."""
    key = KEYS.find(name)
    assert key is not None
    assert key.student == student


@pytest.mark.parametrize(
    "name",
    [
        "client.example",
        "practice.example",
        "mail.practice.example",
        "strict.practice.example",
        "s017.elsewhere.example",
        "s017",
        "017.practice.example",
        "[192.0.2.1]",
        "s017.practice.example.example",
        "",
    ],
)
def test_other_names_tell_nothing(name: str) -> None:
    """Hosts of a scenario above all."""
    assert KEYS.find(name) is None


def test_a_key_that_nobody_has_is_told_with_the_one_that_was_meant() -> None:
    """The digits alone come close."""
    assert KEYS.find("s17.practice.example") == Key("s17", meant="s017")
    assert KEYS.find("s999.practice.example") == Key("s999")


def test_two_students_never_share_a_domain() -> None:
    """Ids that differ in an underline alone are refused before anybody is served."""
    with pytest.raises(UsageError, match="would share"):
        Keys(["ann-b", "ann_b"])


@given(st.text(max_size=80))
def test_no_name_upsets_the_keys(name: str) -> None:
    """Whatever a client says, it is a key or none."""
    key = KEYS.find(f"{name}.practice.example")
    assert key is None or len(key.label) <= 80


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", fullmatch=True))
def test_every_id_has_a_domain_that_servers_take(student: str) -> None:
    """What stands before the domain is a host name, so EHLO takes it, and it is found again."""
    check_student(student)
    keys = Keys([student])
    assert domain_problem(keys.domain_of(student)) is None
    key = keys.find(f"bob@{keys.domain_of(student)}")
    assert key is not None
    assert key.student == student
    assert label_of(student) == label_of(student.upper())
