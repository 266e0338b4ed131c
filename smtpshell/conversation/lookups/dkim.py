"""`dkim`: a key, the signatures of a message, or a signature made for practice."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import FINE, base, render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene
from smtpshell.conversation.report import Row
from smtpshell.protocol.errors import FileError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.report import Report
    from smtpshell.lookup.dkim import DkimFinding
    from smtpshell.lookup.dkim_key import DkimKey
    from smtpshell.lookup.dkim_verify import MessageFinding, SignatureFinding

METHODS = ("simple", "relaxed")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("selector", nargs="?", metavar="SELECTOR", help="s= of a signature")
    parser.add_argument("domain", nargs="?", metavar="DOMAIN", help="d= of a signature")
    base.add_record(parser, "key record")
    parser.add_argument("--message", metavar="FILE", help="verify this message's signatures")
    group = parser.add_argument_group("signing, for practice")
    group.add_argument("--sign", metavar="FILE", help="print the signature field for a message")
    group.add_argument("--out", metavar="FILE", help="write the signed message here")
    group.add_argument("--key", metavar="FILE", help="the private key (PEM)")
    group.add_argument(
        "--canonicalization",
        default="relaxed/relaxed",
        metavar="C",
        help="simple or relaxed, twice",
    )
    group.add_argument(
        "--new-key", choices=("rsa", "ed25519"), help="make a key: record and private part"
    )


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    if options.new_key:
        yield _new_key(options.new_key)
    elif options.record is not None:
        from smtpshell.lookup import dkim_key

        key = dkim_key.parse_key(base.record_text(options.record))
        yield Result(key.to_json(), _record_report(key), render.status(key))
    elif options.sign:
        yield _sign(options)
    elif options.message:
        from smtpshell.lookup import dkim_verify

        found = await dkim_verify.verify(scene.resolver, _read(options.message))
        yield Result(found.to_json(), _message_report(found), render.status(found))
    elif options.domain:
        from smtpshell.lookup import dkim

        fetched = await dkim.lookup(scene.resolver, options.selector, options.domain)
        facts = render.with_unicode(fetched.to_json())
        yield Result(facts, report(fetched), render.status(fetched))
    else:
        raise UsageError(
            "a selector and a domain are wanted",
            next="The selector stands as s= in the DKIM-Signature field of the domain's mail.",
        )


def _read(name: str) -> bytes:
    import sys

    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise FileError.from_os(error, name, "read") from error


def _new_key(kind: str) -> Result:
    from smtpshell.lookup import dkim_sign

    made = dkim_sign.new_key("rsa" if kind == "rsa" else "ed25519")
    private = made.private.decode("ascii")
    rows = [
        render.title("Publish as TXT at SELECTOR._domainkey.DOMAIN"),
        Row(made.record, "code"),
        render.title("Keep secret, for the signer"),
        *(Row(line, "code") for line in private.splitlines()),
    ]
    return Result({"record": made.record, "private": private}, rows, FINE)


def _sign(options: argparse.Namespace) -> Result:
    from smtpshell.lookup import dkim_canon, dkim_sign

    if not (options.key and options.domain):
        raise UsageError("signing wants SELECTOR DOMAIN and --key FILE")
    header, _, body = options.canonicalization.partition("/")
    if header not in METHODS or (body or "simple") not in METHODS:
        raise UsageError("a canonicalization is simple or relaxed, twice", options.canonicalization)
    octets = _read(options.sign)
    field = dkim_sign.sign(
        octets,
        domain=options.domain,
        selector=options.selector,
        private=_read(options.key),
        header_method=header,
        body_method=body or "simple",
    )
    if options.out:
        message = dkim_canon.parse_message(octets)
        head = b"".join(each.raw for each in message.fields)
        _write(options.out, field + head + b"\r\n" + message.body)
    text = field.decode("ascii")
    rows = [Row(line, "code") for line in text.splitlines()]
    return Result({"signature": text, "out": options.out}, rows, FINE)


def _write(name: str, octets: bytes) -> None:
    try:
        Path(name).write_bytes(octets)
    except OSError as error:
        raise FileError.from_os(error, name, "write") from error


def report(found: DkimFinding) -> Report:
    """Return a key look-up for people."""
    place = f"{found.selector} of {render.shown_name(found.domain)}"
    sentence = {
        "ok": f"the key {place} can be used.",
        "revoked": f"the key {place} is revoked.",
        "none": f"there is no key {place}.",
        "invalid": f"the key record {place} is not valid.",
        "temperror": f"the DNS did not say whether there is a key {place}.",
    }[found.result]
    return [
        *render.verdict(found, sentence),
        *(_key_facts(found.key) if found.key else []),
        *render.steps(found.trace),
        *render.problems(found.problems),
    ]


def _key_facts(key: DkimKey) -> Report:
    size = f"{key.k}, {key.bits} bits" if key.bits else key.k or ""
    return render.facts(
        [
            ("record", key.text),
            ("key", "revoked" if key.revoked else size),
            ("hashes", ", ".join(key.h) or "any"),
            ("services", ", ".join(key.s)),
            ("flags", ", ".join(key.t)),
            ("notes", key.n or ""),
            ("order", " ".join(key.order)),
        ]
    )


def _record_report(key: DkimKey) -> Report:
    sentence = "the key record is valid." if key.valid else f"not valid: {key.why}."
    return [
        *render.verdict(key, sentence),
        *_key_facts(key),
        *render.problems(key.problems),
    ]


def _message_report(found: MessageFinding) -> Report:
    sentence = {
        "pass": "a signature holds.",
        "fail": "no signature holds.",
        "permerror": "no signature can be verified.",
        "temperror": "a key could not be fetched.",
        "none": "the message is not signed.",
    }[found.result]
    rows = render.verdict(found, sentence)
    for each in found.signatures:
        rows += _signature(each)
    return [*rows, *render.problems(found.problems)]


def _signature(found: SignatureFinding) -> Report:
    given = found.signature
    style = "good" if found.result == "pass" else "bad"
    intact = {True: "as signed", False: "CHANGED since signing", None: "not hashed"}
    hashes = f"{_b64(given.body_hash)} published, {_b64(found.body_computed)} computed"
    return [
        render.title(f"Signature {found.number}"),
        *render.wrapped(f"{found.result}: {found.why}", style, 1),
        *render.facts(
            [
                ("signer", f"{given.domain}, selector {given.selector}"),
                ("made", f"{given.algorithm}, {given.header_method}/{given.body_method}"),
                ("body", f"{intact[found.body_intact]}; {hashes}" if found.body_computed else ""),
                ("signed", ", ".join(found.covered)),
                ("none may be added", ", ".join(found.reserved)),
                ("not signed", ", ".join(found.uncovered)),
            ]
        ),
        *_octets("canonical header", found.canonical_header),
        *_octets("canonical body", found.canonical_body),
    ]


def _b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _octets(what: str, octets: bytes, most: int = 30) -> Report:
    """Return octets line by line, so that every blank can be seen."""
    if not octets:
        return []
    lines = octets.decode("utf-8", "backslashreplace").split("\r\n")
    rows = [Row(f"|{line}|", "code", 2) for line in lines[:most]]
    more = [Row(f"{len(lines) - most} more lines", "dim", 2)] if len(lines) > most else []
    return [Row(what, "dim", 1), *rows, *more]


LOOKUP = Lookup("dkim", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
