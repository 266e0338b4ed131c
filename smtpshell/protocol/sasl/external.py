"""EXTERNAL (RFC 4422 appendix A) and ANONYMOUS (RFC 4505): one message and no secret."""

from __future__ import annotations

from smtpshell.protocol.sasl.accounts import (
    Account,
    Outcome,
    ServerSteps,
    ServerTerms,
    authorize,
    refuse,
)
from smtpshell.protocol.sasl.plain import utf8
from smtpshell.protocol.sasl.values import (
    ClientSteps,
    ClientTerms,
    Credentials,
    SaslError,
    nothing_more,
    response_text,
)

TRACE_LIMIT = 255
"""Characters of ANONYMOUS's trace information (RFC 4505 section 2)."""


def external_client(credentials: Credentials, terms: ClientTerms) -> ClientSteps:
    """Speak EXTERNAL as the client: the identity to act as, or nothing for the certificate's."""
    del terms
    if "\0" in credentials.authzid:
        raise SaslError("the authorization identity holds a NUL", "EXTERNAL", "Leave it out.")
    nothing_more((yield utf8(credentials.authzid, "EXTERNAL")), "EXTERNAL")


def external_server(terms: ServerTerms) -> ServerSteps:
    """Speak EXTERNAL as the server, which must know the client from elsewhere."""
    authzid = response_text((yield b""), "EXTERNAL")
    if "\0" in authzid:
        return refuse("malformed", reason="the authorization identity holds a NUL")
    if not terms.identity:
        return refuse("no-identity")
    return authorize(terms.users(terms.identity) or Account(terms.identity), authzid)


def anonymous_client(credentials: Credentials, terms: ClientTerms) -> ClientSteps:
    """Speak ANONYMOUS as the client; the user name serves as trace information."""
    del terms
    if len(credentials.user) > TRACE_LIMIT:
        raise SaslError(f"the trace is longer than {TRACE_LIMIT} characters", "ANONYMOUS")
    nothing_more((yield utf8(credentials.user, "ANONYMOUS")), "ANONYMOUS")


def anonymous_server(terms: ServerTerms) -> ServerSteps:
    """Speak ANONYMOUS as the server; the trace is returned as the outcome's reason."""
    del terms
    trace = response_text((yield b""), "ANONYMOUS")
    if len(trace) > TRACE_LIMIT:
        return refuse("malformed", reason=f"the trace is longer than {TRACE_LIMIT} characters")
    return Outcome(True, user="anonymous", authzid="anonymous", reason=f"trace {trace!r}")
