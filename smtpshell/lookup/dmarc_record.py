"""A DMARC Policy Record, read as RFC 9989 reads it.

The first tag must be `v=DMARC1`, to the letter, or the text is no DMARC record at all. After that
nothing is fatal: unknown tags are ignored, a bad value counts as its default, and only the three
policy tags decide whether the record can be used (section 4.10.1). A record without a usable `p`,
or with a bad `sp` or `np`, acts as `p=none` when it asks for reports at a valid URI, and otherwise
there is no DMARC processing.

RFC 9989 dropped `pct`, `rf`, `ri` and the `!size` limit of report addresses. They are still found
everywhere, so they are called out by name and not lumped with the unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from smtpshell.lookup import uris
from smtpshell.lookup.dmarc_problems import record_problems
from smtpshell.lookup.dmarc_tags import DEFAULTS, FAILURE_OPTIONS, KNOWN, REMOVED, VALUES
from smtpshell.lookup.finding import Problem, problems_json
from smtpshell.lookup.taglist import Tag

if TYPE_CHECKING:
    from collections.abc import Mapping

Action = Literal[
    "apply", "p=none because rua is valid", "no DMARC processing", "not a DMARC record"
]


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """A record with its defaults filled in.

    `action` says what a receiver does with it, `p`, `sp` and `np` the policies it then goes by
    (None: not given, or not usable). `rua` and `ruf` hold valid URIs only, without size limits.
    `tags` are all pairs as published; `duplicate`, `removed_tags`, `unknown_tags` are sorted names,
    `junk` the pieces that are no `tag=value` pair.
    """

    text: str
    is_dmarc: bool = False
    action: Action = "not a DMARC record"
    p: str | None = None
    sp: str | None = None
    np: str | None = None
    adkim: str = "r"
    aspf: str = "r"
    fo: tuple[str, ...] = ("0",)
    psd: str = "u"
    t: str = "n"
    rua: tuple[str, ...] = ()
    ruf: tuple[str, ...] = ()
    removed_tags: tuple[str, ...] = ()
    unknown_tags: tuple[str, ...] = ()
    duplicate: tuple[str, ...] = ()
    junk: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = field(default=(), repr=False)
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    @property
    def usable(self) -> bool:
        """True when a receiver applies a policy from this record."""
        return self.p is not None

    def to_json(self) -> dict[str, object]:
        """Return the record as a JSON object: every field, lists for tuples."""
        return {
            "is_dmarc": self.is_dmarc,
            "action": self.action,
            "p": self.p,
            "sp": self.sp,
            "np": self.np,
            "adkim": self.adkim,
            "aspf": self.aspf,
            "fo": list(self.fo),
            "psd": self.psd,
            "t": self.t,
            "rua": list(self.rua),
            "ruf": list(self.ruf),
            "removed_tags": list(self.removed_tags),
            "unknown_tags": list(self.unknown_tags),
            "duplicate": list(self.duplicate),
            "junk": list(self.junk),
            "record": self.text,
            "problems": problems_json(self.problems),
        }


def is_dmarc(text: str) -> bool:
    """Tell whether a TXT record is a DMARC record: `v=DMARC1` first, then `;` or the end.

    The version's value is case-sensitive, its tag name is not (RFC 9989 4.7 and 4.8).
    """
    return re.match(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)", text) is not None


def parse_record(text: str) -> DmarcRecord:
    """Read the text of one TXT record (its strings joined) by RFC 9989 sections 4.7 and 4.8."""
    if not is_dmarc(text):
        return DmarcRecord(text, problems=(_not_dmarc(text),))
    published, junk = _pairs(text)
    first: dict[str, str] = {}
    for tag in published:
        first.setdefault(tag.name.lower(), tag.value)
    counts = Counter(tag.name.lower() for tag in published)

    values = {name: _value(name, first.get(name)) for name in VALUES}
    rua = uris.parse_report_uris(first["rua"]) if "rua" in first else ()
    ruf = uris.parse_report_uris(first["ruf"]) if "ruf" in first else ()
    action = _action(first, values, any(uri.valid for uri in rua))
    policies = {
        "apply": (values["p"], values["sp"], values["np"]),
        "p=none because rua is valid": ("none", None, None),
    }.get(action, (None, None, None))

    record = DmarcRecord(
        text=text,
        is_dmarc=True,
        action=action,
        p=policies[0],
        sp=policies[1],
        np=policies[2],
        adkim=values["adkim"] or DEFAULTS["adkim"],
        aspf=values["aspf"] or DEFAULTS["aspf"],
        fo=_failure_options(first.get("fo")),
        psd=values["psd"] or DEFAULTS["psd"],
        t=values["t"] or DEFAULTS["t"],
        rua=tuple(uri.text for uri in rua if uri.valid),
        ruf=tuple(uri.text for uri in ruf if uri.valid),
        removed_tags=tuple(sorted(REMOVED.keys() & first.keys())),
        unknown_tags=tuple(sorted(first.keys() - KNOWN)),
        duplicate=tuple(sorted(name for name, count in counts.items() if count > 1)),
        junk=junk,
        tags=published,
    )
    return replace(record, problems=record_problems(record, first, (*rua, *ruf)))


def _pairs(text: str) -> tuple[tuple[Tag, ...], tuple[str, ...]]:
    tags: list[Tag] = []
    junk: list[str] = []
    for piece in text.split(";"):
        bare = piece.strip(uris.WSP)
        match = re.fullmatch(r"([A-Za-z]+)[ \t]*=[ \t]*([\t\x20-\x7e]*)", bare)
        if match:
            tags.append(Tag(match[1], match[2]))
        elif bare:
            junk.append(bare)
    return tuple(tags), tuple(junk)


def _value(name: str, published: str | None) -> str | None:
    value = (published or "").lower()
    return value if value in VALUES[name] else None


def _failure_options(published: str | None) -> tuple[str, ...]:
    """Return the failure options; one unknown option spoils the list, as a syntax error does."""
    options = tuple(item.strip(uris.WSP).lower() for item in (published or "").split(":"))
    return options if FAILURE_OPTIONS.issuperset(options) else ("0",)


def _action(first: Mapping[str, str], values: Mapping[str, str | None], reports: bool) -> Action:
    sound = values["p"] is not None and all(
        values[name] is not None for name in ("sp", "np") if name in first
    )
    if sound:
        return "apply"
    return "p=none because rua is valid" if reports else "no DMARC processing"


NEAR_MISSES: Final = (  # pattern, fault, advice; the first that fits is told
    (
        r"(?i:v[ \t]*=[ \t]*dmarc1)[ \t]*(;|\Z)",
        "the version is written in other letters than v=DMARC1",
        "Write v=DMARC1 in capitals.",
    ),
    (
        r"\s+[vV][ \t]*=[ \t]*DMARC1[ \t]*(;|\Z)",
        "blanks stand before the version tag",
        "Take the blanks at the start out.",
    ),
    (
        r"[vV][ \t]*=[ \t]*DMARC1[ \t]",
        "no semicolon follows the version tag",
        "Write v=DMARC1; before the next tag.",
    ),
    (
        r".*;[ \t]*[vV][ \t]*=[ \t]*DMARC1",
        "the version tag does not stand first",
        "Move v=DMARC1; to the front.",
    ),
    (r"", "it does not begin with v=DMARC1", "Publish a record that begins v=DMARC1; p=..."),
)


def _not_dmarc(text: str) -> Problem:
    fault, advice = next(row[1:] for row in NEAR_MISSES if re.match(row[0], text, re.DOTALL))
    return Problem(
        "error",
        "not-dmarc",
        f"This is not a DMARC record: {fault}.",
        "Receivers ignore the whole text, so the domain has no DMARC policy from it.",
        advice,
        "RFC 9989 4.7",
    )
