"""The smaller records (MTA-STS, TLS reporting, DKIM keys, TLSA, BIMI): cases and corners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.lookup import (
    bimi_record,
    dane_record,
    dkim_key,
    mta_sts_fetch,
    mta_sts_record,
    tlsrpt_record,
)
from tests.lookup.tables import differences, rows

if TYPE_CHECKING:
    from collections.abc import Callable

PARSERS: dict[str, Callable[[str], Any]] = {
    "mta-sts-txt": mta_sts_record.parse_record,
    "mta-sts-policy": mta_sts_record.parse_policy,
    "tlsrpt": tlsrpt_record.parse_record,
    "dkim-key": dkim_key.parse_key,
    "tlsa": dane_record.parse_record,
    "bimi": bimi_record.parse_record,
}
WORDS = ("why", "note")  # told in our own words, except for MTA-STS policies


@pytest.mark.parametrize("kind", PARSERS)
def test_shared_records(kind: str) -> None:
    """Every shared record of a kind is read as expected."""
    ignored = () if kind == "mta-sts-policy" else WORDS
    wrong = {
        row.number: found
        for row in rows("records.tsv", kind)
        if (found := differences(row, PARSERS[kind](row.text).to_json(), *ignored))
    }
    assert not wrong


def test_reasons_are_given() -> None:
    """A shared record that is not valid comes with a reason and a problem that advises."""
    for kind, parse in PARSERS.items():
        for row in rows("records.tsv", kind):
            if not row.expected["valid"]:
                found = parse(row.text)
                assert found.why, row.number
                assert found.problems[0].severity == "error"
                assert found.problems[0].advice


def test_shared_sts_matches() -> None:
    """Every shared host is covered by the policy's patterns, or not, as expected."""
    for row in rows("records.tsv", "mta-sts-match"):
        host, _, listed = row.text.partition(" against ")
        patterns = tuple(item.partition(":")[2].strip() for item in listed.split(","))
        assert (mta_sts_record.matches(host, patterns) is not None) is row.expected["valid"]


def test_shared_sts_responses() -> None:
    """Every shared HTTP response is accepted or not by status and media type."""
    for row in rows("records.tsv", "mta-sts-http"):
        status, media_type = row.text.split(",")[:2]
        words = media_type.split()
        fault = mta_sts_fetch.judge(int(status.split()[1]), words[-1] if len(words) > 1 else "")
        assert (not fault) is row.expected["valid"], row.number


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("v=STSv1;id=a", True),
        ("v=STSv1 ;\tid=a ; x=y;", True),
        ("v=STSv1; id=a;;", False),
        ("v=STSv1; id = a", False),
        ("v=STSv1; id=", False),
        ("V=STSv1; id=a", False),
        ("v=STSv1; ID=a", False),
        ("v=STSv1; id=a; x=", False),
        ("v=STSv1; id=a b", False),
        ("v=STSv1; id=a; -x=1", False),
        ("v=STSv1; id=01234567890123456789012345678901", True),
    ],
)
def test_sts_record_grammar(text: str, valid: bool) -> None:
    """The MTA-STS record follows its ABNF to the letter."""
    assert mta_sts_record.parse_record(text).valid is valid


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("version: STSv1\nmode: none\nmax_age: 1\nmode: bad", ""),
        ("version: STSv1\nmode: none\nmax_age: 12345678901", "max_age"),
        ("version: STSv1\nmode: none\nmax_age: -1", "max_age"),
        ("version: STSv1\nmode: none\n\nmax_age: 1", "line "),
        ("version: STSv1\nmode: enforce\nmax_age: 1\nmx: *.*.example.com", "mx *.*.example.com"),
        ("version: STSv1\nmode: enforce\nmax_age: 1\nmx: *", "mx *"),
        ("version: STSv1\nmode: enforce\nmax_age: 1\nmx: a_b.example", "mx a_b.example"),
        ("version: STSv1\nmode: enforce\nmax_age: 1\nmx: 192.0.2.1 x", "mx 192.0.2.1 x"),
        ("version: STSv1\nmode: none\nmax_age: 1\nnote: Grüße, Welt", ""),
        ("Version: STSv1\nmode: none\nmax_age: 1", "version"),
        ("version : STSv1\nmode: none\nmax_age: 1", "line version : STSv1"),
        ("version: STSv1\nmode: Enforce\nmax_age: 1\nmx: a.example", "mode"),
    ],
)
def test_sts_policy_grammar(text: str, why: str) -> None:
    """The first fault of a policy is named; the first of repeated fields counts."""
    assert mta_sts_record.parse_policy(text).why == why


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("v=TLSRPTv1; rua=mailto:a@b.example , https://b.example/x ;", True),
        ("v=TLSRPTv1; rua=mailto:a@b.example;  ;", False),
        ("v=TLSRPTv1; rua=,", False),
        ("v=TLSRPTv1; rua=", False),
        ("v=TLSRPTv1;", False),
        ("v=TLSRPTv1; ext=1", False),
        ("v=TLSRPTv1; rua=mailto:a@b.example!10m", False),
        ("v=TLSRPTv1; RUA=mailto:a@b.example", False),
        ("v=TLSRPTv1; rua=https:///path", False),
        ("v=TLSRPTv1; rua=mailto:a@b.example; test==", False),
    ],
)
def test_tlsrpt_grammar(text: str, valid: bool) -> None:
    """The TLS reporting record follows its ABNF, with report places that can be reached."""
    assert tlsrpt_record.parse_record(text).valid is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("3 1 1 " + "AB" * 32, True),
        ("3 1 1 " + "ab" * 16 + " " + "ab" * 16, True),
        ("3 1 2 " + "ab" * 64, True),
        ("3 1 0 00", True),
        ("3 1 1 " + "ab" * 31, False),
        ("3 1 1 " + "a" * 63, False),
        ("3 1 1 " + "zz" * 32, False),
        ("3 2 1 " + "ab" * 32, False),
        ("3 1 3 " + "ab" * 32, False),
        ("0 0 1 " + "ab" * 32, False),
        ("256 1 1 " + "ab" * 32, False),
        ("3 1 1", False),
        ("3 1", False),
        ("", False),
    ],
)
def test_tlsa_usability(text: str, valid: bool) -> None:
    """A mail sender can use a TLSA record exactly when its numbers are known and its data fits."""
    assert dane_record.parse_record(text).valid is valid


ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"p={ED25519}; v=DKIM1; k=ed25519", "v does not stand first"),
        (f"v=DKIM1; k=ed25519; p={ED25519}; p={ED25519}", "p occurs twice"),
        (f"v=DKIM1; k=ed25519; p={ED25519};; t=y", "a tag is empty"),
        ("v=DKIM1; p=!!!", "p is not base64"),
        ("v=DKIM1; k=ed25519; p=AAAA", "not an Ed25519 key (3 octets; it must be 32)"),
        (f"v=DKIM1; k=ed25519; s=*:chat; p={ED25519}", ""),
        (f"k=ed25519; h=sha1:sha256; p={ED25519};", ""),
    ],
)
def test_dkim_key_faults(text: str, why: str) -> None:
    """A key record is refused for the reasons RFC 6376 gives, each named."""
    key = dkim_key.parse_key(text)
    assert (key.valid, key.why) == (not why, why)


@pytest.mark.parametrize(
    ("text", "valid", "declined"),
    [
        ("v=BIMI1; l=https://example.com/logo.svg; a=", True, False),
        ("v=BIMI1; l=; a=;", True, True),
        ("v=BIMI1; a=https://example.com/cert.pem", False, False),
        ("l=https://example.com/logo.svg; v=BIMI1", False, False),
        ("v=BIMI2; l=https://example.com/logo.svg", False, False),
        ("v=BIMI1; l=https://; a=", False, False),
        ("v=BIMI1; l=https://example.com/logo.svg; avp=brand", True, False),
        ("v=BIMI1; l=https://example.com/logo.svg; avp=mine", False, False),
    ],
)
def test_bimi_grammar(text: str, valid: bool, declined: bool) -> None:
    """A BIMI record names an https place for the logo, or declines with empty tags."""
    record = bimi_record.parse_record(text)
    assert (record.valid, record.declined) == (valid, declined)


@given(st.sampled_from(sorted(PARSERS)), st.text(max_size=80))
def test_any_text_is_read(kind: str, text: str) -> None:
    """No text makes a parser raise, alone or behind a good beginning."""
    beginnings = {"mta-sts-txt": "v=STSv1;", "tlsrpt": "v=TLSRPTv1;", "tlsa": "3 1 1 "}
    for whole in (text, beginnings.get(kind, "v=BIMI1;") + text):
        assert isinstance(PARSERS[kind](whole).to_json()["valid"], bool)


@given(st.binary(max_size=64))
def test_any_octets_are_no_key(octets: bytes) -> None:
    """No octets make the key reader raise."""
    import base64

    found = dkim_key.parse_key(f"v=DKIM1; p={base64.b64encode(octets).decode()}")
    assert found.valid is (not octets) or found.bits
