"""When two lines of a client mean the same.

`C:` lines are compared by meaning: verbs, keywords and domains without regard to letter case,
parameters in any order, a space behind the colon forgiven. `C=` lines are compared octet by octet,
and `C~` lines are samples that anything replaces.
"""

from __future__ import annotations

from smtpshell.protocol.commands import Command
from smtpshell.protocol.text import decode
from smtpshell.protocol.verbs import VERBS
from smtpshell.tutor.functions import Values, fill, unescape
from smtpshell.tutor.lesson import Client

_HELLOS = frozenset({"HELO", "EHLO", "LHLO"})
_FOLDED_VALUES = frozenset({"BODY", "RET", "NOTIFY", "BY", "ORCPT"})


def same_address(one: str | None, other: str | None) -> bool:
    """Tell whether two addresses are the same mailbox as far as a client can know.

    Domains are compared without regard to case, local parts as they stand (RFC 5321 section 2.4).
    """
    return (one is None) == (other is None) and _folded(one or "") == _folded(other or "")


def _folded(address: str) -> tuple[str, str]:
    local, at, domain = address.rpartition("@")
    return (local, domain.casefold().rstrip(".")) if at else (domain, "")


def same_command(one: str, other: str) -> bool:
    """Tell whether two command lines ask for the same.

    >>> same_command("mail from: <ann@Client.example>", "MAIL FROM:<ann@client.example>")
    True
    """
    left, right = Command.parse(one), Command.parse(other)
    if left.verb != right.verb:
        return False
    verb = VERBS.get(left.verb)
    if verb is None:
        return one.strip() == other.strip()
    if verb.lead:
        same = same_address(left.address, right.address)
        return same and _parameters(left) == _parameters(right)
    if left.verb in _HELLOS:
        return left.argument.casefold().rstrip(".") == right.argument.casefold().rstrip(".")
    if left.verb == "AUTH":
        return _auth(left) == _auth(right)
    if left.verb == "BDAT":
        return left.argument.casefold().split() == right.argument.casefold().split()
    return left.argument.split() == right.argument.split()


def _parameters(command: Command) -> set[tuple[str, str | None]]:
    return {
        (name, value.casefold() if value and name in _FOLDED_VALUES else value)
        for name, value in command.parameters
    }


def _auth(command: Command) -> tuple[str, str]:
    mechanism, _, response = command.argument.partition(" ")
    return mechanism.upper(), response.strip()


def same_line(client: Client, line: str, ending: str, values: Values, *, data: bool) -> bool:
    """Tell whether a line that was sent is the one a lesson expects.

    `data` says that the line is message data or chunk octets, where every octet counts.
    """
    if client.kind == "~":
        return True
    expected = fill(client.text, values)
    if client.kind == "=":
        return octets_of(client, values) == (line + ending).encode("utf-8", "surrogateescape")
    return line == expected if data else same_command(line, expected)


def octets_of(client: Client, values: Values, *, chunk: bool = False) -> bytes:
    r"""Return the octets that a lesson's line stands for on the wire.

    CRLF follows, except where a `C=` line writes its own end of line or stands in a chunk.
    """
    text = fill(client.text, values)
    if client.kind != "=":
        return text.encode("utf-8", "surrogateescape") + b"\r\n"
    octets = unescape(text)
    return octets if chunk or octets.endswith(b"\n") else octets + b"\r\n"


def shown(client: Client, values: Values) -> str:
    """Return a lesson's line as a person types it."""
    return decode(octets_of(client, values)).removesuffix("\r\n")


def remark(line: str) -> str:
    """Return what is wrong with the form of a line that the server took all the same, or ""."""
    problems = Command.parse(line).problems
    return f"{problems[0]} (RFC 5321 4.1.2)" if problems else ""
