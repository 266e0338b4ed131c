"""PLAIN (RFC 4616): authorization identity, user name and password, with NUL between them."""

from __future__ import annotations

from smtpshell.protocol.sasl.accounts import (
    Outcome,
    ServerSteps,
    ServerTerms,
    check_password,
    refuse,
)
from smtpshell.protocol.sasl.values import (
    ClientSteps,
    ClientTerms,
    Credentials,
    SaslError,
    nothing_more,
    response_text,
)


def message(user: str, password: str, authzid: str = "") -> bytes:
    """Return PLAIN's only message (RFC 4616 section 2); NUL in a part raises `SaslError`."""
    if "\0" in authzid + user + password:
        raise SaslError("a name or password holds a NUL", "PLAIN", "PLAIN cannot carry it.")
    return utf8(f"{authzid}\0{user}\0{password}", "PLAIN")


def utf8(text: str, where: str) -> bytes:
    """Return text as UTF-8, or raise `SaslError` where it holds what UTF-8 cannot carry."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise SaslError(
            "a name or password is not valid text (a lone surrogate)", where, "Type it again."
        ) from None


def client(credentials: Credentials, terms: ClientTerms) -> ClientSteps:
    """Speak PLAIN as the client."""
    del terms
    password = credentials.password or ""
    nothing_more((yield message(credentials.user, password, credentials.authzid)), "PLAIN")


def server(terms: ServerTerms) -> ServerSteps:
    """Speak PLAIN as the server."""
    response = yield b""
    return check(terms, response)


def check(terms: ServerTerms, response: bytes) -> Outcome:
    """Judge one PLAIN message."""
    parts = response_text(response, "PLAIN").split("\0")
    if len(parts) != 3:
        found = len(parts) - 1
        return refuse("malformed", reason=f"PLAIN has exactly two NULs, this message {found}")
    authzid, user, password = parts
    if not user:
        return refuse("malformed", reason="PLAIN's user name is empty")
    return check_password(terms.users, user, password, authzid)
