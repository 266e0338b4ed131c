"""Settings: one table of what can be set, from where, and what it means.

Each row is a `/set NAME VALUE`, a key of `config.toml`, an environment variable `SMTPSHELL_NAME`
and, where it has `flags` or `switches`, a command-line option. A flag wins over the environment,
that over the file, that over the default.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from smtpshell.protocol.errors import FileError, UsageError
from smtpshell.protocol.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

NOTES = ("off", "short", "long")
TLS_POLICIES = ("verify", "required", "optional", "never")
TLS_VERSIONS = ("1.0", "1.1", "1.2", "1.3")
ADVICE_ON_PASSWORDS = (
    "Every user of the machine can read arguments, and the history keeps lines: set it in the "
    "environment (SMTPSHELL_NAME) or in config.toml."
)


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
    return os.path.expanduser(text)  # noqa: PTH111 - pathlib would be loaded for this alone


def _address(text: str) -> str:
    from ipaddress import ip_address

    if text:
        try:
            ip_address(text.partition("%")[0])
        except ValueError:
            raise ValueError("say an IP address of this machine") from None
    return text


def _proxy(text: str) -> str:
    from smtpshell.net.proxy import Proxy

    if text:
        Proxy.parse(text)
    return text


def _proxy_header(text: str) -> str:
    from smtpshell.net.proxy import ProxyHeader

    if text:
        ProxyHeader.parse(text)
    return text


def _without_password(text: str) -> str:
    """Return a proxy's URL with its password hidden."""
    login, at, place = text.rpartition("@")
    user, colon, password = login.rpartition(":")
    hides = at and colon and not password.startswith("//")
    return f"{user}:[hidden]@{place}" if hides else text


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set: its name, default, how text becomes its value, what it does.

    `flags` are its spellings on the command line, each with a value; `switches` are options without
    one, each with the value that it stands for and what it does. `shown` hides what is secret of a
    value.
    """

    name: str
    default: Any
    parse: Callable[[str], Any]
    summary: str
    values: tuple[str, ...] = ()
    kind: str = ""
    flags: tuple[str, ...] = ()
    switches: tuple[tuple[str, str, str], ...] = ()
    shown: Callable[[str], str] = str


_SWITCH = ("on", "off")
_FAMILIES = ("any", "4", "6")

SETTINGS: dict[str, Setting] = {
    row.name: row
    for row in (
        Setting("notes", "short", _one_of(*NOTES), "what is said under each reply", NOTES),
        Setting("timing", True, _switch, "show how long each reply took", _SWITCH),
        Setting("timeout", 60.0, _seconds, "seconds to wait for each whole reply", kind="seconds"),
        Setting("stuffing", True, _switch, "double a leading dot in message data", _SWITCH),
        Setting(
            "helo",
            "",
            _text,
            "host name that /send and /starttls greet with",
            kind="host",
            flags=("--helo", "--ehlo", "--lhlo"),
        ),
        Setting("spell", False, _switch, "say codes digit by digit, group base64 by four", _SWITCH),
        Setting("keys", "emacs", _one_of("emacs", "vi"), "how the line is edited", ("emacs", "vi")),
        Setting("completion", True, _switch, "offer completions while typing", _SWITCH),
        Setting("bar", True, _switch, "show the bar at the bottom", _SWITCH),
        Setting("student", "", _text, "your id in class, by which lessons vary"),
        Setting(
            "tls",
            "",
            _one_of(*TLS_POLICIES, ""),
            "what is demanded of TLS: a good certificate, any, any if offered, none",
            TLS_POLICIES,
            flags=("--tls",),
        ),
        Setting(
            "verify",
            True,
            _switch,
            "mind a certificate that is not good; off takes any",
            _SWITCH,
            switches=(("--no-verify", "off", "take any certificate"),),
        ),
        Setting(
            "tls-min",
            "1.0",
            _one_of(*TLS_VERSIONS),
            "lowest TLS version",
            TLS_VERSIONS,
            flags=("--tls-min",),
        ),
        Setting(
            "tls-max",
            "1.3",
            _one_of(*TLS_VERSIONS),
            "highest TLS version",
            TLS_VERSIONS,
            flags=("--tls-max",),
        ),
        Setting(
            "ciphers",
            "",
            _text,
            "OpenSSL cipher list for TLS 1.2 and below",
            flags=("--ciphers", "--tls-cipher"),
        ),
        Setting(
            "sni",
            "",
            _text,
            "server name to ask for and to check",
            kind="host",
            flags=("--sni", "--tls-sni"),
        ),
        Setting(
            "cert",
            "",
            _file,
            "client certificate (PEM file)",
            kind="file",
            flags=("--cert", "--tls-cert"),
        ),
        Setting(
            "key",
            "",
            _file,
            "key of the client certificate (PEM file)",
            kind="file",
            flags=("--key", "--tls-key"),
        ),
        Setting(
            "ca",
            "",
            _file,
            "trusted certificates (PEM file or folder)",
            kind="file",
            flags=("--ca", "--tls-ca-path"),
        ),
        Setting("user", "", _text, "who /auth logs in as", flags=("--user", "--auth-user", "-au")),
        Setting(
            "password-command",
            "",
            _text,
            "a command whose first line is the password",
            flags=("--password-command",),
        ),
        Setting(
            "password-file",
            "",
            _file,
            "a file whose first line is the password",
            kind="file",
            flags=("--password-file",),
        ),
        Setting(
            "family",
            "any",
            _one_of(*_FAMILIES),
            "connect over IPv4 or IPv6 alone",
            _FAMILIES,
            switches=(("-4", "4", "over IPv4 alone"), ("-6", "6", "over IPv6 alone")),
        ),
        Setting(
            "source",
            "",
            _address,
            "address of this machine to connect from",
            flags=("--source", "--local-interface", "-li"),
        ),
        Setting(
            "proxy",
            "",
            _proxy,
            "SOCKS5 proxy on the way: [socks5://][USER@]HOST[:PORT]",
            kind="host",
            flags=("--proxy",),
            shown=_without_password,
        ),
        Setting(
            "proxy-protocol",
            "",
            _proxy_header,
            "PROXY header to begin with: 1 or 2, then nothing, local, or SOURCE DESTINATION",
            flags=("--proxy-protocol",),
        ),
    )
}
"""Every setting, by name."""

FOLDER = "smtpshell"

RULES = "rules"
"""The folder, in that of the configuration, of a user's own rules for the explainer."""


def config_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the user's configuration (XDG Base Directory Specification)."""
    from pathlib import Path

    base = environment.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(base) / FOLDER


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of history and progress (XDG Base Directory Specification)."""
    from pathlib import Path

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
        if where.startswith(("/", "-")) and row.shown(text) != text:
            raise UsageError(
                "a password is never taken as an argument", f"{where} {name}", ADVICE_ON_PASSWORDS
            )
        try:
            self._values[name] = row.parse(text)
        except ValueError as error:
            given = row.shown(text)
            raise UsageError(f"{given!r} is no value for {name}: {error}", where) from error

    def told(self, name: str) -> str:
        """Return a setting's value as a user would write it."""
        value = self._values[name]
        if isinstance(value, bool):
            return "on" if value else "off"
        return f"{value:g}" if isinstance(value, float) else SETTINGS[name].shown(value)

    def load(self, environment: Mapping[str, str] = os.environ) -> None:
        """Take values from the configuration file and the environment, and rules from their folder.

        Raises `UsageError` when one of them makes no sense and `FileError` when a file cannot be
        read; a file that does not exist is fine.
        """
        folder = config_folder(environment)
        path = folder / "config.toml"
        if path.exists():
            self._load_file(path)
        if (folder / RULES).is_dir():
            from smtpshell.knowledge.rulebook import use_rules

            use_rules(folder / RULES)
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
