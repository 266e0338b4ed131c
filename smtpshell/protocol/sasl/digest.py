"""DIGEST-MD5 (RFC 2831) with qop=auth: hash, not encrypt; historic since RFC 6331.

    A1       = MD5(user:realm:password) ":" nonce ":" cnonce [":" authzid]
    A2       = "AUTHENTICATE:" digest-uri          (for the server's own proof: ":" digest-uri)
    response = HEX(MD5(HEX(MD5(A1)) ":" nonce ":" nc ":" cnonce ":" qop ":" HEX(MD5(A2))))

The server answers with rspauth, the same hash without the word AUTHENTICATE, which the client has
to check.
"""

from __future__ import annotations

import hashlib
import hmac

from smtpshell.protocol.sasl.accounts import ServerSteps, ServerTerms, authorize, refuse
from smtpshell.protocol.sasl.digest_syntax import Directives, directives, quoted
from smtpshell.protocol.sasl.values import (
    ClientSteps,
    ClientTerms,
    Credentials,
    SaslError,
    nothing_more,
    present,
    random_nonce,
)
from smtpshell.protocol.values import dataclass

_WHERE = "DIGEST-MD5"
_FIRST_USE = "00000001"


@dataclass(frozen=True, slots=True)
class Digest:
    """What goes into the hash beside the password."""

    user: str
    realm: str
    nonce: str
    cnonce: str
    uri: str
    authzid: str = ""
    count: str = _FIRST_USE
    utf8: bool = True

    def response(self, password: str, method: str = "AUTHENTICATE") -> str:
        """Return the 32 hex digits; with an empty method, those that the server shows.

        Raises `SaslError` where a part needs UTF-8 and the server does not offer it.
        """
        parts = [_hashable(part, utf8=self.utf8) for part in (self.user, self.realm, password)]
        start = _md5(b":".join(parts))
        tail = f":{self.nonce}:{self.cnonce}" + (f":{self.authzid}" if self.authzid else "")
        charset = "utf-8" if self.utf8 else "latin-1"
        first = _md5(start + tail.encode(charset)).hex()
        second = _md5(f"{method}:{self.uri}".encode(charset)).hex()
        rest = f"{first}:{self.nonce}:{self.count}:{self.cnonce}:auth:{second}"
        return _md5(rest.encode(charset)).hex()


def _md5(octets: bytes) -> bytes:
    return hashlib.md5(octets, usedforsecurity=False).digest()


def _hashable(text: str, *, utf8: bool) -> bytes:
    """Encode as RFC 2831 section 2.1.2.1 has it: ISO 8859-1 where that suffices, else UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        pass
    if utf8:
        try:
            return text.encode("utf-8")
        except UnicodeEncodeError:
            raise SaslError("a name or password is not valid text", _WHERE) from None
    raise SaslError(
        "a name or password needs UTF-8, and the server does not offer charset=utf-8",
        _WHERE,
        "Use PLAIN or SCRAM.",
    )


def client(credentials: Credentials, terms: ClientTerms) -> ClientSteps:
    """Speak DIGEST-MD5 as the client."""
    offer = directives(present((yield b""), _WHERE), _WHERE)
    realms = _check_offer(offer)
    realm = credentials.realm or _choose(realms, terms.host)
    digest = Digest(
        user=credentials.user,
        realm=realm,
        nonce=offer.one("nonce"),
        cnonce=(terms.nonce or random_nonce)(),
        uri=f"smtp/{terms.host or realm or 'localhost'}",
        authzid=credentials.authzid,
        utf8=offer.utf8,
    )
    password = credentials.password or ""
    answer = message(digest, password, with_realm=bool(realms or realm))
    shown = directives(present((yield answer), _WHERE), _WHERE).one("rspauth")
    if not hmac.compare_digest(shown.lower().encode(), digest.response(password, "").encode()):
        raise SaslError(
            "the server's proof (rspauth) is wrong: it does not know the password",
            _WHERE,
            "Someone may be playing the server: disconnect.",
        )
    nothing_more((yield b""), _WHERE)


def message(digest: Digest, password: str, *, with_realm: bool = True) -> bytes:
    """Return the client's response (RFC 2831 section 2.1.2)."""
    fields = [
        "charset=utf-8" if digest.utf8 else "",
        f"username={quoted(digest.user)}",
        f"realm={quoted(digest.realm)}" if with_realm else "",
        f"nonce={quoted(digest.nonce)}",
        f"nc={digest.count}",
        f"cnonce={quoted(digest.cnonce)}",
        f"digest-uri={quoted(digest.uri)}",
        f"response={digest.response(password)}",
        "qop=auth",
        f"authzid={quoted(digest.authzid)}" if digest.authzid else "",
    ]
    try:
        return ",".join(filter(None, fields)).encode("utf-8" if digest.utf8 else "latin-1")
    except UnicodeEncodeError:
        raise SaslError("a name needs an encoding that the server does not offer", _WHERE) from None


def _check_offer(offer: Directives) -> tuple[str, ...]:
    """Return the realms offered; raise `SaslError` for an offer that cannot be answered."""
    offer.one("nonce")
    if offer.one("algorithm").lower() != "md5-sess":
        raise SaslError("the algorithm is not md5-sess, the only one there is", _WHERE)
    levels = [level.strip().lower() for level in offer.get("qop", "auth").split(",")]
    if "auth" not in levels:
        raise SaslError(
            "the server insists on qop auth-int or auth-conf, which is not spoken here",
            _WHERE,
            "Choose another mechanism, under TLS.",
        )
    return offer.all("realm")


def _choose(realms: tuple[str, ...], host: str) -> str:
    return host if host in realms else realms[0] if realms else ""


def server(terms: ServerTerms) -> ServerSteps:
    """Speak DIGEST-MD5 as the server; the realm is the host's name unless `terms` give another."""
    nonce = (terms.nonce or random_nonce)()
    realm = terms.realm or terms.host
    offer = f'realm={quoted(realm)},nonce={quoted(nonce)},qop="auth",algorithm=md5-sess'
    given = directives((yield f"{offer},charset=utf-8".encode()), _WHERE)
    user = given.one("username")
    digest = Digest(
        user=user,
        realm=given.get("realm", ""),
        nonce=given.one("nonce"),
        cnonce=given.one("cnonce"),
        uri=given.one("digest-uri"),
        authzid=given.get("authzid", ""),
        count=given.one("nc"),
        utf8=given.utf8,
    )
    wrong = {
        "the nonce is not the one that was sent": digest.nonce != nonce,
        "nc is not 00000001, though the nonce is new": digest.count != _FIRST_USE,
        "the realm is not the one that was offered": digest.realm != realm,
        "digest-uri does not begin with smtp/": not digest.uri.lower().startswith("smtp/"),
        "qop is not auth": given.get("qop", "auth").lower() != "auth",
        "cnonce is empty": not digest.cnonce,
    }
    for reason, found in wrong.items():
        if found:
            return refuse("malformed", user, reason)
    account = terms.users(user)
    password = account.password if account is not None else None
    expected = digest.response(password or "").encode()
    same = hmac.compare_digest(given.one("response").lower().encode(), expected)
    if account is None:
        return refuse("unknown-user", user)
    if password is None:
        return refuse("no-keys", user)
    if not same:
        return refuse("wrong-password", user)
    if (yield f"rspauth={digest.response(password, '')}".encode()):
        return refuse("malformed", user, "the answer to rspauth must be empty")
    return authorize(account, digest.authzid)
