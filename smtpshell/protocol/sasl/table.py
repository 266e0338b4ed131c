"""The mechanisms, one row each; everything that lists, compares or picks mechanisms reads it here.

Strength orders the automatic choice. A proof bound to the TLS channel comes first, then a proof
that both sides can check. Under TLS a password sent in the clear comes before CRAM-MD5 and
DIGEST-MD5, because those oblige the server to store it in the clear; without TLS it comes last.
A bearer token, where one is given, is what the provider wants; EXTERNAL is taken when there is no
password; ANONYMOUS never by itself.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from smtpshell.protocol.sasl.values import ChannelBinding, Credentials

NEEDS_OF_THE_CALLER = frozenset({"user", "password", "token"})
"""Needs without which a client's side cannot even begin."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One mechanism.

    `needs` is a subset of user, password, token, certificate; `client_first` says that the client
    speaks first, so that an initial response is allowed; `plaintext` that a password or token
    itself travels; `strength` orders the automatic choice (0: never). `client` and `server` name
    the functions of both sides. The rest are sentences for people: what one who reads the exchange
    learns (`eavesdropper`), what a wrong password looks like (`failure`), what the server has to
    keep (`stores`).
    """

    name: str
    summary: str
    section: str
    needs: frozenset[str]
    client_first: bool
    plaintext: bool
    strength: int
    channel_binding: bool
    client: str
    server: str
    eavesdropper: str
    failure: str
    stores: str


_PASSWORD = frozenset({"user", "password"})
_TOKEN = frozenset({"user", "token"})

_REFUSED = "The server answers 535 and does not say whether the name or the password is wrong"


def _scram(name: str, section: str, strength: int, *, plus: bool) -> Mechanism:
    digest = name.removeprefix("SCRAM-")
    bound = ", bound to this very TLS channel" if plus else ""
    return Mechanism(
        name=name + "-PLUS" * plus,
        summary=f"both sides prove that they know the password, with salt and {digest}{bound}",
        section=section,
        needs=_PASSWORD,
        client_first=True,
        plaintext=False,
        strength=strength,
        channel_binding=plus,
        client="scram_client:client",
        server="scram_server:server",
        eavesdropper="The user name, and material to try guessed passwords on, slowly: each guess "
        "costs the iteration count. The proof is of no use a second time.",
        failure=f"The proof (p=) does not match what the server stored. {_REFUSED}.",
        stores="Salt, iteration count and two hashes (StoredKey, ServerKey). Who steals them can "
        "play the server, but cannot log in.",
    )


_ROWS = (
    _scram("SCRAM-SHA-256", "RFC 7677 3, RFC 5802 6", 100, plus=True),
    _scram("SCRAM-SHA-1", "RFC 5802 6", 95, plus=True),
    _scram("SCRAM-SHA-256", "RFC 7677 3", 90, plus=False),
    _scram("SCRAM-SHA-1", "RFC 5802 5", 85, plus=False),
    Mechanism(
        name="OAUTHBEARER",
        summary="a bearer token from the provider's sign-in page instead of a password",
        section="RFC 7628 3.1",
        needs=_TOKEN,
        client_first=True,
        plaintext=True,
        strength=120,
        channel_binding=False,
        client="oauth:oauthbearer_client",
        server="oauth:oauthbearer_server",
        eavesdropper="The token itself: until it expires, whoever holds it is you.",
        failure="A 334 with a JSON error in base64; after your answer (AQ==), 535.",
        stores="Nothing: it asks the token's issuer, or checks the token's signature.",
    ),
    Mechanism(
        name="XOAUTH2",
        summary="a bearer token from the provider's sign-in page, as Google first defined it",
        section="Google XOAUTH2 protocol",
        needs=_TOKEN,
        client_first=True,
        plaintext=True,
        strength=115,
        channel_binding=False,
        client="oauth:xoauth2_client",
        server="oauth:xoauth2_server",
        eavesdropper="The token itself: until it expires, whoever holds it is you.",
        failure="A 334 with a JSON error in base64; after your empty answer, 535.",
        stores="Nothing: it asks the token's issuer, or checks the token's signature.",
    ),
    Mechanism(
        name="PLAIN",
        summary="user name and password in one message, in the clear",
        section="RFC 4616 2",
        needs=_PASSWORD,
        client_first=True,
        plaintext=True,
        strength=60,
        channel_binding=False,
        client="plain:client",
        server="plain:server",
        eavesdropper="Everything: base64 is not encryption, and one command decodes it.",
        failure=f"{_REFUSED}.",
        stores="Any salted hash of the password.",
    ),
    Mechanism(
        name="LOGIN",
        summary="user name, then password, in the clear; never a standard, still widely offered",
        section="draft-murchison-sasl-login",
        needs=_PASSWORD,
        client_first=False,
        plaintext=True,
        strength=50,
        channel_binding=False,
        client="login:client",
        server="login:server",
        eavesdropper="Everything: base64 is not encryption, and one command decodes it.",
        failure=f"Both prompts are answered first, then: {_REFUSED[0].lower()}{_REFUSED[1:]}.",
        stores="Any salted hash of the password.",
    ),
    Mechanism(
        name="DIGEST-MD5",
        summary="a keyed MD5 of the password and both sides' nonces; historic since RFC 6331",
        section="RFC 2831 2.1",
        needs=_PASSWORD,
        client_first=False,
        plaintext=False,
        strength=40,
        channel_binding=False,
        client="digest:client",
        server="digest:server",
        eavesdropper="The user name and realm, and material to try guessed passwords on, fast: "
        "one guess costs a few MD5 sums.",
        failure=f"The response= hash does not match. {_REFUSED}.",
        stores="MD5(user:realm:password), which is as good as the password for this realm.",
    ),
    Mechanism(
        name="CRAM-MD5",
        summary="a keyed MD5 of the server's challenge; the password does not travel",
        section="RFC 2195 2",
        needs=_PASSWORD,
        client_first=False,
        plaintext=False,
        strength=30,
        channel_binding=False,
        client="cram:client",
        server="cram:server",
        eavesdropper="The user name, and material to try guessed passwords on, fast: one guess "
        "costs one keyed MD5.",
        failure=f"The 32 hex digits do not match. {_REFUSED}.",
        stores="The password itself, or an intermediate MD5 state that is as good as it.",
    ),
    Mechanism(
        name="EXTERNAL",
        summary="the TLS client certificate says who you are; nothing secret is sent",
        section="RFC 4422 A",
        needs=frozenset({"certificate"}),
        client_first=True,
        plaintext=False,
        strength=20,
        channel_binding=False,
        client="external:external_client",
        server="external:external_server",
        eavesdropper="The name to act as, if one is sent; there is no secret in it.",
        failure="There is no password: 535 means that the server saw no certificate, or "
        "does not map it to that name.",
        stores="Which certificates (or their issuer) belong to which user.",
    ),
    Mechanism(
        name="ANONYMOUS",
        summary="no identity at all; the message is only a trace for the server's log",
        section="RFC 4505 2",
        needs=frozenset(),
        client_first=True,
        plaintext=False,
        strength=0,
        channel_binding=False,
        client="external:anonymous_client",
        server="external:anonymous_server",
        eavesdropper="The trace text, often a mail address.",
        failure="There is no password.",
        stores="Nothing.",
    ),
)

MECHANISMS: Mapping[str, Mechanism] = MappingProxyType({row.name: row for row in _ROWS})
"""Every mechanism that is spoken here, by its name in capitals."""

INITIAL_TOLERATED = frozenset({"LOGIN"})
"""Server-first mechanisms in which the user name on the AUTH line is nevertheless understood."""

RECOGNISED: Mapping[str, str] = MappingProxyType(
    {
        "NTLM": "Microsoft's challenge and response; withdrawn by Microsoft, not supported here",
        "GSSAPI": "Kerberos tickets (RFC 4752); not supported here",
        "GSS-SPNEGO": "Microsoft's negotiation of Kerberos or NTLM; not supported here",
        "SCRAM-SHA-512": "SCRAM with a longer hash, never standardised; not supported here",
    }
)
"""Mechanisms that servers offer and that are named here, but not spoken."""


def best(
    offered: Iterable[str],
    credentials: Credentials,
    tls: bool = False,
    binding: ChannelBinding | None = None,
) -> Mechanism | None:
    """Return the strongest offered mechanism that the credentials suffice for, or None.

    To choose before the password is asked for, give credentials with an empty one.
    """
    names = {name.upper() for name in offered}
    usable = [
        row
        for row in MECHANISMS.values()
        if row.name in names
        and row.strength
        and row.needs <= credentials.have
        and (binding is not None or not row.channel_binding)
    ]
    return max(usable, key=lambda row: (tls or not row.plaintext, row.strength), default=None)
