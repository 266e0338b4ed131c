"""Addresses as a server compares them."""

from __future__ import annotations


def fold(address: str) -> tuple[str, str]:
    """Return local part and domain in the one form that a server compares.

    Letter case counts in neither, as all known servers have it. The local part of an international
    address is composed (NFC, RFC 6532 section 3.1), its domain is turned into A-labels.

    >>> fold("Info@B\u00fccher.example")
    ('info', 'xn--bcher-kva.example')
    """
    local, at, domain = address.casefold().rpartition("@")
    if not at:
        local, domain = domain, ""
    if not address.isascii():
        local, domain = _compose(local), _to_ascii(_compose(domain))
    return local, domain.rstrip(".")


def _compose(text: str) -> str:
    from unicodedata import normalize

    return normalize("NFC", text)


def _to_ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain
