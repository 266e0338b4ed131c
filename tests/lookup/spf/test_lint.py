"""What is wrong with a record's text, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from smtpshell.lookup import spf


def codes(text: str) -> list[str]:
    """Return the codes of the problems of a record's text."""
    return [problem.code for problem in spf.parse_record(text).problems]


def parsed(text: str) -> dict[str, Any]:
    """Return the JSON of a record's text."""
    return spf.parse_record(text).to_json()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=spf1 mx -all", []),
        ("v=spf1 include:a.example include:b.example ~all", []),
        ("v=spf1 redirect=_spf.example.com", []),
        ("v=spf1 mx +all", ["plus-all"]),
        ("v=spf1 mx ?all", ["neutral-all"]),
        ("v=spf1 mx", ["no-all"]),
        ("v=spf1", ["empty"]),
        ("v=spf1 -all a", ["after-all"]),
        ("v=spf1 -all redirect=a.example", ["after-all"]),
        ("v=spf1 ptr -all", ["ptr"]),
        ("v=spf1 a:x.example A:X.Example. -all", ["duplicate"]),
        ("v=spf1 ip4:192.0.2.1 ip4:192.0.2.1/32 -all", ["duplicate"]),
        ("v=spf1 a a/24 a//64 -all", []),
        ("v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.7 -all", ["covered"]),
        ("v=spf1 ip4:192.0.2.7 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all", []),
        ("v=spf1 ip6:2001:db8::/32 ip6:2001:db8::1 -all", ["covered"]),
        ("v=spf1 ip4:198.0.0.0/8 -all", ["wide-network"]),
        ("v=spf1 ip6:::/0 -all", ["wide-network"]),
        ("v=spf1 -ip4:198.0.0.0/8 +mx -all", []),
        ("v=spf1 ip4:10.1.2.3 -all", ["private-network"]),
        ("v=spf1 ip4=192.0.2.1 -all", ["mechanism-as-modifier"]),
        ("v=spf1 x=y -all", ["unknown-modifier"]),
        ("v=spf1 exp=x.example ~all", ["unused-exp"]),
        (
            "v=spf1 " + " ".join(f"a:h{n}.example" for n in range(11)) + " -all",
            ["too-many-lookups"],
        ),
        ("v=spf1 " + " ".join(f"ip4:192.0.2.{n}" for n in range(40)) + " -all", ["long"]),
        ("v=spf1 a:%{x}.example -all", ["bad-macro"]),
        ("v=spf10 +all", ["not-spf"]),
    ],
)
def test_rules(text, expected):
    """Each rule finds what it is for, and leaves good records alone."""
    assert codes(text) == expected


def test_every_problem_is_complete():
    """Each problem says what, why, what to do instead, and by which rule."""
    bad = "v=spf1 ptr ptr a a ip4:10.0.0.0/8 ip4:10.0.0.1 x=y mx=z exp=e.example +all a"
    found = spf.parse_record(bad).problems
    assert len({problem.code for problem in found}) >= 8
    for problem in found:
        assert all((problem.text, problem.why, problem.advice, problem.section)), problem


def test_json_of_a_record():
    """The parsed fields of a record are in its JSON, and why where it is not valid."""
    good = parsed("v=spf1 a:x.example/24 ~ip4:192.0.2.0/24 redirect=r.example")
    assert good["valid"] is True
    assert "why" not in good
    assert (good["lookups"], good["redirect"]) == (2, "r.example")
    assert good["all"] is good["exp"] is None
    assert [term["name"] for term in good["terms"]] == ["a", "ip4", "redirect"]
    assert good["terms"][1] == {
        "term": "~ip4:192.0.2.0/24",
        "name": "ip4",
        "qualifier": "~",
        "network": "192.0.2.0/24",
        "lookup": False,
    }
    bad = parsed("v=spf1 ip4:x -all")
    assert (bad["valid"], "no IPv4 address" in bad["why"]) == (False, True)
    assert parsed("")["valid"] is False
