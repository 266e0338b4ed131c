r"""Each 334 in plain words: what the server's challenge says, and what to answer by hand.

The advice uses the shell's `/b64`, in which `\0` stands for a NUL and `\x01` for a Control-A.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from smtpshell.protocol.sasl.anatomy import anatomy, login_prompt, shown
from smtpshell.protocol.sasl.line import decode_line
from smtpshell.protocol.sasl.table import MECHANISMS, RECOGNISED
from smtpshell.protocol.sasl.values import SaslError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GIVE_UP = "`*` cancels."


def explain_line(mechanism: str, step: int, line: str, *, by_hand: bool = True) -> str:
    """Explain a 334 by its text, base64 or not; see `explain_challenge`."""
    try:
        return explain_challenge(mechanism, step, decode_line(line), by_hand=by_hand)
    except SaslError as error:
        return _told((f"The challenge cannot be read: {error.what}.", GIVE_UP), by_hand=by_hand)


Told = tuple[str, str]
"""What a challenge says, and what to answer to it."""


def _told(words: Told, *, by_hand: bool) -> str:
    return " ".join(words) if by_hand else words[0]


def explain_challenge(mechanism: str, step: int, octets: bytes, *, by_hand: bool = True) -> str:
    """Return what a challenge says and, `by_hand`, what to answer: one to three sentences.

    `step` counts the server's challenges of this exchange from 1. Never raises; the answer is
    printable whatever the octets are.
    """
    return _told(_explained(mechanism.upper(), step, octets), by_hand=by_hand)


def _explained(name: str, step: int, octets: bytes) -> Told:
    if octets.startswith(b"NTLMSSP\0"):
        return "An NTLM challenge; NTLM is not supported here.", GIVE_UP
    explain = _EXPLAIN.get(name.removesuffix("-PLUS"))
    if explain is None:
        words = RECOGNISED.get(name)
        said = f" {shown(name)} is {words}." if words else ""
        return f"Decoded, the challenge is {_quoted(octets)}.{said}", GIVE_UP
    row = MECHANISMS[name]
    if row.client_first and not octets:
        return "The server waits for your first message.", _FIRST[name.removesuffix("-PLUS")]
    return explain(name, step, octets)


def _quoted(octets: bytes) -> str:
    return f'"{shown(octets)}"' if octets else "empty"


_COMPUTED = "The next message needs computing: `/auth {name} NAME` does the whole exchange."

_FIRST: Mapping[str, str] = MappingProxyType(
    {
        "PLAIN": r"Answer with base64 of NUL, name, NUL, password: `/b64 \0NAME\0PASSWORD`",
        "SCRAM-SHA-1": "Answer with base64 of your name and a nonce of your own making: "
        "`/b64 n,,n=NAME,r=NONCE`",
        "SCRAM-SHA-256": "Answer with base64 of your name and a nonce of your own making: "
        "`/b64 n,,n=NAME,r=NONCE`",
        "XOAUTH2": r"Answer with base64 of name and token: "
        r"`/b64 user=NAME\x01auth=Bearer TOKEN\x01\x01`",
        "OAUTHBEARER": r"Answer with base64 of name and token: "
        r"`/b64 n,a=NAME,\x01auth=Bearer TOKEN\x01\x01`",
        "EXTERNAL": "Answer with an empty line to be whom the certificate names, or with base64 of "
        "the name to act as: `/b64 NAME`",
        "ANONYMOUS": "Answer with base64 of any trace text, or an empty line: `/b64 TRACE`",
    }
)
"""What to answer to the empty 334 of a mechanism in which the client speaks first."""


def _unexpected(name: str, step: int, octets: bytes) -> Told:
    del step
    said = f"Decoded, the challenge is {_quoted(octets)}; {name} has one message and no challenge."
    return said, GIVE_UP


def _login(name: str, step: int, octets: bytes) -> Told:
    del name
    said = f"The challenge is {_quoted(octets)}"
    if not octets:
        said = f"The prompt is empty; it is number {step}"
    if "password" in login_prompt(octets, step)[0].meaning:
        return f"{said}.", "Answer with base64 of your password: `/b64 PASSWORD`"
    return f"{said}.", "Answer with base64 of your user name: `/b64 NAME`"


def _cram(name: str, step: int, octets: bytes) -> Told:
    del step
    if not octets:
        return "The challenge is empty: an answer to it would be good for ever.", GIVE_UP
    advice = (
        "Answer with base64 of your name, a space and the HMAC-MD5 of that text in hex "
        "(`openssl md5 -hmac PASSWORD` makes it): `/b64 NAME HEX`, or let "
        f"`/auth {name} NAME` do it."
    )
    return f"The text to be keyed with your password is {_quoted(octets)}.", advice


def _digest(name: str, step: int, octets: bytes) -> Told:
    del step
    fields = {field.name: field.value for field in anatomy(name, "server", 1, octets)}
    if "rspauth" in fields:
        said = "The server's own proof: it knows the password too."
        return said, "Answer with an empty line."
    if "nonce" not in fields:
        return f"Decoded, the challenge is {_quoted(octets)}, which is not {name}'s.", GIVE_UP
    realm = f" for the realm {fields['realm']}" if fields.get("realm") else ""
    said = f"The server's nonce is {fields['nonce']}{realm}."
    return said, f"{_COMPUTED.format(name=name)} {GIVE_UP}"


def _scram(name: str, step: int, octets: bytes) -> Told:
    del step
    fields = {field.name: field for field in anatomy(name, "server", 1, octets)}
    if "server's signature" in fields:
        return (
            "The server's signature: its proof that it knows the password's keys.",
            "Compare it with your own computation, then answer with an empty line.",
        )
    if "error" in fields:
        error = fields["error"]
        return f"The server refuses, {error.value}: {error.meaning}.", GIVE_UP
    if not {"nonce", "salt", "iterations"} <= fields.keys():
        return f"Decoded, the challenge is {_quoted(octets)}, which is not {name}'s.", GIVE_UP
    said = (
        f"Your nonce with the server's behind it ({fields['nonce'].value}), a salt, and "
        f"{fields['iterations'].value} iterations."
    )
    how = "Answer with base64 of c=,r=,p=: header, this nonce, the proof."
    return said, f"{how} {_COMPUTED.format(name=name)}"


def _bearer(name: str, step: int, octets: bytes) -> Told:
    del step
    from smtpshell.protocol.sasl.anatomy_tokens import refusal

    why = refusal(octets)
    if why is None:
        return f"Decoded, the challenge is {_quoted(octets)}, which is not {name}'s.", GIVE_UP
    answer = "an empty line" if name == "XOAUTH2" else "`AQ==` (a Control-A)"
    return f"The token was refused, {why}.", f"Answer with {answer}; then the 535 follows."


_EXPLAIN: Mapping[str, Callable[[str, int, bytes], Told]] = MappingProxyType(
    {
        "PLAIN": _unexpected,
        "EXTERNAL": _unexpected,
        "ANONYMOUS": _unexpected,
        "LOGIN": _login,
        "CRAM-MD5": _cram,
        "DIGEST-MD5": _digest,
        "SCRAM-SHA-1": _scram,
        "SCRAM-SHA-256": _scram,
        "XOAUTH2": _bearer,
        "OAUTHBEARER": _bearer,
    }
)
