"""The texts of a lesson file that are for people, and where they stand in it.

A file is taken apart into stretches of lines, each of fixed parts and texts. A stretch that gets no
new text keeps its lines as they are, octet by octet; one that does is written anew, folded to the
columns that lessons have. Wire blocks, right answers, globs and conditions are no texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from smtpshell.protocol.values import dataclass
from smtpshell.tutor.fences import READERS
from smtpshell.tutor.plainly import ALONE
from smtpshell.tutor.reader import FENCE, STEP
from smtpshell.tutor.style import COLUMNS

_HINT = re.compile(r"(\d+\. +)(.+)")
_RULE = re.compile(r"([CS] .*?\s+: )(.+)")
_WRONG = re.compile(r"(! .*?\s+: )(.+)")
_CHOICE = re.compile(r"(\([x ]\) )(.+?)(?:(\s+: )(.+))?")
_CHECK = re.compile(r"(.+? -- )(.+)")
_MARK = re.compile(r"([-*>#|]+ *)(.*)")
_NO_START = re.compile(r"[-*=!~+]|\d+\.|\(x?\)?|(?:[#|>]|```|~~~).*")
"""Words that would mean something else at the beginning of a line."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people; its context is the step and what kind of text it is."""

    context: str
    source: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines of a file, by their indices, and what they are made of.

    Lines behind the first begin with `indent`; without `folds` there is only one.
    """

    first: int
    last: int
    parts: tuple[Text | str, ...]
    indent: str = ""
    folds: bool = True

    @property
    def texts(self) -> tuple[Text, ...]:
        """Its texts."""
        return tuple(part for part in self.parts if isinstance(part, Text))


Numbered = list[tuple[int, str]]


def stretches(text: str) -> list[Stretch]:
    """Return the stretches of a lesson file that hold texts, in order."""
    return list(_Scanner(text.split("\n")).scan())


def replaced(text: str, translations: Mapping[Text, str]) -> str:
    """Return a file with some of its texts replaced."""
    lines = text.split("\n")
    for stretch in reversed(stretches(text)):
        if not any(each in translations for each in stretch.texts):
            continue
        end = "\r" if lines[stretch.last].endswith("\r") else ""
        whole = "".join(
            " ".join(translations.get(part, part.source).split())
            if isinstance(part, Text)
            else part
            for part in stretch.parts
        )
        new = folded(whole, stretch.indent) if stretch.folds else [whole]
        lines[stretch.first : stretch.last + 1] = [f"{line}{end}" for line in new]
    return "\n".join(lines)


def folded(text: str, indent: str = "") -> list[str]:
    """Return a text in lines of bearable length, none beginning with what would be a mark."""
    words = text.split(" ")
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= COLUMNS:
            lines[-1] += f" {word}"
        elif not _NO_START.fullmatch(word):
            lines.append(indent + word)
        else:
            before, _, last = lines[-1].rpartition(" ")
            movable = before.strip() and not _NO_START.fullmatch(last)
            lines[-1:] = [before, f"{indent}{last} {word}"] if movable else [f"{lines[-1]} {word}"]
    return lines


class _Scanner:
    def __init__(self, lines: list[str]) -> None:
        self._lines = [line.removesuffix("\r") for line in lines]
        self._step = "lesson"

    def _text(self, kind: str, source: str) -> Text:
        return Text(f"{self._step} {kind}", source.strip())

    def scan(self) -> Iterator[Stretch]:
        index = next((at for at, line in enumerate(self._lines) if at and line.strip() == "---"), 0)
        for at, line in enumerate(self._lines[:index]):
            if match := re.fullmatch(r"(title: *)(.+)", line):
                parts = (match[1], self._text("title", match[2]))
                yield Stretch(at, at, parts, folds=False)
        prose: Numbered = []
        index += 1
        while index < len(self._lines):
            line = self._lines[index]
            fence, heading = FENCE.fullmatch(line), STEP.fullmatch(line)
            if fence is not None or heading is not None:
                yield from self._prose("text", prose)
                prose = []
            if heading is not None:
                self._step = heading["id"]
                parts3 = ("## ", self._text("title", heading["title"]), f" {{#{heading['id']}}}")
                yield Stretch(index, index, parts3, folds=False)
            elif fence is not None:
                end = self._end(index, fence["ticks"])
                kind = fence["info"].partition(" ")[0]
                reader = _FENCES.get(kind) if kind in READERS else None
                if reader is not None:
                    content = list(enumerate(self._lines[index + 1 : end], index + 1))
                    yield from reader(self, content)
                index = end
            else:
                prose.append((index, line))
            index += 1
        yield from self._prose("text", prose)

    def _end(self, start: int, ticks: str) -> int:
        closing = (
            at for at in range(start + 1, len(self._lines)) if self._lines[at].strip() == ticks
        )
        return next(closing, len(self._lines))

    def _prose(self, kind: str, lines: Numbered) -> Iterator[Stretch]:
        """Yield paragraphs, and the lines that stand alone, as learners are shown them."""
        held: Numbered = []
        for index, line in (*lines, (0, "")):
            alone = line.startswith(ALONE)
            if (alone or not line.strip()) and held:
                yield self._joined(kind, held)
                held = []
            if alone and not line.startswith(("    ", "\t")):
                mark = _MARK.fullmatch(line)
                if mark is not None and any(letter.isalpha() for letter in mark[2]):
                    parts = (mark[1], self._text(kind, mark[2]))
                    yield Stretch(index, index, parts, folds=False)
            elif line.strip() and not alone:
                held.append((index, line))

    def _joined(self, kind: str, held: Numbered) -> Stretch:
        source = " ".join(line.strip() for _, line in held)
        return Stretch(held[0][0], held[-1][0], (self._text(kind, source),))

    def _marked(
        self, kind: str, lines: Numbered, form: re.Pattern[str], indent: str, *, folds: bool = True
    ) -> Iterator[Stretch]:
        """Yield what begins with a mark of the form, with the lines that continue it."""
        for first, last, line in _logical(lines):
            if match := form.fullmatch(line):
                parts = (match[1], self._text(kind, match[2]))
                yield Stretch(first, last, parts, indent, folds)

    def hint(self, lines: Numbered) -> Iterator[Stretch]:
        return self._marked("hint", lines, _HINT, "   ")

    def feedback(self, lines: Numbered) -> Iterator[Stretch]:
        return self._marked("feedback", lines, _RULE, "  ")

    def check(self, lines: Numbered) -> Iterator[Stretch]:
        return self._marked("check", lines, _CHECK, "", folds=False)

    def teacher(self, lines: Numbered) -> Iterator[Stretch]:
        return self._prose("teacher", lines)

    def ask(self, lines: Numbered) -> Iterator[Stretch]:
        answers = [
            at for at, (_, line) in enumerate(lines) if re.match(r"[=!] |\([x ]\) |~ \d", line)
        ]
        first = answers[0] if answers else len(lines)
        question = [each for each in lines[:first] if each[1].strip()]
        if question:
            yield self._joined("question", question)
        for begin, last, line in _logical(lines[first:]):
            if match := _WRONG.fullmatch(line):
                parts: tuple[Text | str, ...] = (match[1], self._text("answer", match[2]))
                yield Stretch(begin, last, parts, "  ")
            elif match := _CHOICE.fullmatch(line):
                parts = (match[1], self._text("choice", match[2]))
                if match[4]:
                    parts += (match[3], self._text("answer", match[4]))
                yield Stretch(begin, last, parts, "  ")


_FENCES: dict[str, Callable[[_Scanner, Numbered], Iterator[Stretch]]] = {
    "hint": _Scanner.hint,
    "feedback": _Scanner.feedback,
    "check": _Scanner.check,
    "teacher": _Scanner.teacher,
    "ask": _Scanner.ask,
}
"""The fences that hold texts; what is in others is the same in every language."""


def _logical(lines: Numbered) -> Iterator[tuple[int, int, str]]:
    """Yield lines with those that continue them: the first and last index, and the whole."""
    held: tuple[int, int, str] | None = None
    for index, line in lines:
        if line.startswith("  ") and line.strip() and held is not None:
            held = (held[0], index, f"{held[2]} {line.strip()}")
            continue
        if held is not None:
            yield held
        held = (index, index, line) if line.strip() else None
    if held is not None:
        yield held
