"""DIGEST-MD5's syntax: directives `name=value` or `name="value"` with commas (RFC 2831 7.1)."""

from __future__ import annotations

import re

from smtpshell.protocol.sasl.values import CHALLENGE_LIMIT, SaslError
from smtpshell.protocol.values import dataclass

_DIRECTIVE = re.compile(
    rb"""[ \t\r\n,]*
    ([!#$%&'*+.^_`|~0-9A-Za-z-]+)                # token
    [ \t\r\n]*=[ \t\r\n]*
    (?:"((?:[^"\\]|\\.)*)"|([^\s",]*))           # quoted-string, or token
    [ \t\r\n]*(?:,|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_REPEATABLE = frozenset({"realm", "auth-param"})


@dataclass(frozen=True, slots=True)
class Directives:
    """The directives of one message, in order, and where it is from (for errors)."""

    pairs: tuple[tuple[str, str], ...]
    where: str
    utf8: bool

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a directive."""
        return tuple(value for key, value in self.pairs if key == name)

    def get(self, name: str, default: str) -> str:
        """Return the value of a directive, or the default where it is absent."""
        return next(iter(self.all(name)), default)

    def one(self, name: str) -> str:
        """Return the value of a directive that must be there; `SaslError` where it is not."""
        for value in self.all(name):
            return value
        raise SaslError(f"the directive {name} is missing", self.where)


def directives(octets: bytes, where: str) -> Directives:
    """Take a message apart, or raise `SaslError` for what is not of this syntax.

    Values are text: UTF-8 where the message says charset=utf-8, else ISO 8859-1.
    """
    if len(octets) > CHALLENGE_LIMIT:
        raise SaslError(
            f"the message is {len(octets)} octets long; at most {CHALLENGE_LIMIT} are taken", where
        )
    found: list[tuple[str, bytes]] = []
    seen: set[str] = set()
    position = 0
    while octets[position:].strip(b" \t\r\n,"):
        match = _DIRECTIVE.match(octets, position)
        if match is None:
            raise SaslError(
                f"from octet {position + 1} on there is no directive of the form name=value", where
            )
        inner = match[2]
        value = match[3] if inner is None else re.sub(rb"(?s)\\(.)", rb"\1", inner)
        name = match[1].decode("ascii").lower()
        if name in seen and name not in _REPEATABLE:
            raise SaslError(f"the directive {name} stands there twice", where)
        seen.add(name)
        found.append((name, value))
        position = match.end()
    utf8 = any(name == "charset" and value.lower() == b"utf-8" for name, value in found)
    try:
        pairs = tuple((name, value.decode("utf-8" if utf8 else "latin-1")) for name, value in found)
    except UnicodeDecodeError:
        raise SaslError("a value is not UTF-8, though charset says so", where) from None
    return Directives(pairs, where, utf8)


def quoted(text: str) -> str:
    r"""Return text as a quoted-string, `"` and `\` marked by a backslash."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
