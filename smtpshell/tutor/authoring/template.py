"""The file that `lesson new` writes: a small lesson that works, and the format in its comments."""

from __future__ import annotations

from smtpshell.tutor.checks import SUBJECTS
from smtpshell.tutor.fences import DIRECTIVES, OPERATORS
from smtpshell.tutor.functions import FUNCTIONS
from smtpshell.tutor.lesson import EVENTS, FORMAT

_LESSON = """\
---
id: {name}
title: {title}
format: {format}
scenario: {scenario}
minutes: 10
level: 1
needs:
teaches: {name}
var.me: ann@client.example
---

# {title}

Say in two or three sentences what a learner can do at the end.

## Say hello {{#hello}}

Say what is to be done, and why. Short sentences, one idea each.

```smtp
S: 220 *
C: EHLO client.example
S: 250-mail.practice.example
S: ...
C| HELO client.example
S: 250 mail.practice.example
```

```hint
1. A verb, and then the name of a computer. Whose?
2. The verb is `EHLO`. The name is the one of your own computer.
```

```feedback
C EHLO : Tell the server who you are, behind the verb.
S 501 : Is the name a host name?
```

```check
session.helo == client.example -- Greet with the name client.example.
```

```ask greeting
Which code says that the greeting was accepted?
= 250
! 220 : That was the server's own greeting.
```

```teacher
What to ask the class, what goes wrong, and where the RFC says so.
```
"""


def new_lesson(name: str, scenario: str) -> str:
    """Return the text of a new lesson, which `lesson check` finds good."""
    title = name.replace("-", " ").capitalize()
    return _LESSON.format(name=name, title=title, scenario=scenario, format=FORMAT)


def reference() -> str:
    """Return the format on one page, made from the tables that read it."""
    functions = "\n".join(
        f"  {name}({', '.join('abcd'[:count])})".ljust(26) + summary
        for name, (count, _, summary) in FUNCTIONS.items()
    )
    directives = "\n".join(
        f"  @{name} {example}".ljust(23) + summary
        for name, (_, example, summary) in DIRECTIVES.items()
    )
    return f"""\
A lesson is Markdown: front matter, '# Title', then steps: '## Title {{#id}}'.
Prose stands between fences; {{{{name}}}} in it is a variable or a capture.

front matter   id title format scenario minutes level needs teaches replay lang
               scope, var.NAME (a value), vary.NAME (values, one by the seed)
               deal: IDS (steps that change places by the seed, as the shuffled
               hosts of the scenario do; {{{{id}}}} is the number of the place)
               score: commands (few commands and first tries earn more)

```smtp        what goes over the wire
  C: line      compared by meaning      C= line    by octets, \\r \\n \\0 \\xHH
  C~ line      a sample: anything goes  C| line    another way to do the same
  S: 250 text  a reply: * any text, \\* a star, {{{{name}}}} a word
  S: 250-text  one line of several      S: ...     any further lines
  S: <event>   {", ".join(EVENTS)}
  $ command    a command of the program, '> pattern' a line of its output
  # comment
{directives}

```hint        '1. text', '2. text', each saying more than the one before
```feedback    'C glob : text' for a line, 'S glob : text' for a reply
```ask id      the question, then '= right', '! glob : text' for a wrong one,
               '(x) right choice', '( ) wrong choice : text', '~ 40 words'
```check       subject [argument] [is] [not] operator [value] [-- text]
  subjects     {_wrapped(tuple(SUBJECTS))}
  operators    {" ".join(OPERATORS)}
```teacher     never shown to learners
               a line that begins with two spaces goes on with the one before
               it, in hints, feedback and answers

questions      may stand anywhere, between a 334 and its answer too
names          go into prose, titles, questions, lines of the client and
               @connect; {{{{nonce}}}} is the one of the last SCRAM login

NN-name.de.md  the same lesson in another language; lesson i18n makes it

functions      {{{{function(name, ...)}}}} in a line of the client
{functions}
"""


def _wrapped(words: tuple[str, ...]) -> str:
    from textwrap import fill

    return fill(", ".join(words), 72, subsequent_indent=" " * 15, initial_indent=" " * 15).strip()
