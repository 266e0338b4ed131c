"""SCRAM, the server's side (RFC 5802 section 5).

An unknown user gets a salt and a full exchange like anyone else, and fails at the proof: so names
cannot be tried out. That needs a salt which stays the same for a name from one attempt to the next;
by default it is derived from the host and the name.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from smtpshell.protocol.sasl.accounts import (
    Account,
    ServerSteps,
    ServerTerms,
    StoredKeys,
    authorize,
    refuse,
)
from smtpshell.protocol.sasl.line import encode_line
from smtpshell.protocol.sasl.prepare import saslprep
from smtpshell.protocol.sasl.scram import (
    attributes,
    exclusive_or,
    expect,
    hash_of,
    is_nonce,
    octets_of,
    stored_keys,
    unescaped_name,
)
from smtpshell.protocol.sasl.values import SaslError, random_nonce, response_text
from smtpshell.protocol.values import dataclass

_HEADER = re.compile(r"(p=([A-Za-z0-9.-]+)|y|n),(?:a=([^,]*))?,")


@dataclass(frozen=True, slots=True)
class First:
    """The client's first message: its GS2 header, that header's parts, and the rest."""

    header: str
    flag: str
    binding_type: str
    authzid: str
    bare: str
    user: str
    nonce: str


def client_first(message: str, where: str) -> First:
    """Take the client's first message apart; raise `SaslError` if it breaks the syntax."""
    match = _HEADER.match(message)
    if match is None:
        raise SaslError("the message does not begin with n,, or y,, or p=TYPE,,", where)
    bare = message[match.end() :]
    user, nonce = expect(attributes(bare, where), "nr", where)
    if not is_nonce(nonce):
        raise SaslError("the nonce is empty or not printable ASCII", where)
    return First(
        header=match[0],
        flag=match[1][0],
        binding_type=match[2] or "",
        authzid=unescaped_name(match[3] or ""),
        bare=bare,
        user=saslprep(unescaped_name(user), "user name"),
        nonce=nonce,
    )


def server(terms: ServerTerms) -> ServerSteps:
    """Speak SCRAM as the server, with or without -PLUS."""
    where = terms.mechanism
    digest = hash_of(where)
    first = client_first(response_text((yield b""), where), where)
    binding, objection = _binding(first, terms)
    if objection:
        return refuse("channel-binding", first.user, objection)
    account = terms.users(first.user)
    keys, known = _keys(account, first.user, terms, digest)
    nonce = first.nonce + (terms.nonce or random_nonce)()
    challenge = f"r={nonce},s={encode_line(keys.salt)},i={keys.iterations}"
    final = response_text((yield challenge.encode()), where)
    unproven, _, proof = final.rpartition(",p=")
    bound, echoed = expect(attributes(final, where), "cr", where)
    if octets_of(bound, "c", where) != first.header.encode() + binding:
        return refuse("channel-binding", first.user, "c= is not the header and this TLS channel")
    if echoed != nonce:
        return refuse("malformed", first.user, "the nonce is not the one that was sent")
    signed = f"{first.bare},{challenge},{unproven}".encode()
    proven = _proven(octets_of(proof, "p", where), keys, signed, digest)
    if account is None:
        return refuse("unknown-user", first.user)
    if not known:
        return refuse("no-keys", first.user)
    if not proven:
        return refuse("wrong-password", first.user)
    signature = hmac.digest(keys.server_key, signed, digest)
    last = yield f"v={encode_line(signature)}".encode()
    if last:
        return refuse("malformed", first.user, "the answer to the signature must be empty")
    return authorize(account, first.authzid)


def _proven(proof: bytes, keys: StoredKeys, signed: bytes, digest: str) -> bool:
    signature = hmac.digest(keys.stored_key, signed, digest)
    if len(proof) != len(signature):
        return False
    recovered = hashlib.new(digest, exclusive_or(proof, signature)).digest()
    return hmac.compare_digest(recovered, keys.stored_key)


def _keys(
    account: Account | None, user: str, terms: ServerTerms, digest: str
) -> tuple[StoredKeys, bool]:
    """Return the keys to check against, and whether they are the user's (or a stand-in)."""
    if account is not None and digest in account.keys:
        return account.keys[digest], True
    salt = terms.salt(user) if terms.salt else _salt(terms.host, user)
    password = account.password if account is not None else None
    keys = stored_keys(password or "", salt, terms.iterations, digest)
    return keys, password is not None


def _salt(host: str, user: str) -> bytes:
    return hashlib.sha256(f"{host}\0{user}".encode()).digest()[:16]


def _binding(first: First, terms: ServerTerms) -> tuple[bytes, str]:
    """Return the channel binding's octets, and the objection to the client's flag or ""."""
    if not terms.mechanism.endswith("-PLUS"):
        if first.flag == "p":
            return b"", "the flag p= belongs to a -PLUS mechanism"
        if first.flag == "y" and terms.plus_offered:
            return b"", "the client believes that -PLUS was not offered, and it was"
        return b"", ""
    if first.flag != "p":
        return b"", "a -PLUS mechanism needs the flag p="
    for binding in terms.bindings:
        if binding.type == first.binding_type:
            return binding.data, ""
    return b"", f"there is no channel binding of the type {first.binding_type} here"
