"""A DKIM key record: what it allows, and whether a verifier can use it.

The record is a tag list (RFC 6376 sections 3.2 and 3.6.1). `p` holds the key: for RSA a DER
structure in base64, for Ed25519 the 32 octets themselves (RFC 8463). An empty `p` is a key that was
revoked. RFC 8301 sets the sizes: under 1024 bits a verifier must refuse, 2048 is what to use.

The length of an RSA key is read from its DER here, by hand, because cryptography refuses to load
keys that are too short to use, and a key that is too short is what a reader most needs to see.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from smtpshell.lookup import der, taglist
from smtpshell.lookup.finding import Problem, problems_json

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_TYPES: Final = ("rsa", "ed25519")
HASHES: Final = ("sha256", "sha1")
KNOWN: Final = frozenset("vhknpst")
SMALLEST: Final = 1024  # bits, RFC 8301 3.2: verifiers refuse less
RECOMMENDED: Final = 2048  # bits, RFC 8301 3.2
ED25519_OCTETS: Final = 32  # RFC 8032 5.1.5


@dataclass(frozen=True, slots=True)
class DkimKey:
    """One key record, read.

    `k` is the key type, `bits` its length, `key` the octets of `p`. `h` are the hashes it allows
    (empty: any), `s` the services, `t` the flags (`y` test mode, `s` no subdomains). `order` are
    the tag names as published. A revoked key is a valid record. `why` says why the record is not
    valid, `note` what is wrong with a valid key.
    """

    text: str
    valid: bool = False
    k: str | None = None
    bits: int | None = None
    revoked: bool = False
    h: tuple[str, ...] = ()
    s: tuple[str, ...] = ("*",)
    t: tuple[str, ...] = ()
    n: str | None = None
    key: bytes = field(default=b"", repr=False)
    order: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    why: str = ""
    note: str = ""
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    @property
    def testing(self) -> bool:
        """True when the domain is testing DKIM (`t=y`)."""
        return "y" in self.t

    def to_json(self) -> dict[str, object]:
        """Return the record as a JSON object; `why` and `note` are null when empty."""
        return {
            "valid": self.valid,
            "k": self.k,
            "bits": self.bits,
            "revoked": self.revoked,
            "h": list(self.h),
            "s": list(self.s),
            "t": list(self.t),
            "n": self.n,
            "order": list(self.order),
            "unknown": list(self.unknown),
            "why": self.why or None,
            "note": self.note or None,
            "record": self.text,
            "problems": problems_json(self.problems),
        }


def parse_key(text: str) -> DkimKey:
    """Read the text of a key record (RFC 6376 section 3.6.1); never raises."""
    tags = taglist.parse_tags(text)
    values = {tag.name: tag.value for tag in reversed(tags.tags)}
    hashes = _items(values, "h", lower=True)
    services = _items(values, "s") or ("*",)
    flags = _items(values, "t")
    kind = values.get("k", "rsa").lower()
    octets, bits, fault = _read_key(kind, values.get("p"))
    why = (
        _list_fault(tags, values)
        or fault
        or ("" if not hashes or set(hashes) & set(HASHES) else f"h={values['h']}: no known hash")
        or (
            ""
            if {"*", "email"} & {service.lower() for service in services}
            else f"s={values['s']}: not usable for mail"
        )
    )
    revoked = not why and not octets
    note = "" if why or revoked else _note(kind, bits)
    key = DkimKey(
        text,
        valid=not why,
        k=kind,
        bits=bits,
        revoked=revoked,
        h=hashes,
        s=services,
        t=flags,
        n=values.get("n"),
        key=octets,
        order=tags.names,
        unknown=tuple(name for name in tags.names if name not in KNOWN),
        why=why,
        note=note,
    )
    return replace(key, problems=_problems(key))


def _items(values: dict[str, str], name: str, *, lower: bool = False) -> tuple[str, ...]:
    items = taglist.split_list(values[name]) if values.get(name) else ()
    return tuple(item.lower() for item in items) if lower else items


def _list_fault(tags: taglist.TagList, values: dict[str, str]) -> str:
    if tags.duplicates:
        return f"{tags.duplicates[0]} occurs twice"
    if tags.junk:
        return f"{tags.junk[0]} is no tag=value pair" if tags.junk[0] else "a tag is empty"
    version = values.get("v")
    if version is not None and version != "DKIM1":
        return "version is case-sensitive" if version.upper() == "DKIM1" else f"v={version}"
    if version is not None and tags.names[0] != "v":
        return "v does not stand first"
    return ""


def _read_key(kind: str, published: str | None) -> tuple[bytes, int | None, str]:
    """Return the key's octets, its length in bits and the fault that stands against it."""
    if published is None:
        return b"", None, "no p"
    if kind not in KEY_TYPES:
        return b"", None, f"k={kind}: unknown key type"
    try:
        octets = base64.b64decode(taglist.squeeze(published), validate=True)
    except (binascii.Error, ValueError):
        return b"", None, "p is not base64"
    if not octets:
        return b"", None, ""
    if kind == "ed25519":
        if len(octets) != ED25519_OCTETS:
            return octets, None, f"not an Ed25519 key ({len(octets)} octets; it must be 32)"
        return octets, 256, ""
    numbers = der.rsa_numbers(octets)
    if numbers is None:
        hint = "; probably ed25519 without k=" if len(octets) == ED25519_OCTETS else ""
        return octets, None, f"not an RSA key ({len(octets)} octets{hint})"
    return octets, numbers[0].bit_length(), ""


def _note(kind: str, bits: int | None) -> str:
    if kind != "rsa" or bits is None or bits >= RECOMMENDED:
        return ""
    if bits < SMALLEST:
        return f"{bits} bits: RFC 8301 says verifiers MUST NOT accept under {SMALLEST}"
    return f"{bits} bits: RFC 8301 recommends {RECOMMENDED}"


def _problems(key: DkimKey) -> tuple[Problem, ...]:
    if not key.valid:
        return (
            Problem(
                "error",
                "dkim-key-invalid",
                f"The key record is not valid: {key.why}.",
                "Signatures made with this selector cannot be verified.",
                "Publish v=DKIM1; k=rsa; p=... with the public key in base64.",
                "RFC 6376 3.6.1",
            ),
        )
    if key.revoked:
        return (
            Problem(
                "warning",
                "dkim-key-revoked",
                "The key is revoked (p is empty).",
                "Signatures made with this selector fail.",
                "Sign with another selector; take this record out after a while.",
                "RFC 6376 3.6.1",
            ),
        )
    return tuple(_remarks(key))


def _remarks(key: DkimKey) -> Iterator[Problem]:
    if key.note and key.bits is not None:
        short = key.bits < SMALLEST
        yield Problem(
            "error" if short else "warning",
            "dkim-key-short",
            f"The RSA key has {key.bits} bits.",
            "Verifiers refuse it, so no signature counts."
            if short
            else "It may be broken within its life; some receivers value it less.",
            f"Make a key of {RECOMMENDED} bits under a new selector.",
            "RFC 8301 3.2",
        )
    if key.h and "sha256" not in key.h:
        yield Problem(
            "error",
            "dkim-sha1-only",
            f"h={':'.join(key.h)} does not allow SHA-256.",
            "SHA-1 signatures must not be made or accepted any more.",
            "Leave h out, or write h=sha256.",
            "RFC 8301 3.1",
        )
    if key.testing:
        yield Problem(
            "warning",
            "dkim-testing",
            "t=y: the domain is testing DKIM.",
            "Verifiers may treat signed mail as if it were not signed.",
            "Take the y flag out when the tests are over.",
            "RFC 6376 3.6.1",
        )
    if "g" in key.unknown:
        yield Problem(
            "info",
            "dkim-g-tag",
            "g was dropped in RFC 6376.",
            "Verifiers ignore it; very old ones read an empty g as matching nobody.",
            "Take it out.",
            "RFC 6376 C.2",
        )
    unknown = [name for name in key.unknown if name != "g"]
    if unknown:
        yield Problem(
            "info",
            "dkim-unknown-tag",
            f"{', '.join(unknown)}: no tag of a key record.",
            "Verifiers ignore it.",
            "Take it out, or correct its spelling.",
            "RFC 6376 3.6.1",
        )
