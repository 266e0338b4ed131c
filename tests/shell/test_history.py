"""The history keeps commands, and no secrets."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from smtpshell.shell import history
from smtpshell.shell.history import ShellHistory, keepable


@pytest.mark.parametrize(
    ("line", "shown", "kept"),
    [
        ("MAIL FROM:<a@b.example>", None, "MAIL FROM:<a@b.example>"),
        ("auth plain AGEAYg==", "auth plain [hidden]", "auth plain"),
        ("/b64 swordfish", None, "/b64"),
        ("/unb64 c3dvcmRmaXNo", None, "/unb64"),
        (r"/raw AUTH PLAIN AGEAYg==\r\n", None, "/raw"),
        ("/pipeline EHLO x | AUTH PLAIN AGEAYg==", None, "/pipeline"),
        (r"/raw NOOP\r\n", None, r"/raw NOOP\r\n"),
        ("/auth PLAIN alice", None, "/auth PLAIN alice"),
    ],
)
def test_keepable(line: str, shown: str | None, kept: str) -> None:
    """What may hold a secret is cut off; the rest is kept as typed."""
    assert keepable(line, shown) == kept


def test_only_remembered_lines_are_kept(tmp_path: Path) -> None:
    """Accepting a line keeps nothing; remembering does, once, in a file for its owner alone."""
    path = tmp_path / "state" / "history"
    kept = ShellHistory(path)
    kept.append_string("c2VjcmV0")
    for line in ("EHLO a", "EHLO a", "", "NOOP", "bad\x1bline"):
        kept.remember(line)
    assert path.read_text() == "EHLO a\nNOOP\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(kept.newest_first()) == ["NOOP", "EHLO a"]
    assert list(ShellHistory(path).load_history_strings()) == ["NOOP", "EHLO a"]


def test_trimming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that has grown is cut to its newest lines."""
    path = tmp_path / "history"
    path.write_text("".join(f"NOOP {number}\n" for number in range(100)))
    monkeypatch.setattr(history, "TRIM_OCTETS", 100)
    monkeypatch.setattr(history, "KEPT", 10)
    list(ShellHistory(path).load_history_strings())
    assert path.read_text().splitlines() == [f"NOOP {number}" for number in range(90, 100)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_unwritable(tmp_path: Path) -> None:
    """Where nothing can be read or written, the session goes on without."""
    (tmp_path / "file").touch()
    kept = ShellHistory(tmp_path / "file" / "history")
    kept.remember("NOOP")
    assert list(kept.load_history_strings()) == []
    assert list(kept.newest_first()) == ["NOOP"]
