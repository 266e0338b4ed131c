"""What every test may use: the shared data, where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared_data(name: str) -> Path:
    """Return the path of a file of the shared data, or skip the test and say why.

    The folder is named by the environment variable SMTPSHELL_DATA; without it, `../shared` beside
    the project's root is taken.
    """
    folder = Path(os.environ.get("SMTPSHELL_DATA", ROOT.parent / "shared"))
    path = folder / name
    if not path.exists():
        pytest.skip(f"shared data absent: {name} (set SMTPSHELL_DATA)")
    return path
