"""Where a link leads: a host and port, a UNIX socket, or a command's standard input and output."""

from __future__ import annotations

from typing import Literal

from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end to connect to.

    `tcp` uses `host` (a name or an address without brackets) and `port`; `unix` uses `path`;
    `pipe` uses `command`, which is split as a shell would split it but run without a shell.
    `instead_of` is the endpoint of a practice world that it stands in for, which messages name.
    """

    kind: Literal["tcp", "unix", "pipe"]
    host: str = ""
    port: int = 0
    path: str = ""
    command: str = ""
    instead_of: Endpoint | None = None

    @property
    def named(self) -> Endpoint:
        """The endpoint that messages name."""
        return self.instead_of or self

    @property
    def label(self) -> str:
        """The endpoint in messages: `mx.example:25`, `[2001:db8::1]:25`, `unix:/run/lmtp`."""
        if self.instead_of is not None:
            return self.instead_of.label
        if self.kind == "unix":
            return f"unix:{visible(self.path)}"
        if self.kind == "pipe":
            return f"pipe:{visible(self.command)}"
        host = visible(self.host)
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
