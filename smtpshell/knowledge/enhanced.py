"""Enhanced status codes: every code of the registry, in our own words.

An enhanced status code is class.subject.detail (RFC 3463 section 2): the class says whether it went
through (2), failed for now (4) or for good (5); the subject what kind of thing failed; the detail
what exactly. `tables/enhanced.tsv` holds subject.detail, because the class does not change what it
is about. `likely` is the weight with which a code points at its failure class: high for a code with
one use, low for those such as X.7.1 that stand for everything.

Numbers beyond the registry are private to whoever made them. Large mail services use many; those
known stand in the table too, by owner, and any other is said to be private rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from smtpshell.knowledge.codes import read_table
from smtpshell.protocol.values import dataclass

REGISTRY = "*"
"""The owner of the codes of the registry."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One subject.detail; `owner` is REGISTRY, a provider, or "private" when nobody knows."""

    detail: str
    meaning: str
    class_: str
    likely: float
    section: str
    owner: str


SUBJECTS: dict[str, str] = {
    "0": "nothing in particular",
    "1": "an address",
    "2": "the mailbox",
    "3": "the mail system",
    "4": "the network or the route",
    "5": "the protocol",
    "6": "the content of the message",
    "7": "security or policy",
}
"""What the middle number says the matter is about (RFC 3463 section 3)."""

_SUBJECT_CLASSES: dict[str, tuple[str, float]] = {
    "1": ("user_unknown", 0.8),
    "2": ("mailbox_disabled", 0.5),
    "3": ("system_error", 0.8),
    "4": ("network", 1.0),
    "5": ("protocol", 1.0),
    "6": ("content_format", 1.0),
    "7": ("policy", 0.5),
}


@cache
def details() -> Mapping[tuple[str, str], Detail]:
    """Return every known code by (owner, subject.detail)."""
    return {
        (owner, detail): Detail(detail, meaning, class_, float(likely), section, owner)
        for detail, owner, class_, likely, section, meaning in read_table("enhanced.tsv")
    }


@cache
def _by_number() -> Mapping[str, Detail]:
    """Return the registry, and the private numbers that it leaves free, by detail alone."""
    known: dict[str, Detail] = {}
    for (owner, detail), row in details().items():
        if owner == REGISTRY or detail not in known:
            known[detail] = row
    return known


def enhanced_row(enhanced: str | None, owner: str | None = None) -> Detail | None:
    """Return what is known of an enhanced code such as "5.1.1", as said by `owner`.

    A number outside the registry yields its known private row, or else a row made from its subject
    that says so; text that is no enhanced status code yields None.
    """
    if not enhanced:
        return None
    detail = enhanced.partition(".")[2]
    row = details().get((owner, detail)) if owner else None
    row = row or _by_number().get(detail)
    if row is not None:
        return row
    subject = detail.partition(".")[0]
    if subject not in SUBJECTS:
        return None
    class_, likely = _SUBJECT_CLASSES.get(subject, ("unknown", 0.0))
    meaning = f"a private number of this server, about {SUBJECTS[subject]}"
    return Detail(detail, meaning, class_, likely, "RFC 3463 2", owner or "private")


CLOUD_NUMBERS = 100
"""From this detail on, the private numbers known are used by one hosted service and no product."""


@lru_cache(maxsize=1024)
def cloud_owner(enhanced: str | None) -> str | None:
    """Return the service that alone uses an enhanced code such as "5.7.139", or None.

    >>> cloud_owner("5.7.139"), cloud_owner("5.7.60"), cloud_owner("5.1.1")
    ('microsoft', None, None)
    """
    if not enhanced:
        return None
    detail = enhanced.partition(".")[2]
    row = _by_number().get(detail)
    number = detail.partition(".")[2]
    known = row is not None and row.owner != REGISTRY and number.isdigit()
    return row.owner if row and known and int(number) >= CLOUD_NUMBERS else None


def is_registered(enhanced: str) -> bool:
    """Tell whether an enhanced code such as "5.1.1" stands in the registry."""
    return (REGISTRY, enhanced.partition(".")[2]) in details()


def disagreement(code: int | None, enhanced: str | None) -> str | None:
    """Say in what way a basic and an enhanced code contradict each other, or return None.

    The first digits must be the same (RFC 2034 section 4); clients act on the basic code alone.
    """
    if code is None or not enhanced or code // 100 == int(enhanced[0]):
        return None
    words = {2: "done", 4: "not now", 5: "refused for good"}
    basic, extra = words.get(code // 100, "go on"), words[int(enhanced[0])]
    return (
        f"{code} says {basic}, {enhanced} says {extra}; "
        f"a client acts on {code} (RFC 2034 4, RFC 5321 4.2.1)"
    )
