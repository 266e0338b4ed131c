"""The syntax of records: terms, and what breaks them."""

from __future__ import annotations

import ipaddress
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.lookup.spf import grammar


@pytest.mark.parametrize(
    "term",
    [
        "all", "-ALL", "?all", "a", "+A", "a/24", "a//64", "a/24//64", "a/0//0", "a:example.com",
        "a:example.com/24", "a:example.com//64", "a:foo:bar/baz.example.com", "a:%{d}", "a:%{d}/8",
        "a:x.%{d}//128", "a:1-2.3-4", "a:example.com.", "a:.com", "a:a...com", "a:%{ir/}.x.com",
        "a:macro%%percent%_%_space%-url.example.com", "a:x.xn--zckzah", "mx", "mx/24//48",
        "mx:example.com/32", "ptr", "ptr:example.com", "ip4:192.0.2.1", "ip4:192.0.2.0/24",
        "ip4:0.0.0.0/0", "ip6:2001:db8::1", "ip6:::/0", "ip6:::ffff:192.0.2.1/128", "IP6:CAFE::/16",
        "exists:%{ir}.sbl.example.org", "exists:%{s}", "include:_spf.example.com", "include:%{o}",
        "redirect=_spf.example.com", "exp=why.%{d}", "moo.cow-far_out=man:dog/cat", "x=", "a=b",
        "foo=%{c}%{t}",
    ],
)  # fmt: skip
def test_valid_terms(term):
    """Terms that follow the grammar of RFC 7208 section 12 are read."""
    record = grammar.parse(f"v=spf1 {term}")
    assert record.valid, record.problems
    assert [each.text for each in record.terms] == [term]


@pytest.mark.parametrize(
    ("term", "code"),
    [
        ("all.", "unknown-mechanism"), ("all:x.com", "trailing-text"), ("all/8", "trailing-text"),
        ("--all", "unknown-mechanism"), ("-all;", "unknown-mechanism"), ("!", "unknown-mechanism"),
        ("a:", "missing-domain"), ("a:/24", "missing-domain"), ("a/", "trailing-text"),
        ("a/33", "bad-cidr"), ("a//129", "bad-cidr"), ("a/024", "bad-cidr"), ("a/00", "bad-cidr"),
        ("a/24/16", "trailing-text"), ("a/64", "bad-cidr"), ("a//64/24", "trailing-text"),
        ("a:museum", "bad-domain"),
        ("a:museum.", "bad-domain"), ("a:192.0.2.1", "bad-domain"), ("a:abc.123", "bad-domain"),
        ("a:example.-com", "bad-domain"), ("a:example.com-", "bad-domain"),
        ("a:x.y_z", "bad-domain"),
        ("a:example.com:8080", "bad-domain"), ("a:example.com..", "bad-domain"),
        ("a:%%_", "bad-domain"), ("a:%{d}x", "bad-domain"), ("a:2001:db8::1", "bad-domain"),
        ("a:%{a}.com", "bad-macro"), ("a:%{c}.com", "bad-macro"), ("a:x%.com", "bad-macro"),
        ("mx:", "missing-domain"), ("ptr/0", "trailing-text"), ("ptr:", "missing-domain"),
        ("ip4", "bad-address"), ("ip4:", "bad-address"), ("ip4:1.2.3", "bad-address"),
        ("ip4:1.2.3.4/", "bad-address"), ("ip4:1.2.3.4:25", "bad-address"),
        ("ip4:01.2.3.4", "bad-address"), ("ip4:1.2.3.4//32", "bad-address"),
        ("ip4:1.2.3.4/33", "bad-cidr"), ("ip4:1.2.3.4/032", "bad-cidr"), ("ip4:::1", "bad-address"),
        ("ip6", "bad-address"), ("ip6::CAFE::BABE", "bad-address"), ("ip6:::1/129", "bad-cidr"),
        ("ip6:1.2.3.4", "bad-address"), ("ip6:fe80::1%eth0", "bad-address"),
        ("exists", "missing-domain"), ("exists:", "missing-domain"),
        ("exists:mail.example.com/24", "bad-domain"), ("include", "missing-domain"),
        ("include:", "missing-domain"), ("include:x.example.com/24", "bad-domain"),
        ("include:x.example.com~all", "bad-domain"), ("redirect:x.com", "unknown-mechanism"),
        ("?redirect=x.com", "unknown-mechanism"), ("redirect=", "missing-domain"),
        ("redirect=bogus", "bad-domain"), ("redirect=-all", "bad-domain"),
        ("exp=", "missing-domain"), ("exp=-all", "bad-domain"), ("=all", "unknown-mechanism"),
        ("1up=foo", "unknown-mechanism"), ("foo=%abc", "bad-macro"), ("a=x\x7f", "bad-character"),
        ("a:x.com\rptr", "bad-character"), ("a:ä.com", "bad-character"), ("\tall", "bad-character"),
        ("192.0.2.1", "unknown-mechanism"), ("example.com", "unknown-mechanism"),
        ("ipv4:192.0.2.1", "unknown-mechanism"), ("ip:2001:db8::1", "unknown-mechanism"),
        ("2001:db8::1", "unknown-mechanism"),
    ],
)  # fmt: skip
def test_invalid_terms(term, code):
    """Terms that break the grammar are problems with a reason; the rest is still read."""
    record = grammar.parse(f"v=spf1 {term} -all")
    assert not record.valid
    assert [problem.code for problem in record.problems] == [code]
    assert record.problems[0].section.startswith("RFC 7208")
    assert record.problems[0].text.isprintable()
    assert record.all is not None


@pytest.mark.parametrize(
    ("text", "is_spf"),
    [
        ("v=spf1", True), ("V=SPF1", True), ("v=spf1 ", True), ("v=spf1  -all  ", True),
        ("v=spf10", False), ("v=spf1foo", False), ("v=spf1\t-all", False), (" v=spf1", False),
        ("v=spf2", False), ("spf2.0/pra", False), ("", False),
    ],
)  # fmt: skip
def test_version(text, is_spf):
    """A record begins with the version and a space or nothing; what does not says why."""
    record = grammar.parse(text)
    assert record.is_spf is record.valid is is_spf
    assert grammar.is_spf(text) is is_spf
    if not is_spf:
        assert record.problems[0].code == "not-spf"


@pytest.mark.parametrize("name", ["redirect", "exp"])
def test_modifiers_once(name):
    """Redirect and exp may stand in a record once only, unknown modifiers as often as wanted."""
    twice = grammar.parse(f"v=spf1 {name}=a.example.com {name}=b.example.com")
    assert [problem.code for problem in twice.problems] == [f"duplicate-{name}"]
    assert grammar.parse("v=spf1 x=1 x=2 -all").valid


def test_terms_carry_their_values():
    """Qualifier, prefix lengths, network and macros are there to be used."""
    record = grammar.parse("V=spf1 ~MX:Mail.%{d}/24//64 -ip4:192.0.2.77/24 ip6:2001:DB8::1 x=y")
    mx, four, six, unknown = record.terms
    assert (mx.name, mx.qualifier, mx.cidr4, mx.cidr6, mx.value) == (
        "mx", "~", 24, 64, "Mail.%{d}"
    )  # fmt: skip
    assert four.network == ipaddress.ip_network("192.0.2.0/24")
    assert six.network == ipaddress.ip_network("2001:db8::1/128")
    assert (unknown.is_mechanism, unknown.kind.name, unknown.value) == (False, "unknown", "y")
    assert record.mechanisms == (mx, four, six)
    assert all("term" in term.to_json() for term in record.terms)


def test_advice_names_what_was_meant():
    """The commonest mistakes are answered with the term that was meant."""
    meant = {
        "a:192.0.2.1": "ip4:192.0.2.1",
        "192.0.2.0/24": "ip4:192.0.2.0/24",
        "2001:db8::1": "ip6:2001:db8::1",
        "ip4:2001:db8::1": "ip6:2001:db8::1",
        "ipv4:192.0.2.1": "ip4",
        "_spf.example.com": "include:_spf.example.com",
        "redirect:x.example.com": "redirect=",
    }
    for term, advice in meant.items():
        assert advice in grammar.parse(f"v=spf1 {term}").problems[0].advice, term


@given(st.binary(max_size=120))
def test_any_octets_are_read(octets):
    """Whatever a TXT record holds, reading it gives a record that can be shown."""
    record = grammar.parse("v=spf1 " + grammar.decode(octets))
    assert record.is_spf
    assert all(problem.text.isprintable() for problem in record.problems)
    assert grammar.printable(record.text).isascii()


@pytest.mark.parametrize("piece", ["a", ".a", "/1", "%{d}", "a:", "0", "-"])
def test_long_terms_are_read_quickly(piece):
    """A term of 64 KiB takes no more than a moment, however it is made."""
    start = time.perf_counter()
    for head in ("a:", "ip4:", "exp=", "exists:%{d}"):
        grammar.parse(f"v=spf1 {head}{piece * (60_000 // len(piece))}! -all")
    assert time.perf_counter() - start < 2
