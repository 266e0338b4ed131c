"""What the tests of the intake share: feeding a text, and the samples that real servers wrote."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from smtpshell.transcript.intake.finder import Finder
from smtpshell.transcript.intake.found import Found, explained
from smtpshell.transcript.intake.lines import text_lines

SAMPLES = Path(__file__).parents[2] / "knowledge" / "samples"


def find(text: str | Iterable[str]) -> list[Found]:
    """Return what a text holds, in order."""
    lines = text.removesuffix("\n").split("\n") if isinstance(text, str) else text
    finder = Finder()
    found = [one for line in lines for one in finder.feed(line)]
    return found + finder.close()


def find_in(path: Path) -> list[Found]:
    """Return what a file holds, in order."""
    with path.open("rb") as file:
        return find(line for line, _ in text_lines(file))


def refusals(found: list[Found]) -> list[Found]:
    """Return what went wrong."""
    return [one for one in found if one.is_refusal]


def classes(found: list[Found]) -> list[str]:
    """Return the class of each."""
    return [explained(one).class_ for one in found]
