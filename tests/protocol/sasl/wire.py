"""Two sides of a mechanism wired to each other, and text that SASLprep lets through."""

from __future__ import annotations

from hypothesis import strategies as st

from smtpshell.protocol.sasl import Account, Outcome, SaslError, ServerTerms
from smtpshell.protocol.sasl.exchange import ClientExchange, ServerExchange
from smtpshell.protocol.sasl.prepare import saslprep

ANY = st.characters()


def allowed(text: str) -> bool:
    """Tell whether SASLprep leaves something of a text."""
    try:
        return bool(saslprep(text))
    except SaslError:
        return False


def letters(alphabet: st.SearchStrategy[str] = ANY) -> st.SearchStrategy[str]:
    """Return texts of one to twelve characters that SASLprep allows."""
    return st.text(alphabet, min_size=1, max_size=12).filter(allowed)


def fixed(value):
    """Return a function that returns a value, whatever it is called with."""
    return lambda *_: value


def only(account: Account):
    """Return a look-up that knows one account, by its prepared name or its name."""
    names = {account.user}
    if allowed(account.user):
        names.add(saslprep(account.user))
    return lambda name: account if name in names else None


def play(
    client: ClientExchange, terms: ServerTerms, *, initial: bool = True
) -> tuple[Outcome, ServerExchange]:
    """Run both sides to the outcome; the client hears of acceptance, as it would from a 235."""
    server = ServerExchange(terms)
    step = server.start(client.start() if initial else None)
    while isinstance(step, bytes):
        step = server.receive(client.answer(step))
    if step.ok:
        client.accepted()
    return step, server
