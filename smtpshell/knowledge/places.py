"""What fills the places of advice, such as {domain} and {ip}.

The values come from the session and from the reply. What nobody knows stands in capitals, for the
user to replace. Only what is harmless in a command line is ever filled in: a server's text must not
be able to write commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address

from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explanation import Cause
from smtpshell.knowledge.logins import other_mechanism, plain_mechanism, tried_mechanism
from smtpshell.knowledge.reading import Reading, find_address
from smtpshell.protocol.commands import VERBS, Command

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
    "mechanism": "this mechanism",
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
    """Return the sender in question: of the command, else of the transaction."""
    context = places.context
    if context.line and context.command == "MAIL" and (found := quoted_address(context.line)):
        return found
    known = _checked(context.sender or "", _ADDRESS)
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


@lru_cache(maxsize=256)
def _problems(line: str) -> tuple[str, ...]:
    return Command.parse(line).problems


def problems_of(context: Context) -> tuple[str, ...]:
    """Return in words how the command departs from the grammar."""
    return _problems(context.line[:1_000])


def parameters_of(context: Context) -> str:
    """Return the parameters behind the address of a MAIL or RCPT; "" where there are none."""
    line = context.line[:1_000]
    if context.command not in ("MAIL", "RCPT") or ">" not in line or not line.isprintable():
        return ""
    return line.rpartition(">")[2].strip()


def _ip(places: Places) -> str:
    """Return the sending address: our own where others can see it, else the one in the text.

    Behind a router our own end has a private address, of which nobody outside knows anything.
    """
    known = _checked(places.context.client_address, _NAME)
    if known and not _is_inside(known):
        return known
    told = find_address(places.text, places.reading) if places.reading is not None else None
    return told if told and not _is_inside(told) else ""


_INSIDE = ("10.", "127.", "169.254.", "192.168.", "::1", "fe80:", "fc", "fd")
_INSIDE_172 = frozenset(f"172.{number}." for number in range(16, 32))


def _is_inside(address: str) -> bool:
    """Tell whether an address is loopback or private (RFC 1918, RFC 4193), and so never public."""
    return address.lower().startswith(_INSIDE) or address[:7] in _INSIDE_172


def is_domain(name: str) -> bool:
    """Tell whether a name can be asked for in the DNS: no address, and not a bare word."""
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return "." in name.strip(".")
    return False


def _target(places: Places) -> str:
    """Return the host as it stands before a colon and a port: an IPv6 address in brackets."""
    host = _checked(places.context.host, _NAME)
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _host_name(places: Places) -> str:
    helo = places.context.helo
    return _checked(helo, _NAME) if "." in helo or ":" in helo else ""


def _helo(places: Places) -> str:
    """Return the name that was greeted with, or tried to be."""
    context = places.context
    tried = context.line.partition(" ")[2].strip() if context.command == "EHLO" else ""
    return _checked(context.helo or tried, _NAME) or "HOST-NAME"


def _mechanisms(places: Places) -> str:
    names = (_checked(name, _NAME) for name in places.context.auth_mechanisms[:8])
    return ", ".join(filter(None, names))


def _verb(places: Places) -> str:
    verb = places.context.command
    return verb if verb.isascii() and verb.isalpha() and verb not in _NO_VERBS else ""


_NO_VERBS = ("CONNECT", "MESSAGE")


def _checked(value: str, pattern: re.Pattern[str]) -> str:
    return value if pattern.fullmatch(value) else ""


def _near_verb(places: Places) -> str:
    """Return the verb that an unknown one was perhaps meant to be."""
    return nearest_verb(places.context.command)


@lru_cache(maxsize=64)
def nearest_verb(word: str) -> str:
    """Return the verb of SMTP that a word resembles; "" for none, or for one that is known.

    >>> nearest_verb("RCTP"), nearest_verb("RCPT"), nearest_verb("FOO")
    ('RCPT', '', '')
    """
    from difflib import get_close_matches

    if word in VERBS:
        return ""
    return next(iter(get_close_matches(word[:12], VERBS, 1, 0.7)), "")


def _keyword(places: Places) -> str:
    verb = VERBS.get(places.context.command)
    return (verb.keyword or "") if verb is not None else ""


def _repeat(places: Places) -> str:
    """Return the refused command as it was sent, where sending it again is harmless and plain."""
    context = places.context
    plain = _LINE.fullmatch(context.line) and context.command in ("EHLO", "MAIL", "RCPT", "DATA")
    return context.line if plain else places["again"]


def _utf8_mail(places: Places) -> str:
    """Return the MAIL that was refused with SMTPUTF8 behind it (RFC 6531 section 3.4)."""
    context = places.context
    plain = context.command == "MAIL" and context.line.isprintable() and len(context.line) <= 400
    line = context.line if plain else f"MAIL FROM:<{places['sender']}>"
    return f"{line} SMTPUTF8"


_LINE = re.compile(r"[A-Za-z]{4}[\w.+=/<>:@\[\] -]{0,400}", re.ASCII)


def _again(places: Places) -> str:
    """Return what opens the connection again: the last target is known to the shell itself."""
    if places.context.state and not places.context.quoted:
        return "/connect"
    return f"/connect {places['target']}:{places['port']}"


_NAMED = re.compile(
    r"(?:mail from|messages? from|domain of|policy (?:for|of)|record (?:for|of)|domain|spf) "
    r"['\"<[]?(?:[\w.+=-]{1,64}@)?((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})\b",
    re.ASCII,
)
"""Words before the name of a sender's domain in a refusal that is about it, in small letters."""

_BEFORE_NAMES = ("domain ", " from ", "policy ", "record ", "spf ")
"""What stands in every text that has such words: it spares most texts the search."""


def _sender_domain(places: Places) -> str:
    known = _domain(places["sender"])
    if known or not places.about_sender or "." not in places.text:
        return known
    text = places.text[:1_000].lower()
    if not any(word in text for word in _BEFORE_NAMES):
        return ""
    match = _NAMED.search(text)
    return match[1] if match is not None else ""


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip(".") if "@" in address else ""


_PLACES: dict[str, Callable[[Places], str]] = {
    "sender": _sender,
    "sender_domain": _sender_domain,
    "recipient": _recipient,
    "domain": lambda places: _domain(places["recipient"]),
    "that_domain": lambda places: _domain(places["recipient"]),
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
    "near_verb": _near_verb,
    "helo": _helo,
    "plain_mechanism": lambda places: plain_mechanism(places.context),
    "mechanism": lambda places: _checked(tried_mechanism(places.context), _NAME),
    "other_mechanism": lambda places: _checked(other_mechanism(places.context), _NAME),
    "again": _again,
    "repeat": _repeat,
    "utf8_mail": _utf8_mail,
    "keyword": _keyword,
    "parameters": lambda places: parameters_of(places.context),
    "problems": lambda places: "; ".join(problems_of(places.context)),
}

PLACEHOLDERS = frozenset(
    {name.upper().replace("_", "-") for name in _PLACES}
    | {"SELECTOR", "FILE", "NAME", "PATH", "/PATH"}
)
"""Words that stand in a command for what the user alone can tell."""

_WORD = re.compile(r"[^\s<>=@:\[\]]+")


def unfilled(command: str) -> tuple[str, ...]:
    """Return the words of a command that are still to be replaced by the user.

    >>> unfilled("/dkim SELECTOR example.com"), unfilled("MAIL FROM:<USER>"), unfilled("EHLO me")
    (('SELECTOR',), ('USER',), ())
    """
    return tuple(word for word in _WORD.findall(command)[1:] if word in PLACEHOLDERS)


def is_sensible(command: str, context: Context) -> bool:
    """Tell whether a command can say anything here.

    The DNS knows no mail host of an address or of a bare word, the practice server has one port,
    and connecting anew to the place where we are is no new attempt.
    """
    name, _, argument = command.partition(" ")
    if name == "/mx":
        return is_domain(argument) or argument in PLACEHOLDERS
    if name != "/connect" or not argument:
        return True
    host = f"[{context.host}]" if ":" in context.host.strip("[]") else context.host
    return not context.practice and argument != f"{host}:{context.port}"


def fill(template: str, places: Mapping[str, str]) -> str:
    """Fill the places of a template, such as {domain}."""
    if "{" not in template:
        return template
    return "".join(
        [literal + places[name] if name else literal for literal, name in _pieces(template)]
    )


@lru_cache(maxsize=1024)
def _pieces(template: str) -> tuple[tuple[str, str], ...]:
    """Take a template apart: each literal with the place behind it, "" behind the last."""
    first, *rest = template.split("{")
    literals, names = [first], []
    for piece in rest:
        name, _, literal = piece.partition("}")
        names.append(name)
        literals.append(literal)
    return tuple(zip(literals, [*names, ""], strict=True))


Template = Cause | tuple[str, str]
"""A cause that needs no filling, or the text and the command of one that does."""


def templates(rows: Iterable[tuple[str, str]]) -> tuple[Template, ...]:
    """Make templates of (text, command) rows, so that filling them has the least to do."""
    return tuple(row if "{" in row[0] + row[1] else Cause(*row) for row in rows)


def fill_causes(rows: Iterable[Template], places: Places, most: int = 99) -> tuple[Cause, ...]:
    """Fill templates into causes, `most` at the most; those that cannot help here are left out.

    In a session of our own, causes whose command still lacks something come last.
    """
    context = places.context
    causes: dict[str, Cause] = {}
    for row in rows:
        if isinstance(row, Cause):
            causes.setdefault(row.confirm, row)
            continue
        command = fill(row[1], places)
        if command in causes:
            continue
        if row[1] == "{again}" or not context.host or is_sensible(command, context):
            causes[command] = Cause(fill(row[0], places), command)
        if len(causes) == most and not context.state:
            break
    found = list(causes.values())
    if context.state:
        found.sort(key=lambda cause: bool(unfilled(cause.confirm)))
    return tuple(found[:most])
