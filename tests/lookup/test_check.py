"""The whole check of a domain, many domains at once, and the receiver's eye."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from smtpshell.lookup import check, preview
from smtpshell.lookup.resolver import Resolver
from smtpshell.lookup.zone import Zone

if TYPE_CHECKING:
    from collections.abc import Sequence

ZONE = """
example.com.                 MX   10 mx.example.com.
example.com.                 TXT  "v=spf1 mx -all"
mx.example.com.              A    192.0.2.25
25.2.0.192.in-addr.arpa.     PTR  mx.example.com.
_dmarc.example.com.          TXT  "v=DMARC1; p=reject; rua=mailto:d@example.com"
_smtp._tls.example.com.      TXT  "v=TLSRPTv1; rua=mailto:t@example.com"
s._domainkey.example.com.    TXT  "v=DKIM1; p="
null.example.                MX   0 .
null.example.                TXT  "v=spf1 -all"
_dmarc.null.example.         TXT  "v=DMARC1; p=reject; rua=mailto:d@null.example"
"""


def run(
    domain: str, *, faults: dict[str, str] | None = None, selectors: Sequence[str] = ()
) -> check.CheckFinding:
    """Check a domain of the zone."""

    async def main() -> check.CheckFinding:
        resolver = Resolver(zone=Zone.from_text(ZONE, faults=faults), timeout=0.3)
        return await check.check(resolver, domain, check.Options(tuple(selectors)))

    return asyncio.run(main())


def eye(**given: Any) -> preview.PreviewFinding:
    """Preview a sender; unless given: the MX host, sending as example.com."""

    async def main() -> preview.PreviewFinding:
        sender = {
            "ip": "192.0.2.25",
            "helo": "mx.example.com",
            "sender": "ann@example.com",
            "author": "example.com",
        }
        faults = given.pop("faults", None)
        resolver = Resolver(zone=Zone.from_text(ZONE, faults=faults), timeout=0.3)
        return await preview.preview(resolver, **{**sender, **given})

    return asyncio.run(main())


def test_good_domain() -> None:
    """A domain without errors is fine; what is missing is told as warnings."""
    found = run("example.com")
    assert found.verdict == "ok"
    assert [area.name for area in found.areas] == [
        "mx",
        "spf",
        "dmarc",
        "mta-sts",
        "tlsrpt",
        "tlsa",
        "ptr",
        "bimi",
    ]
    assert "mta-sts-missing" in {problem.code for problem in found.problems}
    assert not any(problem.severity == "error" for problem in found.problems)


def test_selectors_are_checked() -> None:
    """Each DKIM selector asked for is an area of its own."""
    found = run("example.com", selectors=["s", "t"])
    assert [area.subject for area in found.areas if area.name == "dkim"] == ["s", "t"]
    assert found.verdict == "problem"
    assert len(found.to_json()["areas"]["dkim"]) == 2  # type: ignore[index]  # a mapping of areas


def test_absent_domain_is_one_problem() -> None:
    """A name that does not exist is told once, not in every area."""
    found = run("nobody.example")
    assert found.verdict == "problem"
    assert [problem.code for problem in found.problems] == ["no-mail"]


def test_domain_without_mail() -> None:
    """A domain with a null MX is not asked to protect mail that never comes."""
    found = run("null.example")
    assert found.verdict == "ok"
    assert {"mta-sts", "tlsrpt", "tlsa", "ptr"}.isdisjoint(area.name for area in found.areas)


@pytest.mark.parametrize("fault", ["servfail", "timeout"])
@pytest.mark.parametrize("place", ["example.com MX", "example.com TXT", "_dmarc.example.com"])
def test_silence_is_no_verdict(place: str, fault: str) -> None:
    """Where an area that decides gets no answer, the verdict is neither good nor bad."""
    assert run("example.com", faults={place: fault}).verdict == "unanswered"


def test_silence_elsewhere() -> None:
    """A failure in an area that does not decide is an error there, and the rest stands."""
    found = run("example.com", faults={"_smtp._tls.example.com": "servfail"})
    assert found.verdict == "problem"
    area = found.area("tlsrpt")
    assert area is not None
    assert area.verdict == "unanswered"


def test_json_names_the_area_of_each_problem() -> None:
    """Each problem in the JSON form tells where it belongs, and the counts agree."""
    found = run("example.com").to_json()
    problems = found["problems"]
    assert isinstance(problems, list)
    assert all(problem["area"] in found["areas"] for problem in problems)  # type: ignore[operator]  # a mapping
    assert found["warnings"] == sum(each["severity"] == "warning" for each in problems)


def test_many_domains_keep_their_order() -> None:
    """Many domains come out in the order given, and each is counted once."""
    counted: list[int] = []
    names = [f"d{number}.example" for number in range(30)] + ["example.com"]

    async def main() -> list[str]:
        resolver = Resolver(zone=Zone.from_text(ZONE))
        return [
            found.domain
            async for found in check.check_many(resolver, names, concurrency=3, done=counted.append)
        ]

    assert asyncio.run(main()) == names
    assert counted == list(range(1, 32))


def test_slow_answers_are_waited_for_together() -> None:
    """A check waits for chains of questions, not for each question in turn."""

    class Slow(Resolver):
        """A resolver that adds 20 ms to each question and counts the slowest chain's time."""

        async def ask(self, name: Any, rdtype: str) -> Any:
            await asyncio.sleep(0.02)
            return await super().ask(name, rdtype)

    async def main() -> float:
        start = time.monotonic()
        resolver = Slow(zone=Zone.from_text(ZONE))
        await check.check(resolver, "example.com")
        assert len(resolver.log) > 25
        return time.monotonic() - start

    assert asyncio.run(main()) < 0.4


def test_leaving_early_stops_the_rest() -> None:
    """Who stops reading leaves no look-up running behind."""

    async def main() -> int:
        before = len(asyncio.all_tasks())
        resolver = Resolver(zone=Zone.from_text(ZONE))
        results = check.check_many(resolver, ["example.com"] * 50, concurrency=2)
        async for _ in results:
            break
        await results.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
        await asyncio.sleep(0.05)
        return len(asyncio.all_tasks()) - before

    assert asyncio.run(main()) == 0


def test_receiver_sees_a_pass() -> None:
    """The MX host sending for its own domain passes SPF, aligns, and has a confirmed name."""
    found = eye()
    assert (found.spf.result, found.spf_aligned, found.outlook) == ("pass", True, "pass")
    assert found.ptr.status == "pass"
    assert not found.problems


def test_receiver_sees_a_stranger() -> None:
    """A host the record does not list needs DKIM, and the policy says what happens without."""
    found = eye(ip="198.51.100.7")
    assert (found.spf.result, found.outlook) == ("fail", "needs-dkim")
    assert "refuse" in found.words
    assert found.problems[0].code == "needs-dkim"
    assert eye(ip="198.51.100.7", dkim=["mail.example.com"]).outlook == "pass"


def test_receiver_sees_another_author() -> None:
    """An SPF pass for the reverse-path's domain does not speak for another author."""
    found = eye(author="null.example")
    assert (found.spf.result, found.spf_aligned, found.outlook) == ("pass", False, "needs-dkim")


def test_null_reverse_path_speaks_by_its_greeting() -> None:
    """With an empty reverse-path the HELO name is what SPF and alignment go by."""
    found = eye(sender="", helo="mx.example.com")
    assert found.spf.identity.domain == "mx.example.com"
    assert found.spf_aligned is True


def test_receiver_without_author_or_answer() -> None:
    """Without a From domain DMARC is left out; without an answer nobody knows."""
    assert eye(author=None).outlook == "none"
    assert eye(faults={"_dmarc.example.com": "servfail"}).outlook == "temperror"
    assert set(eye().to_json()) >= {"outlook", "spf", "dmarc", "policy", "ptr", "problems"}
