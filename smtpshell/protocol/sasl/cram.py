"""CRAM-MD5 (RFC 2195): the server sends a text used once, the client a keyed MD5 of it."""

from __future__ import annotations

from smtpshell.protocol.sasl.accounts import ServerSteps, ServerTerms, authorize, refuse
from smtpshell.protocol.sasl.plain import utf8
from smtpshell.protocol.sasl.values import (
    ClientSteps,
    ClientTerms,
    Credentials,
    SaslError,
    challenge_text,
    nothing_more,
    random_nonce,
    response_text,
)


def response(user: str, password: str, challenge: bytes) -> bytes:
    """Return `user SP hex`, the hex being HMAC-MD5 keyed by the password (RFC 2195 section 2)."""
    import hmac

    digest = hmac.new(utf8(password, "CRAM-MD5"), challenge, "md5").hexdigest()
    return utf8(f"{user} {digest}", "CRAM-MD5")


def client(credentials: Credentials, terms: ClientTerms) -> ClientSteps:
    """Speak CRAM-MD5 as the client; an empty challenge is refused, for its digest is replayable."""
    del terms
    challenge = challenge_text((yield b""), "CRAM-MD5")
    if not challenge:
        raise SaslError(
            "the challenge is empty, so the answer would be good for ever",
            "CRAM-MD5",
            "Cancel with *: a server must send a text that it never used before.",
        )
    answer = response(credentials.user, credentials.password or "", challenge.encode())
    nothing_more((yield answer), "CRAM-MD5")


def server(terms: ServerTerms) -> ServerSteps:
    """Speak CRAM-MD5 as the server."""
    import hmac

    challenge = f"<{(terms.nonce or random_nonce)()}@{terms.host}>".encode()
    answer = yield challenge
    user, space, digest = response_text(answer, "CRAM-MD5").rpartition(" ")
    if not space or not user or len(digest) != 32:
        return refuse("malformed", reason="the response is not a name, a space and 32 hex digits")
    account = terms.users(user)
    password = account.password if account is not None else None
    expected = response(user, password or "", challenge)
    same = hmac.compare_digest(expected, f"{user} {digest.lower()}".encode())
    if account is None:
        return refuse("unknown-user", user)
    if password is None:
        return refuse("no-keys", user)
    return authorize(account, "") if same else refuse("wrong-password", user)
