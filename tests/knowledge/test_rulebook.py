"""The rules as data: each proven by its examples, readable as TOML, extended by users."""

from __future__ import annotations

import tomllib

import pytest

from smtpshell.knowledge.classes import CLASSES
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.knowledge.likeness import split_example
from smtpshell.knowledge.rulebook import (
    FOLDER,
    RuleError,
    load_rulebook,
    own_rulebook,
    read_plain,
    users_rule,
    users_speaker,
)
from smtpshell.protocol.errors import FileError
from smtpshell.protocol.replies import Reply

RULES = own_rulebook().rules
EXAMPLES = [(rule, example) for rule in RULES for example in rule.examples]


def explained(example: str, **more):
    """Explain an example in the context of the command that it names."""
    verb, reply = split_example(example)
    return explain(Reply.parse(reply), Context(verb=verb or None), **more)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=[text for _, text in EXAMPLES])
def test_an_example_gets_the_class_of_its_rule(rule, example):
    """Each example beside a rule falls into the class that the rule names."""
    assert explained(example).class_ == rule.class_


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_a_rule_decides_one_of_its_examples(rule):
    """No rule is dead: it decides at least one of its own examples."""
    assert rule.name in {explained(example).rule for example in rule.examples}


def test_every_pattern_can_be_read():
    """All patterns of our rules are read to their ends without fault."""
    book = own_rulebook()
    for rule in RULES:
        book.matcher.check(rule.match + rule.unless)
    for speaker in book.speakers:
        book.matcher.check(speaker.match)


def test_our_own_rules_pass_the_checks_of_a_users():
    """The checks that are skipped for our own files, to be quick, find nothing in them."""
    for path in sorted(FOLDER.glob("*.toml")):
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        for table in document.get("rule", ()):
            users_rule(table, path.name)
        for table in document.get("speaker", ()):
            users_speaker(table, path.name)


def test_every_class_of_failure_has_a_rule():
    """All classes but success and the unknown are reached by some rule."""
    assert {rule.class_ for rule in RULES} == set(CLASSES) - {"ok", "unknown"}


def test_every_class_has_examples_enough_to_be_recognised():
    """Each class has several examples, which the likeness learns from."""
    for name in set(CLASSES) - {"ok", "unknown"}:
        assert sum(rule.class_ == name for rule, _ in EXAMPLES) >= 5, name


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.name)
def test_our_reader_reads_what_toml_says(path):
    """The quick reader and tomllib agree on every one of our files."""
    text = path.read_text(encoding="utf-8")
    assert read_plain(text) == tomllib.loads(text)


def test_the_tables_are_toml_too():
    """The TOML tables that our reader reads are TOML as well."""
    for name in ("causes", "failures", "glossary"):
        path = FOLDER.parent / "tables" / f"{name}.toml"
        text = path.read_text(encoding="utf-8")
        assert read_plain(text) == tomllib.loads(text)


USER_RULE = """
[words]
shrubbery = ["shrub", "hedge"]

[[rule]]
name = "no-shrubbery"
class = "policy"
match = ["{shrubbery} ~ missing"]
meaning = "the site wants a shrubbery"
causes = ["Bring one. => /help"]
next = ["NOOP"]
examples = ["550 5.1.1 the hedge is missing"]
"""


def test_a_user_adds_rules_that_win(tmp_path):
    """A rule from the user's folder counts more than ours, and brings its own words."""
    (tmp_path / "mine.toml").write_text(USER_RULE)
    found = explained("550 5.1.1 User unknown, the hedge is missing", book=load_rulebook(tmp_path))
    assert found.class_ == "policy"
    assert found.rule == "no-shrubbery"
    assert "shrubbery" in found.meaning
    assert found.causes[0].text == "Bring one."
    assert found.next[0] == "NOOP"


def test_a_folder_that_is_not_there_adds_nothing(tmp_path):
    """Without a folder of rules the rulebook is ours alone."""
    assert len(load_rulebook(tmp_path / "none").rules) == len(RULES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rule]\n", "not TOML"),
        ("[[rule]]\nname = 'x'\n", "class is missing"),
        (USER_RULE.replace('"policy"', '"polite"'), "unknown class 'polite'"),
        (USER_RULE.replace("match", "matches"), "match is missing"),
        (USER_RULE + "colour = 'red'\n", "unknown field 'colour'"),
        (USER_RULE.replace("{shrubbery} ~", "{tree} ~"), "no word group"),
        (USER_RULE.replace("~ missing", "~"), "gap at the end"),
        (USER_RULE.replace(" => /help", ""), "no command in cause"),
        (USER_RULE.replace("no-shrubbery", "no-such-mailbox"), "stands in"),
        (USER_RULE.replace('["NOOP"]', '"NOOP"'), "next has the wrong type"),
        ("weights = 1\n", "unknown table 'weights'"),
        ("words = {x = 1}\n", "word group 'x'"),
        ("[[speaker]]\nname = 'x'\ntitle = 'X'\nkind = 'god'\n", "unknown kind 'god'"),
        (
            "[[speaker]]\nname = 'x'\ntitle = 'X'\nkind = 'list'\nclass = 'polite'\n",
            "unknown class 'polite'",
        ),
        ("rule = 1\n", "must be written"),
    ],
)
def test_a_bad_user_rule_is_told_clearly(tmp_path, text, words):
    """Whatever is wrong with a user's file, the error names the file and says what it is."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(RuleError) as caught:
        load_rulebook(tmp_path)
    assert words in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    """A folder in the place of a file is an error of the file, not a crash."""
    (tmp_path / "mine.toml").mkdir()
    with pytest.raises(FileError):
        load_rulebook(tmp_path)


def test_user_rules_do_not_touch_ours(tmp_path):
    """Loading a user's rules leaves the built-in rulebook as it was."""
    (tmp_path / "mine.toml").write_text(USER_RULE)
    load_rulebook(tmp_path)
    assert "no-shrubbery" not in {rule.name for rule in own_rulebook().rules}
