"""Lesson files as tests of pytest: what is collected, what passes, and how a failure is told."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from tests.net.rogue import Smtp, serve
from tests.tutor.making import GREETING, lesson_text

SHIPPED = Path(__file__).resolve().parents[2] / "lessons"
FIRST = SHIPPED / "01-helo-to-quit.md"


def pytest_run(folder: Path, *options: str) -> tuple[int, str]:
    """Run pytest over a folder with nothing but the plug-in; return its status and its report."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "none.ini", "--rootdir", str(folder)),
            *("-p", "smtpshell.tutor.pytest_plugin", "-p", "no:cacheprovider"),
            *("-v", "-rA", *options),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def put(folder: Path, name: str, text: str) -> None:
    """Write a file of the project under test; pytest needs its (empty) settings."""
    (folder / "none.ini").write_text("[pytest]\n")
    (folder / name).write_text(text, encoding="utf-8")


def test_nothing_is_collected_or_loaded_without_an_option(tmp_path: Path) -> None:
    """Where the program is installed, other people's tests neither see lessons nor pay for them."""
    put(tmp_path, "made.md", lesson_text(GREETING))
    put(
        tmp_path,
        "test_loaded.py",
        "import sys\n\ndef test_loaded():\n"
        "    loaded = {name for name in sys.modules if name.startswith('smtpshell')}\n"
        "    assert loaded == {'smtpshell', 'smtpshell.tutor', 'smtpshell.tutor.pytest_plugin'}\n",
    )
    status, report = pytest_run(tmp_path)
    assert status == 0, report
    assert "1 passed" in report
    assert "made.md" not in report


def test_the_installed_program_brings_the_plugin() -> None:
    """Pytest finds the plug-in by the entry point of the project."""
    entry = {each.name: each.value for each in entry_points(group="pytest11")}
    assert entry["smtpshell_lessons"] == "smtpshell.tutor.pytest_plugin"


def test_a_lesson_is_proven_and_other_markdown_left_alone(tmp_path: Path) -> None:
    """A good lesson passes; a page that speaks of the format is no lesson."""
    put(tmp_path, "made.md", lesson_text(GREETING))
    put(tmp_path, "page.md", "# A page\n\nformat: smtpshell-lesson/1\n")
    status, report = pytest_run(tmp_path, "--smtpshell-lessons")
    assert status == 0, report
    assert "made.md::check PASSED" in report
    assert "page.md" not in report


def test_a_wrong_lesson_fails_with_file_line_and_message(tmp_path: Path) -> None:
    """A solution that does not work, and a file that cannot be read, are told without traceback."""
    put(tmp_path, "made.md", lesson_text(GREETING.replace("S: 250 *", "S: 251 *")))
    put(tmp_path, "torn.md", lesson_text("## No id\n"))
    status, report = pytest_run(tmp_path, "--smtpshell-lessons")
    assert status == 1
    assert "2 failed" in report
    assert "made.md:17:" in report
    assert "torn.md:10: a step needs its id" in report
    assert "Traceback" not in report


def test_a_server_is_held_to_a_lesson(tmp_path: Path, sink_server) -> None:
    """A server that answers as the lesson says passes, and what it cannot tell is named."""
    put(tmp_path, FIRST.name, FIRST.read_text(encoding="utf-8"))
    target = f"{sink_server.host}:{sink_server.port}"
    status, report = pytest_run(tmp_path, "--smtpshell-target", target, "--smtpshell-send")
    assert status == 0, report
    assert f"{FIRST.name}::replay PASSED" in report
    assert "check delivered {{bob}} count == 1: " in report


def test_a_server_that_answers_otherwise_fails(tmp_path: Path) -> None:
    """The line of the lesson, the command and the difference are told."""
    put(tmp_path, "made.md", lesson_text(GREETING, replay="any"))
    with serve(Smtp(answers={"HELO": b"502 no\r\n"})) as server:
        target = f"{server.host}:{server.port}"
        status, report = pytest_run(tmp_path, "--smtpshell-target", target)
    assert status == 1
    assert "made.md:17: HELO client.example: " in report
    assert "502" in report


def test_nobody_there_is_a_failure_and_a_practice_lesson_is_skipped(tmp_path: Path) -> None:
    """A target that does not answer is never passed; a lesson of the practice server is no test."""
    put(tmp_path, "made.md", lesson_text(GREETING, replay="any"))
    put(tmp_path, "own.md", lesson_text(GREETING))
    status, report = pytest_run(tmp_path, "--smtpshell-target", "127.0.0.1:1")
    assert status == 1
    assert "1 failed, 1 skipped" in report
    assert "does not say 'replay: any'" in report
