"""`lesson check` in its seven steps: a lesson broken in each way, and the complaint about it."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.conversation.running import Run, smtpshell

GOOD = """\
---
id: made
title: Made for a test
format: smtpshell-lesson/1
scenario: plain
minutes: 5
level: 1
needs: helo-to-quit
teaches: testing
vary.you: bob@practice.example, carol@practice.example
---

# Made for a test

What it is about.

## Say hello {#hello}

Say hello to the server, as in every lesson.

```smtp
S: 220 mail.practice.example*
C: EHLO client.example
S: 250-mail.practice.example
S: ...
C| HELO client.example
S: 250 mail.practice.example
```

```hint
1. A verb and a name.
2. The verb is EHLO, and the name is yours.
```

```feedback
C EHLO : Your name is missing.
```

```ask why
Which code is good?
= 250
! 220 : That was the greeting.
```

```ask who
Who spoke first?
(x) the server
( ) the client : It waits for the greeting.
```

## Write {#write}

Write to {{you}}.

```smtp
C: MAIL FROM:<ann@client.example>
S: 250 2.1.0 *
C: RCPT TO:<{{you}}>
S: 250 2.1.5 *
```

```hint
1. The sender, then the recipient.
```

```check
envelope.to == {{you}}
```

```teacher
A note.
```
"""

BROKEN = {
    # 1: syntax, schema, unique ids, needs
    "an unknown key": (("level: 1", "levle: 1"), "7: unknown key 'levle'", 2),
    "an id twice": (("{#write}", "{#hello}"), "51: the id 'hello' stands already at line 17", 2),
    "an unknown need": (("needs: helo-to-quit", "needs: nothing"), "8: it needs 'nothing'", 1),
    "a need of itself": (("needs: helo-to-quit", "needs: made"), "8: it needs itself", 1),
    "an unknown scenario": (("scenario: plain", "scenario: none"), "5: no scenario is called", 1),
    # 2: style
    "no hint": (
        ("```hint\n1. The sender, then the recipient.\n```\n", ""),
        "51: the step 'write' wants typing and has no hint",
        1,
    ),
    "a wrong choice in silence": (
        (" : It waits for the greeting.", ""),
        "48: the wrong answer 'the client' gets no words",
        1,
    ),
    "no note": (("```teacher\nA note.\n```\n", ""), "1: there is no teacher's note", 1),
    "a domain of somebody": (
        ("Write to {{you}}.", "Write to ann@gmail.com."),
        "53: gmail.com is not reserved for examples",
        1,
    ),
    "a host of somebody on the wire": (
        ("EHLO client.example", "EHLO mail.kunde.xyz"),
        "23: mail.kunde.xyz is not reserved",
        1,
    ),
    "an address of somebody": (("Write to", "Write from 8.8.8.8 to"), "53: 8.8.8.8 is not", 1),
    "an address of six": (("Write to", "Write from 2001:470::1 to"), "53: 2001:470::1 is not", 1),
    "a long line": (("What it is about.", "x" * 73), "15: the line has 73 columns; 72", 1),
    "a colour alone": (("What it is", "Look at the red line"), "15: a colour alone tells", 1),
    # 3: the solution, its branches, its variants
    "a solution that fails": (("S: 250 2.1.0 *", "S: 550 *"), "57: the code is 250, not 550", 1),
    "a branch that fails": (
        ("C| HELO client.example", "C| HELO"),
        "27: with the alternative of line 26: the code is 501, not 250",
        1,
    ),
    "a text that another letter case changes": (
        ("```check\n", "```check\nreply.text matches *zzz*\n"),
        "the check 'reply.text matches *zzz*' does not hold",
        1,
    ),
    # 4: mutants
    "a line that NOOP does as well": (
        ("C: MAIL", "C: NOOP\nS: 250 2.0.0 Ok\nC: RSET\nS: 250 2.0.0 Ok\nC: MAIL"),
        "58: 'RSET' passes when it is replaced by NOOP",
        1,
    ),
    "feedback that is never said": (
        ("C EHLO : Your", "C EHLO client.example : Your"),
        "36: nothing in the step makes the feedback 'EHLO client.example' be said",
        1,
    ),
    "a wrong answer without its words": (
        ("! 220 :", "! 2* : Family.\n! 220 :"),
        "43: the wrong answer '220' does not get its words",
        1,
    ),
    "a wrong answer that is right": (("! 220", "! 250"), "42: the wrong answer '250' does", 1),
    # 5: hints
    "a hint that tells all": (
        ("1. A verb and a name.", "1. Type `EHLO client.example`."),
        "30: the first hint gives 'EHLO client.example' away",
        1,
    ),
    "two equal hints": (
        ("2. The verb is EHLO, and the name is yours.", "2. A verb and a name."),
        "30: two hints are the same",
        1,
    ),
    "a hint that is shorter": (
        ("2. The verb is EHLO, and the name is yours.", "2. The verb: EHLO."),
        "30: hint 2 is not longer than the one before it",
        1,
    ),
    # 6: every variant
    "a variant that fails": (
        ("bob@practice.example, carol@practice.example", "bob@practice.example, no@b.example"),
        "59: with seed 1: the code is 554, not 250",
        1,
    ),
}


def check(path: Path, text: str) -> Run:
    """Check a lesson given as text."""
    path.write_text(text, encoding="utf-8")
    return smtpshell("lesson", "check", str(path))


def test_the_lesson_itself_is_good(tmp_path) -> None:
    """What is broken below is whole before."""
    assert check(tmp_path / "01-made.md", GOOD).out == "made: good\n"


@pytest.mark.parametrize("name", BROKEN)
def test_each_fault_is_told_with_its_place(name: str, tmp_path) -> None:
    """One line on standard output, file:line: message, and the status of a wrong lesson."""
    (old, new), words, status = BROKEN[name]
    assert GOOD.count(old) >= 1
    path = tmp_path / "01-made.md"
    run = check(path, GOOD.replace(old, new, 1))
    assert run.status == status, run.out + run.err
    complaints = run.out.splitlines()
    assert all(re.match(rf"{re.escape(str(path))}:\d+: ", line) for line in complaints)
    place = "" if words[0].isdigit() else r"\d+: "
    assert any(
        re.match(f"{re.escape(str(path))}:{place}{re.escape(words)}", line) for line in complaints
    ), run.out


def test_a_translation_is_held_to_its_lesson(tmp_path) -> None:
    """Step seven: file and line of the translation are named."""
    german = GOOD.replace("level: 1", "lang: de").replace("What it is about.", "Worum es geht.")
    (tmp_path / "01-made.de.md").write_text(german, encoding="utf-8")
    assert check(tmp_path / "01-made.md", GOOD).status == 0
    wrong = german.replace("C: MAIL FROM:<ann@", "C: MAIL FROM:<bea@")
    (tmp_path / "01-made.de.md").write_text(wrong, encoding="utf-8")
    run = check(tmp_path / "01-made.md", GOOD)
    assert (run.status, "01-made.de.md:55: the wire block is not that" in run.out) == (1, True)


def test_a_translation_is_checked_by_itself_against_its_lesson(tmp_path) -> None:
    """Its words are the translator's: only what has to be equal is looked at."""
    (tmp_path / "01-made.md").write_text(GOOD, encoding="utf-8")
    german = GOOD.replace("level: 1", "lang: de").replace("2. The verb is EHLO, and the ", "2. ")
    run = check(tmp_path / "01-made.de.md", german)
    assert (run.status, run.out) == (0, "made (de): good\n")
    run = check(tmp_path / "01-made.de.md", german.replace("= 250", "= 251"))
    assert (run.status, "01-made.de.md:41: the answer is not that of line 41" in run.out) == (
        1,
        True,
    )
    run = check(tmp_path / "01-made.de.md", german.replace("lang: de", "lang: fr"))
    assert "01-made.de.md:1: lang is 'fr'" in run.out


def test_lessons_beside_may_be_needed(tmp_path) -> None:
    """A folder of one's own is a course too; a circle in it is found."""
    one = GOOD.replace("needs: helo-to-quit", "needs: other")
    two = GOOD.replace("id: made", "id: other").replace("needs: helo-to-quit", "needs:")
    (tmp_path / "02-other.md").write_text(two, encoding="utf-8")
    assert check(tmp_path / "01-made.md", one).status == 0
    (tmp_path / "02-other.md").write_text(two.replace("needs:", "needs: made"), encoding="utf-8")
    assert "8: it needs itself, by way of other" in check(tmp_path / "01-made.md", one).out


def test_many_are_told_in_the_order_that_they_were_named(tmp_path) -> None:
    """Some are proven at a time, and the slow one first does not change the report."""
    run = smtpshell("lesson", "check", "ports-and-connections", "helo-to-quit", "bdat")
    assert run.out == "ports-and-connections: good\nhelo-to-quit: good\nbdat: good\n"
    assert run.err == ""


def test_a_scenario_that_cannot_be_read_has_its_line(tmp_path) -> None:
    """It is named in the lesson, so that is where the complaint points."""
    path = tmp_path / "made.md"
    path.write_text(GOOD.replace("scenario: plain", "scenario: ../no/such.toml"))
    run = smtpshell("lesson", "check", str(path))
    assert run.status == 1
    assert run.out.startswith(f"{path}:5: ")


def test_a_lesson_leads_nobody_out_of_its_world(tmp_path) -> None:
    """Proving somebody's file never connects to a host that the file names."""
    with socket.create_server(("127.0.0.1", 0)) as outside:
        outside.settimeout(0.1)
        path = tmp_path / "made.md"
        door = f"$ connect 127.0.0.1:{outside.getsockname()[1]}"
        path.write_text(GOOD.replace("C: EHLO", f"{door}\nC: EHLO", 1))
        run = smtpshell("lesson", "check", str(path))
        assert run.status == 1
        assert "is not in the world" in run.out
        with pytest.raises(TimeoutError):
            outside.accept()


def test_a_line_without_end_is_judged_soon(tmp_path) -> None:
    """Names are looked for where somebody may read them."""
    path = tmp_path / "made.md"
    path.write_text(f"{GOOD}{'x' * 1_000_000}\n")
    run = smtpshell("lesson", "check", str(path))
    assert "the line has 1000000 columns" in run.out
