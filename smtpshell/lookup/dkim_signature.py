"""A DKIM-Signature header field, read (RFC 6376 section 3.5).

Reading says what the tags mean and whether the field can be verified at all; whether the signature
holds is for `dkim_verify`.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from smtpshell.lookup import names, taglist

ALGORITHMS: Final = {  # name -> key type; RFC 8301 section 3.1 and RFC 8463 section 3
    "rsa-sha256": "rsa",
    "ed25519-sha256": "ed25519",
}
METHODS: Final = ("simple", "relaxed")

IMPORTANT: Final = (  # RFC 6376 5.4.1: fields a signature should cover
    "From",
    "Reply-To",
    "Subject",
    "Date",
    "To",
    "Cc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
)


@dataclass(frozen=True, slots=True)
class Signature:
    """The tags of one signature. `fault` says why it cannot be verified; empty: it can be tried.

    `names` are the field names of `h`; `header_method` and `body_method` those of `c`; `length`
    the limit of `l`; `made` and `expires` are `t` and `x` in seconds since 1970.
    """

    domain: str = ""
    selector: str = ""
    algorithm: str = ""
    header_method: str = "simple"
    body_method: str = "simple"
    names: tuple[str, ...] = ()
    signature: bytes = b""
    body_hash: bytes = b""
    identity: str = ""
    length: int | None = None
    made: int | None = None
    expires: int | None = None
    fault: str = ""

    @property
    def key_name(self) -> str:
        """The name the key stands at."""
        return f"{self.selector}._domainkey.{self.domain}"


def parse(value: bytes) -> Signature:
    """Read the value of a DKIM-Signature field; never raises."""
    tags = taglist.parse_tags(value.decode("utf-8", "replace"))
    values = {tag.name: tag.value for tag in reversed(tags.tags)}
    header_method, _, body_method = values.get("c", "simple/simple").lower().partition("/")
    domain = names.normal(values.get("d", ""))
    identity = values.get("i", f"@{domain}")
    numbers = {name: _number(values.get(name)) for name in ("l", "t", "x")}
    return Signature(
        domain=domain,
        selector=values.get("s", ""),
        algorithm=values.get("a", "").lower(),
        header_method=header_method,
        body_method=body_method or "simple",
        names=tuple(name for name in taglist.split_list(values.get("h", "")) if name),
        signature=_octets(values.get("b")) or b"",
        body_hash=_octets(values.get("bh")) or b"",
        identity=identity,
        length=numbers["l"],
        made=numbers["t"],
        expires=numbers["x"],
        fault=_list_fault(tags) or _fault(values, domain, identity),
    )


def _list_fault(tags: taglist.TagList) -> str:
    if tags.duplicates:
        return f"the tag {tags.duplicates[0]} occurs twice"
    return f"{tags.junk[0] or 'an empty piece'} is no tag=value pair" if tags.junk else ""


def _fault(values: dict[str, str], domain: str, identity: str) -> str:
    """Return the first reason not to verify (RFC 6376 section 6.1.1)."""
    missing = [name for name in ("v", "a", "b", "bh", "d", "h", "s") if not values.get(name)]
    if missing:
        return f"the tag {missing[0]} is missing or empty"
    if values["v"] != "1":
        return f"version {values['v']} is not 1"
    if values["a"].lower() == "rsa-sha1":
        return "rsa-sha1 must not be accepted any more (RFC 8301)"
    if values["a"].lower() not in ALGORITHMS:
        return f"the algorithm {values['a']} is unknown"
    methods = values.get("c", "simple").lower().split("/")
    if len(methods) > 2 or not set(methods) <= set(METHODS):
        return f"the canonicalization {values['c']} is unknown"
    for name in ("b", "bh"):
        if _octets(values[name]) is None:
            return f"{name} is not base64"
    for name in ("l", "t", "x"):
        if name in values and _number(values[name]) is None:
            return f"{name}={values[name]} is no number"
    made, expires = _number(values.get("t")), _number(values.get("x"))
    if made is not None and expires is not None and expires <= made:
        return "it expires before it was made"
    if "from" not in [name.lower() for name in taglist.split_list(values["h"])]:
        return "it does not cover the From field"
    if "q" in values and "dns/txt" not in taglist.split_list(values["q"].lower()):
        return f"the query method {values['q']} is unknown"
    agent = names.normal(identity.rpartition("@")[2])
    if agent != domain and not agent.endswith(f".{domain}"):
        return f"i={identity} is not within d={domain}"
    return ""


def _number(value: str | None) -> int | None:
    return int(value) if value and re.fullmatch(r"[0-9]{1,76}", value) else None


def _octets(value: str | None) -> bytes | None:
    try:
        return base64.b64decode(taglist.squeeze(value or ""), validate=True)
    except (binascii.Error, ValueError):
        return None
