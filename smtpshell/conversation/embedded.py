"""The practice server inside the program: how it is started, and how it becomes a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.targets import PRACTICE, Target
from smtpshell.net.endpoint import Endpoint
from smtpshell.protocol.errors import SmtpshellError, Status
from smtpshell.protocol.values import replace

if TYPE_CHECKING:
    from smtpshell.practice.server import PracticeServer

DEFAULT_SCENARIO = "plain"


async def start(
    scenario: str = DEFAULT_SCENARIO, port: int = 0, *, seed: int | None = None
) -> PracticeServer:
    """Start a practice server on loopback, on any free port unless one is given.

    `seed` replaces that of the scenario.
    """
    from smtpshell.practice.library import load_scenario
    from smtpshell.practice.server import PracticeServer

    server = PracticeServer(load_scenario(scenario), seed)
    await server.start(port)
    return server


def target_of(server: PracticeServer) -> Target:
    """Return the target that leads to a running practice server.

    Its throw-away authority is trusted for this connection alone, and its published credentials are
    not hidden.
    """
    return Target(
        label=PRACTICE,
        endpoint=Endpoint("tcp", host=server.address, port=server.port),
        host=server.host_name,
        ca_pem=server.ca_pem,
        published=server.is_published,
        nonce=server.client_nonce,
    )


def within(server: PracticeServer, target: Target) -> Target | None:
    """Return the door of a practice world that a target names; None for hosts that it has not.

    The name is that of one of the world's hosts, or its address there; the port is the one that the
    host has in the world, not the one that it really listens on. Raises `SmtpshellError` for a port
    that the host has not.
    """
    named = target.endpoint
    name = named.host.casefold().rstrip(".").strip("[]")
    host = next(
        (each for each in server.scenario.hosts if name in (each.name.casefold(), each.address)),
        None,
    )
    if host is None or named.kind != "tcp":
        return None
    real = server.resolve(named.host, named.port)
    if real is None:
        ports = ", ".join(str(port) for port in sorted(host.ports))
        raise SmtpshellError(
            f"{host.name} has no port {named.port} in this practice world",
            next=f"Its ports are {ports}.",
            status=Status.CONNECT,
        )
    return replace(
        target,
        endpoint=Endpoint(
            "tcp",
            host=real[0],
            port=real[1],
            instead_of=Endpoint("tcp", host=host.name, port=named.port),
        ),
        host=host.name,
        lmtp=host.lmtp,
        nonce=server.client_nonce,
        ca_pem=server.ca_pem,
        published=server.is_published,
    )
