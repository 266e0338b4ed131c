"""What a person gets who installs: from a wheel and from an editable tree, lessons included.

No network: the build uses the hatchling that the test extra brought, and dependencies are those of
the running environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

PARTS = ("smtpshell", "lessons", "pyproject.toml", "README.md", "LICENSE")
FIND = "from smtpshell.practice.content import content_folder; print(content_folder())"


def run(*words: str | Path, **environment: str) -> str:
    """Run a program outside the source tree; return what it printed, or fail with its errors."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=ROOT.anchor,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def pip(*words: str | Path) -> None:
    """Run this environment's pip without the network."""
    run(sys.executable, "-m", "pip", "--quiet", *words, PIP_NO_INDEX="1")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what an install reads, so that building leaves nothing in the tree."""
    copy = tmp_path_factory.mktemp("source")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, copy / part)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and return its path."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own and return that folder."""
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--target", folder, wheel)
    return folder


def test_wheel_carries_everything(wheel: Path) -> None:
    """Every file of the package and of lessons/ is in the wheel, and no test is."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for top, inside in (("smtpshell", "smtpshell"), ("lessons", "smtpshell/lessons")):
        for path in (ROOT / top).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{inside}/{path.relative_to(ROOT / top).as_posix()}" in names
    assert "smtpshell/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "lessons/"))]


def test_wheel_finds_lessons(installed: Path) -> None:
    """An installed wheel finds the lessons beside its own modules."""
    found = run(sys.executable, "-c", FIND, PYTHONPATH=str(installed))
    assert Path(found) == installed / "smtpshell" / "lessons"


def test_wheel_entry_point(installed: Path) -> None:
    """The wheel installs the command `smtpshell`, which answers."""
    command = installed / "bin" / "smtpshell"
    assert "smtpshell" in run(sys.executable, command, "--help", PYTHONPATH=str(installed))


def test_editable_finds_lessons(source: Path, tmp_path: Path) -> None:
    """An editable install finds the lessons at the top of the source tree."""
    pip(
        *("install", "--no-deps", "--no-build-isolation", "--ignore-installed"),
        *("--prefix", tmp_path, "--editable", source),
    )
    (packages,) = tmp_path.glob("lib/*/site-packages")
    with_pth = f"import site; site.addsitedir({str(packages)!r}); {FIND}"
    assert Path(run(sys.executable, "-I", "-S", "-c", with_pth)) == source / "lessons"
