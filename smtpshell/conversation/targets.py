"""Targets: what a user may name to be connected to, as values.

    host   host:port   [v6]:port             plain, port 25 (465 means TLS at once)
    smtp://host        25, plain             submission://host     587, then STARTTLS
    submissions://host smtps://host          465, TLS at once
    lmtp://host:port   LMTP, port 24         unix:/path            a socket, LMTP when asked for
    pipe:COMMAND       a program that speaks SMTP on its standard streams
    mx:DOMAIN          the domain's first mail host
    practice           the practice server inside this program

Ports are those of RFC 5321 (25), RFC 6409 (587), RFC 8314 (465) and RFC 2033 (LMTP; 24 by RFC
1700).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from smtpshell.net.endpoint import Endpoint
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.values import dataclass

Resolve = Callable[[str, int, int], Awaitable[list[str]]]

PRACTICE = "practice"


@dataclass(frozen=True, slots=True)
class Scheme:
    """What the part before `://` stands for."""

    port: int
    security: str = "plain"
    lmtp: bool = False


SCHEMES: dict[str, Scheme] = {
    "smtp": Scheme(25),
    "submission": Scheme(587, "starttls"),
    "submissions": Scheme(465, "tls"),
    "smtps": Scheme(465, "tls"),
    "lmtp": Scheme(24, lmtp=True),
}

TLS_PORT = 465


@dataclass(frozen=True, slots=True)
class Target:
    """A server to connect to.

    `label` is shown in the prompt and in events. `security` is "plain", "starttls" (upgrade after
    the greeting) or "tls" (at once). `host` is the name that a certificate must carry, "" where
    there is none. `resolve` replaces the system's address look-up, `ca_pem` gives the authorities
    that are trusted instead of the system's, and is asked only when a handshake needs them,
    `published` tells which credentials are no secret, and `nonce` makes what a client chooses at
    random in a login: all four for the practice server, where the same seed gives the same octets.
    """

    label: str
    endpoint: Endpoint
    host: str = ""
    security: str = "plain"
    lmtp: bool = False
    provider: str | None = None
    resolve: Resolve | None = None
    ca_pem: Callable[[], bytes] | None = None
    published: Callable[[str, bytes], bool] | None = None
    nonce: Callable[[], str] | None = None

    @property
    def is_practice(self) -> bool:
        """Whether this is the practice server inside the program, by whatever name."""
        return self.label == PRACTICE or self.published is not None


def _port(text: str, given: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise UsageError(
            f"{text!r} is not a port", given, "A port is a number from 1 to 65535, as in host:587."
        )
    return int(text)


def split_host(text: str, default: int) -> tuple[str, int]:
    """Split "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 address.

    Raises `UsageError` when that cannot be done.
    """
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or ":" not in address:
            raise UsageError(
                "an address in brackets looks like [2001:db8::1]:25", text, "Check the brackets."
            )
        return address, _port(rest[1:], text) if rest else default
    if text.count(":") > 1:
        return text, default
    host, colon, port = text.partition(":")
    return host, _port(port, text) if colon else default


def to_ascii(host: str) -> str:
    """Return the A-label form of a host name (RFC 5891); raises `UsageError` when there is none."""
    if host.isascii():
        return host
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise UsageError(
            f"not a valid internationalised host name ({error})", host, "Check its spelling."
        ) from error


def parse_target(text: str) -> Target:
    """Read a TARGET that needs no look-up to be understood.

    Raises `UsageError` for what cannot be one. `practice`, `mx:` and the names of providers are
    resolved elsewhere.
    """
    text = text.strip()
    kind, colon, rest = text.partition(":")
    if colon and kind == "unix":
        if not rest:
            raise UsageError("a socket needs its path", text, "Write unix:/path/to/socket.")
        return Target(text, Endpoint("unix", path=rest), lmtp="lmtp" in rest)
    if colon and kind == "pipe":
        if not rest.strip():
            raise UsageError("a pipe needs a command", text, "Write pipe:exim -bs, for example.")
        return Target(text, Endpoint("pipe", command=rest))
    name, separator, place = text.partition("://")
    scheme = SCHEMES["smtp"]
    if separator:
        if name.lower() not in SCHEMES:
            known = ", ".join(f"{known}://" for known in SCHEMES)
            raise UsageError(f"unknown scheme {name}://", text, f"The schemes are {known}.")
        scheme = SCHEMES[name.lower()]
        place = place.rstrip("/")
        if scheme.lmtp and place.startswith("%2F"):
            return Target(text, Endpoint("unix", path=unquote(place)), lmtp=True)
    else:
        place = text
    host, port = split_host(place, scheme.port)
    if not host or any(character.isspace() or character in "/@,;<>" for character in host):
        raise UsageError(
            "not a host name or an address",
            text or "(empty)",
            "Write HOST, HOST:PORT, [IPV6]:PORT or a URL such as smtps://HOST.",
        )
    host = to_ascii(host)
    security = "tls" if not separator and port == TLS_PORT else scheme.security
    label = f"[{host}]" if ":" in host else host
    if port != scheme.port:
        label = f"{label}:{port}"
    return Target(label, Endpoint("tcp", host=host, port=port), host, security, scheme.lmtp)
