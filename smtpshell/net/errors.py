"""The only two exceptions that leave this room: a link that fails, and TLS that fails on it."""

from __future__ import annotations

from typing import Literal

from smtpshell.protocol.errors import SmtpshellError, Status
from smtpshell.protocol.values import dataclass

Outcome = Literal[
    "connected",
    "refused",
    "timeout",
    "unreachable",
    "denied",
    "reset",
    "source",
    "overtaken",
    "failed",
]

LinkKind = (
    Outcome
    | Literal[
        "resolve",
        "closed",
        "file",
        "proxy",
        "tls",
    ]
)

TlsKind = Literal[
    "closed",
    "not-tls",
    "version",
    "cipher",
    "certificate",
    "timeout",
    "alert",
    "reset",
    "settings",
    "failed",
]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to connect to one address: what came of it and after how many milliseconds.

    `family` is `IPv4` or `IPv6`; `overtaken` means that another address answered first; `error`
    is the operating system's reason in lower case, empty when there was none.
    """

    address: str
    port: int
    family: str
    outcome: Outcome
    ms: float
    error: str = ""


class LinkError(SmtpshellError):
    """No link could be made, or it broke; `attempts` tells each address that was tried."""

    status = Status.CONNECT

    def __init__(
        self,
        kind: LinkKind,
        what: str,
        where: str = "",
        next: str = "",
        *,
        attempts: tuple[Attempt, ...] = (),
        status: int | None = None,
    ) -> None:
        super().__init__(what, where, next, status=status)
        self.kind = kind
        self.attempts = attempts

    @classmethod
    def lost(cls, kind: LinkKind, what: str, where: str, next: str = "") -> LinkError:
        """Make the error of a link that had been made and then broke."""
        return cls(kind, what, where, next, status=Status.LOST)


class TlsError(LinkError):
    """TLS could not be set up, or broke; `tls_kind` names the way, `what` says it in plain words.

    `first_octets` are the first octets that came in place of (or as) the server's handshake;
    `injected` are plain octets that had come before it; `reason` is OpenSSL's own word.
    """

    status = Status.TLS

    def __init__(
        self,
        tls_kind: TlsKind,
        what: str,
        where: str = "",
        next: str = "",
        *,
        first_octets: bytes = b"",
        reason: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__("tls", what, where, next, status=status)
        self.tls_kind = tls_kind
        self.first_octets = first_octets
        self.reason = reason
        self.injected = b""

    @property
    def detail(self) -> str:
        """What happened and what to try, without the place."""
        return f"{self.what}. {self.next}" if self.next else self.what
