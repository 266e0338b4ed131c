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
    """

    kind: Literal["tcp", "unix", "pipe"]
    host: str = ""
    port: int = 0
    path: str = ""
    command: str = ""

    @property
    def label(self) -> str:
        """The endpoint in messages: `mx.example:25`, `[2001:db8::1]:25`, `unix:/run/lmtp`."""
        if self.kind == "unix":
            return f"unix:{visible(self.path)}"
        if self.kind == "pipe":
            return f"pipe:{visible(self.command)}"
        host = visible(self.host)
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
