"""The lessons that ship with the program, and a teacher's own, by id, by number or by path."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from smtpshell.practice.content import content_folder
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.reader import read_file

SUFFIX = ".md"


class NoLesson(SmtpshellError):
    """No lesson has that name."""

    status = 2


def lesson_paths(folder: Path | None = None) -> list[Path]:
    """Return the files of the shipped lessons (`NN-name.md`) in the order of the course."""
    place = folder or content_folder()
    return sorted(path for path in place.glob(f"[0-9][0-9]-*{SUFFIX}") if path.is_file())


def name_of(path: Path) -> str:
    """Return the name under which a shipped lesson is played: its file's, without the number."""
    return path.stem.partition("-")[2]


def names() -> list[str]:
    """Return the names of the shipped lessons, in order."""
    return [name_of(path) for path in lesson_paths()]


def find(name: str) -> Path:
    """Return the file of a lesson; what ends in `.md` or holds a slash is a path itself.

    A lesson is called by its name, by an unambiguous beginning of it, or by its number. Raises
    `NoLesson` with the nearest names.
    """
    if name.endswith(SUFFIX) or "/" in name or "\\" in name:
        return Path(name)
    paths = {name_of(path): path for path in lesson_paths()}
    numbers = {path.stem.partition("-")[0].lstrip("0"): path for path in paths.values()}
    wanted = name.casefold()
    if wanted in paths:
        return paths[wanted]
    if wanted.lstrip("0") in numbers:
        return numbers[wanted.lstrip("0")]
    starting = [known for known in paths if wanted and known.startswith(wanted)]
    if len(starting) == 1:
        return paths[starting[0]]
    near = starting or get_close_matches(wanted, paths, 3, 0.5)
    advice = (
        f"Perhaps {' or '.join(near)}?" if near else "smtpshell lesson list and /lesson list them."
    )
    raise NoLesson(f"no lesson is called {name!r}", next=advice)


def load(name: str) -> Lesson:
    """Read a lesson by name or path; raises `NoLesson`, `LessonError` or `FileError`."""
    return read_file(find(name))


def title_of(path: Path) -> str:
    """Return the title in a lesson's front matter, without reading all of it; "" if there is none.

    For lists and completion, where a broken lesson must not stand in the way of the others.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("title:"):
                return line.partition(":")[2].strip()
            if line.startswith("## "):
                break
    return ""
