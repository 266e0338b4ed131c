"""SASLprep (RFC 4013): user names and passwords made comparable before they are hashed.

The same password typed on two keyboards may be two sequences of code points. SASLprep maps odd
spaces to a space, drops what is invisible, applies NFKC, and refuses control characters and mixed
writing directions. Text is treated as a query (RFC 3454 section 7): code points that Unicode 3.2
did not know yet are let through, as servers must do for what clients present.
"""

from __future__ import annotations

from smtpshell.protocol.sasl.values import SaslError

_FORBIDDEN = (
    ("in_table_c12", "a space other than U+0020"),
    ("in_table_c21_c22", "a control character"),
    ("in_table_c3", "a private-use character"),
    ("in_table_c4", "a non-character code point"),
    ("in_table_c5", "a surrogate"),
    ("in_table_c6", "a character unfit for plain text"),
    ("in_table_c7", "a character unfit for canonical representation"),
    ("in_table_c8", "a character that changes display properties"),
    ("in_table_c9", "a tagging character"),
)
"""The tables of RFC 3454 that RFC 4013 section 2.3 prohibits, as functions of `stringprep`."""


def saslprep(text: str, what: str = "text", *, stored: bool = False) -> str:
    """Return text prepared by RFC 4013; `what` names it in errors, which never quote it.

    With `stored` unassigned code points are refused too. Raises `SaslError` for what SASLprep
    forbids.
    """
    if text.isascii() and text.isprintable():
        return text
    import stringprep
    from unicodedata import ucd_3_2_0

    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    prepared = ucd_3_2_0.normalize("NFKC", mapped)
    for table, reason in _FORBIDDEN:
        if any(map(getattr(stringprep, table), prepared)):
            raise _refusal(what, f"holds {reason}")
    if stored and any(map(stringprep.in_table_a1, prepared)):
        raise _refusal(what, "holds a character that Unicode 3.2 does not know")
    right_to_left = [stringprep.in_table_d1(character) for character in prepared]
    if any(right_to_left):
        if any(map(stringprep.in_table_d2, prepared)):
            raise _refusal(what, "mixes right-to-left and left-to-right letters")
        if not (right_to_left[0] and right_to_left[-1]):
            raise _refusal(what, "has right-to-left letters but does not begin and end with one")
    return prepared


def prepared_or_empty(text: str) -> str:
    """Return text prepared, or an empty string where SASLprep forbids it."""
    try:
        return saslprep(text)
    except SaslError:
        return ""


def _refusal(what: str, reason: str) -> SaslError:
    return SaslError(
        f"the {what} {reason}, which SASLprep (RFC 4013) forbids",
        next="Type it again, or choose one without it.",
    )
