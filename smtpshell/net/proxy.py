"""SOCKS5 (RFC 1928, RFC 1929) and the PROXY protocol's header, versions 1 and 2.

Both are pure: the SOCKS5 negotiation is a generator that yields what to send and how many octets
it wants back, and the header is built from values.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Literal, NamedTuple

from smtpshell.net.errors import LinkError
from smtpshell.protocol.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass(frozen=True, slots=True)
class Proxy:
    """A SOCKS5 server, which resolves the target's name itself; without a user, no login."""

    host: str
    port: int = 1080
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> Proxy:
        """Read `[socks5://][USER:PASSWORD@]HOST[:PORT]`; raises ValueError with what is wrong."""
        from urllib.parse import unquote, urlsplit

        parts = urlsplit(text if "://" in text else f"socks5://{text}")
        if parts.scheme not in ("socks5", "socks5h", "socks"):
            raise ValueError(f"only SOCKS5 proxies are known, not {parts.scheme}")
        if not parts.hostname:
            raise ValueError("the proxy's host is missing")
        return cls(
            parts.hostname,
            parts.port or 1080,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    @property
    def label(self) -> str:
        """The proxy as messages name it; never with its password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"proxy {host}:{self.port}"


class Step(NamedTuple):
    """Octets to send, and how many octets must then be read and sent back to the generator."""

    send: bytes
    need: int


# RFC 1928 section 6: the reply field.
_SOCKS_REPLIES: dict[int, tuple[str, str]] = {
    1: ("it failed in general", "Look into the proxy's log."),
    2: ("its rules do not allow this connection", "Ask the proxy's keeper for this host and port."),
    3: ("it cannot reach the network", "Check the host, or the proxy's own network."),
    4: ("it cannot reach the host", "Check the host's name."),
    5: ("the server refused the connection", "Check the port."),
    6: ("the connection timed out behind it", "Check host and port."),
    7: ("it does not know the CONNECT command", "Use another proxy."),
    8: ("it does not know this kind of address", "Give a name, or an address of the other family."),
}


def _address_field(host: str) -> bytes:
    """Return ATYP and the address (RFC 1928 section 5)."""
    for family, kind in ((socket.AF_INET, b"\x01"), (socket.AF_INET6, b"\x04")):
        try:
            return kind + socket.inet_pton(family, host)
        except OSError:
            continue
    try:
        name = host.encode("ascii") if host.isascii() else host.encode("idna")
    except UnicodeError:
        name = b""
    if not 0 < len(name) < 256:
        raise LinkError("resolve", "this is no valid host name", host, "Check the spelling.")
    return b"\x03" + bytes([len(name)]) + name


def socks5(proxy: Proxy, host: str, port: int) -> Generator[Step, bytes, None]:
    """Negotiate a connection to host and port; raises LinkError of kind `proxy` when refused."""

    def refused(what: str, advice: str) -> LinkError:
        return LinkError("proxy", what, proxy.label, advice)

    login = bool(proxy.user)
    methods = b"\x00\x02" if login else b"\x00"
    version, method = yield Step(bytes([5, len(methods)]) + methods, 2)
    if version != 5:
        raise refused("this is no SOCKS5 proxy", "Check the proxy's host and port.")
    if method == 2 and login:
        user, password = proxy.user.encode(), proxy.password.encode()
        if len(user) > 255 or len(password) > 255:
            raise refused("the user name or password is too long for SOCKS5", "Shorten it.")
        answer = yield Step(
            b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password, 2
        )
        if answer[1] != 0:
            raise refused("it refused the user name or password", "Check both.")
    elif method != 0:
        raise refused(
            "it accepts none of our ways to log in",
            "Check the user name and password." if login else "Give a user name and password.",
        )
    request = b"\x05\x01\x00" + _address_field(host) + port.to_bytes(2, "big")
    version, reply, _, kind = yield Step(request, 4)
    if version != 5:
        raise refused("its answer is not SOCKS5", "Check the proxy's host and port.")
    if reply != 0:
        what, advice = _SOCKS_REPLIES.get(
            reply, (f"it refused with code {reply}", "Look into the proxy's log.")
        )
        raise refused(what, advice)
    if kind == 3:
        (length,) = yield Step(b"", 1)
    else:
        length = {1: 4, 4: 16}.get(kind, 0)
        if not length:
            raise refused("its answer is not SOCKS5", "Check the proxy's host and port.")
    yield Step(b"", length + 2)


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A PROXY protocol header: what to tell the server about who connects, as a load balancer does.

    Source and destination are (address, port); where they are None the link's own are told.
    `local` says that the connection is the proxy's own (v1 `UNKNOWN`, v2 `LOCAL`).
    """

    version: Literal[1, 2] = 1
    source: tuple[str, int] | None = None
    destination: tuple[str, int] | None = None
    local: bool = False

    @classmethod
    def parse(cls, text: str) -> ProxyHeader:
        """Read `1`, `2`, `2 local`, or `2 SOURCE DESTINATION`, each ADDRESS:PORT or [V6]:PORT.

        Raises ValueError with what is wrong.
        """
        version, *rest = text.split() or [""]
        if version not in ("1", "2") or len(rest) not in (0, 1, 2) or rest[1:] == ["local"]:
            raise ValueError("say 1 or 2, then nothing, local, or SOURCE:PORT DESTINATION:PORT")
        number: Literal[1, 2] = 1 if version == "1" else 2
        if rest == ["local"]:
            return cls(number, local=True)
        if len(rest) == 1:
            raise ValueError("say the destination too, as ADDRESS:PORT")
        source, destination = (_address_and_port(word) for word in rest) if rest else (None, None)
        return cls(number, source, destination)

    def encode(self, source: tuple[str, int], destination: tuple[str, int]) -> bytes:
        """Return the header's octets; the arguments stand in for what the header leaves open.

        Raises LinkError of kind `proxy` when an address is none, or the two families differ.
        """
        build = proxy_v1 if self.version == 1 else proxy_v2
        if self.local:
            return build(None, None)
        return build(self.source or source, self.destination or destination)


def _address_and_port(text: str) -> tuple[str, int]:
    address, colon, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    try:
        version_known = bool(_packed(address))
    except LinkError:
        version_known = False
    if not (colon and version_known and port.isdecimal() and int(port) < 65536):
        raise ValueError(f"{text} is not ADDRESS:PORT")
    return address, int(port)


_V2_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def _packed(address: str) -> tuple[int, bytes]:
    for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        try:
            return version, socket.inet_pton(family, address.partition("%")[0])
        except OSError:
            continue
    raise LinkError(
        "proxy", f"the PROXY header needs an address, not {address!r}", "", "Give an IP address."
    )


def _same_family(source: tuple[str, int], destination: tuple[str, int]) -> tuple[int, bytes, bytes]:
    version, packed_source = _packed(source[0])
    other, packed_destination = _packed(destination[0])
    if version != other:
        raise LinkError(
            "proxy",
            f"the PROXY header's addresses are of two families: {source[0]} and {destination[0]}",
            "",
            "Give two IPv4 or two IPv6 addresses.",
        )
    return version, packed_source, packed_destination


def proxy_v1(source: tuple[str, int] | None, destination: tuple[str, int] | None) -> bytes:
    """Return the line of version 1: `PROXY TCP4 192.0.2.1 192.0.2.9 40000 25`."""
    if source is None or destination is None:
        return b"PROXY UNKNOWN\r\n"
    version, _, _ = _same_family(source, destination)
    line = f"PROXY TCP{version} {source[0]} {destination[0]} {source[1]} {destination[1]}\r\n"
    return line.encode("ascii")


def proxy_v2(source: tuple[str, int] | None, destination: tuple[str, int] | None) -> bytes:
    """Return the binary header of version 2, without further fields."""
    if source is None or destination is None:
        return _V2_SIGNATURE + b"\x20\x00\x00\x00"
    version, packed_source, packed_destination = _same_family(source, destination)
    family = b"\x11" if version == 4 else b"\x21"
    ports = source[1].to_bytes(2, "big") + destination[1].to_bytes(2, "big")
    body = packed_source + packed_destination + ports
    return _V2_SIGNATURE + b"\x21" + family + len(body).to_bytes(2, "big") + body
