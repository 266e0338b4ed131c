"""Mail providers as data: host, ports, security, and what user name and password must be.

The facts carry the date at which they were true, and whoever shows them shows the date too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from smtpshell.protocol.values import dataclass

NAMES: tuple[str, ...] = (
    *("gmail", "outlook", "office365", "yahoo", "aol", "icloud", "sendgrid", "mailgun", "ses"),
    *("postmark", "smtp.com", "brevo", "fastmail", "zoho", "sparkpost", "mailjet", "gmx", "yandex"),
)
"""The names alone, so that asking whether a word is one reads no file."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider; `ports` maps a port to "tls" (at once) or "starttls", the best first."""

    name: str
    title: str
    host: str
    ports: Mapping[int, str]
    user: str
    password: str
    limits: str
    as_of: str

    @property
    def url(self) -> str:
        """The target of its first port."""
        port, security = next(iter(self.ports.items()))
        scheme = "submissions" if security == "tls" else "submission"
        return f"{scheme}://{self.host}:{port}"


@cache
def providers() -> Mapping[str, Provider]:
    """Return every provider by name."""
    import tomllib

    text = (Path(__file__).parent / "tables" / "providers.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["provider"]
    return {
        row["name"]: Provider(
            **{**row, "ports": {int(port): kind for port, kind in row["ports"].items()}}
        )
        for row in rows
    }
