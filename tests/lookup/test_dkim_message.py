"""DKIM signatures: the vectors of the standards, round trips, and every way to fail."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.lookup import dkim, dkim_canon, dkim_sign, dkim_signature, dkim_verify
from smtpshell.lookup.finding import SetupError
from tests.lookup.tables import resolver_of

if TYPE_CHECKING:
    from smtpshell.lookup.dkim_verify import MessageFinding, SignatureFinding

# The message, keys and signatures of RFC 8463 appendix A.
RSA = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi"
    "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZy"
    "VYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)
KEYS = {
    "brisbane._domainkey.football.example.com": [
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    ],
    "test._domainkey.football.example.com": [f"v=DKIM1; k=rsa; p={RSA}"],
}
MESSAGE = b"""\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""
PLAIN = MESSAGE[MESSAGE.index(b"From:") :]


@cache
def key_of(kind: str) -> dkim_sign.NewKey:
    """Return a key of a kind, made once."""
    return dkim_sign.new_key("rsa" if kind == "rsa" else "ed25519", 1024)


def key(kind: str = "ed25519") -> dkim_sign.NewKey:
    """Return the key of a kind."""
    return key_of(kind)


def verify(
    octets: bytes,
    record: str = "",
    faults: dict[str, str] | None = None,
    *,
    now: float = 1528637910,
) -> MessageFinding:
    """Verify a message; `record` is the key at s._domainkey.example.com."""

    async def run() -> MessageFinding:
        zone = {**KEYS, "s._domainkey.example.com": [record]} if record else KEYS
        return await dkim_verify.verify(resolver_of(zone, **(faults or {})), octets, now=now)

    return asyncio.run(run())


def signed(octets: bytes = PLAIN, kind: str = "ed25519", **options: object) -> bytes:
    """Sign a message as example.com."""
    field = dkim_sign.sign(
        octets,
        domain="example.com",
        selector="s",
        private=key(kind).private,
        **options,  # type: ignore[arg-type]  # the options of the function
    )
    return field + octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def verdict(octets: bytes, record: str | None = None, **options: object) -> SignatureFinding:
    """Return the verdict on the only signature of a message."""
    found = verify(octets, key().record if record is None else record, **options)  # type: ignore[arg-type]  # the options of the function
    assert len(found.signatures) == 1
    return found.signatures[0]


def test_standard_vectors() -> None:
    """Both signatures of the standard's example hold, from a file with bare line feeds."""
    found = verify(MESSAGE)
    assert [each.result for each in found.signatures] == ["pass", "pass"]
    assert found.from_domain == "football.example.com"
    assert found.result == "pass"


@pytest.mark.parametrize(
    ("method", "expected"),
    [("relaxed", b" C\r\nD E\r\n"), ("simple", b" C \r\nD \t E\r\n")],
)
def test_standard_bodies(method: str, expected: bytes) -> None:
    """The body of RFC 6376 section 3.4.5 comes out as printed there."""
    assert dkim_canon.body(b" C \r\nD \t E\r\n\r\n\r\n", method) == expected


def test_standard_fields() -> None:
    """The fields of RFC 6376 section 3.4.5 come out as printed there."""
    message = dkim_canon.parse_message(b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\n")
    relaxed = [dkim_canon.header_field(field.raw, "relaxed") for field in message.fields]
    assert relaxed == [b"a:X\r\n", b"b:Y Z\r\n"]
    simple = [dkim_canon.header_field(field.raw, "simple") for field in message.fields]
    assert simple == [b"A: X\r\n", b"B : Y\t\r\n\tZ  \r\n"]


@pytest.mark.parametrize(
    ("method", "octets", "expected"),
    [
        ("simple", b"", b"\r\n"),
        ("relaxed", b"", b""),
        ("simple", b"\r\n\r\n", b"\r\n"),
        ("relaxed", b" \t\r\n\r\n", b""),
        ("simple", b"x", b"x\r\n"),
        ("relaxed", b"x  y \t", b"x y\r\n"),
        ("relaxed", b"\r\n\r\nx\r\n", b"\r\n\r\nx\r\n"),
    ],
)
def test_edges_of_bodies(method: str, octets: bytes, expected: bytes) -> None:
    """Empty bodies and missing line ends follow the standard's rules."""
    assert dkim_canon.body(octets, method) == expected


def test_long_run_of_empty_lines_is_quick() -> None:
    """A body of a million empty lines with text behind them takes no quadratic time."""
    octets = b"\r\n" * 500_000 + b"x"
    assert dkim_canon.body(octets, "relaxed").endswith(b"\r\nx\r\n")


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
@pytest.mark.parametrize("header_method", ["simple", "relaxed"])
@pytest.mark.parametrize("body_method", ["simple", "relaxed"])
def test_round_trip(kind: str, header_method: str, body_method: str) -> None:
    """What is signed here verifies here, in every form."""
    octets = signed(kind=kind, header_method=header_method, body_method=body_method, made=1)
    found = verdict(octets, key(kind).record)
    assert (found.result, found.body_intact) == ("pass", True)
    assert found.covered[0] == "From"
    assert found.reserved == ("From",)
    assert all(len(line) < 79 for line in octets.split(b"\r\n"))


def test_relaxed_survives_refolding() -> None:
    """Relaxed signatures bear refolded lines and blanks; simple ones do not."""

    def changed(octets: bytes) -> bytes:
        return (
            octets.replace(b"Subject: Is dinner", b"SUBJECT:  Is\r\n  dinner")
            .replace(b"game.  Are", b"game. Are  ")
            .replace(b"Joe.\r\n", b"Joe. \r\n\r\n")
        )

    assert verdict(changed(signed())).result == "pass"
    assert verdict(changed(signed(body_method="simple"))).result == "fail"
    assert verdict(changed(signed(header_method="simple"))).result == "fail"


def test_reason_tells_header_from_body() -> None:
    """A changed body and a changed header are two different reasons."""
    body = verdict(signed().replace(b"hungry", b"angry"))
    assert (body.result, body.body_intact) == ("fail", False)
    assert "body" in body.why
    header = verdict(signed().replace(b"dinner ready", b"lunch ready"))
    assert (header.result, header.body_intact) == ("fail", True)
    assert "header" in header.why


def test_second_author_is_caught() -> None:
    """A From field added in front or behind breaks an oversigned message."""
    octets = signed()
    for place in (b"DKIM-Signature:", b"To: Suzie"):
        forged = octets.replace(place, b"From: evil@example.net\r\n" + place, 1)
        found = verify(forged, key().record)
        assert found.signatures[0].result == "fail"
        assert "from-count" in {problem.code for problem in found.problems}


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("v=DKIM1; p=", "revoked"),
        ("v=DKIM1; k=ed25519; p=AAAA", "not valid"),
        ("{rsa}", "type rsa"),
        ("{own}; h=sha1", "does not allow sha256"),
        ("{own}; s=chat", "not valid"),
        ("{own}; t=s", "forbids subdomains"),
    ],
)
def test_unusable_keys(record: str, why: str) -> None:
    """A key that may not be used for the signature makes it a permanent error, with the reason."""
    text = record.format(rsa=key("rsa").record, own=key().record)
    octets = signed().replace(b"s=s;", b"s=s; i=joe@mail.example.com;")
    found = verdict(octets, text)
    assert found.result == "permerror"
    assert why in found.why


def test_short_key() -> None:
    """A signature by a key of less than 1024 bits is refused though the record is valid."""
    short = (
        "v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALgSoqXVSEmfcIsOzw7oRuCCOwsmtX/SJnTWxYyj2leFxf"
        "S/AVJ+dYfY+hXqMsT7l+MZvvh/R1WzN4MO/kI/7XsCAwEAAQ=="
    )
    found = verdict(signed(kind="rsa"), short)
    assert (found.result, "512 bits" in found.why) == ("permerror", True)


def test_key_absent_or_unknown() -> None:
    """No key and no answer are a permanent and a temporary error."""
    assert verdict(signed(), "").result == "permerror"
    name = "s._domainkey.example.com"
    failed = verify(signed(), key().record, {name: "servfail"})
    assert failed.result == "temperror"
    assert failed.unanswered


def test_expiry() -> None:
    """A signature counts until it expires."""
    octets = signed(made=1000).replace(b"t=1000;", b"t=1000; x=2000;")
    assert verdict(octets, now=3000).why == "the signature has expired"
    assert verdict(octets, now=1500).result == "fail"  # the tag was added after signing


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"v=1;", b"v=2;", "version"),
        (b"v=1;", b"", "v is missing"),
        (b"a=ed25519-sha256", b"a=rsa-sha1", "rsa-sha1"),
        (b"a=ed25519-sha256", b"a=rot13", "unknown"),
        (b"c=relaxed/relaxed", b"c=relaxed/nofws", "canonicalization"),
        (b"s=s;", b"s=s; l=many;", "no number"),
        (b"s=s;", b"s=s; t=2; x=1;", "expires before"),
        (b"s=s;", b"s=s; s=t;", "occurs twice"),
        (b"s=s;", b"s=s; q=http;", "query method"),
        (b"s=s;", b"s=s; i=a@example.net;", "not within"),
        (b"s=s;", b"s=s; nonsense;", "no tag=value"),
        (b"h=From:", b"h=X-From:", "From"),
    ],
)
def test_faulty_fields(old: bytes, new: bytes, why: str) -> None:
    """A signature field that breaks the rules is a permanent error, with the rule."""
    octets = signed().replace(old, new, 1).replace(b":From;", b":Date;")
    found = verdict(octets)
    assert found.result == "permerror"
    assert why in found.why


def test_body_length() -> None:
    """With l=, text added behind does not break the signature, and that is called out."""
    body = PLAIN.partition(b"\n\n")[2].replace(b"\n", b"\r\n")
    message = dkim_canon.parse_message(signed())
    assert len(dkim_canon.body(message.body, "simple")) == len(body)
    beyond = verdict(signed().replace(b"s=s;", b"s=s; l=999999;"))
    assert (beyond.result, "l=999999" in beyond.why) == ("permerror", True)
    short = verdict(signed().replace(b"s=s;", b"s=s; l=3;"))
    assert "dkim-length" in {problem.code for problem in short.problems}
    assert short.canonical_body == b"Hi."
    assert short.unhashed > 0


def test_uncovered_fields_are_named() -> None:
    """Fields that nothing protects are listed, and the important ones are a problem."""
    octets = signed(names=["From", "Date"])
    found = verdict(b"X-Note: hello\r\n" + octets)
    assert found.result == "pass"
    assert {"X-Note", "Subject", "To"} <= set(found.uncovered)
    codes = {problem.code: problem.text for problem in found.problems}
    assert "Subject" in codes["dkim-uncovered"]
    assert "X-Note" not in codes["dkim-uncovered"]
    assert "dkim-from-once" in codes


def test_unsigned_message() -> None:
    """A message without signature has the result none."""
    found = verify(PLAIN)
    assert (found.result, found.signatures) == ("none", ())
    assert found.problems[0].code == "dkim-unsigned"


def test_many_signatures_are_bounded() -> None:
    """Only so many signatures are looked at, and the rest is told."""
    field = signed().partition(b"From: Joe")[0]
    found = verify(field * 30 + PLAIN, key().record)
    assert len(found.signatures) == dkim_verify.SIGNATURES
    assert "dkim-many" in {problem.code for problem in found.problems}


def test_trace_shows_the_octets() -> None:
    """The trace holds what was hashed, and the JSON form the hashes."""
    found = verdict(signed())
    facts = {name: value for step in found.trace for name, value in step.facts}
    assert b"from:Joe SixPack" in found.canonical_header
    assert facts["published"] == facts["computed"]
    assert found.to_json()["body_hash"] == found.to_json()["body_hash_computed"]


def test_key_lookup_results() -> None:
    """A selector's key is there, revoked, faulty, absent or unknown."""

    async def result(record: list[str], **faults: str) -> tuple[str, bool]:
        zone = {"s._domainkey.example.com": record} if record else {}
        found = await dkim.lookup(resolver_of(zone, **faults), "s", "Example.com")
        return found.result, found.unanswered

    assert asyncio.run(result([key().record])) == ("ok", False)
    assert asyncio.run(result(["v=DKIM1; p="])) == ("revoked", False)
    assert asyncio.run(result(["v=spf1 -all"])) == ("invalid", False)
    assert asyncio.run(result([])) == ("none", False)
    name = "s._domainkey.example.com"
    assert asyncio.run(result([key().record], **{name: "servfail"})) == ("temperror", True)


def test_signing_needs_an_author_and_a_key() -> None:
    """A message without From and a key that is none are refused with advice."""
    with pytest.raises(SetupError, match="From"):
        dkim_sign.sign(b"To: a\n\n", domain="example.com", selector="s", private=key().private)
    with pytest.raises(SetupError, match="cannot be read"):
        dkim_sign.sign(PLAIN, domain="example.com", selector="s", private=b"no key")


@given(st.binary(max_size=200))
def test_any_signature_field_is_read(octets: bytes) -> None:
    """No octets make the reader of signatures or of messages raise."""
    assert isinstance(dkim_signature.parse(octets).fault, str)
    message = dkim_canon.parse_message(octets)
    for field in message.fields:
        dkim_canon.header_field(field.raw, "relaxed")
        dkim_canon.without_signature(field.raw)


@given(st.binary(max_size=200), st.sampled_from(["simple", "relaxed"]))
def test_canonical_bodies_are_stable(octets: bytes, method: str) -> None:
    """A canonical body is its own canonical form, and ends in one line end or is empty."""
    once = dkim_canon.body(octets.replace(b"\r", b"").replace(b"\n", b"\r\n"), method)
    assert dkim_canon.body(once, method) == once
    assert once == b"" or once.endswith(b"\r\n")
