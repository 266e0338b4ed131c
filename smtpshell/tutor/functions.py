"""What may stand between `{{` and `}}` in a client's line: a name, or a function of names.

A lesson that teaches logins cannot write its lines down, because they depend on what the server
said. So a line is a template: `{{name}}` is a variable or a capture, and a function computes what a
learner computes by hand. The formulas are those of the protocol's own SASL room.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.sasl.line import decode_line, encode_line
from smtpshell.protocol.text import decode, encode

Values = Mapping[str, str]

NAME = r"[a-z][a-z0-9_-]*"

_SLOT = re.compile(r"\{\{\{\{|\{\{(?P<expression>[^{}]*)\}\}")
_CALL = re.compile(rf"({NAME})\(\s*({NAME}(?:\s*,\s*{NAME})*)\s*\)")
_ESCAPE = re.compile(r"\\(?:r|n|t|0|\\|x[0-9A-Fa-f]{2})")
_OCTETS = {"\\r": b"\r", "\\n": b"\n", "\\t": b"\t", "\\0": b"\0", "\\\\": b"\\"}


class TemplateError(SmtpshellError):
    """A template that cannot be filled in: an unknown name or function, or a value that misfits."""

    status = 2


def unescape(text: str) -> bytes:
    r"""Return the octets that a text with `\r \n \t \0 \xHH \\` stands for.

    >>> unescape(r"a\0b\x41")
    b'a\x00bA'
    """
    octets = bytearray()
    at = 0
    for match in _ESCAPE.finditer(text):
        octets += encode(text[at : match.start()])
        word = match[0]
        octets += _OCTETS.get(word) or bytes.fromhex(word[2:])
        at = match.end()
    return bytes(octets + encode(text[at:]))


def _b64(text: str) -> str:
    return encode_line(unescape(text))


def _unb64(text: str) -> str:
    return decode(decode_line(text))


def _plain(user: str, password: str) -> str:
    from smtpshell.protocol.sasl.plain import message

    return encode_line(message(user, password))


def _cram_md5(user: str, password: str, challenge: str) -> str:
    from smtpshell.protocol.sasl.cram import response

    return encode_line(response(user, password, decode_line(challenge)))


def _scram_first(user: str, nonce: str) -> str:
    from smtpshell.protocol.sasl.scram import first_bare, gs2_header

    return encode_line((gs2_header("n") + first_bare(user, nonce)).encode())


def _scram_final(user: str, password: str, nonce: str, challenge: str) -> str:
    from smtpshell.protocol.sasl.scram import first_bare, gs2_header
    from smtpshell.protocol.sasl.scram_client import answer

    final, _ = answer(
        first_bare(user, nonce),
        decode(decode_line(challenge)),
        password,
        gs2_header("n"),
        b"",
        range(1, 1 << 20),
        "SCRAM-SHA-256",
    )
    return encode_line(final)


def _utf8len(text: str) -> str:
    return str(len(encode(text)))


def _octets(text: str) -> str:
    return str(len(unescape(text)))


MOST = 65536
"""Octets that `times` may make, so that no lesson can exhaust a machine."""


def _times(text: str, count: str) -> str:
    if not count.isdecimal() or len(text) * int(count) > MOST:
        raise TemplateError(f"times needs a number, and makes {MOST} octets at most", count)
    return text * int(count)


FUNCTIONS: dict[str, tuple[int, Callable[..., str], str]] = {
    "b64": (1, _b64, r"the base64 of a text, which may hold \0 and \xHH"),
    "unb64": (1, _unb64, "the text that a base64 line stands for"),
    "plain": (2, _plain, "PLAIN's message for a user and a password, in base64"),
    "cram_md5": (3, _cram_md5, "CRAM-MD5's answer for a user, a password and a challenge"),
    "scram_first": (2, _scram_first, "SCRAM's first message for a user and a nonce"),
    "scram_final": (
        4,
        _scram_final,
        "SCRAM-SHA-256's final message for a user, a password, a nonce and a challenge",
    ),
    "utf8len": (1, _utf8len, "how many octets a text has in UTF-8"),
    "octets": (1, _octets, r"how many octets a text has, \r\n and \xHH read as octets"),
    "times": (2, _times, "a text so many times, for lines that no file should hold"),
}
"""Every function: how many names it takes, what computes it, and what it gives."""


def evaluate(expression: str, values: Values) -> str:
    """Return the value of `name` or `function(name, ...)`; raises `TemplateError`."""
    text = expression.strip()
    if call := _CALL.fullmatch(text):
        if call[1] not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise TemplateError(f"no function is called {call[1]!r}", next=f"There are {known}.")
        count, function, _ = FUNCTIONS[call[1]]
        names = [name.strip() for name in call[2].split(",")]
        if len(names) != count:
            raise TemplateError(f"{call[1]} takes {count} names, not {len(names)}", text)
        return function(*(_value(name, values) for name in names))
    if not re.fullmatch(NAME, text):
        raise TemplateError(f"{text!r} is neither a name nor a function of names")
    return _value(text, values)


def _value(name: str, values: Values) -> str:
    if name not in values:
        raise TemplateError(f"nothing is called {name!r} here")
    return values[name]


def fill(template: str, values: Values) -> str:
    """Return a line with every `{{...}}` filled in; `{{{{` stands for `{{`.

    Raises `TemplateError` where a name or function is unknown.

    >>> fill("MAIL FROM:<{{me}}> {{{{x", {"me": "ann@client.example"})
    'MAIL FROM:<ann@client.example> {{x'
    """
    return _SLOT.sub(
        lambda slot: "{{" if slot["expression"] is None else evaluate(slot["expression"], values),
        template,
    )


def names_in(template: str) -> list[str]:
    """Return the names that a template needs, in order; those of unknown functions too."""
    names: list[str] = []
    for slot in _SLOT.finditer(template):
        if slot["expression"] is not None:
            call = _CALL.fullmatch(slot["expression"].strip())
            words = call[2].split(",") if call else [slot["expression"]]
            names += [word.strip() for word in words]
    return names
