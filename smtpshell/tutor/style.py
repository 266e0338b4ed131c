"""What a lesson owes its learners beside being right: hints, feedback, plain words, safe names.

Second of the steps of `lesson check`. Each rule is a function from a lesson to problems.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from smtpshell.conversation.lookups.imaginary import is_reserved
from smtpshell.tutor.lesson import Lesson, Prose, Teacher
from smtpshell.tutor.performance import Problem
from smtpshell.tutor.plainly import paragraphs

COLUMNS = 72
LOOKED_AT = 4_000
"""Columns in which names are looked for; nobody reads further."""

WORDS = 20
"""Words that a sentence may have in the prose of a step."""

VERDICTS = ("Not yet.", "Correct.")
"""What the player itself says first."""

UNFOLDED = ("$ ", "C= ")
"""How lines begin that may be longer, because nothing can fold them."""

_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_HOST = re.compile(
    r"(?<![A-Za-z0-9.@_/-])((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+"
    r"(?:com|net|org|edu|gov|io|de|fr|uk|eu|info|local|lan))(?![A-Za-z0-9-])"
)
_WIRE_HOST = re.compile(
    r"(?<![\w.@/-])((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+([A-Za-z]{2,}))(?![\w-])"
)
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f:]*::|(?:[0-9A-Fa-f]+:){7})[0-9A-Fa-f:]{3,}(?![\w:])")
_RFCS = "RFC 2606, 6761, 5737, 3849"
WIRE = ("C: ", "C| ", "C= ", "S: ", "$ ", "@", "> ", "var.", "vary.")
"""How lines begin in which whatever has dots is a name."""

FILES = frozenset({"md", "py", "js", "java", "txt", "toml", "json", "eml", "html", "pem", "local"})
"""Endings of names that are files."""

_IPV4 = re.compile(r"(?<![\d.])((?:\d{1,3}\.){3}\d{1,3})(?![\d.])")
_COLOUR = re.compile(
    r"\b(?:in|the|shown|marked|a|printed)\s+(?:red|green|yellow|blue|orange|grey|gray)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?:](?:\s|$)")
_CODE = re.compile(r"`[^`]*`")


def problems(lesson: Lesson, text: str) -> Iterator[Problem]:
    """Yield what is wrong with the style of a lesson, given the text of its file too."""
    for rule in _RULES:
        yield from rule(lesson)
    for name, given in (("minutes", lesson.minutes), ("teaches", lesson.teaches)):
        if not given:
            yield Problem(front_line(text, name), f"the front matter should tell {name!r}")
    for number, line in enumerate(text.splitlines(), 1):
        yield from _line(number, line)


def front_line(text: str, key: str) -> int:
    """Return the line of a key of a lesson's front matter; 1 where it has none."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(f"{key}:"):
            return number
        if number > 1 and line.strip() == "---":
            break
    return 1


def _hints(lesson: Lesson) -> Iterator[Problem]:
    for step in lesson.steps:
        if step.wants_typing and not step.hints:
            yield Problem(step.line, f"the step {step.id!r} wants typing and has no hint")


def _feedback(lesson: Lesson) -> Iterator[Problem]:
    for step in lesson.steps:
        for ask in step.asks:
            for answer in ask.answers:
                if answer.kind in "! " and not answer.says:
                    yield Problem(answer.line, f"the wrong answer {answer.text!r} gets no words")


def _verdicts(lesson: Lesson) -> Iterator[Problem]:
    """Yield words that say a verdict which the player has said already."""
    said = [(rule.text, rule.line) for step in lesson.steps for rule in step.rules]
    said += [(each.message, each.line) for step in lesson.steps for each in step.conditions]
    said += [
        (answer.says, answer.line)
        for step in lesson.steps
        for ask in step.asks
        for answer in ask.answers
    ]
    for text, line in said:
        if text.startswith(VERDICTS):
            yield Problem(line, f"'{text.split('.')[0]}.' is said before it already")


def _teacher(lesson: Lesson) -> Iterator[Problem]:
    if not any(isinstance(block, Teacher) for step in lesson.steps for block in step.blocks):
        yield Problem(1, "there is no teacher's note")


def _sentences(lesson: Lesson) -> Iterator[Problem]:
    for step in lesson.steps:
        for block in step.blocks:
            if isinstance(block, Prose):
                yield from _long_sentences(block)


def _long_sentences(prose: Prose) -> Iterator[Problem]:
    for paragraph, _ in paragraphs(prose.lines, {}):
        if paragraph.startswith("|"):
            continue
        for sentence in _SENTENCE.split(_CODE.sub("code", paragraph)):
            count = len(sentence.split())
            if count > WORDS:
                start = " ".join(sentence.split()[:5])
                text = f"the sentence '{start} ...' has {count} words; {WORDS} are plain"
                yield Problem(prose.line, text)


_RULES: tuple[Callable[[Lesson], Iterator[Problem]], ...] = (
    _hints,
    _feedback,
    _verdicts,
    _teacher,
    _sentences,
)


def _line(number: int, line: str) -> Iterator[Problem]:
    if len(line) > COLUMNS and not line.startswith(UNFOLDED):
        yield Problem(number, f"the line has {len(line)} columns; {COLUMNS} are allowed")
    line = line[:LOOKED_AT]
    if "\t" in line:
        yield Problem(number, "a tab stands in the line")
    if _COLOUR.search(line):
        yield Problem(number, "a colour alone tells nothing to who cannot see it")
    names = [match[1] for match in _ADDRESS.finditer(line)]
    names += [match[1] for match in _HOST.finditer(line)]
    names += [match[1] for match in _IPV4.finditer(line) if "RFC" not in line]
    names += [match[0] for match in _IPV6.finditer(line) if _is_ipv6(match[0])]
    if line.startswith(WIRE):
        rest = line.partition(" ")[2]
        names += [match[1] for match in _WIRE_HOST.finditer(rest) if match[2] not in FILES]
    for name in dict.fromkeys(names):
        if not is_reserved(name):
            yield Problem(number, f"{name} is not reserved for examples ({_RFCS})")


def _is_ipv6(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False
