r"""Domain names as values: labels, text in presentation format, and both forms of IDNA.

A name is held as *labels*, a tuple of octet strings without the empty root label. Labels are what
the wire carries, so any octet may occur in one, a dot and a backslash included. *Text* is the
presentation format of RFC 1035 section 5.1: labels joined by dots, ``\.`` and ``\\`` for a dot or
a backslash inside a label, ``\DDD`` for an octet that does not print; no dot at the end, and ``.``
alone for the root. Both directions are exact, so a name can be printed and asked again.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final

Labels = tuple[bytes, ...]

LABEL_OCTETS: Final = 63  # RFC 1035 2.3.4
CACHED: Final = 4096  # names kept parsed and written; one report asks for each a few times
NAME_OCTETS: Final = 255  # RFC 1035 2.3.4, length octets and the root included

_ESCAPE: Final = re.compile(rb"\\([0-9]{3}|.)", re.DOTALL)
_PIECE: Final = re.compile(rb"((?:[^.\\]|\\[0-9]{3}|\\[^0-9])*)(\.|\Z)", re.DOTALL)
_DOTS: Final = str.maketrans({"。": ".", "．": ".", "｡": "."})  # IDEOGRAPHIC dots


class BadNameError(ValueError):
    """A text that cannot be a name of the DNS; the message says why."""


def check(labels: Labels) -> Labels:
    """Return the labels unchanged when the wire can carry them, else raise BadNameError."""
    for label in labels:
        if not label:
            raise BadNameError("it has an empty label (two dots in a row, or a dot at the start)")
        if len(label) > LABEL_OCTETS:
            raise BadNameError(f"a label is {len(label)} octets long, {LABEL_OCTETS} are allowed")
    octets = sum(map(len, labels)) + len(labels) + 1
    if octets > NAME_OCTETS:
        raise BadNameError(
            f"the name is {octets} octets long on the wire, {NAME_OCTETS} are allowed"
        )
    return labels


@lru_cache(CACHED)
def parse(text: str) -> Labels:
    """Read a name from presentation format; labels that are not ASCII become A-labels.

    Raises BadNameError for what no name can be: empty or long labels, a bad escape, IDNA faults.
    """
    if text in {"", "."}:
        if text:
            return ()
        raise BadNameError("it is empty")
    try:
        octets = text.encode("ascii")
    except UnicodeEncodeError:
        octets = to_ascii(text).encode("ascii")
    if b"\\" not in octets:
        return check(tuple(octets.removesuffix(b".").split(b".")))
    labels = []
    position = 0
    while position < len(octets):
        piece = _PIECE.match(octets, position)
        if piece is None:
            raise BadNameError("it holds a bad backslash escape")
        labels.append(_ESCAPE.sub(_unescape, piece[1]))
        position = piece.end()
    return check(tuple(labels))


def _unescape(match: re.Match[bytes]) -> bytes:
    digits = match[1]
    if len(digits) == 1:
        return digits
    if int(digits) > 255:
        raise BadNameError("it holds a bad backslash escape")
    return bytes([int(digits)])


@lru_cache(CACHED)
def text(labels: Labels) -> str:
    """Write labels in presentation format, without a dot at the end."""
    return ".".join(map(_label_text, labels)) or "."


def _label_text(label: bytes) -> str:
    if label.isascii() and label.replace(b"-", b"").replace(b"_", b"").isalnum():
        return label.decode("ascii")
    return "".join(
        f"\\{chr(octet)}"
        if octet in b".\\"
        else chr(octet)
        if 0x21 <= octet <= 0x7E
        else f"\\{octet:03d}"
        for octet in label
    )


def folded(labels: Labels) -> Labels:
    """Return the labels in lower case: equal names have equal folded labels (RFC 4343)."""
    return tuple(map(bytes.lower, labels))


def same(first: str, second: str) -> bool:
    """Tell whether two names in presentation format are the same name, without case."""
    return normal(first) == normal(second)


def normal(name: str) -> str:
    """Return the one spelling names are compared by: A-labels, lower case, no dot at the end."""
    try:
        return text(folded(parse(name)))
    except BadNameError:
        return name.lower().removesuffix(".")


def is_within(labels: Labels, parent: Labels) -> bool:
    """Tell whether a name is the parent or stands below it, without case."""
    count = len(parent)
    return count == 0 or folded(labels[-count:]) == folded(parent)


def to_ascii(name: str) -> str:
    """Return the name with each U-label as its A-label (IDNA 2008 with UTS 46 mapping).

    Raises BadNameError, with the fault idna found.
    """
    if name.isascii():
        return name
    import idna

    try:
        mapped = idna.uts46_remap(name.translate(_DOTS), std3_rules=False, transitional=False)
        return ".".join(
            label if label.isascii() else idna.alabel(label).decode("ascii")
            for label in mapped.split(".")
        )
    except (idna.IDNAError, UnicodeError) as fault:
        raise BadNameError(f"it is no internationalised name: {fault}") from None


def to_unicode(name: str) -> str:
    """Return the name with each valid A-label as its U-label; other labels stay as they are."""
    if "xn--" not in name.lower():
        return name
    import idna

    def shown(label: str) -> str:
        if not label.lower().startswith("xn--"):
            return label
        try:
            return idna.ulabel(label)
        except (idna.IDNAError, UnicodeError):
            return label

    return ".".join(map(shown, name.split(".")))


def both_forms(name: str) -> str:
    """Return an internationalised name in both forms, U-labels first; any other name as it is.

    >>> both_forms("xn--bcher-kva.example")
    'bücher.example (xn--bcher-kva.example)'
    """
    try:
        ascii_form = to_ascii(name)
    except BadNameError:
        return name
    unicode_form = to_unicode(ascii_form)
    return ascii_form if unicode_form == ascii_form else f"{unicode_form} ({ascii_form})"


def reverse_name(address: str) -> Labels:
    """Return the name below in-addr.arpa or ip6.arpa of an address (RFC 1035 3.5, RFC 3596 2.5).

    An IPv4-mapped IPv6 address is taken as IPv4. Raises ValueError when the text is no address.
    """
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return reverse_name(str(found.ipv4_mapped))
        return (*(c.encode() for c in reversed(found.packed.hex())), b"ip6", b"arpa")
    return (*(part.encode() for part in reversed(str(found).split("."))), b"in-addr", b"arpa")
