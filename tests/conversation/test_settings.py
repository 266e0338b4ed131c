"""Settings: one table, and flag over environment over file over default."""

from __future__ import annotations

import pytest

from smtpshell.conversation.settings import SETTINGS, Settings, config_folder, state_folder
from smtpshell.protocol.errors import UsageError


def test_every_default_is_a_value_that_can_be_written(tmp_path) -> None:
    """What `told` says of a default, `set` takes back."""
    settings = Settings()
    for name, row in SETTINGS.items():
        settings.set(name, settings.told(name))
        assert settings[name] == row.default


def test_the_environment_wins_over_the_file(tmp_path) -> None:
    """The order is environment, file, default."""
    folder = tmp_path / "smtpshell"
    folder.mkdir()
    (folder / "config.toml").write_text('notes = "long"\ntimeout = 5\nstuffing = false\n')
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "SMTPSHELL_NOTES": "off"}
    settings = Settings()
    settings.load(environment)
    assert (settings.notes, settings.timeout, settings.stuffing) == ("off", 5.0, False)


@pytest.mark.parametrize(
    "text", ["no toml = = ", "nonsense = 1", "timeout = 'soon'", "notes = 'loud'", "notes = [1]"]
)
def test_a_bad_file_is_named(tmp_path, text) -> None:
    """A file that makes no sense is a usage error that names it."""
    folder = tmp_path / "smtpshell"
    folder.mkdir()
    (folder / "config.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        Settings().load({"XDG_CONFIG_HOME": str(tmp_path)})
    assert str(folder / "config.toml") in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("timeout", "0"), ("timeout", "nan"), ("notes", ""), ("keys", "nano"), ("what", "x")],
)
def test_bad_values_change_nothing(name, text) -> None:
    """A value that is refused leaves the setting as it was."""
    settings = Settings()
    before = {row: settings[row] for row in SETTINGS}
    with pytest.raises(UsageError):
        settings.set(name, text)
    assert {row: settings[row] for row in SETTINGS} == before


def test_folders_follow_the_base_directory_specification() -> None:
    """XDG_CONFIG_HOME and XDG_STATE_HOME are heeded."""
    environment = {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}
    assert str(config_folder(environment)) == "/c/smtpshell"
    assert str(state_folder(environment)) == "/s/smtpshell"
