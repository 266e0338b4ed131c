"""`tlsa`: DANE of a domain's mail hosts, and with `--probe` of what they really present."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.lookups import PROBLEM, base, render
from smtpshell.conversation.lookups.base import Lookup, Result, Scene
from smtpshell.protocol.errors import FileError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from smtpshell.conversation.lookups.probe import Probe
    from smtpshell.conversation.report import Report
    from smtpshell.lookup.dane import DaneFinding, DaneHost
    from smtpshell.lookup.dane_record import TlsaRecord


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", metavar="DOMAIN")
    parser.add_argument("--host", action="store_true", help="DOMAIN is a mail host itself")
    base.add_record(parser)
    parser.add_argument(
        "--chain", metavar="FILE", help="match against these certificates (PEM, server first)"
    )
    base.add_probing(parser, "match what each host presents")


async def _run(scene: Scene, options: argparse.Namespace) -> AsyncIterator[Result]:
    from smtpshell.lookup import dane, dane_record

    base.one_of(options, "domain", "record")
    chain = _read_chain(options.chain) if options.chain else ()
    if options.record is not None:
        parsed = dane_record.parse_record(base.record_text(options.record))
        yield _record(parsed, chain)
        return
    if options.host:
        host = await dane.lookup_host(scene.resolver, options.domain, port=options.port)
        found = dane.conclude(host.host, (host,), None)
    else:
        found = await dane.lookup(scene.resolver, options.domain, port=options.port)
    probes: list[Probe] = []
    if options.probe:
        found, probes = await _probed(scene, options, found)
    elif chain:
        hosts = tuple(dane.with_chain(each, chain, (found.domain,)) for each in found.hosts)
        found = dane.conclude(found.domain, hosts, found.exchangers)
    facts = render.with_unicode(found.to_json())
    rows = report(found)
    if probes:
        from smtpshell.conversation.lookups import probe

        facts["probes"] = [each.to_json() for each in probes]
        rows += probe.report(probes)
    yield Result(facts, rows, render.status(found))


async def _probed(
    scene: Scene, options: argparse.Namespace, found: DaneFinding
) -> tuple[DaneFinding, list[Probe]]:
    """Connect to every host and compare its records with the chain it presents."""
    from smtpshell.conversation.lookups import probe
    from smtpshell.lookup import dane

    places = []
    for host in found.hosts:
        answers = await scene.resolver.addresses(host.host)
        places += [(host.host, address) for each in answers for address in each.records]
    probes = await probe.probe_all(places, options.port, scene.settings)
    hosts: list[DaneHost] = []
    for host in found.hosts:
        chains = [each.chain for each in probes if each.host == host.host and each.chain]
        compared = [dane.with_chain(host, chain, (found.domain,)) for chain in chains]
        failing = next((each for each in compared if not each.valid), None)
        hosts.append(failing or (compared[0] if compared else host))
    return dane.conclude(found.domain, tuple(hosts), found.exchangers), probes


def _read_chain(name: str) -> tuple[bytes, ...]:
    import re
    import ssl
    from pathlib import Path

    try:
        text = Path(name).read_text("ascii", "replace")
    except OSError as error:
        raise FileError.from_os(error, name, "read") from error
    pattern = r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----"
    try:
        found = tuple(map(ssl.PEM_cert_to_DER_cert, re.findall(pattern, text, re.DOTALL)))
    except ValueError:
        found = ()
    if not found:
        raise UsageError("the file holds no certificate", name, "It must be PEM.")
    return found


def _record(record: TlsaRecord, chain: tuple[bytes, ...]) -> Result:
    facts = record.to_json()
    words = "can be used." if record.valid else f"cannot be used: {record.why}."
    rows = [
        *render.verdict(record, f"the record {words}"),
        *render.facts(_record_facts(record)),
        *render.problems(record.problems),
    ]
    if chain:
        from smtpshell.lookup import dane_match

        matched = dane_match.match(record, chain)
        facts["match_found"], facts["match_why"] = matched.matched, matched.why
        rows += render.facts([("match", f"{'yes' if matched.matched else 'NO'}: {matched.why}")])
        if not matched.matched:
            return Result(facts, rows, PROBLEM)
    return Result(facts, rows, render.status(record))


def _record_facts(record: TlsaRecord) -> list[tuple[str, str]]:
    return [
        ("usage", record.usage or ""),
        ("selector", record.selector or ""),
        ("matching", record.match or ""),
        ("data", record.data),
        ("drawback", record.warn),
    ]


def report(found: DaneFinding) -> Report:
    """Return DANE of a domain for people."""
    from smtpshell.lookup.dane import MEANINGS

    domain = render.shown_name(found.domain)
    meaning = MEANINGS.get(found.result, found.result)
    rows = render.verdict(found, f"{domain}: {meaning}.")
    for host in found.hosts:
        rows += _host(host)
    return [*rows, *render.steps(found.trace), *render.problems(found.problems)]


def _host(host: DaneHost) -> Report:
    word = f", by the word of {host.believed}" if host.believed else ""
    rows = render.wrapped(f"{host.host}: {host.result}{word}", "", 1)
    for record in host.records:
        said = record.why or record.warn or "can be used"
        rows += render.wrapped(f"{record.text}: {said}", "", 2)
    for each in host.matches:
        style, found = ("good", "matches") if each.matched else ("bad", "does NOT match")
        rows += render.wrapped(f"{found}: {each.why}", style, 2)
    return rows


LOOKUP = Lookup("tlsa", _arguments, _run)
main = LOOKUP.main
slash = LOOKUP.slash
