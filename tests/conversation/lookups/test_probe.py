"""Probing mail hosts: the practice server, certificates, and servers that misbehave."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from smtpshell.conversation.embedded import start
from smtpshell.conversation.lookups import LOOKUPS, mx, probe, tlsa
from smtpshell.conversation.lookups.base import Scene
from smtpshell.conversation.report import plain_lines
from smtpshell.conversation.settings import Settings
from smtpshell.lookup import dane_match

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from smtpshell.conversation.lookups.base import Lookup, Result


def settings(ca: str = "", timeout: str = "5") -> Settings:
    """Return settings that trust the certificates of a file."""
    made = Settings()
    made.set("ca", ca)
    made.set("timeout", timeout)
    return made


async def results(lookup: Lookup, words: list[str], made: Settings) -> list[Result]:
    """Run a look-up in this loop and return its results."""
    options = lookup.parser("").parse_args(words)
    scene = Scene(made, options, lambda _done, _of: None)
    return [result async for result in lookup.run(scene, options)]


def served(answers: list[bytes], look: Callable[[int], Any]) -> Any:
    """Run a look at a server that gives these answers, one for each line it hears."""
    ended: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        ended.append(task)
        try:
            for answer in answers:
                writer.write(answer)
                await writer.drain()
                if not await reader.readline():
                    break
        except (OSError, ValueError):
            pass
        finally:
            writer.transport.abort()

    async def run() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            return await look(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            await asyncio.gather(*ended)

    return asyncio.run(run())


def test_practice_server_is_good(tmp_path: Path) -> None:
    """A server with a certificate for its name, by a trusted authority, is good."""

    async def run() -> probe.Probe:
        server = await start()
        path = tmp_path / "ca.pem"
        path.write_bytes(server.ca_pem())
        try:
            found = await probe.probe(
                server.host_name, server.address, server.port, settings(str(path))
            )
            other = await probe.probe(
                "other.example", server.address, server.port, settings(str(path))
            )
        finally:
            await server.stop()
        assert other.verdict is not None
        assert not other.verdict.verified
        return found

    found = asyncio.run(run())
    assert found.good
    assert (found.code, found.starttls) == (220, True)
    assert "PIPELINING" in found.extensions
    assert found.chain


@pytest.mark.parametrize(
    ("answers", "fault", "starttls"),
    [
        ([b"220 hi\r\n", b"250-hi\r\n250 SIZE\r\n"], "", False),
        ([b"554 go away\r\n"], "greets with 554", None),
        ([b"220 hi\r\n", b"502 no\r\n"], "EHLO with 502", None),
        (
            [b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"454 later\r\n"],
            "STARTTLS with 454",
            True,
        ),
        ([b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"220 go\r\n", b"x" * 90], "", True),
        ([], "", None),
        ([b"\x00\xff\x1b[31m\r\n"], "greets with", None),
    ],
)
def test_servers_good_and_bad(answers: list[bytes], fault: str, starttls: bool | None) -> None:
    """Whatever a server does becomes a fact or a fault in words, on an ordinary report."""

    async def look(port: int) -> probe.Probe:
        return await probe.probe("mx.example.com", "127.0.0.1", port, settings())

    found = served(answers, look)
    assert fault in found.fault
    assert bool(found.fault) or starttls is False
    assert found.starttls is starttls
    assert not found.good
    assert json.dumps(found.to_json())
    assert "\x1b" not in "".join(plain_lines(probe.report([found])))


def test_silent_server_is_given_up() -> None:
    """A server that says nothing is given up after the time-out."""

    async def look(port: int) -> probe.Probe:
        return await probe.probe("mx.example.com", "127.0.0.1", port, settings(timeout="0.3"))

    assert served([b""], look).fault == "it took too long"


def test_nobody_listens() -> None:
    """A port on which nobody listens is a fault in words."""
    found = asyncio.run(probe.probe("mx.example.com", "127.0.0.1", 1, settings()))
    assert "refused" in found.fault
    assert found.code is None


def test_hosts_side_by_side(tmp_path: Path) -> None:
    """All addresses of a domain are probed, and the facts stand beside the records."""

    async def run() -> Result:
        server = await start()
        zone = tmp_path / "zone"
        zone.write_text(
            "practice.example. MX 10 mail.practice.example.\n"
            "practice.example. MX 20 dead.practice.example.\n"
            "mail.practice.example. A 127.0.0.1\n"
            "dead.practice.example. A 127.0.0.2\n",
            encoding="ascii",
        )
        words = ["practice.example", "--probe", "--port", str(server.port), "--zone", str(zone)]
        try:
            return (await results(mx.LOOKUP, words, settings()))[0]
        finally:
            await server.stop()

    found = asyncio.run(run())
    assert [each["host"] for each in found.facts["probes"]] == [
        "mail.practice.example",
        "dead.practice.example",
    ]
    assert found.facts["probes"][0]["starttls"] is True
    assert "refused" in found.facts["probes"][1]["fault"]
    shown = "\n".join(plain_lines(found.report))
    assert "STARTTLS" in shown
    assert "NOT verified" in shown
    assert found.status == 1


def test_presented_certificate_against_tlsa(tmp_path: Path) -> None:
    """TLSA records are matched with the certificate the server really presents."""

    async def run(data: str | None) -> Result:
        server = await start()
        try:
            seen = await probe.probe(server.host_name, server.address, server.port, settings())
            right = dane_match.association(seen.chain[0], 1, 1)
            zone = tmp_path / "zone"
            zone.write_text(
                "practice.example. MX 10 mail.practice.example.\n"
                "mail.practice.example. A 127.0.0.1\n"
                f"_{server.port}._tcp.mail.practice.example. TLSA 3 1 1 {data or right}\n",
                encoding="ascii",
            )
            words = ["practice.example", "--probe", "--port", str(server.port)]
            return (await results(tlsa.LOOKUP, [*words, "--zone", str(zone)], settings()))[0]
        finally:
            await server.stop()

    good = asyncio.run(run(None))
    assert good.facts["hosts"][0]["matches"][0]["matched"] is True
    bad = asyncio.run(run("ab" * 32))
    assert bad.facts["hosts"][0]["matches"][0]["matched"] is False
    assert bad.status == 1


def test_chain_from_a_file(tmp_path: Path) -> None:
    """A record can be matched with certificates from a file."""
    import ssl

    import trustme

    pem = trustme.CA().issue_cert("mx.example.com").cert_chain_pems[0].bytes()
    path = tmp_path / "chain.pem"
    path.write_bytes(pem)
    data = dane_match.association(ssl.PEM_cert_to_DER_cert(pem.decode()), 1, 1)

    async def run(record: str) -> Result:
        words = ["--record", record, "--chain", str(path)]
        return (await results(tlsa.LOOKUP, words, settings()))[0]

    assert asyncio.run(run(f"3 1 1 {data}")).status == 0
    assert asyncio.run(run("3 1 1 " + "00" * 32)).status == 1
    assert LOOKUPS["tlsa"].module == "tlsa"
