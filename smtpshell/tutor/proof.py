"""Proof that a lesson works: everything that `lesson check` tries, in order.

1. syntax and schema (the reader), `needs` that exist and have no cycle
2. style
3. the canonical solution and every alternative, as a performance and as a learner types them
4. mutants: what must not pass does not
5. hints that do not give the answer away at once, each longer than the one before
6. the same transcript twice, and every variant of `vary`
7. translations with the same essence: steps, wire blocks, answers, checks
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import pairwise, product
from pathlib import Path

from smtpshell.tutor import style
from smtpshell.tutor.essence import first_difference
from smtpshell.tutor.lesson import Directive, Exchange, Hint, Lesson
from smtpshell.tutor.performance import Performance, Problem, perform

SEEDS = 64
"""Variants of `vary` beyond this number are not all tried."""

FORMS = 9
"""Forms of a lesson whose steps are dealt that are tried."""


async def prove(lesson: Lesson, text: str, others: Mapping[str, Lesson]) -> list[Problem]:
    """Return everything that is wrong with a lesson, in the order of its file.

    `others` are the lessons beside it, by id. Mutants are tried only when the solution works.
    """
    found = [*_needs(lesson, text, others), *style.problems(lesson, text)]
    canonical = await perform(lesson)
    found += canonical.problems
    if not canonical.problems:
        found += _skipped(lesson, canonical)
        found += [problem async for problem in _branches(lesson)]
        found += [problem async for problem in _repeated(lesson, canonical)]
        found += _hints(lesson, canonical)
        from smtpshell.tutor.mutants import problems

        found += [problem async for problem in problems(lesson, canonical)]
    found += _translations(lesson)
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line)


def _needs(lesson: Lesson, text: str, others: Mapping[str, Lesson]) -> Iterator[Problem]:
    line = style.front_line(text, "needs")
    for name in lesson.needs:
        if name not in others:
            yield Problem(line, f"it needs {name!r}, and there is no such lesson")
    seen: set[str] = set()
    waiting = list(lesson.needs)
    while waiting:
        name = waiting.pop()
        if name == lesson.id:
            yield Problem(line, f"it needs itself, by way of {', '.join(lesson.needs)}")
            return
        if name in others and name not in seen:
            seen.add(name)
            waiting += others[name].needs


async def _branches(lesson: Lesson) -> AsyncIterator[Problem]:
    """Take every alternative once, all else being canonical."""
    for exchange in exchanges_of(lesson):
        for number, other in enumerate(exchange.alternatives, 1):
            result = await perform(lesson, choices={exchange.line: number})
            for problem in result.problems:
                where = f"with the alternative of line {other.line}: {problem.text}"
                yield Problem(problem.line, where)


def _skipped(lesson: Lesson, canonical: Performance) -> Iterator[Problem]:
    for step in lesson.steps:
        for action in step.actions:
            if not isinstance(action, Directive) or action.name != "needs":
                continue
            if action.line not in canonical.marks:
                text = f"its own server does not offer {action.argument.upper()} here"
                yield Problem(action.line, f"{text}, so nobody ever plays this step to its end")
                break


def exchanges_of(lesson: Lesson) -> list[Exchange]:
    """Return all exchanges of a lesson, in order."""
    return [
        action for step in lesson.steps for action in step.actions if isinstance(action, Exchange)
    ]


async def _repeated(lesson: Lesson, canonical: Performance) -> AsyncIterator[Problem]:
    again = await perform(lesson)
    if again.transcript != canonical.transcript:
        pairs = zip(canonical.transcript, again.transcript, strict=False)
        first = next((f"{one!r} and {two!r}" for one, two in pairs if one != two), "its end")
        yield Problem(1, f"two runs differ at {first}")
    for seed in _seeds(lesson):
        for problem in (await perform(lesson, seed=seed)).problems:
            yield Problem(problem.line, f"with seed {seed}: {problem.text}")


def _seeds(lesson: Lesson) -> Iterator[int]:
    """Yield a seed for each combination of the variants, and for some of the forms of a deal."""
    seen = {tuple(sorted(lesson.values(0).items()))}
    combinations = len(list(product(*lesson.variants.values()))) * (FORMS if lesson.deal else 1)
    seed = 0
    while len(seen) < min(combinations, SEEDS) and seed < 50 * SEEDS:
        seed += 1
        values = tuple(sorted(lesson.values(seed).items()))
        if values not in seen:
            seen.add(values)
            yield seed


def _hints(lesson: Lesson, canonical: Performance) -> Iterator[Problem]:
    for step in lesson.steps:
        answers = [
            client.text
            for action in step.actions
            if isinstance(action, Exchange)
            for client in action.clients
            if client.kind != "~" and len(client.text) > 1
        ]
        hints = [
            (text.casefold(), block.line)
            for block in step.blocks
            if isinstance(block, Hint)
            for text in block.texts
        ]
        for answer in answers:
            if hints and _leaks(hints[0][0], answer, canonical.values):
                yield Problem(hints[0][1], f"the first hint gives {answer!r} away")
        for number, ((earlier, _), (later, line)) in enumerate(pairwise(hints), 2):
            if earlier == later:
                yield Problem(line, f"two hints are the same: {earlier!r}")
            elif len(later) <= len(earlier):
                yield Problem(line, f"hint {number} is not longer than the one before it")


def _leaks(hint: str, answer: str, values: Mapping[str, str]) -> bool:
    from smtpshell.tutor.plainly import filled

    text = filled(answer, values).casefold()
    return f"`{text}`" in hint or (" " in text and text in hint)


def _translations(lesson: Lesson) -> Iterator[Problem]:
    """Compare the translations that lie beside a lesson (`NAME.de.md`) with it."""
    from smtpshell.tutor.library import translations
    from smtpshell.tutor.reader import LessonError, read_file

    for path in translations(Path(lesson.path)).values():
        try:
            translated = read_file(path)
        except LessonError as error:
            yield Problem(1, f"its translation cannot be read: {error.complaints[0]}")
            continue
        for problem in translation_problems(lesson, translated):
            yield Problem(1, f"its translation departs: {path}:{problem.line}: {problem.text}")


def translation_problems(lesson: Lesson, translated: Lesson) -> Iterator[Problem]:
    """Yield how a translation departs from its lesson, and where its name belies its language."""
    language = Path(translated.path).stem.rpartition(".")[2]
    if translated.language.casefold() != language.casefold():
        yield Problem(1, f"lang is {translated.language!r}, and the file's name says {language!r}")
    if difference := first_difference(lesson, translated):
        yield Problem(*difference)
