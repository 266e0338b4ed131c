"""MTA-STS: choosing the record, fetching the policy over real TLS, matching the MX hosts."""

from __future__ import annotations

import asyncio
import json
import ssl

import pytest

from smtpshell.lookup import mta_sts, mta_sts_fetch, mta_sts_record, texts, tlsrpt, tlsrpt_record
from smtpshell.lookup.resolver import Resolver
from tests.lookup.tables import resolver_of, rows
from tests.lookup.webserver import https

POLICY = b"version: STSv1\r\nmode: enforce\r\nmax_age: 1209600\r\nmx: mx.example.com\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
RECORD = {"_mta-sts.example.com": ["v=STSv1; id=1"]}
MX = "example.com. MX 10 mx.example.com."


def response(body: bytes = POLICY, head: bytes = OK) -> bytes:
    """Return a response with a length."""
    return head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def fetch(
    answer: bytes, *, host: str = "mta-sts.example.com", pause: float = 0.0, timeout: float = 5.0
) -> mta_sts_fetch.Fetch:
    """Fetch the policy of example.com from a server that gives this answer."""

    async def run() -> mta_sts_fetch.Fetch:
        async with https(answer, host, pause=pause) as (port, context, _):
            return await mta_sts_fetch.fetch(
                resolver_of({}),
                "example.com",
                addresses=["127.0.0.1"],
                port=port,
                context=context,
                timeout=timeout,
            )

    return asyncio.run(run())


def lookup(
    *lines: str, answer: bytes | None = None, record: dict[str, list[str]] | None = None
) -> mta_sts.StsFinding:
    """Look example.com up, with a policy server that gives this answer."""

    async def run() -> mta_sts.StsFinding:
        resolver = resolver_of(RECORD if record is None else record, *lines)
        async with https(answer or response(), "mta-sts.example.com") as (port, context, _):
            return await mta_sts.lookup(
                resolver, "Example.COM.", addresses=["127.0.0.1"], port=port, context=context
            )

    return asyncio.run(run())


def test_shared_selections() -> None:
    """Of the shared TXT records at a name, exactly one that begins rightly may remain."""

    async def run() -> None:
        for kind, module in (("mta-sts-lookup", mta_sts_record), ("tlsrpt-lookup", tlsrpt_record)):
            for row in rows("records.tsv", kind):
                zone = json.loads(row.text)
                answer = await resolver_of(zone).ask(next(iter(zone)), "TXT")
                chosen = texts.select(answer, module.is_record)
                valid = chosen.text is not None and module.parse_record(chosen.text).valid
                assert valid is row.expected["valid"], row.number

    asyncio.run(run())


@pytest.mark.parametrize(
    "answer",
    [
        response(),
        OK
        + b"Transfer-Encoding: chunked\r\n\r\n5\r\nversi\r\n"
        + f"{len(POLICY) - 5:x};x=y\r\n".encode()
        + POLICY[5:]
        + b"\r\n0\r\n\r\n",
        OK + b"\r\n" + POLICY,
        response(head=b"HTTP/1.0 200\r\ncontent-type:TEXT/Plain ; charset=utf-8\r\n"),
    ],
    ids=["length", "chunked", "until the end", "lenient header"],
)
def test_good_responses(answer: bytes) -> None:
    """A policy is read however its length is told."""
    found = fetch(answer)
    assert (found.valid, found.body, found.status) == (True, POLICY, 200)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 301 Moved\r\nLocation: https://example.com/\r\n\r\n", "redirects"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "404"),
        (b"HTTP/1.1 201 Made\r\nContent-Type: text/plain\r\n\r\n", "201"),
        (response(head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"), "text/html"),
        (response(head=b"HTTP/1.1 200 OK\r\n"), "missing"),
        (b"220 mail.example ESMTP\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 40_000 + b"\r\n\r\n", "header is longer"),
        (OK + b"Content-Length: 70000\r\n\r\n", "longer than"),
        (OK + b"Content-Length: 99999999999999999999\r\n\r\n", "longer than"),
        (OK + b"Content-Length: many\r\n\r\n", "no number"),
        (OK + b"Content-Length: 900\r\n\r\n" + POLICY, "ended before the policy"),
        (OK + b"\r\n" + b"x" * 70_000, "longer than"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "no number"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n", "longer than"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", "ended before the policy"),
        (b"", "ended before the header"),
    ],
)
def test_bad_responses(answer: bytes, fault: str) -> None:
    """Whatever the web server sends that is no policy becomes a fault in words."""
    found = fetch(answer)
    assert not found.valid
    assert fault in found.fault
    assert not found.body


def test_slow_server() -> None:
    """A server that does not finish is given up after the time allowed."""
    found = fetch(OK + b"Content-Length: 900\r\n\r\n", pause=5, timeout=0.5)
    assert "within 0.5 s" in found.fault
    assert found.ms < 3000


def test_certificate_must_name_the_host() -> None:
    """A certificate for another name, or by an unknown authority, ends the fetch."""
    assert "certificate" in fetch(response(), host="www.example.com").fault

    async def distrustful() -> mta_sts_fetch.Fetch:
        async with https(response(), "mta-sts.example.com") as (port, _, requests):
            found = await mta_sts_fetch.fetch(
                resolver_of({}),
                "example.com",
                addresses=["127.0.0.1"],
                port=port,
                context=ssl.create_default_context(),
            )
            assert not requests
            return found

    assert "certificate" in asyncio.run(distrustful()).fault


def test_nobody_there() -> None:
    """A policy host without an address, or without a server, is told as such."""

    async def run(*lines: str, port: int = 1) -> mta_sts_fetch.Fetch:
        return await mta_sts_fetch.fetch(resolver_of({}, *lines), "example.com", port=port)

    absent = asyncio.run(run())
    assert "has no address" in absent.fault
    assert not absent.unanswered
    refused = asyncio.run(run("mta-sts.example.com. A 127.0.0.1"))
    assert not refused.unanswered
    assert "127.0.0.1" in refused.fault


def test_request_is_plain() -> None:
    """The request asks for the well-known path and no compression, and takes no redirect."""

    async def run() -> bytes:
        async with https(response(), "mta-sts.example.com") as (port, context, requests):
            await mta_sts_fetch.fetch(
                resolver_of({}), "example.com", addresses=["127.0.0.1"], port=port, context=context
            )
            return requests[0]

    request = asyncio.run(run())
    assert request.startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.com")
    assert b"identity" in request


def test_good_domain() -> None:
    """A record, a policy and covered MX hosts together are without problem."""
    found = lookup(MX)
    assert (found.result, found.mode, found.problems) == ("ok", "enforce", ())
    assert [host.pattern for host in found.hosts] == ["mx.example.com"]


def test_uncovered_host() -> None:
    """An MX host that an enforced policy does not name is an error: mail for it stops."""
    found = lookup(MX, "example.com. MX 20 backup.example.net.")
    assert [problem.code for problem in found.problems] == ["mta-sts-mx-uncovered"]
    assert found.problems[0].severity == "error"


def test_implicit_exchanger() -> None:
    """Without MX records the domain itself is the host the policy must name."""
    found = lookup("example.com. A 127.0.0.1")
    assert [(host.host, host.pattern) for host in found.hosts] == [("example.com", None)]


def test_absent_is_not_failed() -> None:
    """No record, several records and a failing name server are three different results."""
    assert lookup(MX, record={}).result == "none"
    several = {"_mta-sts.example.com": ["v=STSv1; id=1", "v=STSv1; id=2"]}
    assert lookup(MX, record=several).result == "invalid"

    async def failing() -> mta_sts.StsFinding:
        resolver = resolver_of(RECORD, MX, **{"_mta-sts.example.com": "servfail"})
        return await mta_sts.lookup(resolver, "example.com")

    found = asyncio.run(failing())
    assert found.unanswered
    assert [problem.code for problem in found.problems] == ["dns-failed"]


def test_zone_file_sends_nothing_abroad() -> None:
    """With a zone file, a policy host outside this machine is not connected to."""

    async def run() -> mta_sts.StsFinding:
        resolver = resolver_of(RECORD, MX, "mta-sts.example.com. A 192.0.2.1")
        return await mta_sts.lookup(resolver, "example.com")

    found = asyncio.run(run())
    assert found.fetch is None
    assert [problem.code for problem in found.problems] == ["mta-sts-unfetched"]


def test_tls_reporting() -> None:
    """TLS reporting is ok, absent, invalid or unknown, and never two of these at once."""

    async def result(record: list[str], **faults: str) -> tuple[str, list[str]]:
        zone = {"_smtp._tls.example.com": record} if record else {}
        resolver: Resolver = resolver_of(zone, **faults)
        found = await tlsrpt.lookup(resolver, "example.com")
        return found.result, [problem.code for problem in found.problems]

    good = "v=TLSRPTv1; rua=mailto:a@example.com"
    assert asyncio.run(result([good, "other"])) == ("ok", [])
    assert asyncio.run(result([])) == ("none", ["tlsrpt-missing"])
    assert asyncio.run(result([good, good + ";"])) == ("invalid", ["tlsrpt-several"])
    assert asyncio.run(result(["v=TLSRPTv1; rua=x"])) == ("invalid", ["tlsrpt-record"])
    assert asyncio.run(result(["v=tlsrptv1; rua=mailto:a@b.example"]))[1][0] == "near-miss"
    failing = asyncio.run(result([good], **{"_smtp._tls.example.com": "servfail"}))
    assert failing == ("temperror", ["dns-failed"])
