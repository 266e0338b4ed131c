"""The language of `when`: what it means, what it refuses, and that it cannot fail later."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.practice.expression import FACTS, Expression, ExpressionError
from smtpshell.practice.globs import matches_glob

NOW: dict[str, bool | int | float | str] = {
    "auth": True,
    "port": 587,
    "sender": "Ann@Client.example",
    "size": 10,
    "tls": False,
}


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("auth", True),
        ("not auth", False),
        ("not not auth", True),
        ("tls or auth", True),
        ("tls and auth", False),
        ("tls and tls or auth", True),
        ("tls and (tls or auth)", False),
        ("port == 587", True),
        ("port != 587", False),
        ("size > 9 and size >= 10 and size < 11 and size <= 10", True),
        ("size > 9.5", True),
        ("sender == 'ann@client.EXAMPLE'", True),
        ('sender like "*@client.example"', True),
        ("sender like '*@elsewhere.example'", False),
        ("sender", True),
        ("recipient", False),
        ("recipient == ''", True),
        ("NOT tls AND auth", True),
        ("size", True),
    ],
)
def test_meaning(source: str, holds: bool) -> None:
    """Operators bind as usual, texts ignore case, absent facts are empty."""
    assert Expression.parse(source).holds(NOW) is holds


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "missing"),
        ("auth and", "missing"),
        ("auth auth", "not expected"),
        ("(auth", "not closed"),
        ("size == 'x'", "compares a number with a text"),
        ("size like 3", "compares"),
        ("auth == 1", "condition"),
        ("import os", "no fact"),
        ("__class__", "no fact"),
        ("sender[0]", "cannot read"),
        ("sender == 'x", "cannot read"),
        ("(" * 100 + "auth" + ")" * 100, "brackets"),
    ],
)
def test_what_is_wrong_is_found_when_it_is_read(source: str, why: str) -> None:
    """A broken expression says what is wrong with it, at once."""
    with pytest.raises(ExpressionError, match=why):
        Expression.parse(source)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(source: str) -> None:
    """Nothing but an ExpressionError comes of any text."""
    try:
        Expression.parse(source).holds({})
    except ExpressionError:
        pass


WORDS = st.sampled_from([*FACTS, "and", "or", "not", "==", "<", "like", "(", ")", "1", "'x'"])


@given(st.lists(WORDS, max_size=12))
def test_what_was_read_can_be_evaluated(words: list[str]) -> None:
    """An expression that was accepted never fails, whatever the facts."""
    try:
        expression = Expression.parse(" ".join(words))
    except ExpressionError:
        return
    empty: dict[str, bool | int | float | str] = {name: kind() for name, (kind, _) in FACTS.items()}
    for facts in ({}, NOW, empty):
        assert expression.holds(facts) in (True, False)


@pytest.mark.parametrize(
    ("glob", "text", "fits"),
    [
        ("*@a.example", "X@A.example", True),
        ("a?c", "abc", True),
        ("[192.0.2.1]", "[192.0.2.1]", True),
        ("[ab]", "a", False),
        ("a*", "ba", False),
        ("*", "", True),
        ("*", "two\nlines", True),
    ],
)
def test_globs(glob: str, text: str, fits: bool) -> None:
    """Only `*` and `?` mean anything; brackets are those of address literals."""
    assert matches_glob(glob, text) is fits
