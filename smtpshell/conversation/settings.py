"""Settings: one table of what can be set, from where, and what it means.

Each row is a `/set NAME VALUE`, a key of `config.toml`, an environment variable `SMTPSHELL_NAME`
and, where it says so, a command-line option. A flag wins over the environment, that over the
file, that over the default.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from smtpshell.protocol.errors import FileError, UsageError
from smtpshell.protocol.values import dataclass

NOTES = ("off", "short", "long")
TLS_POLICIES = ("verify", "required", "optional", "never")
TLS_VERSIONS = ("1.0", "1.1", "1.2", "1.3")


def _switch(text: str) -> bool:
    words = {"on": True, "yes": True, "true": True, "1": True}
    words |= {"off": False, "no": False, "false": False, "0": False}
    if text.lower() not in words:
        raise ValueError("say on or off")
    return words[text.lower()]


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("say a number of seconds") from None
    if not 0 < value < 1_000_000:
        raise ValueError("say a number of seconds above 0")
    return value


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"say one of: {', '.join(words)}")
        return text.lower()

    return parse


def _text(text: str) -> str:
    return text


def _file(text: str) -> str:
    return str(Path(text).expanduser()) if text else ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set: its name, default, how text becomes its value, what it does."""

    name: str
    default: Any
    parse: Callable[[str], Any]
    summary: str
    values: tuple[str, ...] = ()
    kind: str = ""


_SWITCH = ("on", "off")

SETTINGS: dict[str, Setting] = {
    row.name: row
    for row in (
        Setting("notes", "short", _one_of(*NOTES), "what is said under each reply", NOTES),
        Setting("timing", True, _switch, "show how long each reply took", _SWITCH),
        Setting("timeout", 60.0, _seconds, "seconds to wait for each whole reply", kind="seconds"),
        Setting("stuffing", True, _switch, "double a leading dot in message data", _SWITCH),
        Setting("helo", "", _text, "host name that /send and /starttls greet with", kind="host"),
        Setting("keys", "emacs", _one_of("emacs", "vi"), "how the line is edited", ("emacs", "vi")),
        Setting("completion", True, _switch, "offer completions while typing", _SWITCH),
        Setting("bar", True, _switch, "show the bar at the bottom", _SWITCH),
        Setting(
            "tls",
            "optional",
            _one_of(*TLS_POLICIES),
            "what a script or /send demands of TLS",
            TLS_POLICIES,
        ),
        Setting("tls-min", "1.0", _one_of(*TLS_VERSIONS), "lowest TLS version", TLS_VERSIONS),
        Setting("tls-max", "1.3", _one_of(*TLS_VERSIONS), "highest TLS version", TLS_VERSIONS),
        Setting("ciphers", "", _text, "OpenSSL cipher list for TLS 1.2 and below"),
        Setting("sni", "", _text, "server name to ask for and to check", kind="host"),
        Setting("cert", "", _file, "client certificate (PEM file)", kind="file"),
        Setting("key", "", _file, "key of the client certificate (PEM file)", kind="file"),
        Setting("user", "", _text, "who /auth logs in as"),
        Setting("password-command", "", _text, "a command whose first line is the password"),
        Setting("password-file", "", _file, "a file whose first line is the password", kind="file"),
        Setting("ca", "", _file, "trusted certificates (PEM file or folder)", kind="file"),
    )
}
"""Every setting, by name."""

FOLDER = "smtpshell"


def config_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the user's configuration (XDG Base Directory Specification)."""
    base = environment.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(base) / FOLDER


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of history and progress (XDG Base Directory Specification)."""
    base = environment.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
    return Path(base) / FOLDER


class Settings:
    """What is set now, and the options of the command line that are no settings.

    `json`, `plain`, `quiet` and `interactive` say what kind of output is wanted; `nameservers` and
    `zone` serve the look-ups; `allowed` holds the names of flags that answer a question in advance.
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = {name: row.default for name, row in SETTINGS.items()}
        self.json = False
        self.plain = False
        self.color = True
        self.quiet = False
        self.interactive = False
        self.nameservers: tuple[str, ...] = ()
        self.dns_timeout: float | None = None
        self.zone: str | None = None
        self.allowed: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - each setting has its own type
        return self._values[name]

    @property
    def notes(self) -> str:
        """How much is said under each reply: off, short or long."""
        return str(self._values["notes"])

    @property
    def timeout(self) -> float:
        """Seconds to wait for each whole reply."""
        return float(self._values["timeout"])

    @property
    def stuffing(self) -> bool:
        """Whether a leading dot of message data is doubled."""
        return bool(self._values["stuffing"])

    def set(self, name: str, text: str, where: str = "/set") -> None:
        """Set one value from text; raises `UsageError` for an unknown name or a bad value."""
        row = SETTINGS.get(name)
        if row is None:
            known = ", ".join(SETTINGS)
            raise UsageError(f"no setting is called {name!r}", where, f"There are: {known}.")
        try:
            self._values[name] = row.parse(text)
        except ValueError as error:
            raise UsageError(f"{text!r} is no value for {name}: {error}", where) from error

    def told(self, name: str) -> str:
        """Return a setting's value as a user would write it."""
        value = self._values[name]
        if isinstance(value, bool):
            return "on" if value else "off"
        return f"{value:g}" if isinstance(value, float) else str(value)

    def load(self, environment: Mapping[str, str] = os.environ) -> None:
        """Take values from the configuration file and the environment.

        Raises `UsageError` when one of them makes no sense and `FileError` when the file cannot be
        read; a file that does not exist is fine.
        """
        path = config_folder(environment) / "config.toml"
        if path.exists():
            self._load_file(path)
        for name in SETTINGS:
            variable = "SMTPSHELL_" + name.upper().replace("-", "_")
            if variable in environment:
                self.set(name, environment[variable], variable)
        if environment.get("NO_COLOR"):
            self.color = False

    def _load_file(self, path: Path) -> None:
        import tomllib

        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise FileError.from_os(error, path, "read") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"not valid TOML: {error}", str(path), "Mend or move it.") from error
        for name, value in table.items():
            text = {True: "on", False: "off"}.get(value) if isinstance(value, bool) else str(value)
            self.set(name, text or "", str(path))
