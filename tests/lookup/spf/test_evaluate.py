"""check_host, rule by rule: results, limits, counts, explanations and the trace."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.lookup import spf
from smtpshell.lookup.finding import SetupError
from smtpshell.lookup.resolver import Resolver
from smtpshell.lookup.spf import context
from smtpshell.lookup.spf.evaluate import DEFAULT_EXPLANATION
from smtpshell.lookup.zone import Record, Zone

IP4, IP6 = "192.0.2.1", "2001:db8::1"


def check(master: str, ip: str = IP4, domain: str = "d.example", **options):
    """Check a sender against the record of a domain in a zone."""
    zone = Zone.from_text(master)
    return asyncio.run(spf.lookup(Resolver(zone=zone), domain, ip=ip, **options))


def record(text: str, rest: str = "") -> str:
    """Return a zone in which d.example has an SPF record."""
    strings = " ".join(f'"{text[start : start + 200]}"' for start in range(0, len(text), 200))
    return f"d.example. TXT {strings}\n{rest}"


def result(text: str, rest: str = "", ip: str = IP4, **options) -> str:
    """Return the result of a record."""
    return str(check(record(text, rest), ip, **options).result)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=spf1 +all", "pass"), ("v=spf1 -all", "fail"), ("v=spf1 ~all", "softfail"),
        ("v=spf1 ?all", "neutral"), ("v=spf1", "neutral"), ("v=spf1 ip4:192.0.2.1 -all", "pass"),
        ("v=spf1 -ip4:192.0.2.0/24 +all", "fail"), ("v=spf1 ip6:::ffff:192.0.2.1 -all", "fail"),
        ("v=spf1 ip6:::/0 -all", "fail"), ("v=spf1 ip4:0.0.0.0/0 -all", "pass"),
        ("v=spf1 -all moo", "permerror"), ("v=spf1 +all exp=x", "permerror"),
        ("v=spf1 ?ip4:192.0.2.1 -all", "neutral"), ("v=spf2 -all", "none"),
    ],
)  # fmt: skip
def test_qualifiers_and_networks(text, expected):
    """The first match decides; a syntax error anywhere beats every match (4.6, 5.1, 5.6)."""
    assert result(text) == expected


@pytest.mark.parametrize("domain", ["example", "", "a..example", "[192.0.2.1]", "x" * 64 + ".com"])
def test_what_is_no_domain_has_no_result(domain):
    """A malformed or single-label domain gives none, and nothing is asked (4.3)."""
    resolver = Resolver(zone=Zone(()))
    finding = asyncio.run(spf.lookup(resolver, domain, ip=IP4, helo=domain))
    assert finding.result == "none"
    assert not resolver.log


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("timeout", "temperror"),
        ("servfail", "temperror"),
        ("refused", "temperror"),
        ("nxdomain", "none"),
    ],
)
def test_failures_of_the_first_question(fault, expected):
    """A DNS failure is temperror, an absent name none; neither is ever the other (4.3, 4.4)."""
    finding = check(f"{record('v=spf1 -all')};fault d.example {fault}\n")
    assert (finding.result, finding.lookups) == (expected, 0)


def test_two_records_are_an_error():
    """Two records at one name are permerror; other TXT records do not matter (4.5)."""
    assert result("v=spf1 -all", 'd.example. TXT "v=spf1 +all"') == "permerror"
    assert result("v=spf1 -all", 'd.example. TXT "v=spf10 +all"\nd.example. TXT "\\200"') == "fail"


def test_strings_are_joined_without_blanks():
    """The strings of one TXT record make one text (3.3)."""
    assert check('d.example. TXT "v=spf1 ip4:19" "2.0.2.1 -all"').result == "pass"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("v=spf1 +all", "pass"), ("v=spf1 -all", "softfail"), ("v=spf1 ~all", "softfail"),
        ("v=spf1 ?all", "softfail"), ("v=spf1 moo", "permerror"), ("nothing", "permerror"),
    ],
)  # fmt: skip
def test_include(inner, expected):
    """Include matches a pass only; none and permerror of the inner record are permerror (5.2)."""
    assert result("v=spf1 include:i.example ~all", f'i.example. TXT "{inner}"') == expected


def test_include_hands_on_temperror():
    """A DNS failure in an include is temperror (5.2)."""
    assert result("v=spf1 include:i.example ~all", ";fault i.example timeout") == "temperror"


def test_include_uses_the_inner_domain_for_d():
    """Within an include %{d} is the included domain, %{o} still the sender's (5.2)."""
    rest = 'i.example. TXT "v=spf1 exists:%{d}.x.example exists:%{o}.y.example -all"\n'
    assert (
        result("v=spf1 include:i.example -all", f"{rest}i.example.x.example. A 127.0.0.2") == "pass"
    )
    assert (
        result("v=spf1 include:i.example -all", f"{rest}d.example.y.example. A 127.0.0.2") == "pass"
    )


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("v=spf1 -all", "fail"),
        ("v=spf1", "neutral"),
        ("nothing", "permerror"),
        ("v=spf1 x", "permerror"),
    ],
)
def test_redirect(inner, expected):
    """Redirect hands over the other record's result; none becomes permerror (6.1)."""
    assert result("v=spf1 redirect=r.example", f'r.example. TXT "{inner}"') == expected


def test_redirect_comes_last_and_all_hides_it():
    """Redirect counts only after every mechanism, wherever it stands (6.1)."""
    rest = 'r.example. TXT "v=spf1 -all"'
    assert result("v=spf1 redirect=r.example ip4:192.0.2.1", rest) == "pass"
    assert result("v=spf1 redirect=r.example ?all", rest) == "neutral"


@pytest.mark.parametrize(
    ("term", "ip", "expected"),
    [
        ("a:h.example", IP4, True), ("a:h.example", IP6, True),
        ("a:h.example/24", "192.0.2.9", True),
        ("a:h.example//64", "2001:db8::ffff", True), ("a:h.example//64", "192.0.2.9", False),
        ("a:h.example/0//0", "203.0.113.1", True), ("a:none.example/0", IP4, False),
        ("a:h.example", "192.0.2.2", False), ("a:h.example", f"::ffff:{IP4}", True),
        ("mx:m.example", IP4, True), ("mx:m.example", IP6, True), ("mx:h.example", IP4, False),
        ("mx:m.example/24", "192.0.2.200", True), ("exists:h.example", "203.0.113.1", True),
        ("exists:h.example", IP6, True), ("exists:h6.example", IP6, False),
        ("ptr:%{d1}", IP4, True), ("ptr:h.example", IP4, True), ("ptr:x.h.example", IP4, False),
        ("ptr:x.example", IP4, False), ("ptr:%{d1}", "192.0.2.2", False),
    ],
)  # fmt: skip
def test_mechanisms(term, ip, expected):
    """a, mx, ptr and exists match what sections 5.3 to 5.7 say, in both families."""
    rest = (
        f"h.example. A {IP4}\nh.example. AAAA {IP6}\nh6.example. AAAA {IP6}\n"
        "m.example. MX 10 h.example.\nm.example. MX 5 .\nm.example. MX 7 gone.example.\n"
        "1.2.0.192.in-addr.arpa. PTR H.Example.\n2.2.0.192.in-addr.arpa. PTR h.example.\n"
    )
    assert (result(f"v=spf1 {term} -all", rest, ip) == "pass") is expected


@pytest.mark.parametrize(
    ("term", "fault"),
    [
        ("a:x.example", "x.example"),
        ("mx:x.example", "x.example"),
        ("exists:x.example", "x.example"),
    ],
)
def test_failures_of_mechanisms(term, fault):
    """A DNS failure of a mechanism is temperror (5), unless a term before has matched."""
    assert result(f"v=spf1 {term} -all", f";fault {fault} servfail") == "temperror"
    assert result(f"v=spf1 ip4:{IP4} {term} -all", f";fault {fault} servfail") == "pass"


def test_failure_of_an_exchanger():
    """A DNS failure for an exchanger's address is temperror, if no one before matches (5.4)."""
    rest = (
        "d.example. MX 10 bad.example.\nd.example. MX {} good.example.\ngood.example. A 192.0.2.1\n"
    )
    rest += ";fault bad.example timeout"
    assert result("v=spf1 mx -all", rest.format(5)) == "pass"
    assert result("v=spf1 mx -all", rest.format(50)) == "temperror"


def test_failures_of_ptr_are_no_match():
    """The client's own DNS cannot make a record fail: errors of ptr are no match (5.5)."""
    assert result("v=spf1 ptr ?all", ";fault 1.2.0.192.in-addr.arpa timeout") == "neutral"
    rest = "1.2.0.192.in-addr.arpa. PTR a.d.example.\n1.2.0.192.in-addr.arpa. PTR b.d.example.\n"
    rest += "b.d.example. A 192.0.2.1\n;fault a.d.example servfail"
    assert result("v=spf1 ptr ?all", rest) == "pass"


@pytest.mark.parametrize(("count", "expected"), [(10, "neutral"), (11, "permerror")])
def test_ten_lookups(count, expected):
    """Ten terms may ask the DNS, the eleventh is permerror, whatever record it is in (4.6.4)."""
    rest = "d.example. A 203.0.113.1\n"
    finding = check(record("v=spf1" + " a" * count, rest))
    assert (finding.result, finding.lookups) == (expected, count)
    inner = f'i.example. TXT "v=spf1{" a:d.example" * (count - 2)} -all"\n'
    nested = check(record("v=spf1 include:i.example a", rest + inner))
    assert (nested.result, nested.lookups) == (expected, count)


def test_terms_that_ask_nothing_are_free():
    """ip4, ip6, all and exp are not look-ups."""
    text = "v=spf1" + " ip4:203.0.113.1 ip6:2001:db8::9" * 20 + " exp=x.example -all"
    assert (finding := check(record(text))).lookups == 0
    assert finding.result == "fail"


@pytest.mark.parametrize("text", ["v=spf1 include:d.example", "v=spf1 redirect=d.example"])
def test_loops_end_at_the_limit(text):
    """A record that includes itself is permerror at the eleventh look-up."""
    finding = check(record(text))
    assert (finding.result, finding.lookups) == ("permerror", 11)
    assert "more than 10 look-ups" in finding.reason


@pytest.mark.parametrize(("count", "expected"), [(2, "neutral"), (3, "permerror")])
def test_two_void_lookups(count, expected):
    """Two void look-ups are allowed, NXDOMAIN or no data alike; the third is permerror (4.6.4)."""
    terms = [" a:n1.example", " exists:n2.example", " mx:empty.example"][:count]
    finding = check(record("v=spf1" + "".join(terms), "empty.example. TXT x"))
    assert (finding.result, finding.void_lookups) == (expected, count)


def test_void_lookups_are_counted_by_terms():
    """Dead exchangers of one mx are one void look-up, and do not hide a live one."""
    rest = "".join(f"d.example. MX {n} gone{n}.example.\n" for n in range(5))
    finding = check(
        record("v=spf1 mx -all", f"{rest}d.example. MX 9 h.example.\nh.example. A {IP4}")
    )
    assert (finding.result, finding.void_lookups) == ("pass", 1)


def test_failures_are_not_void():
    """A question without an answer is no void look-up."""
    finding = check(record("v=spf1 ptr ptr ptr ptr ?all", ";fault 1.2.0.192.in-addr.arpa servfail"))
    assert (finding.result, finding.void_lookups) == ("neutral", 0)


@pytest.mark.parametrize(("count", "expected"), [(10, "pass"), (11, "permerror")])
def test_ten_exchangers(count, expected):
    """More than ten mail exchangers are permerror (4.6.4)."""
    rest = "".join(
        f"d.example. MX {n} h{n}.example.\nh{n}.example. A 192.0.2.{10 + n}\n" for n in range(count)
    )
    assert result("v=spf1 mx -all", rest, "192.0.2.10") == expected


def test_ten_reverse_names():
    """Of the client's names ten are followed and the rest ignored (4.6.4, 5.5)."""
    rest = "".join(f"1.2.0.192.in-addr.arpa. PTR {n:02}.d.example.\n" for n in range(40))
    zone = record("v=spf1 ptr -all", rest + f"11.d.example. A {IP4}\n")
    assert check(zone).result == "fail"
    assert check(zone.replace("11.d.example. A", "09.d.example. A")).result == "pass"


def test_time_is_limited(monkeypatch):
    """An evaluation that takes too long is temperror, and the trace shows how far it came."""
    monkeypatch.setattr(context, "TIME_LIMIT", -1.0)
    finding = check(record("v=spf1 ip4:203.0.113.1 a -all"))
    assert finding.result == "temperror"
    assert finding.trace[0].steps[0].outcome == "temperror"


@pytest.mark.parametrize(
    ("published", "explanation"),
    [
        ('x.example. TXT "%{i} may not speak for %{o}"', "192.0.2.1 may not speak for d.example"),
        ('x.example. TXT "http://%{h}/?s=%{S}&t=%{t}&r=%{r}"', "http://m.example/?s=a%2Bb%40d.example&t=7&r=unknown"),
        ('x.example. TXT "two " "strings"', "two strings"),
        ("x.example. TXT one\nx.example. TXT two", DEFAULT_EXPLANATION),
        ('x.example. TXT "%{x}"', DEFAULT_EXPLANATION),
        ('x.example. TXT "\\195\\164"', DEFAULT_EXPLANATION),
        ('x.example. TXT ""', DEFAULT_EXPLANATION),
        (";fault x.example timeout", DEFAULT_EXPLANATION),
        ("x.example. A 192.0.2.1", DEFAULT_EXPLANATION),
        ('x.example. TXT "from %{p}"', "from unknown"),
    ],
)  # fmt: skip
def test_explanations(published, explanation):
    """A fail is explained by the domain where that can be read, else by the default (6.2)."""
    finding = check(
        record("v=spf1 exp=x.example -all", published),
        sender="a+b@d.example",
        helo="m.example",
        now=7,
    )
    assert (finding.result, finding.explanation) == ("fail", explanation)
    assert (finding.lookups, finding.void_lookups) == (0, 0)


def test_only_the_deciding_record_explains():
    """After a redirect the other record's exp counts, after an include never (6.2)."""
    rest = (
        'x.example. TXT one\ny.example. TXT two\ni.example. TXT "v=spf1 -all exp=y.example"\n'
        'j.example. TXT "v=spf1 -all"\n'
    )
    assert check(record("v=spf1 exp=x.example redirect=i.example", rest)).explanation == "two"
    assert check(record("v=spf1 include:i.example -all exp=x.example", rest)).explanation == "one"
    plain = check(record("v=spf1 exp=x.example redirect=j.example", rest))
    assert plain.explanation == DEFAULT_EXPLANATION
    assert check(record("v=spf1 ~all exp=x.example", rest)).explanation is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["d.example", "a.d.example", "z.example"], "d.example"),
        (["a.d.example", "z.example"], "a.d.example"),
        (["z.example"], "z.example"),
        ([], "unknown"),
    ],
)
def test_macro_p(names, expected):
    """P is the domain itself, else a name below it, else any validated name, else unknown (7.3)."""
    rest = f"{expected}.ok.example. A 127.0.0.2\n"
    for name in names:
        rest += f"1.2.0.192.in-addr.arpa. PTR {name}.\n{name}. A {IP4}\n"
    rest += "1.2.0.192.in-addr.arpa. PTR forged.d.example.\nforged.d.example. A 203.0.113.1\n"
    finding = check(record("v=spf1 exists:%{p}.ok.example -all", rest))
    assert (finding.result, finding.lookups) == ("pass", 1)


def test_names_that_cannot_be_asked_do_not_match():
    """A name too long for the wire, or with an empty label, is no match and costs no question."""
    long = "%{s}" * 20 + ".example"
    assert (
        result(f"v=spf1 a:{long} exists:a..example ?all", sender=f"{'x' * 64}@d.example")
        == "neutral"
    )
    assert result("v=spf1 include:a..example ?all") == "permerror"


def test_a_long_expansion_loses_labels_at_the_left():
    """Over 253 characters the name is cut at the left, and the rest is asked (7.3)."""
    host = ".".join(["x" * 49] * 5)
    text = f"v=spf1 exists:{'y' * 49}.%{{l}}.{host} -all"
    assert result(text, f"{host}. A 127.0.0.2") == "pass"


def test_senders():
    """Local part and domain come from the sender; without one it is postmaster's (4.3, 2.4)."""
    rest = "postmaster.l.example. A 127.0.0.2\n"
    text = "v=spf1 exists:%{l}.l.example -all"
    assert result(text, rest) == "pass"
    assert result(text, rest, sender="@d.example") == "pass"
    assert result(text, rest, sender="ann@d.example") == "fail"
    assert result(text, rest, sender="", helo="d.example", domain="") == "pass"


def test_internationalised_senders():
    """A local part beyond ASCII matches nothing; a domain beyond it is checked as A-labels."""
    rest = (
        "$ORIGIN xn--bcher-kva.example.\n"
        '@ TXT "v=spf1 exists:%{l}.x.example include:%{l}.example a:%{o} ?all"\n'
        f"@ A {IP4}\n*.x.example. A 127.0.0.2\n"
    )
    finding = check(rest, domain="bücher.example", sender="jürgen@bücher.example")
    assert finding.result == "pass"
    assert finding.matched == "a:%{o}"
    assert "bücher.example (xn--bcher-kva.example)" in finding.trace[0].text


def test_trace_tells_everything():
    """Each term is a step: outcome, section, question, answer, macros, look-ups here and in all."""
    rest = 'i.example. TXT "v=spf1 a:%{d2} a:gone.example -all"\ni.example. A 203.0.113.1\n'
    finding = check(
        record(
            "v=spf1 ip4:203.0.113.9 include:i.example a:h.example -all",
            rest + f"h.example. A {IP4}",
        )
    )
    step = finding.to_json()["trace"][0]
    assert [each["step"] for each in step["steps"]] == [
        "ip4:203.0.113.9",
        "include:i.example",
        "a:h.example",
    ]
    network, include, host = step["steps"]
    assert (network["outcome"], network["match"], "lookups" in network) == (
        "no match",
        False,
        False,
    )
    assert (include["outcome"], include["lookups"], include["lookups_total"]) == ("no match", 3, 3)
    assert (include["void_lookups"], include["void_lookups_total"]) == (1, 1)
    first, second, last = include["steps"][0]["steps"]
    assert first["macros"] == [["%{d2}", "i.example"]]
    assert first["asked"][0]["records"] == ["203.0.113.1"]
    assert (second["asked"][0]["status"], second["lookups_total"]) == ("nxdomain", 3)
    assert last["outcome"] == "match"
    assert (host["outcome"], host["section"], host["lookups_total"]) == ("match", "RFC 7208 5.3", 4)
    assert host["asked"][0]["ms"] >= 0


def test_a_record_may_be_tried_before_it_is_published():
    """A record given as text stands in for the published one, includes and all."""
    rest = 'i.example. TXT "v=spf1 include:d.example -all"\n'
    tried = check(record("v=spf1 -all", rest), record=f"v=spf1 ip4:{IP4} -all")
    assert (tried.result, tried.record) == ("pass", f"v=spf1 ip4:{IP4} -all")
    inner = check(
        record("v=spf1 -all", rest), record="v=spf1 ip4:203.0.113.1 include:i.example -all"
    )
    assert inner.result == "permerror"


def test_bad_address_is_a_usage_error():
    """An address that is none is refused with advice."""
    with pytest.raises(SetupError) as fault:
        check(record("v=spf1 -all"), ip="nonsense")
    assert fault.value.status == 64


def test_prefetching_asks_ahead():
    """The questions of all terms are asked once each, those of the include among them."""
    rest = 'i.example. TXT "v=spf1 a:e.example a:f.example -all"\n'
    rest += "".join(f"{letter}.example. A 203.0.113.1\n" for letter in "abcef")
    zone = Zone.from_text(
        record("v=spf1 a:a.example a:b.example a:c.example include:i.example -all", rest)
    )

    async def run():
        resolver = Resolver(zone=zone)
        await spf.lookup(resolver, "d.example", ip=IP4)
        return [each.name for each in resolver.log if each.how == "sent"]

    asked = asyncio.run(run())
    assert sorted(asked) == sorted(set(asked))
    assert len(asked) == 7


WORDS = (
    "v=spf1 a mx ptr include: exists: redirect= exp= ip4: ip6: /24 //64 %{ %{i} %{p} %{d} %{l} "
    "%{s} %{h} %{o} } e.example d.example all - ~ ? + 1.2.3.4 ::1 . : = %% %_ / 0 \\ é \x01"
)
PIECES = st.sampled_from([*WORDS.split(" "), " "])
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, st.text(max_size=12), st.sampled_from([IP4, IP6]))
def test_any_record_has_a_result(first, second, sender, ip):
    """Whatever is published and whoever sends, there is a result within the limits."""
    zone = Zone(
        [
            Record((name, b"example"), "TXT", 5, bytes([len(octets)]) + octets)
            for name, text in ((b"d", first), (b"e", second))
            for octets in [f"v=spf1 {text}".encode()[:255]]
        ]
    )

    async def run():
        resolver = Resolver(zone=zone)
        mail = f"{sender}@d.example"
        one = await spf.lookup(resolver, "d.example", ip=ip, sender=mail, helo=sender)
        return one, await spf.lookup(resolver, "d.example")

    one, whole = asyncio.run(run())
    assert one.lookups <= context.LOOKUP_LIMIT + 1
    assert json.dumps([one.to_json(), whole.to_json()])
    assert (one.explanation is not None) == (one.result == "fail")
