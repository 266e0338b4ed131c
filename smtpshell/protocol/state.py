"""The states of an SMTP session and the one table of how replies move between them.

The law: the state follows what the server *accepted*, never what the client hoped. A command out of
order is sent all the same; if the server takes it, the table says where that leads, and if the
table does not know the pair, the state stays as it is. Nothing here refuses anything.

    CLOSED -> GREETING -> START -> READY -> MAIL -> RCPT -> DATA -> READY
                                     |               `--> BDAT --^
                                     |--> AUTH -> READY
                                     `--> TLS -> START

RFC 5321 section 4.1.4 gives the order of commands, RFC 3030 section 2 that of BDAT, RFC 3207
section 4.2 what STARTTLS resets, RFC 4954 section 4 the exchange of AUTH.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a session stands; the value is how it is told to a person."""

    CLOSED = "not connected"
    GREETING = "waiting for the greeting"
    START = "greeted, no HELO yet"
    READY = "ready"
    MAIL = "sender given"
    RCPT = "recipients given"
    DATA = "message data"
    BDAT = "message chunks"
    AUTH = "login under way"
    TLS = "TLS handshake"
    QUIT = "said goodbye"

    def __repr__(self) -> str:
        return f"State.{self.name}"


class Mode(Enum):
    """What the next line that the client sends will be taken for."""

    COMMAND = "command"
    DATA = "message data"
    OCTETS = "chunk octets"
    ANSWER = "answer to a challenge"
    CLOSED = "not connected"


BANNER = "BANNER"
"""Stands in the table for the greeting, which answers no command."""

END_OF_DATA = "."
"""Stands in the table for the line that ends message data."""

BDAT_LAST = "BDAT LAST"
"""Stands in the table for a BDAT command that carries LAST."""

HANDSHAKE = "TLS"
"""Stands in the table for a TLS handshake that went through."""

GOODBYE = 221
"""The code that ends a session (RFC 5321 section 4.1.1.10)."""

_HELLOS = ("HELO", "EHLO", "LHLO")
_OPENERS = ("MAIL", "SEND", "SOML", "SAML")
_GREETED = (State.START, State.READY)
_TRANSACTION = (State.MAIL, State.RCPT, State.BDAT)
_SPOKEN = (*_GREETED, *_TRANSACTION)


def _table() -> dict[tuple[State, str, int], State]:
    table: dict[tuple[State, str, int], State] = {}

    def rows(states: tuple[State, ...], verb: str, families: tuple[int, ...], to: State) -> None:
        table.update({(state, verb, family): to for state in states for family in families})

    rows((State.GREETING,), BANNER, (2, 3, 4, 5), State.START)
    for hello in _HELLOS:
        rows((State.GREETING, *_SPOKEN), hello, (2,), State.READY)
    for opener in _OPENERS:
        rows((*_GREETED, State.MAIL, State.RCPT), opener, (2,), State.MAIL)
    rows((State.MAIL, State.RCPT), "RCPT", (2,), State.RCPT)
    rows(_SPOKEN, "DATA", (3,), State.DATA)
    rows((State.DATA,), END_OF_DATA, (2, 4, 5), State.READY)
    rows((State.RCPT, State.BDAT), "BDAT", (2,), State.BDAT)
    rows((State.RCPT, State.BDAT), BDAT_LAST, (2, 4, 5), State.READY)
    rows((State.READY, *_TRANSACTION), "RSET", (2,), State.READY)
    rows(_SPOKEN, "STARTTLS", (2,), State.TLS)
    rows((State.TLS,), HANDSHAKE, (2,), State.START)
    rows((*_SPOKEN, State.AUTH), "AUTH", (3,), State.AUTH)
    rows((State.AUTH, *_GREETED), "AUTH", (2,), State.READY)
    rows((State.AUTH,), "AUTH", (4, 5), State.READY)
    rows(_SPOKEN, "XCLIENT", (2,), State.START)
    rows((*_SPOKEN, State.GREETING, State.AUTH), "QUIT", (2,), State.QUIT)
    return table


TRANSITIONS: dict[tuple[State, str, int], State] = _table()
"""(state, verb, first digit of the reply) -> the state after it."""


def next_state(state: State, verb: str, family: int | None) -> State:
    """Return the state after a reply of this family to this verb; unknown pairs change nothing."""
    return state if family is None else TRANSITIONS.get((state, verb, family), state)
