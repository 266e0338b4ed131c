"""One exchange as an object with methods, for those who drive it from replies and lines.

The client's side, over SMTP:

    exchange = ClientExchange("SCRAM-SHA-256", credentials)
    initial = exchange.start()              # goes on the AUTH line, unless None
    answer = exchange.answer(challenge)     # for each 334
    exchange.accepted()                     # at 235: raises SaslError if the server owes a proof

and the server's:

    exchange = ServerExchange(terms)
    step = exchange.start(initial)          # octets of a 334, or the Outcome
    step = exchange.receive(response)       # for each line of the client

Both keep the tokens that went over, which `anatomy` can take apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smtpshell.protocol.sasl import client, mechanism, server
from smtpshell.protocol.sasl.accounts import Outcome, ServerTerms, refuse
from smtpshell.protocol.sasl.line import initial_fits
from smtpshell.protocol.sasl.table import INITIAL_TOLERATED
from smtpshell.protocol.sasl.values import SaslError, present
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from smtpshell.protocol.sasl.values import Credentials, Direction


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an exchange; `step` counts from 1 in each direction."""

    direction: Direction
    step: int
    octets: bytes


class _Tokens:
    """The tokens so far."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []

    def _keep(self, direction: Direction, octets: bytes) -> None:
        step = sum(token.direction == direction for token in self.tokens) + 1
        self.tokens.append(Token(direction, step, octets))


class ClientExchange(_Tokens):
    """The client's side of one exchange; the arguments are those of `sasl.client`.

    Raises `SaslError` for an unknown mechanism, credentials that do not suffice or that the
    mechanism cannot carry.
    """

    def __init__(self, name: str, credentials: Credentials, **terms: Any) -> None:  # noqa: ANN401  passed on to client(), which types them
        super().__init__()
        self.mechanism = mechanism(name)
        self._steps = client(name, credentials, **terms)
        self._first: bytes | None = next(self._steps)
        if not self.mechanism.client_first:
            self._first = None

    def start(self) -> bytes | None:
        """Return the initial response for the AUTH line.

        None where the server speaks first, or where the response is too long for the line and has
        to wait for the empty 334; then `answer` gives it.
        """
        first = self._first
        if first is None or not initial_fits(self.mechanism.name, first):
            return None
        self._first = None
        self._keep("client", first)
        return first

    def answer(self, challenge: bytes) -> bytes:
        """Return the response to a challenge; raise `SaslError` if it is not as it should be."""
        self._keep("server", challenge)
        if self._first is not None:
            response, self._first = self._first, None
            if challenge:
                raise SaslError(
                    "the server sent a challenge where the client speaks first",
                    self.mechanism.name,
                    "Cancel with *, and try another mechanism.",
                )
        else:
            try:
                response = self._steps.send(challenge)
            except StopIteration:
                raise SaslError(
                    "the server sent a challenge, and the exchange is over", self.mechanism.name
                ) from None
        self._keep("client", response)
        return response

    def accepted(self) -> None:
        """Take note of the server's 235; raise `SaslError` if it has not proved itself yet."""
        if self._first is not None:
            present(None, self.mechanism.name)
        next(self._steps, None)


class ServerExchange(_Tokens):
    """The server's side of one exchange; raises `SaslError` for an unknown mechanism only."""

    def __init__(self, terms: ServerTerms) -> None:
        super().__init__()
        self.mechanism = mechanism(terms.mechanism)
        self._steps = server(terms)

    def start(self, initial: bytes | None = None) -> bytes | Outcome:
        """Return the first challenge, or, with an initial response, what follows on that.

        An initial response where the server speaks first is malformed (RFC 4954 section 4), but
        for the mechanisms that tolerate one.
        """
        first = next(self._steps)
        row = self.mechanism
        if initial is None:
            self._keep("server", first)
            return first
        if not row.client_first and row.name not in INITIAL_TOLERATED:
            self._steps.close()
            return refuse("malformed", reason=f"{row.name} takes no initial response")
        return self.receive(initial)

    def receive(self, response: bytes) -> bytes | Outcome:
        """Return the next challenge, or the outcome."""
        self._keep("client", response)
        try:
            challenge = self._steps.send(response)
        except StopIteration as end:
            return end.value if isinstance(end.value, Outcome) else refuse("malformed")
        self._keep("server", challenge)
        return challenge
