"""A DKIM verdict in words: what was hashed and compared, and what the signature leaves open."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from smtpshell.lookup.dkim_signature import IMPORTANT
from smtpshell.lookup.finding import Problem, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.lookup.dkim_canon import Message
    from smtpshell.lookup.dkim_verify import SignatureFinding


def trace(found: SignatureFinding) -> tuple[Step, ...]:
    """Return the steps of verifying one signature."""
    return tuple(_steps(found))


def _steps(found: SignatureFinding) -> Iterator[Step]:
    given = found.signature
    words = given.fault or f"{given.algorithm}, {given.header_method}/{given.body_method}"
    yield Step("read the DKIM-Signature field", words, "RFC 6376 6.1.1")
    if found.key is None:
        return
    yield Step("fetch the key", found.key.result, "RFC 6376 6.1.2", steps=found.key.trace)
    intact = "as signed" if found.body_intact else "changed"
    limit = "" if given.length is None else f", {found.unhashed} octets at the end left out (l=)"
    yield Step(
        "hash the body",
        f"{intact}{limit}",
        "RFC 6376 3.7",
        facts=(
            ("published", base64.b64encode(given.body_hash).decode()),
            ("computed", base64.b64encode(found.body_computed).decode()),
            ("canonical", found.canonical_body),
        ),
    )
    yield Step(
        "collect the signed header fields",
        f"{len(found.covered)} fields",
        "RFC 6376 5.4.2",
        facts=(
            ("signed", list(found.covered)),
            ("reserved", list(found.reserved)),
            ("unsigned", list(found.uncovered)),
            ("canonical", found.canonical_header),
        ),
    )
    yield Step("verify the signature", f"{found.result}: {found.why}", "RFC 6376 6.1.3")


ADVICE = {
    "fail": (
        "It was changed on its way (mailing list, footer, gateway), or another private key signed.",
        "Compare the canonical octets above with what was sent; sign after the last change.",
    ),
    "permerror": (
        "Verifiers treat the message as if this signature were not there.",
        "Correct the signer or the key record.",
    ),
    "temperror": ("Receivers may put the message off.", "Mend the name server, or try again."),
}


def problems(found: SignatureFinding, message: Message) -> tuple[Problem, ...]:
    """Return what is wrong with one signature: the verdict, the key, what is left open."""
    return tuple(_problems(found, message))


def _problems(found: SignatureFinding, message: Message) -> Iterator[Problem]:
    given = found.signature
    whose = f"signature {found.number} ({given.domain or 'no domain'})"
    if found.result in ADVICE:
        why, advice = ADVICE[found.result]
        yield Problem(
            "error",
            f"dkim-{found.result}",
            f"{whose[0].upper()}{whose[1:]}: {found.why}.",
            why,
            advice,
            "RFC 6376 6.1",
        )
    if found.key is not None:
        yield from (each for each in found.key.problems if each.severity != "error")
    if given.fault:
        return
    open_fields = [
        name
        for name in IMPORTANT
        if name.lower() in {each.lower() for each in found.uncovered} and message.named(name)
    ]
    if open_fields:
        yield Problem(
            "warning",
            "dkim-uncovered",
            f"{whose[0].upper()}{whose[1:]} does not cover {', '.join(open_fields)}.",
            "Anyone on the way may change these fields and the signature still holds.",
            "Add them to h= at the signer.",
            "RFC 6376 5.4.1",
        )
    if given.length is not None:
        yield Problem(
            "warning",
            "dkim-length",
            f"l={given.length}: the signature covers only the beginning of the body.",
            f"Anyone may add text after it; {found.unhashed} octets here are not covered.",
            "Sign the whole body (no l=).",
            "RFC 6376 8.2",
        )
    if "from" not in {name.lower() for name in found.reserved}:
        yield Problem(
            "info",
            "dkim-from-once",
            f"{whose[0].upper()}{whose[1:]} does not forbid a second From field.",
            "Added later, it may be shown in place of the signed one.",
            "List From twice in h=.",
            "RFC 6376 8.15",
        )
