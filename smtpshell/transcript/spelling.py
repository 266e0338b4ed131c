"""Wire text for the ear: codes digit by digit, base64 in groups of four.

A voice reads 250 as a number and base64 as a word that nobody can write down. Spelled, the same
line can be followed, and typed again.
"""

from __future__ import annotations

import re

_HEAD = re.compile(r"(\d{3})(-| |$)(?:(\d\.\d{1,3}\.\d{1,3})(?= |$))?\s*")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{6,}={0,2}")
GROUP = 4
SHORTEST = 8
"""Characters from which on a word may be base64 (shorter ones can be read as they are)."""


def spelled(line: str) -> str:
    """Return a line of a reply as it should be read aloud.

    >>> spelled("550 5.7.23 No")
    '5 5 0, 5 dot 7 dot 2 3, No'
    >>> spelled("250-SIZE 1048576")
    '2 5 0 and more, SIZE 1048576'
    >>> spelled("334 VXNlcm5hbWU6")
    '3 3 4, VXNl cm5h bWU6'
    """
    head = _HEAD.match(line)
    if head is None:
        return grouped(line)
    code = " ".join(head[1]) + (" and more" if head[2] == "-" else "")
    enhanced = " dot ".join(" ".join(part) for part in head[3].split(".")) if head[3] else ""
    rest = grouped(line[head.end() :])
    return ", ".join(part for part in (code, enhanced, rest) if part)


def grouped(text: str) -> str:
    """Return a text with each word of base64 in groups of four characters.

    >>> grouped("AUTH PLAIN AGFsaWNlAGNvcnJlY3Q=")
    'AUTH PLAIN AGFs aWNl AGNv cnJl Y3Q='
    """
    return " ".join(_groups(word) if is_base64(word) else word for word in text.split(" "))


def _groups(word: str) -> str:
    return " ".join(word[at : at + GROUP] for at in range(0, len(word), GROUP))


def is_base64(word: str) -> bool:
    """Tell whether a word looks like base64, and like nothing that can be read as it is."""
    if len(word) < SHORTEST or len(word) % GROUP or not _BASE64.fullmatch(word):
        return False
    mixed = word != word.lower() and word != word.upper()
    return word.endswith("=") or (mixed and any(letter.isdigit() for letter in word))
