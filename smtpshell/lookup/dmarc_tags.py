"""The tags of a DMARC record: their values, their defaults, and the ones that are gone.

RFC 9989 sections 4.7 and 4.8. Names and values are compared without case, but for the version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICIES: Final = ("none", "quarantine", "reject")  # mildest first

VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "p": POLICIES,
    "sp": POLICIES,
    "np": POLICIES,
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
    "psd": ("y", "n", "u"),
    "t": ("y", "n"),
}

DEFAULTS: Final[Mapping[str, str]] = {"adkim": "r", "aspf": "r", "psd": "u", "t": "n"}

FAILURE_OPTIONS: Final = frozenset("01ds")

REMOVED: Final[Mapping[str, str]] = {  # what to do instead
    "pct": "Publish t=y while testing, or nothing; a percentage is no longer honoured.",
    "rf": "Leave it out; there is one format of failure reports.",
    "ri": "Leave it out; the period of reports is no longer asked for.",
}

KNOWN: Final = frozenset({*VALUES, *REMOVED, "v", "fo", "rua", "ruf"})


def milder(policy: str) -> str:
    """Return the policy one level below, as `t=y` applies it; none stays none (RFC 9989 4.7)."""
    return POLICIES[max(0, POLICIES.index(policy) - 1)]
