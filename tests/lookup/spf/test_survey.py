"""A record without a sender: the tree, the worst case, what is never reached, what is broken."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.lookup import spf
from smtpshell.lookup.resolver import Resolver
from smtpshell.lookup.spf.context import LOOKUP_LIMIT
from smtpshell.lookup.zone import Zone


def survey(master: str, domain: str = "d.example", **options):
    """Survey the record of a domain in a zone."""
    zone = Zone.from_text(master)
    return asyncio.run(spf.lookup(Resolver(zone=zone), domain, **options))


def codes(finding) -> set[str]:
    """Return the codes of a finding's problems."""
    return {problem.code for problem in finding.problems}


HOSTS = "".join(
    f"h{n}.example. A 192.0.2.{n}\nh{n}.example. AAAA 2001:db8::{n}\n" for n in range(9)
)


def test_the_whole_tree_is_counted():
    """Look-ups of includes and of a redirect count, for a sender that nothing matches."""
    finding = survey(
        'd.example. TXT "v=spf1 a:h1.example include:i.example redirect=r.example"\n'
        'i.example. TXT "v=spf1 a:h2.example mx:m.example ip4:192.0.2.9 -all"\n'
        'r.example. TXT "v=spf1 exists:%{i}.x.example ptr ~all"\n'
        f"m.example. MX 10 h3.example.\n{HOSTS}"
    )
    assert (finding.worst_case, finding.lookups, finding.result) == (7, 7, "softfail")
    assert finding.void_lookups == 0
    assert codes(finding) == {"ptr-included"}
    tree = finding.to_json()["trace"][0]
    assert tree["steps"][-1]["lookups_total"] == 7
    assert tree["steps"][1]["steps"][0]["steps"][1]["asked"][-1]["name"] == "h3.example"


def test_more_than_ten_is_an_error_with_advice():
    """Eleven look-ups are counted as eleven, judged permerror, and a change is offered."""
    terms = " ".join(f"a:h{n % 9}.example" for n in range(11))
    finding = survey(f'd.example. TXT "v=spf1 {terms} -all"\n{HOSTS}')
    assert (finding.worst_case, finding.result) == (11, "permerror")
    assert "too-many-lookups" in codes(finding)
    assert str(finding.change) == "remove the repeated a:h0.example (saves 1): 10 look-ups"
    assert finding.change.record.count("a:h0.example") == 1
    mended = survey("d.example. TXT x\n" + HOSTS, record=finding.change.record)
    assert (mended.worst_case, mended.result) == (10, "fail")


@pytest.mark.parametrize(
    ("first", "changed"),
    [
        ("a:gone.example", "remove the void a:gone.example (saves 1)"),
        ("ptr", "remove ptr (saves 1)"),
        ("exists:%{i}.x.example", "replace mx by ip4:192.0.2.1 ip6:2001:db8::1 (saves 1)"),
        ("include:i.example", "replace mx by ip4:192.0.2.1 ip6:2001:db8::1 (saves 1)"),
    ],
)
def test_the_cheapest_change_is_chosen(first, changed):
    """What matches nobody goes first, then ptr, then names become addresses."""
    rest = " ".join(f"a:h{n}.example" for n in range(9))
    finding = survey(
        f'd.example. TXT "v=spf1 {first} mx {rest} -all"\nd.example. MX 1 h1.example.\n{HOSTS}'
        'i.example. TXT "v=spf1 ip4:203.0.113.0/28 ip4:203.0.113.64/28 ip4:203.0.113.128/28 -all"\n'
    )
    assert finding.worst_case == 11
    assert str(finding.change.options[0]) == changed


def test_an_include_is_replaced_when_nothing_else_is_enough():
    """An include whose networks are few can be written out; one that passes by macro cannot."""
    deep = " ".join(f"include:i{n}.example" for n in range(6))
    records = "".join(
        f'i{n}.example. TXT "v=spf1 include:j{n}.example ?all"\n'
        f'j{n}.example. TXT "v=spf1 {what} -all"\n'
        for n, what in enumerate(["exists:%{i}.x.example"] * 5 + ["ip4:192.0.2.0/24"])
    )
    finding = survey(f'd.example. TXT "v=spf1 {deep} -all"\n{records}')
    assert finding.worst_case == 17
    assert finding.change is None
    assert "subdomain" in next(p.advice for p in finding.problems if p.code == "too-many-lookups")
    shallow = deep.replace("include:i3.example include:i4.example ", "")
    least = survey(f'd.example. TXT "v=spf1 {shallow} -all"\n{records}')
    assert least.worst_case == 11
    assert (
        str(least.change.options[0]) == "replace include:i5.example by ip4:192.0.2.0/24 (saves 2)"
    )


def test_terms_behind_all_are_never_reached():
    """What stands behind all costs nothing, and is called out."""
    finding = survey('d.example. TXT "v=spf1 a:h1.example ~all mx include:gone.example"\n' + HOSTS)
    assert (finding.worst_case, finding.result) == (1, "softfail")
    assert codes(finding) == {"after-all"}
    steps = finding.to_json()["trace"][0]["steps"]
    assert [step["reached"] for step in steps] == [True, True, False, False]


def test_terms_behind_an_include_that_passes_all():
    """An include that passes everybody hides what stands behind it."""
    finding = survey(
        'd.example. TXT "v=spf1 include:i.example a:h1.example mx"\ni.example. TXT "v=spf1 +all"\n'
    )
    assert (finding.worst_case, finding.result) == (1, "pass")
    assert {"include-passes-all", "unreached"} <= codes(finding)


def test_the_worst_sender_may_be_one_of_a_small_range():
    """Whom an include fails before it passes the rest walks on, and is the worst case."""
    finding = survey(
        'd.example. TXT "v=spf1 include:i.example a:h1.example a:h2.example a:h3.example -all"\n'
        'i.example. TXT "v=spf1 -ip4:203.0.113.7 +all"\n' + HOSTS
    )
    assert (finding.lookups, finding.worst_case) == (1, 4)
    families = finding.to_json()["families"]
    assert (families["ip4"]["lookups"], families["ip6"]["lookups"]) == (4, 1)
    assert "unreached" not in codes(finding)


def test_families_are_counted_apart():
    """A name without an IPv6 address is void for IPv6 senders only."""
    master = "".join(f"f{n}.example. A 192.0.2.{n}\n" for n in range(3))
    text = "v=spf1 a:f0.example a:f1.example a:f2.example -all"
    finding = survey(f'd.example. TXT "{text}"\n{master}')
    families = finding.to_json()["families"]
    assert families["ip4"] == {"result": "fail", "lookups": 3, "void_lookups": 0}
    assert families["ip6"] == {"result": "permerror", "lookups": 3, "void_lookups": 3}
    assert codes(finding) == {"too-many-voids-ip6"}


@pytest.mark.parametrize(
    ("published", "rest", "result", "code"),
    [
        ("nothing", "", "none", "no-record"),
        ("v=spf1 moo -all", "", "permerror", "unknown-mechanism"),
        ("v=spf1 include:gone.example -all", "", "permerror", "broken-term"),
        ("v=spf1 redirect=gone.example", "", "permerror", "broken-term"),
        ("v=spf1 include:d.example -all", "", "permerror", "include-loop"),
        ("v=spf1 include:i.example -all", ";fault i.example servfail", "temperror", "dns-failure"),
        ("v=spf1 a:i.example -all", ";fault i.example servfail", "temperror", "dns-failure"),
        ("v=spf1 include:i.example", 'i.example. TXT "v=spf1 x"', "permerror", "broken-term"),
        ("v=spf1 -all", ";fault d.example timeout", "temperror", "dns-failure"),
        ("v=spf1 -all", 'd.example. TXT "v=spf1 ~all"', "permerror", "several-records"),
        ("v=spf1 -all", ";fault d.example nxdomain", "none", "no-record"),
        ("v=spf1 +all", "", "pass", "plus-all"),
        ("v=spf1 ip4:192.0.2.1", "", "neutral", "no-all"),
        ("v=spf1", "", "neutral", "empty"),
    ],
)
def test_broken_records(published, rest, result, code):
    """Each way a record can be broken has its result and its problem; failures are not absence."""
    finding = survey(f'd.example. TXT "{published}"\n{rest}')
    assert finding.result == result
    assert code in codes(finding)
    assert all(problem.text and problem.section for problem in finding.problems)


def test_too_many_exchangers():
    """An mx with more than ten exchangers is permerror for everybody who gets there."""
    master = "".join(f"d.example. MX {n} h{n % 9}.example.\n" for n in range(11))
    finding = survey(f'd.example. TXT "v=spf1 mx -all"\n{master}{HOSTS}')
    assert (finding.result, "broken-term" in codes(finding)) == ("permerror", True)


def test_a_loop_is_over_the_limit():
    """A loop is reported as such and as more look-ups than allowed, and ends."""
    master = (
        'd.example. TXT "v=spf1 include:e.example"\ne.example. TXT "v=spf1 include:d.example"\n'
    )
    finding = survey(master)
    assert finding.worst_case > LOOKUP_LIMIT
    assert {"include-loop", "too-many-lookups"} <= codes(finding)
    assert finding.change is None


def test_a_wide_tree_ends():
    """A tree that doubles at every level is followed so far and no farther."""
    master = "".join(
        f'n{n}.example. TXT "v=spf1 include:n{n + 1}.example include:n{n + 1}.example -all"\n'
        for n in range(40)
    )
    finding = survey(master, "n0.example")
    assert finding.result == "permerror"
    assert finding.worst_case > LOOKUP_LIMIT


def test_macros_of_a_given_sender_are_followed():
    """What depends on the sender is counted; with the sender given, it is followed."""
    master = (
        'd.example. TXT "v=spf1 include:%{l}.i.example -all"\n'
        'ann.i.example. TXT "v=spf1 a:h1.example -all"\n'
    )
    assert survey(master + HOSTS).worst_case == 1
    assert survey(master + HOSTS, sender="ann@d.example").worst_case == 2


NAMES = ["d.example", "e.example", "f.example"]
TERM = st.sampled_from(
    [
        "a:h1.example", "a:h2.example", "mx:m.example", "ip4:192.0.2.1", "-ip4:192.0.2.2",
        "ip6:2001:db8::1", "include:e.example", "include:f.example", "a:h1.example/24", "-all",
        "+all", "?all", "a:gone.example", "ip4:0.0.0.0/0",
    ]
)  # fmt: skip
RECORD = st.lists(TERM, max_size=5)


@settings(max_examples=60, deadline=None)
@given(RECORD, RECORD, RECORD)
def test_no_sender_costs_more_than_the_worst_case(first, second, third):
    """For any records, no sender of any range spends more look-ups than the survey says."""
    third = [term for term in third if not term.startswith("include")]
    second = [term for term in second if term != "include:e.example"]
    first = [term for term in first if term != "include:d.example"]
    master = HOSTS + "m.example. MX 1 h3.example.\n"
    for name, terms in zip(NAMES, (first, second, third), strict=True):
        master += f'{name}. TXT "v=spf1 {" ".join(terms)}"\n'
    senders = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.99", "203.0.113.1"]
    senders += ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:1::"]

    async def run():
        resolver = Resolver(zone=Zone.from_text(master))
        whole = await spf.lookup(resolver, "d.example")
        spent = [(await spf.lookup(resolver, "d.example", ip=ip)).lookups for ip in senders]
        return whole.worst_case, spent

    worst, spent = asyncio.run(run())
    assert max(spent) <= worst
    if worst <= LOOKUP_LIMIT and "a:gone.example" not in {*first, *second, *third}:
        assert max(spent) == worst
