"""The syntax of SPF records: text in, terms out (RFC 7208 sections 4.5, 4.6.1, 5, 6 and 12).

    record    = version terms *SP          version = "v=spf1"
    terms     = *( 1*SP ( directive / modifier ) )
    directive = [ qualifier ] mechanism    qualifier = "+" / "-" / "?" / "~"

A record is read whole before any of it is evaluated, because one syntax error anywhere makes the
result permerror (4.6). Reading never raises: a record that breaks the rules has `problems`, each
with the offending term, the reason, and what was probably meant.

What a domain-spec may be is narrower than it looks: it ends in a macro or in a dot and a top label,
so "a:museum" and "redirect=bogus" are errors, and "a:192.0.2.1" is one too, because a top label is
not all digits. Nothing keeps a slash or a colon out of the middle, so a CIDR length is cut off at
the end first.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from smtpshell.lookup.finding import Problem
from smtpshell.lookup.spf import macro

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Qualifier = Literal["+", "-", "~", "?"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of term: how it may continue, whether it asks the DNS, and its section.

    `domain` and `cidr` say whether a domain-spec ("no", "may", "must") or CIDR lengths may follow.
    """

    name: str
    summary: str
    section: str
    domain: Literal["no", "may", "must"] = "no"
    cidr: bool = False
    asks: bool = False


MECHANISMS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("all", "matches every sender", "RFC 7208 5.1"),
        Kind("include", "matches who another record passes", "RFC 7208 5.2", "must", asks=True),
        Kind("a", "matches the addresses of a name", "RFC 7208 5.3", "may", cidr=True, asks=True),
        Kind("mx", "matches the mail exchangers", "RFC 7208 5.4", "may", cidr=True, asks=True),
        Kind("ptr", "matches by reverse DNS; do not use", "RFC 7208 5.5", "may", asks=True),
        Kind("ip4", "matches an IPv4 network", "RFC 7208 5.6"),
        Kind("ip6", "matches an IPv6 network", "RFC 7208 5.6"),
        Kind("exists", "matches if a name has an address", "RFC 7208 5.7", "must", asks=True),
    )
}
MODIFIERS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("redirect", "goes on with another record", "RFC 7208 6.1", "must", asks=True),
        Kind("exp", "names the explanation of a fail", "RFC 7208 6.2", "must"),
    )
}
UNKNOWN: Final = Kind("unknown", "ignored", "RFC 7208 6")


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a record.

    `text` is as written; `qualifier` is "" for a modifier; `target` is the domain-spec in pieces,
    empty where there is none; `cidr4` and `cidr6` are prefix lengths; `network` is that of ip4 and
    ip6; `value` is what follows the colon or the equals sign.
    """

    text: str
    kind: Kind
    name: str
    qualifier: Qualifier | Literal[""] = ""
    value: str = ""
    target: tuple[macro.Piece, ...] = ()
    cidr4: int = 32
    cidr6: int = 128
    network: Network | None = None

    @property
    def is_mechanism(self) -> bool:
        """True for a directive, false for a modifier."""
        return bool(self.qualifier)

    def to_json(self) -> dict[str, object]:
        """Return the parsed term as a JSON object; parts it cannot have are left out."""
        found: dict[str, object] = {"term": self.text, "name": self.name}
        if self.is_mechanism:
            found["qualifier"] = self.qualifier
        if self.network is not None:
            found["network"] = str(self.network)
        elif self.value:
            found["value"] = self.value
        if self.kind.cidr:
            found["cidr4"] = self.cidr4
            found["cidr6"] = self.cidr6
        found["lookup"] = self.kind.asks
        return found


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read: its terms in order, and what is wrong with its syntax."""

    text: str
    is_spf: bool
    terms: tuple[Term, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        """True when the record is an SPF record without a syntax error."""
        return self.is_spf and not self.problems

    @property
    def mechanisms(self) -> tuple[Term, ...]:
        """The mechanisms, in order."""
        return tuple(term for term in self.terms if term.is_mechanism)

    def modifier(self, name: str) -> Term | None:
        """Return the modifier of that name, if there is one."""
        return next((t for t in self.terms if t.name == name and not t.is_mechanism), None)

    @property
    def all(self) -> Term | None:
        """The first `all`, if there is one."""
        return next((term for term in self.terms if term.name == "all"), None)


def is_spf(text: str) -> bool:
    """Tell whether a TXT record is an SPF record: the version, then a space or nothing (4.5)."""
    return text[:6].lower() == "v=spf1" and text[6:7] in {"", " "}


def decode(octets: bytes) -> str:
    """Return the text of a TXT record; octets beyond ASCII stay apart, as lone surrogates."""
    return octets.decode("ascii", "surrogateescape")


class _TermError(ValueError):
    """A term that breaks the rules: reason, advice and section."""

    def __init__(self, code: str, reason: str, advice: str = "", section: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.advice = advice
        self.section = section or "RFC 7208 4.6.1"


def parse(text: str) -> Record:
    """Read a record. Never raises; what breaks the syntax is in `problems`."""
    if not is_spf(text):
        return Record(text, is_spf=False, problems=(_not_spf(text),))
    terms: list[Term] = []
    problems: list[Problem] = []
    for written in filter(None, text[6:].split(" ")):
        try:
            term = _term(written)
            if not term.is_mechanism and term.kind is not UNKNOWN:
                _once(term, terms)
            terms.append(term)
        except _TermError as fault:
            problems.append(_problem(written, fault))
    return Record(text, True, tuple(terms), tuple(problems))


def _problem(written: str, fault: _TermError) -> Problem:
    return Problem(
        "error",
        fault.code,
        f"{printable(written)}: {fault.reason}",
        "One syntax error anywhere makes the whole record permerror: no sender passes.",
        fault.advice,
        fault.section,
    )


def printable(text: str) -> str:
    """Return a piece of a record as a reader can be shown it."""
    shown = text.encode("utf-8", "surrogateescape").decode("latin-1")
    return "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in shown)


def _once(term: Term, terms: list[Term]) -> None:
    if any(earlier.name == term.name for earlier in terms):
        raise _TermError(
            f"duplicate-{term.name}",
            f"{term.name}= stands here a second time",
            "Keep one of them.",
            "RFC 7208 6",
        )


def _not_spf(text: str) -> Problem:
    stripped = text.lstrip().lower()
    advice = 'Begin the record with "v=spf1" and a space.'
    if text[:1].isspace() and is_spf(text.lstrip()):
        reason = "a space stands before the version"
    elif stripped.startswith("v=spf1"):
        reason = "the version must be followed by a space"
    elif stripped.startswith(("v=spf", "spf2.0")):
        reason = f"this is not version spf1 but {printable(text.split(' ')[0][:30])}"
    else:
        reason = "it does not begin with v=spf1"
    why = "Receivers do not see an SPF record here: the result is none."
    return Problem("error", "not-spf", f"Not an SPF record: {reason}.", why, advice, "RFC 7208 4.5")


@cache
def _shapes() -> tuple[re.Pattern[str], re.Pattern[str]]:
    modifier = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)", re.DOTALL)
    mechanism = re.compile(r"([-+~?]?)([A-Za-z][A-Za-z0-9._-]*)([:/].*)?", re.DOTALL)
    return modifier, mechanism


def _term(written: str) -> Term:
    if not written.isascii() or not written.isprintable():
        raise _TermError(
            "bad-character",
            "only visible ASCII characters may stand in a record, and spaces between terms",
            "Look for quotation marks, dashes and spaces that a word processor put in.",
            "RFC 7208 3.1",
        )
    modifier, mechanism = _shapes()
    if match := modifier.fullmatch(written):
        return _modifier(written, match[1].lower(), match[2])
    match = mechanism.fullmatch(written)
    kind = MECHANISMS.get(match[2].lower()) if match else None
    if match is None or kind is None:
        raise _unknown(written)
    qualifier: Qualifier = match[1] or "+"  # type: ignore[assignment]  # the pattern says so
    return _mechanism(written, qualifier, kind, match[3] or "")


def _unknown(written: str) -> _TermError:
    bare = written.lstrip("+-?~")
    name = re.split("[:/=]", bare)[0].lower()
    advice = ""
    if name in MODIFIERS:
        advice = f"A modifier takes an equals sign and no qualifier: {name}=..."
    elif name in {"ipv4", "ipv6", "ip"}:
        advice = f"The mechanism is called ip{'6' if bare.count(':') > 1 else '4'}."
    elif re.fullmatch(r"[0-9.]+(/\d+)?", bare):
        advice = f"Write ip4:{bare}"
    elif re.fullmatch(r"[0-9A-Fa-f:]+(/\d+)?", bare) and ":" in bare:
        advice = f"Write ip6:{bare}"
    elif "." in name:
        advice = f"Write include:{bare} or a:{bare}, whichever is meant."
    return _TermError("unknown-mechanism", "there is no such mechanism", advice, "RFC 7208 4.6.1")


def _modifier(written: str, name: str, value: str) -> Term:
    kind = MODIFIERS.get(name)
    if kind is not None:
        return Term(written, kind, name, value=value, target=_domain(value, kind))
    try:
        macro.read(value, explanation=True)
    except macro.MacroError as fault:
        raise _TermError("bad-macro", str(fault), "", "RFC 7208 7.1") from None
    return Term(written, UNKNOWN, name, value=value)


def _mechanism(written: str, qualifier: Qualifier, kind: Kind, rest: str) -> Term:
    if kind.name in {"ip4", "ip6"}:
        network = _ADDRESSES[kind.name](rest)
        return Term(written, kind, kind.name, qualifier, rest[1:], network=network)
    cidr4, cidr6 = 32, 128
    if kind.cidr:
        rest, cidr4, cidr6 = _cidr(rest)
    target: tuple[macro.Piece, ...] = ()
    if rest.startswith(":") and kind.domain != "no":
        target = _domain(rest[1:], kind)
    elif rest:
        raise _TermError(
            "trailing-text",
            f"{printable(rest)!r} may not follow {kind.name}",
            f"Write {kind.name} alone." if kind.domain == "no" else "",
            kind.section,
        )
    elif kind.domain == "must":
        raise _no_domain(kind)
    return Term(written, kind, kind.name, qualifier, rest[1:], target, cidr4, cidr6)


def _no_domain(kind: Kind) -> _TermError:
    sign = "=" if kind.name in MODIFIERS else ":"
    advice = f"Write {kind.name}{sign} and a domain."
    return _TermError("missing-domain", f"{kind.name} needs a domain", advice, kind.section)


def _cidr(rest: str) -> tuple[str, int, int]:
    """Cut the CIDR lengths off: dual-cidr-length = [ "/" n ] [ "//" n ] (5.3, 12)."""
    match = re.search(r"(?:/([0-9]+))?(?://([0-9]+))?\Z", rest)
    assert match is not None  # both parts are optional
    return rest[: match.start()], _length(match[1], 32), _length(match[2], 128)


def _length(digits: str | None, most: int) -> int:
    if digits is None:
        return most
    if len(digits) > 3 or int(digits) > most or (digits[0] == "0" and digits != "0"):
        raise _TermError(
            "bad-cidr",
            f"/{digits}: a prefix length is 0 to {most}, without leading zeros",
            f"For IPv6 write //{digits}" if most == 32 and len(digits) < 4 else "",
        )
    return int(digits)


def _ends_well(value: str) -> bool:
    """Tell whether a domain-spec ends as it must: in a macro, or in "." toplabel [ "." ] (7.1)."""
    if macro.ends_in_macro(value):
        return True
    _, dot, label = value.removesuffix(".").rpartition(".")
    inner = label.replace("-", "x")
    return bool(
        dot
        and inner.isascii()
        and inner.isalnum()
        and not inner.isdigit()
        and label[0] != "-"
        and label[-1] != "-"
    )


def _domain(value: str, kind: Kind) -> tuple[macro.Piece, ...]:
    if not value:
        raise _no_domain(kind)
    try:
        pieces = macro.read(value)
    except macro.MacroError as fault:
        raise _TermError("bad-macro", str(fault), "", "RFC 7208 7.1") from None
    if not _ends_well(value):
        raise _TermError("bad-domain", *_domain_advice(value, kind), "RFC 7208 7.1")
    return pieces


def _domain_advice(value: str, kind: Kind) -> tuple[str, str]:
    if re.fullmatch(r"[0-9]+(\.[0-9]+){3}", value):
        return "an address is no domain", f"Write ip4:{value}"
    if re.fullmatch(r"[0-9A-Fa-f]*:[0-9A-Fa-f:]+", value):
        return "an address is no domain", f"Write ip6:{value}"
    if "." not in value.removesuffix("."):
        return "a domain here needs a dot: a top-level name alone is not allowed", ""
    if re.search(r":\d+\Z", value):
        return "a port may not be given", f"Write {kind.name}:{value.rpartition(':')[0]}"
    return f"{printable(value)!r} does not end in a valid top-level name", ""


def _ip4(rest: str) -> Network:
    match = re.fullmatch(r":([0-9.]+)(?:/([0-9]+))?", rest)
    if match:
        length = _length(match[2], 32)
        try:
            return ipaddress.IPv4Network((match[1], length), strict=False)
        except ValueError:
            pass
    advice = f"Write ip6{rest}" if rest.count(":") > 2 else ""
    reason = f"{printable(rest.removeprefix(':'))!r} is no IPv4 address or network"
    raise _TermError("bad-address", reason, advice, "RFC 7208 5.6")


def _ip6(rest: str) -> Network:
    match = re.fullmatch(r":([0-9A-Fa-f:.]+)(?:/([0-9]+))?", rest)
    if match:
        length = _length(match[2], 128)
        try:
            return ipaddress.IPv6Network((match[1], length), strict=False)
        except ValueError:
            pass
    advice = f"Write ip4{rest}" if re.fullmatch(r":[0-9.]+(/\d+)?", rest) else ""
    reason = f"{printable(rest.removeprefix(':'))!r} is no IPv6 address or network"
    raise _TermError("bad-address", reason, advice, "RFC 7208 5.6")


_ADDRESSES: Final[Mapping[str, Callable[[str], Network]]] = {"ip4": _ip4, "ip6": _ip6}
