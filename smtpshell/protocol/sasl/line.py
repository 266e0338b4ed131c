"""The base64 line that carries a SASL token in SMTP (RFC 4954 section 4).

The server's challenge follows `334 `; the client's response is a line of base64 and nothing else.
Two lines are special: `*` cancels the exchange, and on the AUTH line itself `=` is an initial
response of no octets, because nothing at all would mean that there is none.
"""

from __future__ import annotations

import binascii
import string

from smtpshell.protocol.sasl.values import SaslError

CANCEL = "*"
"""The line that ends an exchange; the server answers 501 (RFC 4954 section 4)."""

LINE_LIMIT = 12288
"""Characters of one base64 line, without CRLF (RFC 4954 section 4)."""

COMMAND_LIMIT = 512
"""Octets of an AUTH command with its CRLF (RFC 5321 section 4.5.3.1.4)."""

_ALPHABET = frozenset(string.ascii_letters + string.digits + "+/=")


def encode_line(octets: bytes, *, initial: bool = False) -> str:
    """Return octets as the base64 of one line; an empty initial response becomes `=`."""
    if initial and not octets:
        return "="
    return binascii.b2a_base64(octets, newline=False).decode("ascii")


def is_cancel(line: str | bytes) -> bool:
    """Tell whether a client's line cancels the exchange."""
    return _text(line) == CANCEL


def initial_fits(mechanism: str, octets: bytes) -> bool:
    """Tell whether `AUTH mechanism initial-response` stays within a command line's length.

    A longer response has to wait for the empty 334 (RFC 4954 section 4).
    """
    return len(f"AUTH {mechanism} {encode_line(octets, initial=True)}\r\n") <= COMMAND_LIMIT


def decode_line(line: str | bytes) -> bytes:
    """Return the octets that a base64 line carries; `=` and an empty line carry none.

    Raises `SaslError` that says what is wrong with the line and where, without quoting it.
    """
    text = _text(line)
    if text in ("", "="):
        return b""
    if len(text) > LINE_LIMIT:
        raise _wrong(f"the line has {len(text)} characters; at most {LINE_LIMIT} are allowed")
    for position, character in enumerate(text, 1):
        if character not in _ALPHABET:
            raise _wrong(f"character {position} is not one of base64", _alphabet_advice(character))
    body = text.rstrip("=")
    if "=" in body:
        raise _wrong("padding (=) stands inside the line", "Send one base64 text, not two joined.")
    if len(text) % 4:
        raise _wrong(
            f"{len(text)} characters are not a multiple of four",
            "Copy it whole, with the = signs at its end.",
        )
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise _wrong("its padding (=) is wrong", "Copy it whole, or encode it again.") from None


def _text(line: str | bytes) -> str:
    text = line.decode("latin-1") if isinstance(line, bytes) else line
    return text.strip(" \r\n")


def _alphabet_advice(character: str) -> str:
    if character in "-_":
        return "This is the URL alphabet: write + for - and / for _."
    return "It looks like clear text: encode it first, /b64 TEXT."


def _wrong(what: str, advice: str = "Encode it again: /b64 TEXT.") -> SaslError:
    return SaslError(f"the line is not base64: {what}", next=advice)
