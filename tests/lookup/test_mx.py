"""Mail exchangers as a sender would use them."""

from __future__ import annotations

import asyncio
import json

import pytest

from smtpshell.lookup import mx
from smtpshell.lookup.resolver import Resolver
from smtpshell.lookup.zone import Zone

HOSTS = """
$ORIGIN d.example.
mail   A 192.0.2.1
mail   AAAA 2001:db8::1
second A 192.0.2.2
alias  CNAME mail
inside A 10.0.0.1
self   A 127.0.0.1
"""


def find(master: str, domain: str = "d.example") -> mx.MxFinding:
    """Look the mail exchangers of a domain up in a zone."""
    zone = Zone.from_text(HOSTS + master)
    finding = asyncio.run(mx.lookup(Resolver(zone=zone), domain))
    json.dumps(finding.to_json())
    return finding


def codes(finding: mx.MxFinding) -> list[str]:
    """Return the codes of a finding's problems, in order."""
    return [problem.code for problem in finding.problems]


def test_order_is_that_of_a_sender():
    """Exchangers stand by preference, with the addresses of both families."""
    finding = find("@ MX 20 second\n@ MX 10 mail\n")
    assert [each.host for each in finding.exchangers] == ["mail.d.example", "second.d.example"]
    assert finding.exchangers[0].addresses == ("2001:db8::1", "192.0.2.1")
    assert [each.host for each in finding.first] == ["mail.d.example"]
    assert (finding.fate, finding.valid, codes(finding)) == ("mx", True, [])


def test_equal_preferences_share_the_load():
    """Of equals any may be tried first, and a note says so."""
    finding = find("@ MX 10 second\n@ MX 10 mail\n")
    assert len(finding.first) == 2
    assert codes(finding) == ["equal-preference"]


def test_an_exchanger_without_address_is_passed_over():
    """A sender goes on to the next exchanger; the dead one is an error."""
    finding = find("@ MX 5 gone\n@ MX 10 mail\n")
    assert [each.host for each in finding.first] == ["mail.d.example"]
    assert codes(finding) == ["mx-no-address"]
    assert not finding.valid


@pytest.mark.parametrize(
    ("master", "fate", "expected"),
    [
        ("@ A 192.0.2.9\n", "implicit", ["implicit-mx"]),
        ("@ MX 0 .\n", "null", ["null-mx"]),
        ("@ MX 10 .\n", "null", ["null-mx-preference", "null-mx"]),
        ("@ MX 0 .\n@ MX 10 mail\n", "mx", ["null-mx-not-alone"]),
        ("@ MX 10 alias\n", "mx", ["mx-is-alias"]),
        ("@ MX 10 192.0.2.1.\n", "mx", ["mx-is-address"]),
        ("@ MX 10 inside\n", "mx", ["mx-unreachable-address"]),
        ("@ MX 10 self\n", "mx", ["mx-unreachable-address"]),
        ("@ MX 10 bad\n;fault bad.d.example servfail\n", "mx", ["mx-unknown-address"]),
        ("@ TXT x\n", "none", ["no-mail"]),
        (";fault d.example timeout\n", "unknown", ["dns-failure"]),
        (";fault d.example MX servfail\n@ A 192.0.2.9\n", "unknown", ["dns-failure"]),
        (";fault d.example A servfail\n@ TXT x\n", "unknown", ["dns-failure"]),
    ],
)
def test_fates(master, fate, expected):
    """Implicit, null, broken and unknown exchangers are told apart, each with its problem."""
    finding = find(master)
    assert (finding.fate, codes(finding)) == (fate, expected)
    assert all(problem.section for problem in finding.problems)


def test_names_that_do_not_exist():
    """A name without mail is told from one that is no name at all."""
    assert find("", "nowhere.example").fate == "none"
    assert "two dots" in find("", "a..b").problems[0].text


def test_addresses_of_exchangers_are_not_asked_as_names():
    """An exchanger that is an address costs no question, and has no address."""
    zone = Zone.from_text("d.example. MX 10 192.0.2.1.\nd.example. MX 20 .\n")

    async def run():
        resolver = Resolver(zone=zone)
        await mx.lookup(resolver, "d.example")
        return {each.name for each in resolver.log}

    assert asyncio.run(run()) == {"d.example"}


def test_many_exchangers():
    """A long list is shown, and warned about for the sake of SPF."""
    finding = find("".join(f"@ MX {n} mail\n" for n in range(60)))
    assert "many-mx" in codes(finding)
    assert len(finding.exchangers) == mx.HOST_LIMIT


def test_internationalised_names_in_both_forms():
    """Names are shown as people write them and as the DNS has them."""
    finding = find(
        "bücher.example. MX 10 bücher.example.\nbücher.example. A 192.0.2.4\n", "bücher.example"
    )
    assert finding.to_json()["unicode"] == "bücher.example"
    assert finding.domain == "xn--bcher-kva.example"
    assert "bücher.example (xn--bcher-kva.example)" in finding.trace[0].text


def test_trace_ends_with_what_is_tried_first():
    """The steps are the questions asked and, last, where a sender would go."""
    finding = find("@ MX 10 mail\n@ MX 20 second\n")
    assert [step.text for step in finding.trace][-1] == "tried first"
    assert finding.trace[-1].outcome == "mail.d.example (2001:db8::1, 192.0.2.1)"
