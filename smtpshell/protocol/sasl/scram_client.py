"""SCRAM, the client's side: prove, and demand proof (RFC 5802 section 5)."""

from __future__ import annotations

import hashlib
import hmac

from smtpshell.protocol.sasl.line import encode_line
from smtpshell.protocol.sasl.prepare import saslprep
from smtpshell.protocol.sasl.scram import (
    SERVER_ERRORS,
    attributes,
    binding_flag,
    client_key,
    exclusive_or,
    expect,
    first_bare,
    gs2_header,
    hash_of,
    is_nonce,
    iteration_count,
    octets_of,
    salted_password,
    server_key,
    without_proof,
)
from smtpshell.protocol.sasl.values import (
    ClientSteps,
    ClientTerms,
    Credentials,
    SaslError,
    challenge_text,
    nothing_more,
    random_nonce,
)

_ODD = "This is not how an honest server behaves: cancel with *, and look who answers there."


def client(credentials: Credentials, terms: ClientTerms) -> ClientSteps:
    """Speak SCRAM as the client, with or without -PLUS."""
    where = terms.mechanism
    plus = where.endswith("-PLUS")
    binding = terms.binding
    flag = binding_flag(plus=plus, binding=binding, plus_offered=terms.plus_offered)
    header = gs2_header(flag, saslprep(credentials.authzid, "authorization identity"))
    bare = first_bare(credentials.user, (terms.nonce or random_nonce)())
    challenge = challenge_text((yield (header + bare).encode()), where)
    bound = binding.data if plus and binding is not None else b""
    final, signature = answer(
        bare, challenge, credentials.password or "", header, bound, terms.iterations, where
    )
    check_signature(challenge_text((yield final), where), signature, where)
    nothing_more((yield b""), where)


def answer(
    bare: str,
    challenge: str,
    password: str,
    header: str,
    binding: bytes,
    iterations: range,
    where: str,
) -> tuple[bytes, bytes]:
    """Return the client's final message, and the signature that the server has to show.

    `bare` is the client's first message without its GS2 header, `challenge` the server's first.
    Raises `SaslError` for a challenge that breaks the syntax, leaves the client's nonce out, or
    asks for an iteration count outside `iterations`.
    """
    digest = hash_of(where)
    nonce, salt, count = server_first(challenge, bare, iterations, where)
    salted = salted_password(password, salt, count, digest)
    unproven = without_proof(header, binding, nonce)
    signed = f"{bare},{challenge},{unproven}".encode()
    key = client_key(salted, digest)
    stored = hashlib.new(digest, key).digest()
    proof = exclusive_or(key, hmac.digest(stored, signed, digest))
    signature = hmac.digest(server_key(salted, digest), signed, digest)
    return f"{unproven},p={encode_line(proof)}".encode(), signature


def server_first(
    challenge: str, bare: str, iterations: range, where: str
) -> tuple[str, bytes, int]:
    """Return nonce, salt and iteration count of the server's first message, all checked."""
    pairs = attributes(challenge, where)
    if pairs[0][0] == "e":
        raise _refusal(pairs[0][1], where)
    nonce, salt, count = expect(pairs, "rsi", where)
    own = bare.rpartition("r=")[2]
    if not nonce.startswith(own):
        raise SaslError("the server's nonce does not begin with the one that was sent", where, _ODD)
    if nonce == own or not is_nonce(nonce):
        raise SaslError("the server added no valid nonce of its own", where, _ODD)
    number = iteration_count(count, where)
    if number not in iterations:
        least, most = iterations.start, iterations.stop - 1
        why = (
            f"fewer than {least} make a stolen proof cheap to guess from"
            if number < least
            else f"more than {most} would only keep this machine computing"
        )
        raise SaslError(
            f"the server asks for {number} iterations; {why}",
            where,
            "Cancel with *, and ask the server's administrator, or choose another mechanism.",
        )
    return nonce, octets_of(salt, "s", where), number


def check_signature(challenge: str, signature: bytes, where: str) -> None:
    """Raise `SaslError` unless the server's final message shows the expected signature."""
    pairs = attributes(challenge, where)
    name, value = pairs[0]
    if name == "e":
        raise _refusal(value, where)
    (value,) = expect(pairs, "v", where)
    if not hmac.compare_digest(octets_of(value, "v", where), signature):
        raise SaslError(
            "the server's signature is wrong: it does not know the password's keys",
            where,
            "Either it was set up with another password, or someone is playing the server: "
            "disconnect.",
        )


def _refusal(code: str, where: str) -> SaslError:
    words = SERVER_ERRORS.get(code)
    return SaslError(
        f"the server refused, {code}: {words}" if words else "the server refused with its own e=",
        where,
        "Check the user name and the password, then the mechanism.",
    )
