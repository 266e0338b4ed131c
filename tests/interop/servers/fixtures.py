"""The servers as fixtures, for every test below tests/ (see `pytest_plugins` in conftest.py).

A server is started once for a run, when the first test asks for it, and shared. A test therefore
looks for its own message by a word that no other test sends, and leaves mailboxes as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .dovecot import dovecot
from .exim import exim
from .opensmtpd import opensmtpd
from .postfix import postfix
from .running import MailServer
from .sink import Sink, sink

REFUSED = {
    "gone@sink.example": "550 5.1.1 <gone@sink.example>: no such user here",
    "busy@sink.example": "450 4.2.1 <busy@sink.example>: try again later",
}


@pytest.fixture(scope="session")
def sink_server() -> Iterator[Sink]:
    """Run aiosmtpd: takes any mail, refuses the recipients of REFUSED."""
    with sink(REFUSED) as server:
        yield server


@pytest.fixture(scope="session")
def postfix_server(sink_server: Sink) -> Iterator[MailServer]:
    """Run Postfix; logged-in users' mail for other domains goes to the sink."""
    with postfix(relay=sink_server.port) as server:
        yield server


@pytest.fixture(scope="session")
def dovecot_server(sink_server: Sink) -> Iterator[MailServer]:
    """Run Dovecot's submission and LMTP services; submitted mail goes to the sink."""
    with dovecot(sink_server.port) as server:
        yield server


@pytest.fixture(scope="session")
def exim_server(sink_server: Sink) -> Iterator[MailServer]:
    """Run Exim; logged-in users' mail for other domains goes to the sink."""
    with exim(relay=sink_server.port) as server:
        yield server


@pytest.fixture(scope="session")
def opensmtpd_server(sink_server: Sink) -> Iterator[MailServer]:
    """Run OpenSMTPD; its relay service passes mail to the sink."""
    with opensmtpd(relay=f"host smtp://{sink_server.host}:{sink_server.port}") as server:
        yield server
