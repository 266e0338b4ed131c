"""Glosses that read the parameters of an announced keyword; one function a keyword.

Each takes the parameters and the raw line, and returns a few words, or "" when the parameters say
nothing and the keyword's own summary will do. Parameters are data from the wire: nothing here
raises, and what is quoted is cut to a length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_QUOTED = 60
_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


_MECHANISMS_NAMED = 4


def octets_in_words(octets: int) -> str:
    """Say a number of octets as people do: exactly in binary units, or rounded with the number.

    >>> octets_in_words(1048576), octets_in_words(10240000), octets_in_words(900)
    ('1 MiB', '9.8 MiB', '900 octets')
    """
    for unit, name in _UNITS:
        if octets >= unit:
            return f"{octets / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{octets} octets"


def listed(words: tuple[str, ...], joint: str = "and") -> str:
    """Join words as a sentence does, cut to a length.

    >>> listed(("PLAIN", "LOGIN", "XOAUTH2"), "or")
    'PLAIN, LOGIN or XOAUTH2'
    """
    if len(words) < 2:
        return _cut("".join(words))
    return _cut(f"{', '.join(words[:-1])} {joint} {words[-1]}")


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "..."


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


def _size(parameters: tuple[str, ...], _raw: str) -> str:
    octets = _whole(parameters[0]) if parameters else None
    if not octets:
        return "the size may be told in advance; no limit is stated"
    return f"messages up to {octets_in_words(octets)}"


def _auth(parameters: tuple[str, ...], raw: str) -> str:
    if not parameters:
        return "login is possible, but no mechanism is offered now"
    old = "=" in raw.partition(" ")[0]
    some = parameters[:_MECHANISMS_NAMED]
    more = len(parameters) - len(some)
    named = f"{', '.join(some)} and {more} more ways" if more else listed(some, "or")
    return f"login by {named}" + (" (form for old clients)" if old else "")


_LIMITS = {
    "RCPTMAX": "recipients a message",
    "MAILMAX": "messages a connection",
    "RCPTDOMAINMAX": "recipient domains a message",
}


def _limits(parameters: tuple[str, ...], _raw: str) -> str:
    pairs = (parameter.partition("=") for parameter in parameters)
    said = tuple(
        f"{value} {_LIMITS.get(name.upper(), name)}" for name, _, value in pairs if name and value
    )
    return f"at most {listed(said)}" if said else ""


def _deliver_by(parameters: tuple[str, ...], _raw: str) -> str:
    seconds = _whole(parameters[0]) if parameters else None
    return f"a deadline may be set, {seconds} seconds at the shortest" if seconds else ""


def _future_release(parameters: tuple[str, ...], _raw: str) -> str:
    seconds = _whole(parameters[0]) if parameters else None
    if not seconds:
        return ""
    return f"messages may be held for later, up to {_span(seconds)}"


def _span(seconds: int) -> str:
    for length, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds // length} {name}"
    return f"{seconds} seconds"


def _quoting(template: str) -> Callable[[tuple[str, ...], str], str]:
    def gloss(parameters: tuple[str, ...], _raw: str) -> str:
        return template.format(listed(parameters)) if parameters else ""

    return gloss


GLOSSES: Mapping[str, Callable[[tuple[str, ...], str], str]] = {
    "SIZE": _size,
    "AUTH": _auth,
    "LIMITS": _limits,
    "DELIVERBY": _deliver_by,
    "FUTURERELEASE": _future_release,
    "MT-PRIORITY": _quoting("messages may be marked urgent, by the table {}"),
    "NO-SOLICITING": _quoting("no advertising of the kind {}"),
    "BURL": _quoting("the server can fetch message parts by IMAP ({})"),
    "XCLIENT": _quoting("trusted proxies may state the client's {}"),
    "XFORWARD": _quoting("trusted filters may state the origin's {}"),
    "X-RCPTLIMIT": _quoting("at most {} recipients a message"),
    "X-EXPS": _quoting("Exchange's own login between servers, by {}"),
}
"""Keyword -> how its parameters are read."""
