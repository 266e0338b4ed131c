"""What every test may use: the shared data and real servers, and what a skip may be for."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.interop.servers.fixtures"]

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("steady", deadline=None, database=None)
settings.load_profile("steady")

EXPECTED_SKIPS: tuple[str, ...] = ()
"""How the reasons of skips begin that are right even where everything is installed."""


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


def fail_unexpected_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where SMTPSHELL_NO_SKIPS=1 says that everything is installed."""
    if os.environ.get("SMTPSHELL_NO_SKIPS") != "1" or not isinstance(report.longrepr, tuple):
        return  # a skip's longrepr is (file, line, reason); an expected failure has none
    reason = report.longrepr[2].removeprefix("Skipped: ")
    if report.skipped and not reason.startswith(EXPECTED_SKIPS):
        report.outcome = "failed"
        report.longrepr = f"unexpected skip: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge the skip of a test."""
    report = yield
    fail_unexpected_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge the skip of a whole module."""
    report = yield
    fail_unexpected_skip(report)
    return report
