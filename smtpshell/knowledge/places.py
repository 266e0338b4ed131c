"""What fills the places of advice, such as {domain} and {ip}.

The values come from the session and from the reply. What nobody knows stands in capitals, for the
user to replace. Only what is harmless in a command line is ever filled in: a server's text must not
be able to write commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explanation import Cause
from smtpshell.knowledge.reading import Reading, find_address

_ADDRESS = re.compile(r"[\w.+=/-]{1,64}@[\w.-]{1,255}", re.ASCII)
_LOGIN = re.compile(r"[\w.+=/-]{1,64}(?:@[\w.-]{1,255})?", re.ASCII)
_NAME = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)

DEFAULTS = {
    "port": "25",
    "target": "HOST",
    "mechanisms": "AUTH",
    "that_domain": "that domain",
    "service": "",
    "waited": "",
}
"""What stands in a place that nobody knows, where its name in capitals would not do."""


def quoted_address(text: str) -> str:
    """Return the first mail address that stands in a text, or "" when there is none."""
    at = text.find("@", 0, 1_000)
    if at <= 0:
        return ""
    match = _ADDRESS.search(text[max(at - 64, 0) : at + 256])
    return match[0].rstrip(".-") if match else ""


class Places(dict[str, str]):
    """What stands in the places of a template, worked out when first asked for.

    Everything that comes from outside is checked against a narrow set of characters, because it
    ends up in a command line. `about_sender` says whose address the text is likely to quote.
    """

    def __init__(
        self,
        context: Context,
        text: str = "",
        reading: Reading | None = None,
        *,
        about_sender: bool = False,
    ) -> None:
        self.context = context
        self.text = text
        self.reading = reading
        self.about_sender = about_sender

    def __missing__(self, name: str) -> str:
        value = _PLACES[name](self) if name in _PLACES else ""
        self[name] = value or DEFAULTS.get(name, name.upper().replace("_", "-"))
        return self[name]


def _sender(places: Places) -> str:
    known = _checked(places.context.sender or "", _ADDRESS)
    return known or (quoted_address(places.text) if places.about_sender else "")


def _recipient(places: Places) -> str:
    """Return the recipient in question: of the command, else the last one named."""
    context = places.context
    if context.line and context.command == "RCPT":
        found = quoted_address(context.line)
        if found:
            return found
    for address in (*context.refused[-1:], *context.recipients[-1:]):
        return _checked(address, _ADDRESS)
    return "" if places.about_sender else quoted_address(places.text)


def _ip(places: Places) -> str:
    known = _checked(places.context.client_address, _NAME)
    if known or places.reading is None:
        return known
    return find_address(places.text, places.reading) or ""


def _target(places: Places) -> str:
    """Return the host as it stands before a colon and a port: an IPv6 address in brackets."""
    host = _checked(places.context.host, _NAME)
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _host_name(places: Places) -> str:
    helo = places.context.helo
    return _checked(helo, _NAME) if "." in helo or ":" in helo else ""


def _mechanisms(places: Places) -> str:
    names = (_checked(name, _NAME) for name in places.context.auth_mechanisms[:8])
    return ", ".join(filter(None, names))


def _verb(places: Places) -> str:
    verb = places.context.command
    return verb if verb.isascii() and verb.isalpha() and verb not in _NO_VERBS else ""


_NO_VERBS = ("CONNECT", "MESSAGE")


def _checked(value: str, pattern: re.Pattern[str]) -> str:
    return value if pattern.fullmatch(value) else ""


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip(".") if "@" in address else ""


_PLACES: dict[str, Callable[[Places], str]] = {
    "sender": _sender,
    "sender_domain": lambda places: _domain(_sender(places)),
    "recipient": _recipient,
    "domain": lambda places: _domain(_recipient(places)),
    "that_domain": lambda places: _domain(_recipient(places)),
    "user": lambda places: _checked(places.context.user or "", _LOGIN),
    "ip": _ip,
    "host": lambda places: _checked(places.context.host, _NAME),
    "target": _target,
    "port": lambda places: str(places.context.port or ""),
    "host_name": _host_name,
    "mechanisms": _mechanisms,
    "size": lambda places: str(places.context.message_size or ""),
    "limit": lambda places: str(places.context.size_limit or ""),
    "verb": _verb,
}


def fill(template: str, places: Mapping[str, str]) -> str:
    """Fill the places of a template, such as {domain}."""
    return template.format_map(places) if "{" in template else template


Template = Cause | tuple[str, str]
"""A cause that needs no filling, or the text and the command of one that does."""


def templates(rows: Iterable[tuple[str, str]]) -> tuple[Template, ...]:
    """Make templates of (text, command) rows, so that filling them has the least to do."""
    return tuple(row if "{" in row[0] + row[1] else Cause(*row) for row in rows)


def fill_causes(rows: Iterable[Template], places: Mapping[str, str]) -> tuple[Cause, ...]:
    """Fill templates into causes."""
    return tuple(
        [
            row if isinstance(row, Cause) else Cause(fill(row[0], places), fill(row[1], places))
            for row in rows
        ]
    )
