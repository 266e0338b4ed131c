"""Verifying the DKIM signatures of a message, with everything shown that goes into the verdict.

A verdict alone teaches nothing and helps nobody whose signature fails. So each signature comes with
the octets both sides hash, both hashes, what is covered and what is not, the key, and the one
reason that decided. When the body hash matches and the signature does not, the header was changed;
when the body hash differs, the body was: that distinction is the first thing a postmaster wants.

The results are those of RFC 8601 section 2.7.1: `pass`, `fail` (the signature does not hold),
`permerror` (it cannot be verified), `temperror` (the key could not be fetched), `none`.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from typing import TYPE_CHECKING, Final, Literal

from smtpshell.lookup import der, dkim, dkim_canon, dkim_signature, dkim_story, names
from smtpshell.lookup.dkim_key import SMALLEST
from smtpshell.lookup.finding import Problem, Step, problems_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.lookup.dkim import DkimFinding
    from smtpshell.lookup.dkim_canon import HeaderField, Message
    from smtpshell.lookup.dkim_key import DkimKey
    from smtpshell.lookup.dkim_signature import Signature
    from smtpshell.lookup.resolver import Resolver

Result = Literal["pass", "fail", "permerror", "temperror", "none"]

SIGNATURES: Final = 20  # signatures looked at; RFC 6376 8.4 asks for a bound
EXCERPT: Final = 2_000  # octets of a canonical body shown in a trace


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """One signature and its verdict.

    `body_computed` is the hash of the body as it is now, `covered` the names of the fields that
    were found for `h`, `reserved` the names signed so that no such field may be added,
    `uncovered` the fields of the message that nothing protects, by name. `canonical_header` is
    what the signature was verified over, `canonical_body` an excerpt of the body.
    """

    number: int
    result: Result
    why: str
    signature: Signature
    key: DkimFinding | None = field(default=None, repr=False)
    body_computed: bytes = b""
    covered: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()
    canonical_header: bytes = field(default=b"", repr=False)
    canonical_body: bytes = field(default=b"", repr=False)
    unhashed: int = 0
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def body_intact(self) -> bool | None:
        """Whether the body is as it was signed; None when it was not hashed."""
        return self.body_computed == self.signature.body_hash if self.body_computed else None

    def to_json(self) -> dict[str, object]:
        """Return the signature as a JSON object; hashes in base64."""
        import base64

        given = self.signature
        return {
            "result": self.result,
            "why": self.why,
            "domain": given.domain,
            "selector": given.selector,
            "identity": given.identity,
            "algorithm": given.algorithm,
            "canonicalization": f"{given.header_method}/{given.body_method}",
            "body_hash": base64.b64encode(given.body_hash).decode(),
            "body_hash_computed": base64.b64encode(self.body_computed).decode() or None,
            "body_intact": self.body_intact,
            "header_hash": hashlib.sha256(self.canonical_header).hexdigest(),
            "length": given.length,
            "unhashed": self.unhashed,
            "signed_at": given.made,
            "expires": given.expires,
            "signed": list(self.covered),
            "reserved": list(self.reserved),
            "unsigned": list(self.uncovered),
            "canonical_header": self.canonical_header.decode("utf-8", "replace"),
            "canonical_body": self.canonical_body.decode("utf-8", "replace"),
            "key": self.key.to_json() if self.key else None,
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


@dataclass(frozen=True, slots=True)
class MessageFinding:
    """The signatures of a message. `result`: the best of them, or `none`."""

    signatures: tuple[SignatureFinding, ...]
    from_domain: str | None = None
    problems: tuple[Problem, ...] = field(default=(), repr=False)

    @property
    def result(self) -> Result:
        """`pass` when any signature holds; else the first that stands in the way."""
        found = {each.result for each in self.signatures}
        order: tuple[Result, ...] = ("pass", "temperror", "fail", "permerror")
        return next((result for result in order if result in found), "none")

    @property
    def unanswered(self) -> bool:
        """True when a key that would decide could not be fetched."""
        return self.result == "temperror"

    @property
    def trace(self) -> tuple[Step, ...]:
        """The traces of all signatures, one step each."""
        return tuple(
            Step(
                f"signature {each.number} of {each.signature.domain or 'nobody'}",
                f"{each.result}: {each.why}",
                steps=each.trace,
            )
            for each in self.signatures
        )

    def to_json(self) -> dict[str, object]:
        """Return the finding as a JSON object."""
        return {
            "result": self.result,
            "from_domain": self.from_domain,
            "signatures": [each.to_json() for each in self.signatures],
            "problems": problems_json(self.problems),
        }


async def verify(resolver: Resolver, octets: bytes, *, now: float | None = None) -> MessageFinding:
    """Verify every DKIM signature of a message, the keys all fetched at once; never raises.

    `octets` is the whole message; `now` is the time of judgement in seconds since 1970.
    """
    message = dkim_canon.parse_message(octets)
    fields = message.named("DKIM-Signature")
    moment = time.time() if now is None else now
    signatures = await asyncio.gather(
        *(
            _verify_one(resolver, message, each, number, moment)
            for number, each in enumerate(fields[:SIGNATURES], 1)
        )
    )
    found = MessageFinding(tuple(signatures), from_domain(message))
    return replace(found, problems=tuple(_message_problems(message, found, len(fields))))


def from_domain(message: Message) -> str | None:
    """Return the author domain: that of the single From field, or None."""
    fields = message.named("From")
    if len(fields) != 1:
        return None
    text = fields[0].value.replace(b"\r\n", b"").decode("utf-8", "replace")
    domain = parseaddr(text)[1].rpartition("@")[2]
    return names.normal(domain) if domain else None


async def _verify_one(
    resolver: Resolver, message: Message, given: HeaderField, number: int, now: float
) -> SignatureFinding:
    signature = dkim_signature.parse(given.value)
    if signature.fault:
        return _finish(SignatureFinding(number, "permerror", signature.fault, signature), message)
    fetched = await dkim.lookup(resolver, signature.selector, signature.domain)
    others = [each for each in message.fields if each is not given]
    chosen = dkim_canon.select(others, signature.names)
    header = dkim_canon.signed_octets(chosen, given.raw, signature.header_method)
    whole = dkim_canon.body(message.body, signature.body_method)
    hashed = whole if signature.length is None else whole[: signature.length]
    pairs = list(zip(signature.names, chosen, strict=True))
    taken_fields = {id(each) for each in chosen}
    left = [each for each in others if id(each) not in taken_fields]
    found = SignatureFinding(
        number,
        "pass",
        "the signature holds",
        signature,
        fetched,
        hashlib.sha256(hashed).digest(),
        tuple(name for name, taken in pairs if taken is not None),
        tuple(dict.fromkeys(name for name, taken in pairs if taken is None)),
        tuple(dict.fromkeys(each.name for each in left if each.name)),
        header,
        hashed[:EXCERPT],
        len(whole) - len(hashed),
    )
    result, why = _verdict(found, len(whole), now)
    return _finish(replace(found, result=result, why=why), message)


def _verdict(found: SignatureFinding, body_octets: int, now: float) -> tuple[Result, str]:
    """Decide, in the order of RFC 6376 section 6.1: field, key, body hash, signature."""
    signature, fetched = found.signature, found.key
    if signature.expires is not None and signature.expires < now:
        return "permerror", "the signature has expired"
    if signature.length is not None and signature.length > body_octets:
        return "permerror", f"l={signature.length} is more than the body has ({body_octets})"
    if fetched is None or fetched.result == "temperror":
        return "temperror", "the key could not be fetched"
    if fetched.result == "none" or fetched.key is None:
        return "permerror", f"no key stands at {signature.key_name}"
    why = _key_fault(fetched.key, signature)
    if why:
        return "permerror", why
    if not found.body_intact:
        return "fail", "the body was changed after signing (the body hash differs)"
    try:
        holds = _holds(fetched.key, signature.signature, found.canonical_header)
    except ValueError:
        return "permerror", "the key cannot be used"
    if holds:
        return "pass", "the signature holds"
    return "fail", "a signed header field was changed, or another key signed (the body is intact)"


def _key_fault(key: DkimKey, signature: Signature) -> str:
    """Return why a key may not be used for a signature (RFC 6376 section 6.1.2)."""
    if not key.valid:
        return f"the key record is not valid: {key.why}"
    if key.revoked:
        return "the key is revoked"
    if key.k != dkim_signature.ALGORITHMS[signature.algorithm]:
        return f"the key is of type {key.k}, the signature {signature.algorithm}"
    if key.h and "sha256" not in key.h:
        return f"the key does not allow sha256 (h={':'.join(key.h)})"
    if key.k == "rsa" and (key.bits or 0) < SMALLEST:
        return f"the key has {key.bits} bits; less than {SMALLEST} must not be accepted"
    agent = names.normal(signature.identity.rpartition("@")[2])
    if "s" in key.t and agent != signature.domain:
        return f"the key forbids subdomains (t=s), and i={signature.identity} is one"
    return ""


def _holds(key: DkimKey, signature: bytes, octets: bytes) -> bool:
    """Do the arithmetic; Ed25519 signs the SHA-256 of the octets (RFC 8463 section 3).

    Raises ValueError for a key with which no arithmetic can be done.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        if key.k == "ed25519":
            public = ed25519.Ed25519PublicKey.from_public_bytes(key.key)
            public.verify(signature, hashlib.sha256(octets).digest())
        else:
            numbers = der.rsa_numbers(key.key)
            if numbers is None:
                raise ValueError("no RSA key")
            modulus, exponent = numbers
            rsa.RSAPublicNumbers(exponent, modulus).public_key().verify(
                signature, octets, padding.PKCS1v15(), SHA256()
            )
    except InvalidSignature:
        return False
    return True


def _finish(found: SignatureFinding, message: Message) -> SignatureFinding:
    return replace(
        found,
        problems=dkim_story.problems(found, message),
        trace=dkim_story.trace(found),
    )


def _message_problems(message: Message, found: MessageFinding, count: int) -> Iterator[Problem]:
    if not count:
        yield Problem(
            "error",
            "dkim-unsigned",
            "The message has no DKIM-Signature field.",
            "Nobody vouches for it; DMARC can pass by SPF alone, which forwarding breaks.",
            "Let the server that sends the mail sign it.",
            "RFC 6376 1",
        )
    if count > SIGNATURES:
        yield Problem(
            "warning",
            "dkim-many",
            f"The message has {count} signatures; the first {SIGNATURES} were looked at.",
            "Verifiers look at a few only.",
            "Sign once for each domain that vouches.",
            "RFC 6376 8.4",
        )
    senders = len(message.named("From"))
    if senders != 1:
        yield Problem(
            "error",
            "from-count",
            f"The message has {senders} From fields.",
            "Receivers refuse it, or show another author than the one that was verified.",
            "Write exactly one.",
            "RFC 5322 3.6",
        )
    for each in found.signatures:
        yield from each.problems
