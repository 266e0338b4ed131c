"""The glossary: every word defined, cited and found."""

from __future__ import annotations

import re

import pytest

from smtpshell.knowledge.advice import advice
from smtpshell.knowledge.codes import code_row
from smtpshell.knowledge.rulebook import own_rulebook
from smtpshell.knowledge.words import glossary, lookup_word


@pytest.mark.parametrize("word", glossary().values(), ids=glossary())
def test_each_word_is_defined_and_found(word):
    """A word has a text in whole sentences, a section, and is found by each of its names."""
    assert word.text.endswith(".")
    assert word.section
    for name in (word.name, *word.also):
        assert lookup_word(name.upper()) is word


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("grey listing", "greylisting"),
        ("GREYLISTNG", "greylisting"),
        ("open relays", "open relay"),
        ("reverse path", "reverse-path"),
        ("rDNS", "PTR"),
        ("dot stuffing", "dot-stuffing"),
    ],
)
def test_a_word_is_found_however_it_is_written(text, name):
    """Case, spaces, plurals and slips do not hide a word."""
    found = lookup_word(text)
    assert found is not None
    assert found.name == name


def test_what_is_no_word_is_not_found():
    """Nonsense, nothing, and a whole novel find nothing."""
    for text in ("zzzz", "", "!", "x" * 10_000):
        assert lookup_word(text) is None


def test_the_words_that_advice_points_at_exist():
    """Each /explain that a cause suggests leads to a word or a code."""
    commands = [row.confirm for rows in advice().values() for row in rows]
    commands += [command for rule in own_rulebook().rules for _, command in rule.causes]
    for command in commands:
        match = re.fullmatch(r"/explain (.+)", command)
        if match:
            text = match[1]
            assert lookup_word(text) or code_row(int(text)), command
