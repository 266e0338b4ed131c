"""LOGIN (draft-murchison-sasl-login): two prompts, two answers, nothing else.

The draft says that clients must not look at the prompts, and servers word them as they like
("Username:", "User Name" with a NUL, "Password:"). So the order decides; only a prompt that plainly
asks for the other thing is an error, because answering it would send the password as a name or the
other way round.
"""

from __future__ import annotations

from smtpshell.protocol.sasl.accounts import ServerSteps, ServerTerms, check_password, refuse
from smtpshell.protocol.sasl.plain import utf8
from smtpshell.protocol.sasl.values import (
    ClientSteps,
    ClientTerms,
    Credentials,
    SaslError,
    challenge_text,
    nothing_more,
    response_text,
)

PROMPTS = (b"Username:", b"Password:")
"""What nearly every server asks, in order."""


def client(credentials: Credentials, terms: ClientTerms) -> ClientSteps:
    """Speak LOGIN as the client."""
    del terms
    _expect((yield b""), "user name", "pass")
    _expect((yield utf8(credentials.user, "LOGIN")), "password", "user")
    nothing_more((yield utf8(credentials.password or "", "LOGIN")), "LOGIN")


def _expect(challenge: bytes | None, wanted: str, other: str) -> None:
    prompt = challenge_text(challenge, "LOGIN")
    if prompt.strip().lower().startswith(other):
        raise SaslError(
            f"the server asks for the wrong thing: the {wanted} is due, the prompt begins {other}",
            "LOGIN",
            "Cancel with *, and try PLAIN.",
        )


def server(terms: ServerTerms) -> ServerSteps:
    """Speak LOGIN as the server; an initial response, sent at the first prompt, is the name."""
    user = response_text((yield PROMPTS[0]), "LOGIN")
    password = response_text((yield PROMPTS[1]), "LOGIN")
    if not user:
        return refuse("malformed", reason="LOGIN's user name is empty")
    return check_password(terms.users, user, password)
