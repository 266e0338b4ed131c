"""The back-off: what it learns, and that it says why."""

from __future__ import annotations

from smtpshell.knowledge.likeness import Guesser, split_example, train
from smtpshell.knowledge.reading import read
from smtpshell.knowledge.rulebook import own_rulebook


def test_it_prefers_the_class_whose_words_it_sees():
    """Words of one class's examples speak for that class, and are named."""
    guesser = Guesser([("cats", ["soft", "paw"]), ("dogs", ["loud", "bark"])])
    found = guesser.guess(["loud", "unheard"])
    assert found is not None
    assert found.class_ == "dogs"
    assert found.words == ("loud",)
    assert found.share > 0.5


def test_words_never_seen_say_nothing():
    """A text without a known word gets no guess at all."""
    assert train(own_rulebook().rules).guess(["qwxz"]) is None
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
