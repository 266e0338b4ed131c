"""How a link is opened."""

from __future__ import annotations

from collections.abc import Callable

from smtpshell.net.connecting import Resolve
from smtpshell.net.proxy import Proxy, ProxyHeader
from smtpshell.protocol.values import dataclass


def ignore(_: object) -> None:
    """Do nothing with what is reported."""


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How to connect: `timeout` in seconds bounds name look-up, connecting and proxy together.

    `family` is 0 (both), 4 or 6; `source` the local address to connect from; `resolve` stands in
    for the system's look-up of names; `on_error_line` is told each line of a command's stderr.
    """

    timeout: float = 30.0
    family: int = 0
    source: str | None = None
    proxy: Proxy | None = None
    proxy_protocol: ProxyHeader | None = None
    resolve: Resolve | None = None
    on_error_line: Callable[[str], None] = ignore


DEFAULTS = LinkOptions()
