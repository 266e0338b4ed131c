"""The two texts of MTA-STS: the TXT record that announces a policy, and the policy itself.

Both are strict (RFC 8461 sections 3.1 and 3.2): `v=STSv1` and every name is case-sensitive, and no
blank stands around a `=`. The policy is lines of `name: value` ending in LF or CRLF. A field given
twice counts once, the first time; `mx` alone may repeat.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from smtpshell.lookup.finding import Problem, problems_json

EXTENSION_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,31}"  # RFC 8461 3.1 sts-ext-name
EXTENSION_VALUE: Final = r"[\x21-\x3a\x3c\x3e-\x7e]+"  # RFC 8461 3.1 sts-ext-value
DELIMITER: Final = r"[ \t]*;[ \t]*"
MODES: Final = ("enforce", "testing", "none")
LONGEST_AGE: Final = 31_557_600  # seconds, RFC 8461 3.2
SHORT_AGE: Final = 86_400 * 7  # seconds; RFC 8461 10.2 asks for weeks


@dataclass(frozen=True, slots=True)
class StsRecord:
    """The TXT record at `_mta-sts.DOMAIN`: `id` names the policy's version."""

    text: str
    valid: bool = False
    id: str | None = None
    extensions: tuple[tuple[str, str], ...] = ()
    why: str = ""
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, object]:
        """Return the record as a JSON object; `why` is null when it is valid."""
        return {
            "valid": self.valid,
            "id": self.id,
            "extensions": [list(pair) for pair in self.extensions],
            "why": self.why or None,
            "record": self.text,
            "problems": problems_json(self.problems),
        }


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """The policy file: `mode`, `max_age` in seconds, `mx` patterns in order.

    `why` names the first fault: `version`, `mode`, `max_age`, `no mx`, `mx PATTERN` or
    `line TEXT`; empty when the policy is valid.
    """

    text: str
    valid: bool = False
    mode: str | None = None
    max_age: int | None = None
    mx: tuple[str, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    why: str = ""
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, object]:
        """Return the policy as a JSON object; `why` is null when it is valid."""
        return {
            "valid": self.valid,
            "mode": self.mode,
            "max_age": self.max_age,
            "mx": list(self.mx),
            "extensions": [list(pair) for pair in self.extensions],
            "why": self.why or None,
            "policy": self.text,
            "problems": problems_json(self.problems),
        }


def is_record(text: str) -> bool:
    """Tell whether a TXT record takes part at all: others are set aside (RFC 8461 3.1)."""
    return re.match(r"v=STSv1[ \t]*;", text) is not None


def parse_record(text: str) -> StsRecord:
    """Read the TXT record by the grammar of RFC 8461 section 3.1."""
    version = re.match(r"v=STSv1(?=[ \t]*(?:;|\Z))", text)
    if version is None:
        return _bad_record(text, "version", "it does not begin with v=STSv1;")
    rest = text[version.end() :].rstrip(" \t")
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(rest):
        piece = re.compile(rf"{DELIMITER}(?:({EXTENSION_NAME})=({EXTENSION_VALUE})|\Z)").match(
            rest, position
        )
        if piece is None:
            fault = rest[position:].lstrip("; \t").split(";")[0] or ";"
            return _bad_record(text, f"field {fault}", f"{fault} is no name=value field")
        if piece[1]:
            found.append((piece[1], piece[2]))
        position = piece.end()
    identity = next((value for name, value in found if name == "id"), None)
    if identity is None:
        return _bad_record(text, "no id", "it has no id")
    if not re.fullmatch(r"[A-Za-z0-9]{1,32}", identity):
        return _bad_record(text, "id", f"id={identity} is not 1 to 32 letters and digits")
    extensions = tuple(pair for pair in found if pair[0] != "id")
    return StsRecord(text, valid=True, id=identity, extensions=extensions)


def _bad_record(text: str, why: str, fault: str) -> StsRecord:
    problem = Problem(
        "error",
        "mta-sts-record",
        f"The MTA-STS record is not valid: {fault}.",
        "Senders act as if the domain had no policy.",
        "Publish v=STSv1; id=20260101T000000; with a new id at each change of the policy.",
        "RFC 8461 3.1",
    )
    return StsRecord(text, why=why, problems=(problem,))


def parse_policy(text: str) -> StsPolicy:
    """Read a policy file by the grammar of RFC 8461 section 3.2.

    The text is the body of the HTTPS response; line ends may be LF or CRLF.
    """
    lines = re.split(r"\r?\n", text)
    if lines[-1] == "":
        lines.pop()
    name = rf"({EXTENSION_NAME})"
    value = r"([^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?)"
    fields: list[tuple[str, str]] = []
    for line in lines:
        match = re.fullmatch(rf"{name}:[ \t]*{value}[ \t]*", line)
        if match is None:
            return _bad_policy(text, f"line {line}", f"the line {line!r} is not name: value")
        fields.append((match[1], match[2]))
    return _policy(text, fields)


def _policy(text: str, fields: list[tuple[str, str]]) -> StsPolicy:
    first: dict[str, str] = {}
    for name, value in fields:
        first.setdefault(name, value)
    patterns = tuple(value for name, value in fields if name == "mx")
    mode, age = first.get("mode"), first.get("max_age")
    if first.get("version") != "STSv1":
        return _bad_policy(text, "version", "version: STSv1 is missing")
    if mode not in MODES:
        stated = "is missing" if mode is None else f"{mode} is not one of {', '.join(MODES)}"
        return _bad_policy(text, "mode", f"the mode {stated}")
    if age is None or not re.fullmatch(r"[0-9]{1,10}", age):
        stated = "is missing" if age is None else f"{age} is not a number of up to ten digits"
        return _bad_policy(text, "max_age", f"max_age {stated}")
    for pattern in patterns:
        if not is_pattern(pattern):
            return _bad_policy(text, f"mx {pattern}", f"mx {pattern} is not a host name")
    if not patterns and mode != "none":
        return _bad_policy(text, "no mx", f"mode {mode} needs at least one mx line")
    extensions = tuple(
        pair for pair in fields if pair[0] not in {"version", "mode", "max_age", "mx"}
    )
    found = tuple(_policy_remarks(fields, mode, int(age)))
    return StsPolicy(text, True, mode, int(age), patterns, extensions, problems=found)


def _policy_remarks(fields: list[tuple[str, str]], mode: str, age: int) -> list[Problem]:
    names = [name for name, _ in fields]
    found = [
        Problem(
            "warning",
            "mta-sts-duplicate",
            f"{name} is given more than once.",
            "Senders take the first and ignore the others.",
            f"Keep one {name} line.",
            "RFC 8461 3.2",
        )
        for name in ("version", "mode", "max_age")
        if names.count(name) > 1
    ]
    if mode == "testing":
        found.append(
            Problem(
                "warning",
                "mta-sts-testing",
                "The mode is testing.",
                "Senders report failures but deliver all the same, so nobody is protected yet.",
                "When the TLS reports are clean, publish mode: enforce.",
                "RFC 8461 5",
            )
        )
    if mode == "none":
        found.append(
            Problem(
                "info",
                "mta-sts-none",
                "The mode is none: the policy is withdrawn.",
                "Senders treat the domain as if it had no policy.",
                "Keep it until the longest max_age ever published has passed.",
                "RFC 8461 8.3",
            )
        )
    if age > LONGEST_AGE:
        found.append(
            Problem(
                "warning",
                "mta-sts-age-long",
                f"max_age {age} is more than a year.",
                f"{LONGEST_AGE} seconds is the largest value allowed.",
                "Publish max_age: 1209600 (two weeks) or up to a year.",
                "RFC 8461 3.2",
            )
        )
    elif age < SHORT_AGE and mode == "enforce":
        found.append(
            Problem(
                "warning",
                "mta-sts-age-short",
                f"max_age {age} is less than a week.",
                "Senders that write seldom forget the policy and can be attacked again.",
                "Publish max_age: 1209600 (two weeks) or more.",
                "RFC 8461 10.2",
            )
        )
    return found


def _bad_policy(text: str, why: str, fault: str) -> StsPolicy:
    problem = Problem(
        "error",
        "mta-sts-policy",
        f"The MTA-STS policy is not valid: {fault}.",
        "Senders act as if the domain had no policy, or keep an old one.",
        "Publish the lines version: STSv1, mode: enforce, mx: (one for each host), max_age:.",
        "RFC 8461 3.2",
    )
    return StsPolicy(text, why=why, problems=(problem,))


def is_pattern(pattern: str) -> bool:
    """Tell whether an mx pattern is a host name, alone or under one `*.` (RFC 8461 3.2)."""
    host = pattern.removeprefix("*.")
    labels = host.split(".")
    return len(host) <= 253 and all(
        re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?", label) for label in labels
    )


def matches(host: str, patterns: tuple[str, ...] | list[str]) -> str | None:
    """Return the first pattern that covers an MX host, or None (RFC 8461 section 4.1).

    `*.` covers exactly one label; case and a final dot do not count.
    """
    name = host.lower().removesuffix(".")
    parent = name.partition(".")[2]
    for pattern in patterns:
        wanted = pattern.lower().removesuffix(".")
        if wanted == name or (parent and wanted == f"*.{parent}"):
            return pattern
    return None
