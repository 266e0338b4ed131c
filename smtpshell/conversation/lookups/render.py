"""Findings as rows for people: the verdict first, then the reasoning, then what to do.

The rows fit 80 columns behind the `# ` of a conversation. Every row that is coloured says in words
what its colour says.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from smtpshell.conversation.report import Report, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.finding import Problem, Step

WIDTH = 76
LABELS = 28  # columns of the longest label with a value beside it
RECORDS = 4  # records of an answer that are shown

ABSENT: Mapping[str, str] = {"nodata": "no such record", "nxdomain": "no such name"}
SEVERITIES: Mapping[str, tuple[str, str]] = {  # severity -> word, style
    "error": ("ERROR", "bad"),
    "warning": ("WARNING", "warn"),
    "info": ("note", ""),
}
STANDINGS: Mapping[str, tuple[str, str]] = {  # what is worst -> word, style
    "unanswered": ("NO ANSWER", "warn"),
    "error": ("PROBLEM", "bad"),
    "warning": ("OK, with warnings", "warn"),
    "info": ("OK", "good"),
    "": ("OK", "good"),
}


def standing(finding: Any) -> str:  # noqa: ANN401 - any finding or parsed record
    """Return what is worst about a finding: unanswered, error, warning, info or nothing."""
    from smtpshell.lookup.finding import unanswered, worst

    return "unanswered" if unanswered(finding) else worst(finding.problems) or ""


def status(finding: Any) -> int:  # noqa: ANN401 - as above
    """Return the exit status for a finding: 0 fine, 1 a problem, 3 no answer."""
    return {"unanswered": 3, "error": 1}.get(standing(finding), 0)


def verdict(finding: Any, text: str) -> Report:  # noqa: ANN401 - as above
    """Return the first row of a report: the word, then the sentence."""
    word, style = STANDINGS[standing(finding)]
    return wrapped(f"{word}: {text}", style)


def wrapped(text: str, style: str = "", indent: int = 0, label: str = "") -> Report:
    """Return a text as rows that fit; rows after the first stand under it."""
    room = WIDTH - 2 * indent - (len(label) + 2 if label else 0)
    lines = textwrap.wrap(text, max(room, 20), break_long_words=True, break_on_hyphens=False) or [
        ""
    ]
    first = Row(lines[0], style, indent, label)
    return [first, *(Row(line, style, indent, " " if label else "") for line in lines[1:])]


def facts(pairs: Iterable[tuple[str, str]], indent: int = 1) -> Report:
    """Return labelled facts; pairs without a value are left out.

    Labels too long to leave room beside them stand in the line with their value.
    """
    shown = [(label, value) for label, value in pairs if value]
    widest = max((len(label) for label, _ in shown), default=0)
    if widest > LABELS:
        return [row for pair in shown for row in wrapped(": ".join(pair), "", indent)]
    return [
        row for label, value in shown for row in wrapped(value, "", indent, f"{label:<{widest}}")
    ]


def title(text: str) -> Row:
    """Return the row above a part of a report."""
    return Row(text, "title")


def problems(found: Iterable[Problem], heading: str = "What to do") -> Report:
    """Return each problem, gravest first: what, why it matters, what to do instead, the rule."""
    rows: Report = []
    order = tuple(SEVERITIES)
    for problem in sorted(found, key=lambda each: order.index(each.severity)):
        word, style = SEVERITIES[problem.severity]
        rows += wrapped(problem.text, style, 1, f"{word:<7}")
        if problem.why:
            rows += wrapped(problem.why, "", 1, f"{'':<7}")
        if problem.advice:
            rows += wrapped(f"-> {problem.advice}", "", 1, f"{'':<7}")
        if problem.section:
            rows += wrapped(problem.section, "dim", 1, f"{'':<7}")
    return [title(heading), *rows] if rows else []


def steps(found: Iterable[Step], heading: str = "Step by step") -> Report:
    """Return a trace as an indented tree: each step, what it asked, what came of it."""
    rows = [row for step in found for row in _step(step, 1)]
    return [title(heading), *rows] if rows else []


def _step(step: Step, indent: int) -> Report:
    values: dict[str, Any] = dict(step.facts)
    said = f"{step.text}: {step.outcome}" if step.outcome else step.text
    remark = ", ".join(part for part in (step.section, *_spent(values)) if part)
    own = step.answers[0] if _is_own(step) else None
    if own is not None:
        said = f"{said} ({own.ms:.0f} ms)"
    style = "good" if step.outcome in {"match", "pass"} else ""
    rows = wrapped(f"{said}  [{remark}]" if remark else said, style, indent)
    if own is not None and own.ok:
        rows += wrapped(f"-> {_records(own)}", "dim", indent + 1)
    for line in (*_told(values, step), *(asked(each) for each in step.answers if each is not own)):
        rows += wrapped(line, "dim", indent + 1)
    for below in step.steps:
        rows += _step(below, indent + 1)
    return rows


def _is_own(step: Step) -> bool:
    """Tell whether a step is nothing but one question, named by its text."""
    return len(step.answers) == 1 and step.answers[0].name == step.text


def _told(values: Mapping[str, Any], step: Step) -> list[str]:
    """Return the facts of a step that a reader needs: the reason, and macros with their steps."""
    said = f"{step.text} {step.outcome}"
    lines = [f"reason: {values['reason']}"] if values.get("reason", "") not in said else []
    macros = values.get("macros") or ()
    lines += [f"{before} becomes {after}" for before, after in macros]
    if macros and values.get("target"):
        lines.append(f"so the name is {values['target']}")
    return lines


def _spent(values: Mapping[str, Any]) -> list[str]:
    """Return what a step spent of the SPF limits, here and in total."""
    return [
        f"{words} {values[name]}, total {values[f'{name}_total']}"
        for name, words in (("lookups", "look-ups"), ("void_lookups", "void"))
        if f"{name}_total" in values
    ]


def asked(answer: Answer) -> str:
    """Return a question and its answer on one line, with the time it took."""
    said = _records(answer) if answer.ok else ABSENT.get(answer.status, answer.meaning)
    alias = f" (alias of {answer.canonical})" if answer.chain else ""
    return f"{answer.name} {answer.rdtype}{alias} -> {said} ({answer.ms:.0f} ms)"


def _records(answer: Answer) -> str:
    shown = ", ".join(_plain(record) for record in answer.records[:RECORDS])
    more = len(answer.records) - RECORDS
    return f"{shown} and {more} more" if more > 0 else shown


def _plain(record: object) -> str:
    from smtpshell.lookup.answer import plain

    value = plain(record)
    if isinstance(value, list):
        return " ".join(str(part) for part in value)
    return f'"{value}"' if isinstance(record, bytes) else str(value)


def shown_name(domain: str) -> str:
    """Return a domain in both forms, where it is internationalised."""
    from smtpshell.lookup.names import both_forms

    return both_forms(domain)


def with_unicode(found: dict[str, Any]) -> dict[str, Any]:
    """Return a finding's JSON object with the domain's U-label form beside it."""
    from smtpshell.lookup.names import to_unicode

    domain = found.get("domain")
    if not isinstance(domain, str) or "unicode" in found:
        return found
    return {"domain": domain, "unicode": to_unicode(domain), **found}
