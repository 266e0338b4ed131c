"""The back-off: what it learns, and that it says why."""

from __future__ import annotations

import pytest

from smtpshell.knowledge.classes import CLASSES
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.knowledge.likeness import Guesser, read_phrases, split_example, train
from smtpshell.knowledge.reading import read
from smtpshell.knowledge.rulebook import own_rulebook
from smtpshell.protocol.replies import Reply

PHRASES = list(read_phrases())


def test_it_prefers_the_class_whose_words_it_sees():
    """Words of one class's examples speak for that class, and are named."""
    guesser = Guesser([("cats", ["soft", "paw"]), ("dogs", ["loud", "bark"])])
    found = guesser.guess(["loud", "unheard"])
    assert found is not None
    assert found.class_ == "dogs"
    assert found.words == ("loud",)
    assert found.share > 0.5


def test_the_shares_of_all_classes_are_told():
    """Each class worth speaking of has its share; the best has the largest, and none is made up."""
    guesser = Guesser([("cats", ["soft", "paw"]), ("dogs", ["loud", "paw"])])
    found = guesser.guess(["paw"])
    assert found is not None
    assert dict(found.shares) == pytest.approx({"cats": 0.5, "dogs": 0.5})
    found = guesser.guess(["soft", "paw"])
    assert found is not None
    assert max(found.shares, key=lambda share: share[1]) == (found.class_, found.share)
    assert sum(share for _, share in found.shares) <= 1 + 1e-9


def test_words_never_seen_say_nothing():
    """A text without a known word gets no guess at all."""
    assert train(own_rulebook()).guess(["qwxz"]) is None
    assert Guesser([]).guess(["a"]) is None


def test_it_generalises_beyond_its_examples():
    """Trained on four examples in five, it places most of the others by itself."""
    examples = [
        (rule.class_, read(split_example(example)[1]).words)
        for rule in own_rulebook().rules
        for example in rule.examples
    ]
    right = 0
    for fold in range(5):
        guesser = Guesser(row for number, row in enumerate(examples) if number % 5 != fold)
        for class_, words in examples[fold::5]:
            found = guesser.guess(words)
            right += found is not None and found.class_ == class_
    assert right > 0.6 * len(examples)


def test_a_colon_in_a_reply_names_no_command():
    """Only a word in capitals before a colon is taken for the command."""
    assert split_example("550 Error: no") == ("", "550 Error: no")
    assert split_example("Error: no") == ("", "Error: no")


@pytest.mark.parametrize("class_", sorted({class_ for class_, _ in PHRASES}))
def test_a_phrase_alone_falls_into_its_class(class_):
    """Each line of the folder of phrases, without any code, gets the class of its file."""
    found = {
        phrase: explain(Reply.parse(phrase), Context()).class_
        for name, phrase in PHRASES
        if name == class_
    }
    assert {phrase: name for phrase, name in found.items() if name != class_} == {}


def test_no_phrase_stands_twice():
    """A phrase belongs to one class, and is counted once."""
    phrases = [phrase for _, phrase in PHRASES]
    assert len(phrases) == len(set(phrases))
    assert {class_ for class_, _ in PHRASES} == set(CLASSES) - {"ok", "unknown"}


def test_words_of_one_group_are_alike():
    """A word never seen speaks through its group, and through how it begins."""
    examples = [("cats", ["soft", "paw"]), ("dogs", ["loud", "barking"])]
    guesser = Guesser(examples, {"feet": ["paw", "claw"]})
    for word, class_ in (("claw", "cats"), ("barkings", "dogs")):
        found = guesser.guess([word])
        assert found is not None
        assert found.class_ == class_
