"""A BIMI assertion record: where a brand's logo is, and the certificate that vouches for it.

The form is DKIM's tag list with `v=BIMI1` first (draft-brand-indicators-for-message-identification,
section 4.2). `l` is the logo's place and must be there, `a` the evidence document; both are https
or empty, and both empty declines to take part.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from smtpshell.lookup import taglist, uris
from smtpshell.lookup.finding import Problem, problems_json

if TYPE_CHECKING:
    from collections.abc import Iterator

KNOWN: Final = frozenset({"v", "l", "a", "avp", "lps"})
PREFERENCES: Final = ("brand", "personal")
DRAFT: Final = "BIMI draft 4.2"


@dataclass(frozen=True, slots=True)
class BimiRecord:
    """The record at `SELECTOR._bimi.DOMAIN`.

    `l` is the URI of the SVG logo, `a` that of the Verified Mark Certificate; `avp` whether the
    domain's or the writer's own picture is preferred. `declined`: the domain asks that no logo be
    shown.
    """

    text: str
    valid: bool = False
    l: str | None = None  # noqa: E741 - the tag's own name, and the field's in machine output
    a: str | None = None
    avp: str | None = None
    declined: bool = False
    unknown: tuple[str, ...] = ()
    why: str = ""
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, object]:
        """Return the record as a JSON object; `why` is null when it is valid."""
        return {
            "valid": self.valid,
            "l": self.l,
            "a": self.a,
            "avp": self.avp,
            "declined": self.declined,
            "unknown": list(self.unknown),
            "why": self.why or None,
            "record": self.text,
            "problems": problems_json(self.problems),
        }


def is_record(text: str) -> bool:
    """Tell whether a TXT record takes part at all: its first tag is `v=BIMI1`."""
    tags = taglist.parse_tags(text).tags
    return bool(tags) and tags[0] == taglist.Tag("v", "BIMI1")


def parse_record(text: str) -> BimiRecord:
    """Read the text of a record; never raises."""
    tags = taglist.parse_tags(text)
    bare = BimiRecord(
        text,
        l=tags.get("l"),
        a=tags.get("a"),
        avp=tags.get("avp"),
        unknown=tuple(name for name in tags.names if name not in KNOWN),
    )
    why = _fault(text, tags)
    if why:
        problem = Problem(
            "error",
            "bimi-record",
            f"The BIMI record is not valid: {why}.",
            "No logo is shown.",
            "Publish v=BIMI1; l=https://.../logo.svg; a=https://.../certificate.pem",
            DRAFT,
        )
        return replace(bare, why=why, problems=(problem,))
    record = replace(bare, valid=True, declined=not bare.l and not bare.a)
    return replace(record, problems=tuple(_remarks(record)))


def _fault(text: str, tags: taglist.TagList) -> str:
    if tags.duplicates:
        return "duplicate tag"
    if not is_record(text):
        return "it does not begin with v=BIMI1;"
    if tags.junk:
        return f"{tags.junk[0] or 'an empty piece'} is no tag=value pair"
    if tags.get("l") is None:
        return "no l"
    for name in ("l", "a"):
        value = tags.get(name)
        if not value:
            continue
        uri = uris.parse_uri(value)
        if not uri.valid or uri.scheme != "https":
            return f"{name} must be https"
        if not uri.host:
            return f"{name} names no host"
    preference = tags.get("avp")
    if preference is not None and preference not in PREFERENCES:
        return f"avp must be {' or '.join(PREFERENCES)}"
    return ""


def _remarks(record: BimiRecord) -> Iterator[Problem]:
    if record.declined:
        yield Problem(
            "info",
            "bimi-declined",
            "The record declines: no logo is to be shown.",
            "",
            "Nothing, if that is meant.",
            DRAFT,
        )
        return
    if not record.l:
        yield Problem(
            "warning",
            "bimi-no-logo",
            "l is empty while a is given.",
            "Receivers that do not read the certificate have no logo to show.",
            "Give the logo's address in l.",
            DRAFT,
        )
    elif not record.l.partition("?")[0].lower().endswith((".svg", ".svgz")):
        yield Problem(
            "warning",
            "bimi-not-svg",
            f"{record.l} does not look like an SVG file.",
            "Logos must be SVG Tiny Portable/Secure.",
            "Publish the logo as .svg.",
            DRAFT,
        )
    if not record.a:
        yield Problem(
            "warning",
            "bimi-no-evidence",
            "No certificate vouches for the logo (a is empty).",
            "Most large receivers show logos only with a mark certificate.",
            "Add a=https://... with a Verified Mark Certificate, if the logo matters that much.",
            DRAFT,
        )
