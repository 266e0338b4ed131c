"""Reverse names, and whether they lead back."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from smtpshell.lookup import ptr
from smtpshell.lookup.finding import SetupError
from smtpshell.lookup.names import reverse_name, text
from smtpshell.lookup.resolver import Resolver
from smtpshell.lookup.zone import Zone
from tests.lookup.tables import differences, rows


def find(master: str, address: str = "192.0.2.1") -> ptr.PtrFinding:
    """Look the names of an address up in a zone."""
    finding = asyncio.run(ptr.lookup(Resolver(zone=Zone.from_text(master)), address))
    json.dumps(finding.to_json())
    return finding


REVERSE = "1.2.0.192.in-addr.arpa. PTR a.example.\n"


@pytest.mark.parametrize(
    ("master", "status", "code"),
    [
        (REVERSE + "a.example. A 192.0.2.1\n", "pass", None),
        (REVERSE + "a.example. CNAME b.example.\nb.example. A 192.0.2.1\n", "pass", None),
        (REVERSE + "a.example. A 192.0.2.2\n", "fail", "not-confirmed"),
        (REVERSE, "fail", "not-confirmed"),
        ("", "permerror", "no-reverse-name"),
        ("1.2.0.192.in-addr.arpa. TXT x", "permerror", "no-reverse-name"),
        (";fault 1.2.0.192.in-addr.arpa timeout", "temperror", "dns-failure"),
        (REVERSE + ";fault a.example servfail", "temperror", "dns-failure"),
    ],
)
def test_statuses(master, status, code):
    """pass, fail, permerror and temperror are those of RFC 8601; failures are never absence."""
    finding = find(master)
    assert (finding.status, finding.valid) == (status, status == "pass")
    assert [problem.code for problem in finding.problems] == ([code] if code else [])


def test_one_name_that_leads_back_is_enough():
    """A second name that does not lead back, or fails, does not spoil the first."""
    master = REVERSE + "1.2.0.192.in-addr.arpa. PTR b.example.\nb.example. A 192.0.2.1\n"
    finding = find(master + ";fault a.example servfail")
    assert (finding.status, finding.confirmed) == ("pass", ("b.example",))
    assert [problem.code for problem in finding.problems] == ["partly-confirmed"]


@pytest.mark.parametrize("address", ["2001:DB8::1", "[2001:db8::1]", " 2001:db8:0::1 "])
def test_ipv6(address):
    """IPv6 addresses work the same, however they are written."""
    reverse = "1" + ".0" * 23 + ".8.b.d.0.1.0.0.2.ip6.arpa."
    finding = find(f"{reverse} PTR six.example.\nsix.example. AAAA 2001:db8::1\n", address)
    assert (finding.status, finding.address) == ("pass", "2001:db8::1")


def test_mapped_addresses_are_ipv4():
    """An IPv4-mapped address is looked up as the IPv4 address it is."""
    assert find(REVERSE + "a.example. A 192.0.2.1\n", "::ffff:192.0.2.1").address == "192.0.2.1"


def test_ten_names_are_followed():
    """An address with a hundred names makes ten questions of each family, and a warning."""
    master = "".join(f"1.2.0.192.in-addr.arpa. PTR n{n:02}.example.\n" for n in range(100))
    finding = find(master)
    assert len(finding.names) == ptr.NAME_LIMIT
    assert "many-names" in {problem.code for problem in finding.problems}


@pytest.mark.parametrize("given", ["", "example.com", "192.0.2", "192.0.2.1/24"])
def test_what_is_no_address(given):
    """What is no address is refused with advice."""
    with pytest.raises(SetupError) as fault:
        find("", given)
    assert fault.value.status == 64


def test_shared_rows():
    """Every situation of the shared table has the status that it states."""
    found = rows("records.tsv", "fcrdns")
    for row in found:
        address, _, rest = row.text.partition(" ")
        reverse = text(reverse_name(address))
        pointers = re.findall(r"([a-z]+\.example)", rest.partition(";")[0])
        lines = [f"{reverse}. PTR {name}." for name in pointers]
        for name, failure in re.findall(r"([a-z]+\.example) \((\w+)\)", rest):
            lines.append(f";fault {name} {failure.lower()}")
        for label, target in re.findall(r"(?:; |, )(\w+ )?A ([0-9.]+)", rest):
            name = f"{label.strip()}.example" if label else lines[0].split()[-1].removesuffix(".")
            lines.append(f"{name}. A {target}")
        finding = find("\n".join(lines) + "\n", address).to_json()
        assert differences(row, finding) == {}, (row, lines)
