"""What fills the places of advice, such as {domain} and {ip}.

The values come from the session and from the reply. What nobody knows stands in capitals, for the
user to replace. Only what is harmless in a command line is ever filled in: a server's text must not
be able to write commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explanation import Cause

_SAFE_ADDRESS = re.compile(r"[\w.!#$%&*+/=?^`{|}~-]{1,64}@[\w.-]{1,255}|[\w.-]{1,64}", re.ASCII)
_SAFE_NAME = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)
_ADDRESS_CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&*+/=?^_-"
)


def quoted_address(text: str) -> str:
    """Return the first mail address that stands in a text, or "" when there is none."""
    at = text.find("@", 0, 1_000)
    if at <= 0:
        return ""
    start = at
    while start > 0 and at - start < 64 and text[start - 1] in _ADDRESS_CHARACTERS:
        start -= 1
    end = at + 1
    while end < len(text) and end - at < 255 and text[end] in _ADDRESS_CHARACTERS:
        end += 1
    address = text[start:end].rstrip(".,!?")
    return address if _SAFE_ADDRESS.fullmatch(address) and not address.endswith("@") else ""


class Places(Mapping[str, str]):
    """What stands in the places of a template, worked out when first asked for.

    Everything that comes from outside is checked against a narrow set of characters, because it
    ends up in a command line.
    """

    def __init__(
        self, context: Context, text: str, about_sender: bool, address: str | None
    ) -> None:
        self._context = context
        self._text = text
        self._about_sender = about_sender
        self._address = address

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)

    def __getitem__(self, name: str) -> str:
        value = _PLACES[name](self)
        return value or name.upper().replace("_", "-")

    def _quoted(self, sender: bool) -> str:
        return quoted_address(self._text) if sender is self._about_sender else ""

    def sender(self) -> str:
        """Return the envelope sender."""
        return _safe(self._context.sender or "", _SAFE_ADDRESS) or self._quoted(sender=True)

    def recipient(self) -> str:
        """Return the recipient in question: of the command, else the last one named."""
        context = self._context
        if context.verb and context.command == "RCPT" and "<" in context.line:
            found = quoted_address(context.line)
            if found:
                return found
        last = (*context.recipients, *context.refused)[-1:]
        return _safe("".join(last), _SAFE_ADDRESS) or self._quoted(sender=False)

    def user(self) -> str:
        """Return the name of the login."""
        return _safe(self._context.user or "", _SAFE_ADDRESS)

    def ip(self) -> str:
        """Return our address as the server sees it."""
        return _safe(self._context.client_address, _SAFE_NAME) or self._address or ""

    def host(self) -> str:
        """Return the host that we talk to."""
        return _safe(self._context.host, _SAFE_NAME)

    def port(self) -> str:
        """Return the port that we talk to."""
        return str(self._context.port or "25")

    def host_name(self) -> str:
        """Return the name that we give after EHLO, when it is a full one."""
        helo = self._context.helo
        return _safe(helo, _SAFE_NAME) if "." in helo or ":" in helo else ""

    def mechanisms(self) -> str:
        """Return the mechanisms offered for logging in."""
        names = self._context.auth_mechanisms or self._context.extensions.get("AUTH", ())
        return ", ".join(filter(None, (_safe(name, _SAFE_NAME) for name in names[:8]))) or "AUTH"

    def size(self) -> str:
        """Return the size of the message in octets."""
        return str(self._context.message_size or "")

    def limit(self) -> str:
        """Return the size that the server takes, in octets."""
        return str(self._context.size_limit or "")

    def verb(self) -> str:
        """Return the command that was refused."""
        verb = self._context.command
        return verb if verb.isalpha() and verb not in ("CONNECT", "MESSAGE") else ""


def _safe(value: str, pattern: re.Pattern[str]) -> str:
    return value if pattern.fullmatch(value) else ""


def _domain_of(address: str) -> str:
    return address.rpartition("@")[2].strip(".") if "@" in address else ""


_PLACES = {
    "sender": Places.sender,
    "sender_domain": lambda places: _domain_of(places.sender()),
    "from_domain": lambda places: _domain_of(places.sender()),
    "recipient": Places.recipient,
    "domain": lambda places: _domain_of(places.recipient()),
    "user": Places.user,
    "ip": Places.ip,
    "host": Places.host,
    "port": Places.port,
    "host_name": Places.host_name,
    "mechanisms": Places.mechanisms,
    "size": Places.size,
    "limit": Places.limit,
    "verb": Places.verb,
}
"""The places that templates may hold."""


def fill(template: str, places: Mapping[str, str]) -> str:
    """Fill the places of a template, such as {domain}."""
    return template.format_map(places) if "{" in template else template


def fill_causes(rows: tuple[tuple[str, str], ...], places: Mapping[str, str]) -> tuple[Cause, ...]:
    """Fill (text, command) rows into causes."""
    return tuple(Cause(fill(text, places), fill(confirm, places)) for text, confirm in rows)
