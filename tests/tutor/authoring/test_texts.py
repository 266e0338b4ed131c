"""The texts of lesson files: found, replaced, folded, and everything else left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.tutor.authoring.texts import Text, folded, replaced, stretches
from smtpshell.tutor.essence import first_difference
from smtpshell.tutor.library import lesson_paths, name_of
from smtpshell.tutor.reader import read_lesson
from smtpshell.tutor.style import COLUMNS
from tests.tutor.making import lesson_text

ALL = """\
# Heading

Two lines
of text.

- an item
    code
| cell | cell |
|------|------|

## Title {#one}

```smtp
# no text
S: 220 *
C: HELO client.example
S: 250 *
```

```hint
1. First
   goes on.
2. Second.
```

```feedback
C HELO : Name
  yourself.
```

```check
session.helo exists -- Greet.
```

```ask q
Which
one?
= 220
! 250 : Not
  that.
( ) a choice : A word.
(x) another
~ 3 words
```

```teacher
A note.
```

```text
untouched
```
"""


def found(text: str) -> list[Text]:
    """Return all texts."""
    return [each for stretch in stretches(text) for each in stretch.texts]


def test_all_that_is_for_people_is_found() -> None:
    """Titles, prose, hints, feedback, checks, questions and notes; no wire, no right answer."""
    assert [(each.context, each.source) for each in found(lesson_text(ALL))] == [
        ("lesson title", "Made for a test"),
        ("lesson text", "Heading"),
        ("lesson text", "Two lines of text."),
        ("lesson text", "an item"),
        ("lesson text", "cell | cell |"),
        ("one title", "Title"),
        ("one hint", "First goes on."),
        ("one hint", "Second."),
        ("one feedback", "Name yourself."),
        ("one check", "Greet."),
        ("one question", "Which one?"),
        ("one answer", "Not that."),
        ("one choice", "a choice"),
        ("one answer", "A word."),
        ("one choice", "another"),
        ("one teacher", "A note."),
    ]


def test_new_texts_stand_where_the_old_ones_stood() -> None:
    """Every text can be another one, and the lesson is the same lesson."""
    text = lesson_text(ALL)
    new = replaced(text, {each: f"«{each.source}» und mehr" for each in found(text)})
    assert [each.source for each in found(new)] == [
        f"«{each.source}» und mehr" for each in found(text)
    ]
    assert first_difference(read_lesson(text, "a"), read_lesson(new, "b")) is None


@pytest.mark.parametrize("path", lesson_paths(), ids=name_of)
def test_shipped_lessons_keep_their_essence(path) -> None:
    """Written anew with its own words, it is the same lesson, in lines that are not longer."""
    text = path.read_bytes().decode()
    assert replaced(text, {}) == text
    new = replaced(text, {each: each.source for each in found(text)})
    assert first_difference(read_lesson(text, "a"), read_lesson(new, "b")) is None
    assert found(new) == found(text)
    long = {line for line in new.split("\n") if len(line) > COLUMNS}
    assert not long - set(text.split("\n"))


@given(
    st.lists(st.sampled_from(["word", "-", "#", "1.", "(x)", "`a", "=", "ever" * 20]), min_size=1)
)
def test_folding_loses_nothing_and_makes_no_marks(words: list[str]) -> None:
    """The words stay in order, and no line behind the first begins with what would be a mark."""
    lines = folded(" ".join(words), "  ")
    assert " ".join(line.strip() for line in lines) == " ".join(words)
    assert all(line.startswith("  ") for line in lines[1:])
    assert not {line.split()[0] for line in lines[1:]} & {"-", "#", "1.", "(x)", "="}
