"""JUnit reports, which every CI system reads: one test case for each thing that was tried."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smtpshell.protocol.errors import FileError

Case = tuple[str, str, Sequence[str]]
"""A name, the class or file it belongs to, and what went wrong."""


def document(suite: str, cases: Sequence[Case], skipped: Sequence[Case] = ()) -> str:
    """Return the XML of one suite; the problems of a skipped case are its reasons."""
    failures = sum(bool(problems) for _, _, problems in cases)
    head = (
        f'<testsuite name="{_quoted(suite)}" tests="{len(cases) + len(skipped)}" '
        f'failures="{failures}" errors="0" skipped="{len(skipped)}">'
    )
    body = [_case(case, "failure") for case in cases] + [_case(case, "skipped") for case in skipped]
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', head, *body, "</testsuite>", ""])


def _case(case: Case, element: str) -> str:
    name, group, problems = case
    opening = f'  <testcase classname="{_quoted(group)}" name="{_quoted(name)}"'
    if not problems:
        return f"{opening}/>"
    text = _quoted("\n".join(problems))
    first = _quoted(problems[0])
    return f'{opening}>\n    <{element} message="{first}">{text}</{element}>\n  </testcase>'


def _quoted(text: str) -> str:
    from xml.sax.saxutils import escape

    printable = "".join(
        character if character.isprintable() or character == "\n" else "?" for character in text
    )
    return escape(printable, {'"': "&quot;"}).encode("utf-8", "replace").decode("utf-8")


def write(path: Path, suite: str, cases: Sequence[Case], skipped: Sequence[Case] = ()) -> None:
    """Write a report; raises `FileError`."""
    try:
        path.write_text(document(suite, cases, skipped), encoding="utf-8")
    except OSError as error:
        raise FileError.from_os(error, path, "write") from error
