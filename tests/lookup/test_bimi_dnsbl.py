"""BIMI and DNS block lists through a zone in memory."""

from __future__ import annotations

import asyncio

import pytest

from smtpshell.lookup import bimi, dnsbl
from tests.lookup.tables import resolver_of, rows

LOGO = "v=BIMI1; l=https://example.com/l.svg; a=https://example.com/c.pem"
REJECT = {"_dmarc.example.com": ["v=DMARC1; p=reject; rua=mailto:a@example.com"]}


def logo(
    texts: dict[str, list[str]], domain: str = "example.com", **faults: str
) -> bimi.BimiFinding:
    """Look the logo of a domain up."""

    async def run() -> bimi.BimiFinding:
        return await bimi.lookup(resolver_of(texts, **faults), domain)

    return asyncio.run(run())


def listing(subject: str, *lines: str, **faults: str) -> dnsbl.DnsblFinding:
    """Ask the list list.example about a subject."""

    async def run() -> dnsbl.DnsblFinding:
        return await dnsbl.lookup(
            resolver_of({}, *lines, **faults), subject, zones=["list.example"]
        )

    return asyncio.run(run())


def test_logo_with_enforced_policy() -> None:
    """A good record under an enforced policy is without problem."""
    found = logo({"default._bimi.example.com": [LOGO], **REJECT})
    assert (found.result, found.enforced, found.problems) == ("ok", True, ())


def test_logo_is_inherited() -> None:
    """A subdomain without a record takes that of the organizational domain."""
    found = logo({"default._bimi.example.com": [LOGO], **REJECT}, "news.example.com")
    assert (found.result, found.place) == ("ok", "example.com")


@pytest.mark.parametrize("policy", ["p=none", "p=reject; t=y", "p=reject; sp=none", ""])
def test_logo_needs_enforcement(policy: str) -> None:
    """Without an enforced policy, subdomains included, no logo shows."""
    texts = {"default._bimi.example.com": [LOGO]}
    if policy:
        texts["_dmarc.example.com"] = [f"v=DMARC1; {policy}"]
    found = logo(texts)
    assert found.enforced is False
    assert "bimi-not-enforced" in {problem.code for problem in found.problems}


def test_logo_results() -> None:
    """Absent, declined, doubled, faulty and unknown are five different results."""
    name = "default._bimi.example.com"
    assert logo(REJECT).result == "none"
    assert logo({name: ["v=BIMI1; l=; a="], **REJECT}).result == "declined"
    assert logo({name: [LOGO, LOGO + ";"], **REJECT}).result == "invalid"
    assert logo({name: ["v=BIMI1; l=http://x.example/l.svg"], **REJECT}).result == "invalid"
    assert logo({name: [LOGO], **REJECT}, **{name: "servfail"}).unanswered


def test_shared_list_queries() -> None:
    """The shared addresses are asked for under the shared names."""
    for row in rows("records.tsv", "dnsbl"):
        address, _, zone = row.text.partition(" in ")
        assert dnsbl.query_name(address, zone) == row.expected["query"]


def test_query_names() -> None:
    """IPv4 goes in reversed octets, IPv6 in reversed nibbles; nothing else is an address."""
    six = dnsbl.query_name("2001:db8::1", "List.example.")
    assert six == "1." + "0." * 23 + "8.b.d.0.1.0.0.2.list.example."
    assert dnsbl.query_name("::ffff:192.0.2.1", "l.example") == "1.2.0.192.l.example."
    with pytest.raises(ValueError):
        dnsbl.query_name("example.com", "list.example")


@pytest.mark.parametrize(
    ("code", "status"),
    [("127.0.0.2", "listed"), ("127.255.255.254", "refused"), ("192.0.2.7", "broken")],
)
def test_codes(code: str, status: str) -> None:
    """A code inside 127/8 is a listing; a refusal and a parked domain are not."""
    found = listing("192.0.2.99", f"99.2.0.192.list.example. A {code}")
    assert found.listings[0].status == status
    assert found.listed is (status == "listed")


def test_reason_is_shown() -> None:
    """What the list says of a listed address stands in the problem."""
    name = "99.2.0.192.list.example."
    found = listing("192.0.2.99", f"{name} A 127.0.0.4", f'{name} TXT "sends spam"')
    assert "sends spam" in found.problems[0].text
    assert found.to_json()["query"] == name


def test_clear_and_failed() -> None:
    """An address that is not listed is clear; a list that fails says nothing."""
    assert listing("192.0.2.99").listings[0].status == "clear"
    failed = listing("192.0.2.99", **{"99.2.0.192.list.example": "servfail"})
    assert failed.unanswered
    assert not failed.listed


def test_domain_means_its_mail_hosts() -> None:
    """For a domain, every address of its mail hosts is asked about."""
    found = listing(
        "example.com",
        "example.com. MX 1 mx.example.com.",
        "mx.example.com. A 192.0.2.1",
        "mx.example.com. AAAA 2001:db8::1",
        "1.2.0.192.list.example. A 127.0.0.2",
    )
    assert found.addresses == ("192.0.2.1", "2001:db8::1")
    assert [each.listed for each in found.listings] == [True, False]


def test_list_in_order() -> None:
    """The test points tell a working list from one that lists everybody."""

    async def run(*lines: str) -> tuple[bool, bool]:
        first, second = await dnsbl.test(resolver_of({}, *lines), "list.example")
        return first.listed, second.listed

    assert asyncio.run(run("2.0.0.127.list.example. A 127.0.0.2")) == (True, False)
    assert asyncio.run(run("*.list.example. A 127.0.0.2")) == (True, True)
