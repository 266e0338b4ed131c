"""The scenarios that ship with the program, and those of a teacher's own, by name or by path."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from smtpshell.practice.content import content_folder
from smtpshell.practice.scenario import Scenario
from smtpshell.practice.scenario_file import ScenarioError, parse_scenario
from smtpshell.protocol.errors import FileError

SUFFIX = ".toml"
DEFAULT = "plain"


def load_scenario(name_or_path: str | Path = DEFAULT) -> Scenario:
    """Return a shipped scenario by its name, or one from a file.

    What ends in `.toml` or holds a slash is a path. Raises `ScenarioError` for an unknown name or a
    file that makes no sense, `FileError` for one that cannot be read.
    """
    given = str(name_or_path)
    if given.endswith(SUFFIX) or "/" in given or "\\" in given:
        return _read(Path(given))
    path = content_folder() / "scenarios" / f"{given}{SUFFIX}"
    if not given.replace("-", "").isalnum() or not path.is_file():
        names = ", ".join(list_scenarios())
        raise ScenarioError(f"no scenario is called {given!r}", "", f"There are {names}.")
    return _shipped(path)


def list_scenarios() -> dict[str, str]:
    """Return the names of the shipped scenarios with their titles, in alphabetical order."""
    paths = sorted((content_folder() / "scenarios").glob(f"*{SUFFIX}"))
    return {path.stem: _shipped(path).title for path in paths}


@lru_cache
def _shipped(path: Path) -> Scenario:
    return _read(path)


def _read(path: Path) -> Scenario:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError.from_os(error, path, "read") from None
    except UnicodeDecodeError:
        raise ScenarioError("the file is not UTF-8 text", str(path)) from None
    return parse_scenario(text, path.name)
