"""The lessons that ship with the program, and a teacher's own, by id, by number or by path.

A translation lies beside its lesson, NN-name.de.md beside NN-name.md, and is taken in its place for
who wants it: by option, or by the locale of the environment as gettext reads it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from smtpshell.practice.content import content_folder
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.reader import read_file

SUFFIX = ".md"
LANGUAGE = r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})?"
"""A language, and perhaps its country or script: de, pt-br, zh-hant."""


class NoLesson(SmtpshellError):
    """No lesson has that name, or none in that language."""

    status = 2


def lesson_paths(folder: Path | None = None) -> list[Path]:
    """Return the files of the shipped lessons (`NN-name.md`) in the order of the course."""
    place = folder or content_folder()
    files = (path for path in place.glob(f"[0-9][0-9]-*{SUFFIX}") if path.is_file())
    return sorted(path for path in files if "." not in path.stem)


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
    if is_file_name(name):
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


def is_file_name(name: str) -> bool:
    """Tell whether a lesson is called by a path, not by its name or number."""
    return name.endswith(SUFFIX) or "/" in name or "\\" in name


def load(name: str, language: str = "") -> Lesson:
    """Read a lesson by name or path; raises `NoLesson`, `LessonError` or `FileError`.

    With a language it is that translation; without one, a lesson called by its name comes in the
    language of the environment if there is it, and a file is that file.
    """
    path = find(name)
    if language or not is_file_name(name):
        path = in_language(path, language)
    return read_file(path)


def next_of(lesson: Lesson) -> tuple[int, str] | None:
    """Return the number and the title of the shipped lesson behind one; None behind the last."""
    paths = lesson_paths()
    ids = [front_value(path, "id") for path in paths]
    if lesson.id not in ids or ids.index(lesson.id) + 1 == len(paths):
        return None
    path = paths[ids.index(lesson.id) + 1]
    return int(path.stem.partition("-")[0]), title_of(in_language(path))


# --- languages -----------------------------------------------------------------------------------


def translations(path: Path) -> dict[str, Path]:
    """Return the translations that lie beside a lesson, by language."""
    beside = path.parent.glob(f"{path.stem}.*{SUFFIX}")
    found = {other.stem.removeprefix(f"{path.stem}."): other for other in sorted(beside)}
    return {
        language.casefold(): other
        for language, other in found.items()
        if re.fullmatch(LANGUAGE, language)
    }


def original_of(path: Path) -> Path | None:
    """Return the lesson beside a file that the file, by its name, is a translation of."""
    stem, dot, language = path.stem.rpartition(".")
    if not dot or not re.fullmatch(LANGUAGE, language):
        return None
    original = path.with_name(f"{stem}{path.suffix}")
    return original if original.is_file() else None


def translated_path(path: Path, language: str) -> Path:
    """Return where the translation of a lesson lies."""
    return path.with_name(f"{path.stem}.{language}{path.suffix}")


def in_language(path: Path, language: str = "") -> Path:
    """Return the file of a lesson in a language, else in one that the environment asks for.

    A country may be left out or added: pt-br finds pt. Raises `NoLesson` where a language that was
    asked for by name is not there; what the environment asks for falls back to the original.
    """
    there = {front_value(path, "lang").casefold() or "en": path, **translations(path)}
    for wanted in [language] if language else languages():
        folded = wanted.casefold().replace("_", "-")
        for name in (folded, folded.partition("-")[0]):
            if name in there:
                return there[name]
    if not language:
        return path
    known = ", ".join(there)
    raise NoLesson(f"there is no translation into {language!r}", str(path), f"There is {known}.")


def languages(environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the languages that an environment asks for, the dearest first, as gettext does.

    >>> languages({"LANGUAGE": "fr:de", "LANG": "de_AT.UTF-8"}), languages({"LANG": "C"})
    (['fr', 'de'], [])
    """
    told = os.environ if environment is None else environment
    values = (told.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next((value for value in values if value), "")
    plain = re.split(r"[.@]", locale)[0]
    if plain in ("", "C", "POSIX"):
        return []
    return [each for each in (told.get("LANGUAGE", "") or plain).split(":") if each]


def title_of(path: Path) -> str:
    """Return the title in a lesson's front matter, without reading all of it; "" if there is none.

    For lists and completion, where a broken lesson must not stand in the way of the others.
    """
    return front_value(path, "title")


def front_value(path: Path, key: str) -> str:
    """Return a value in a lesson's front matter without reading the rest, "" if it has none."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file):
            if line.startswith(f"{key}:"):
                return line.partition(":")[2].strip()
            if number and line.rstrip() == "---":
                break
    return ""
