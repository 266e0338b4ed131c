"""Lesson files, read: Markdown in, a `Lesson` out, and every complaint as `file:line: message`.

A line-by-line reader is enough for the format: front matter, headings of steps, fences; everything
else is prose and stays as it is. All mistakes of a file are collected and told together.
"""

from __future__ import annotations

import re
from pathlib import Path

from smtpshell.protocol.errors import FileError, SmtpshellError
from smtpshell.protocol.values import replace
from smtpshell.tutor import fences
from smtpshell.tutor.essence import digest_of
from smtpshell.tutor.lesson import FORMAT, Block, Lesson, Prose, Step

SYNTAX_STATUS = 2

STEP = re.compile(r"## (?P<title>.+?) \{#(?P<id>[a-z][a-z0-9-]*)\}\s*")
FENCE = re.compile(r"(?P<ticks>`{3,}|~{3,})\s*(?P<info>.*)")
_KEYS = frozenset(
    {"id", "title", "format", "scenario", "scope", "minutes", "level", "needs", "teaches"}
    | {"replay", "lang", "deal", "score"}
)
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
REPLAYS = ("", "any")
SCOPES = ("", "practice")
SCORES = ("", "commands")


class LessonError(SmtpshellError):
    """A lesson file that cannot be used; `complaints` are lines of the form file:line: message."""

    status = SYNTAX_STATUS

    def __init__(self, complaints: list[str]) -> None:
        more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
        super().__init__(complaints[0] + more, next="smtpshell lesson check FILE lists them all.")
        self.complaints = complaints


def read_file(path: Path) -> Lesson:
    """Read a lesson file; raises `FileError` and `LessonError`."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error
    return read_lesson(decoded(octets, path), str(path))


def decoded(octets: bytes, path: Path) -> str:
    """Return the text of a file's octets, line ends as they are; raises `LessonError`."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise LessonError([f"{path}:{line}: not UTF-8 text (octet {error.start})"]) from error


def read_lesson(text: str, name: str) -> Lesson:
    """Read the text of a lesson; raises `LessonError` with every complaint."""
    return _Reader(text, name).lesson()


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
        self._complaints: list[str] = []
        self._at = 0

    def _complain(self, line: int, message: str) -> None:
        self._complaints.append(f"{self._name}:{line}: {message}")

    def lesson(self) -> Lesson:
        front = self._front()
        prose, steps = self._body()
        if not steps:
            self._complain(1, "there is no step: a step begins with '## Title {#id}'")
        self._unique(steps)
        self._dealt(front, steps)
        fields = self._fields(front)
        if self._complaints:
            raise LessonError(self._complaints)
        lesson = Lesson(steps=steps, prose=prose, path=self._name, **fields)  # type: ignore[arg-type] # checked above
        return replace(lesson, digest=digest_of(lesson))

    # --- front matter ------------------------------------------------------------------------

    def _front(self) -> dict[str, tuple[str, int]]:
        front: dict[str, tuple[str, int]] = {}
        if self._lines[0].strip() != "---":
            self._complain(1, "the file begins with '---' and the front matter")
            return front
        for number, line in enumerate(self._lines[1:], 2):
            if line.strip() == "---":
                self._at = number
                break
            key, colon, value = line.partition(":")
            key = key.strip()
            if not line.strip():
                continue
            if not colon:
                self._complain(number, f"{line.strip()!r} is no 'key: value'")
            elif key in front:
                self._complain(number, f"the key {key!r} stands twice")
            elif key not in _KEYS and not self._is_variable(key):
                self._complain(number, f"unknown key {key!r}")
            else:
                front[key] = (value.strip(), number)
        else:
            self._complain(1, "the front matter is not closed by '---'")
            self._at = len(self._lines)
        return front

    @staticmethod
    def _is_variable(key: str) -> bool:
        kind, dot, name = key.partition(".")
        return kind in ("var", "vary") and bool(dot) and _NAME.fullmatch(name) is not None

    def _fields(self, front: dict[str, tuple[str, int]]) -> dict[str, object]:
        for key in ("id", "title", "format"):
            if not front.get(key, ("", 0))[0]:
                self._complain(1, f"the front matter needs {key!r}")
        self._one_of(front, "format", (FORMAT,))
        self._one_of(front, "replay", REPLAYS)
        self._one_of(front, "scope", SCOPES)
        self._one_of(front, "score", SCORES)
        name, line = front.get("id", ("", 1))
        if name and not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            self._complain(line, f"the id {name!r} is not lower case letters, digits and hyphens")
        return {
            "id": name,
            "title": front.get("title", ("", 0))[0],
            "scenario": front.get("scenario", ("", 0))[0] or "plain",
            "scope": front.get("scope", ("", 0))[0],
            "minutes": self._number(front, "minutes", 0),
            "level": self._number(front, "level", 1),
            "needs": _words(front.get("needs", ("", 0))[0]),
            "teaches": _words(front.get("teaches", ("", 0))[0]),
            "replay": front.get("replay", ("", 0))[0],
            "language": front.get("lang", ("", 0))[0] or "en",
            "variables": _named(front, "var."),
            "variants": {key: _words(value) for key, value in _named(front, "vary.").items()},
            "deal": _words(front.get("deal", ("", 0))[0]),
            "score": front.get("score", ("", 0))[0],
        }

    def _one_of(
        self, front: dict[str, tuple[str, int]], key: str, allowed: tuple[str, ...]
    ) -> None:
        value, line = front.get(key, ("", 0))
        if value and value not in allowed:
            known = ", ".join(word for word in allowed if word)
            self._complain(line, f"{key} is {value!r}; it may be {known}")

    def _number(self, front: dict[str, tuple[str, int]], key: str, default: int) -> int:
        value, line = front.get(key, ("", 0))
        if not value:
            return default
        if not value.isdecimal():
            self._complain(line, f"{key} is {value!r}, not a number")
            return default
        return int(value)

    # --- steps and fences ----------------------------------------------------------------------

    def _body(self) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        preface: list[str] = []
        steps: list[Step] = []
        blocks: list[Block] = []
        title = step_id = ""
        began = 0
        prose: list[str] = []
        prose_line = self._at + 1

        def end_prose() -> None:
            nonlocal prose
            if any(line.strip() for line in prose):
                blocks.append(Prose(_trimmed(prose), prose_line))
            prose = []

        def end_step() -> None:
            nonlocal blocks
            end_prose()
            if step_id:
                steps.append(Step(step_id, title, tuple(blocks), began))
            else:
                preface.extend(
                    line for block in blocks if isinstance(block, Prose) for line in block.lines
                )
            blocks = []

        index = self._at
        while index < len(self._lines):
            line = self._lines[index]
            heading = STEP.fullmatch(line)
            fence = FENCE.fullmatch(line)
            if heading is not None:
                end_step()
                title, step_id, began = heading["title"], heading["id"], index + 1
                prose_line = index + 2
            elif line.startswith("## "):
                self._complain(index + 1, "a step needs its id: '## Title {#id}'")
            elif fence is not None:
                index = self._fence(fence, index, blocks, prose, end_prose, in_step=bool(step_id))
                prose_line = index + 2
            else:
                if not prose:
                    prose_line = index + 1
                prose.append(line)
            index += 1
        end_step()
        return tuple(preface), tuple(steps)

    def _fence(
        self,
        fence: re.Match[str],
        start: int,
        blocks: list[Block],
        prose: list[str],
        end_prose: object,
        *,
        in_step: bool,
    ) -> int:
        """Read a fence that opens at line index `start`; return the index of its last line."""
        end = next(
            (
                index
                for index in range(start + 1, len(self._lines))
                if self._lines[index].strip() == fence["ticks"]
            ),
            None,
        )
        if end is None:
            self._complain(start + 1, "the fence is not closed")
            return len(self._lines)
        content = self._lines[start + 1 : end]
        kind, _, argument = fence["info"].partition(" ")
        if kind not in fences.READERS:
            prose.extend(self._lines[start : end + 1])
            return end
        if not in_step:
            self._complain(start + 1, f"a fence of kind {kind!r} stands before the first step")
            return end
        assert callable(end_prose)
        end_prose()
        numbered = list(enumerate(content, start + 2))
        block = fences.READERS[kind](numbered, start + 1, argument.strip(), self._complain)
        blocks.append(block)
        return end

    def _dealt(self, front: dict[str, tuple[str, int]], steps: tuple[Step, ...]) -> None:
        value, line = front.get("deal", ("", 0))
        known = {step.id for step in steps}
        for name in _words(value):
            if name not in known:
                self._complain(line, f"deal names {name!r}, and no step has that id")
            elif {f"var.{name}", f"vary.{name}"} & front.keys():
                self._complain(line, f"{name!r} is dealt, and a variable too")

    def _unique(self, steps: tuple[Step, ...]) -> None:
        seen: dict[str, int] = {}
        for step in steps:
            for name, line in ((step.id, step.line), *((ask.id, ask.line) for ask in step.asks)):
                if name in seen:
                    self._complain(line, f"the id {name!r} stands already at line {seen[name]}")
                seen[name] = line


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _named(front: dict[str, tuple[str, int]], prefix: str) -> dict[str, str]:
    return {
        key.removeprefix(prefix): value
        for key, (value, _) in front.items()
        if key.startswith(prefix)
    }


def _trimmed(lines: list[str]) -> tuple[str, ...]:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return tuple(lines[start:end])
