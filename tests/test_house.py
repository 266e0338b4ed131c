"""The house rules that no linter knows: floors, short modules, a clean tree, a cheap start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LONGEST = 450  # lines of one module
MACHINE_PATHS = re.compile(r"/(?:home|root|Users|work|opt/[a-z]+)/[\w.-]+")


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the tree that git knows; skip where this is no checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [path for name in listed.decode().split("\0") if name and (path := ROOT / name).exists()]


def test_floors() -> None:
    """A floor imports lower floors only, and what has one home is imported there only."""
    pytest.importorskip("importlinter", reason="import-linter is not installed (dev extra)")
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as main; main()",
    ]
    done = subprocess.run(
        [*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_modules_are_short() -> None:
    """No module of the package is longer than a reader holds in mind."""
    lengths = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n")
        for path in (ROOT / "smtpshell").rglob("*.py")
    }
    assert lengths
    assert not {name: length for name, length in lengths.items() if length > LONGEST}


def test_no_machine_paths() -> None:
    """No file names a folder that only one machine has."""
    found = []
    for path in tracked():
        if path.suffix in {".png", ".gif", ".ico"}:
            continue
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), 1
        ):
            if MACHINE_PATHS.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not found


@pytest.mark.parametrize(("demanded", "status"), [("", 0), ("1", 1)])
def test_skips_are_failures_on_demand(tmp_path: Path, demanded: str, status: int) -> None:
    """Where everything is installed, a test that skips itself fails, and says why it skipped."""
    (tmp_path / "test_absent.py").write_text(
        "import pytest\ndef test_absent(): pytest.skip('nothing to talk to')\n"
    )
    plugins = ("-p", "tests.conftest", "-p", "no:cacheprovider", "-p", "no:randomly")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--rootdir", tmp_path, tmp_path],
        cwd=ROOT,
        env={**os.environ, "SMTPSHELL_NO_SKIPS": demanded},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == status, done.stdout
    assert ("unexpected skip: nothing to talk to" in done.stdout) == bool(demanded)
