"""The faults of a presented chain: trust, dates, name, purpose, strength and order, each by itself.

Trust is OpenSSL's own judgement (trust.py); the rest is read from the facts (certificates.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from smtpshell.net import certificates, trust
from smtpshell.net.names import covers, matches
from smtpshell.net.verdict import KEEPER, Problem
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from smtpshell.net.certificates import CertificateFacts
    from smtpshell.net.tls import TlsSettings

_SOON = 14  # days before the last one from which on the end is announced
_SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1"  # RFC 5280 4.2.1.12
_ANY_PURPOSE = "2.5.29.37.0"


def faults_of_chain(
    chain: tuple[CertificateFacts, ...],
    host: str | None,
    settings: TlsSettings,
    *,
    now: datetime | None = None,
) -> tuple[Problem, ...]:
    """Return every fault of a presented chain, the gravest questions first."""
    if not chain:
        return (
            Problem(
                "no-certificate",
                "the server sent no certificate",
                f"{KEEPER}: anyone on the way can read and change what is sent.",
            ),
        )
    moment = now or datetime.now(UTC)
    problems = list(_faults_of_trust(chain, settings, now, moment))
    if host:
        problems.extend(_faults_of_names(chain[0], host))
    problems.extend(_faults_of_purpose(chain[0]))
    problems.extend(_faults_of_strength(chain))
    problems.extend(_faults_of_order(chain))
    problems.extend(
        Problem("odd", f"{oddity}, in {_title(one)}", f"{KEEPER}.", fatal=False)
        for one in chain
        for oddity in one.oddities
    )
    return tuple(problems)


def _title(one: CertificateFacts) -> str:
    """Return what a sentence calls a certificate."""
    return one.common_name or (one.names[0] if one.names else "") or one.subject or "a certificate"


# Trust and dates.


def _faults_of_trust(
    chain: tuple[CertificateFacts, ...],
    settings: TlsSettings,
    now: datetime | None,
    moment: datetime,
) -> Iterator[Problem]:
    presented = [one.der for one in chain]
    store = trust.TrustStore(settings)
    judgement = store.judge(presented, now)
    if judgement.trusted:
        yield from _faults_of_dates(chain[:1], moment)
        return
    timeless = judgement
    if judgement.code != trust.UNREADABLE:
        timeless = store.judge_without_dates(presented)
    if not timeless.trusted:
        yield _untrusted(chain, timeless)
        yield from _faults_of_dates(chain, moment)
        return
    path = tuple(certificates.facts(der) for der in timeless.path)
    dated = tuple(_faults_of_dates(path, moment))
    yield from dated
    if not any(problem.fatal for problem in dated):
        yield Problem("chain", f"the chain is refused: {judgement.message}", f"{KEEPER}.")


def _untrusted(chain: tuple[CertificateFacts, ...], judgement: trust.Judgement) -> Problem:
    leaf = chain[0]
    last = chain[min(judgement.depth, len(chain) - 1)]
    private = "if it is a CA of your own, give its certificate as CA file (--ca, /set ca)"
    if judgement.code == trust.SELF_SIGNED:
        return Problem(
            "self-signed",
            "the certificate is self-signed: nobody else vouches for it",
            f"Compare its fingerprint with the keeper's, or {private}.",
        )
    if judgement.code == trust.UNTRUSTED_ROOT:
        root = next((one for one in chain[1:] if one.self_signed), chain[-1])
        return Problem(
            "untrusted-root",
            f"the chain ends at {_title(root)}, which is not trusted here",
            f"{private[0].upper()}{private[1:]}; otherwise take care.",
        )
    if judgement.code in trust.NO_ISSUER:
        if len(chain) == 1:
            where = f" (it can be fetched from {leaf.issuer_url})" if leaf.issuer_url else ""
            return Problem(
                "missing-intermediate",
                f"the server sent its certificate alone, and its issuer {leaf.issuer} "
                f"is not trusted here{where}",
                f"{KEEPER} to send the intermediate certificates too; {private}.",
            )
        return Problem(
            "unknown-issuer",
            f"nobody trusted here has issued {_title(last)}; its issuer is {last.issuer}",
            f"{KEEPER} to send the whole chain; {private}.",
        )
    code, words = _TRUST_ERRORS.get(judgement.code, ("chain", judgement.message))
    return Problem(code, f"the chain is refused: {words}, at {_title(last)}", f"{KEEPER}.")


# OpenSSL's other verification errors (x509_vfy.h).
_TRUST_ERRORS: dict[int, tuple[str, str]] = {
    trust.UNREADABLE: ("unreadable", "a certificate cannot be read"),
    6: ("unreadable", "an issuer's public key cannot be read"),
    7: ("bad-signature", "a signature is wrong"),
    24: ("not-a-ca", "a certificate that may not issue others has issued one"),
    25: (
        "path-too-long",
        "there are more certificates between root and server than the root allows",
    ),
    26: ("wrong-purpose", "a certificate is not meant for this use"),
    32: ("not-a-ca", "a certificate that may not issue others has issued one"),
    34: ("unreadable", "a certificate has a critical part that is not understood"),
    47: ("name-constraints", "the issuer may not vouch for this name"),
    48: ("name-constraints", "the issuer may not vouch for this name"),
    66: ("weak-key", "the server's key is too weak"),
    67: ("weak-key", "an issuer's key is too weak"),
    68: ("weak-signature", "a signature is too weak"),
    79: ("not-a-ca", "a certificate that may not issue others has issued one"),
}


def _faults_of_dates(chain: tuple[CertificateFacts, ...], moment: datetime) -> Iterator[Problem]:
    for place, one in enumerate(chain):
        who = "the certificate" if place == 0 else f"the issuer's certificate {_title(one)}"
        prefix = "" if place == 0 else "issuer-"
        if one.not_after < moment:
            days = -one.days_left(moment)
            yield Problem(
                f"{prefix}expired",
                f"{who} expired on {one.not_after:%Y-%m-%d}, {days} day{'s' * (days != 1)} ago",
                f"{KEEPER} to renew it; check this machine's clock too.",
            )
        elif one.not_before > moment:
            yield Problem(
                f"{prefix}not-yet-valid",
                f"{who} is valid only from {one.not_before:%Y-%m-%d %H:%M} UTC on",
                "Check this machine's clock, and the server's.",
            )
        elif place == 0 and one.days_left(moment) < _SOON:
            days = one.days_left(moment)
            yield Problem(
                "expires-soon",
                f"{who} expires in {days} day{'s' * (days != 1)}, on {one.not_after:%Y-%m-%d}",
                f"{KEEPER}, unless renewal is automatic.",
                fatal=False,
            )


# Names and purpose.


def _faults_of_names(leaf: CertificateFacts, host: str) -> Iterator[Problem]:
    if covers(host, leaf.names, leaf.addresses):
        return
    known = (*leaf.names, *leaf.addresses)
    shown = visible(host)
    if not known and matches(leaf.common_name, host):
        yield Problem(
            "common-name-only",
            f"the certificate names {shown} only in its common name, which is no longer read",
            f"{KEEPER} to get one with subject alternative names.",
        )
        return
    listed = ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")
    listed = listed or (
        f"{leaf.common_name} (a common name only)" if leaf.common_name else "nobody"
    )
    yield Problem(
        "wrong-name",
        f"the certificate is not for {shown}, but for {listed}",
        "Connect under one of its names, or have the name added.",
    )


def _faults_of_purpose(leaf: CertificateFacts) -> Iterator[Problem]:
    if leaf.purposes and not {_SERVER_AUTHENTICATION, _ANY_PURPOSE} & set(leaf.purposes):
        yield Problem(
            "wrong-purpose",
            "the certificate is not meant for servers (its extended key usage does not say so)",
            f"{KEEPER} to get one for TLS servers.",
        )


# Strength and order.


def _faults_of_strength(chain: tuple[CertificateFacts, ...]) -> Iterator[Problem]:
    least = {"RSA": 2048, "DSA": 2048, "EC": 224}  # bits, NIST SP 800-57 part 1, 112-bit strength
    for place, one in enumerate(chain):
        whose = "the server's key" if place == 0 else f"the key of {_title(one)}"
        if 0 < one.key_bits < least.get(one.key_kind, 0):
            yield Problem(
                "weak-key",
                f"{whose} is too short: {one.key}",
                f"{KEEPER} to use at least {least[one.key_kind]} bits.",
            )
        if one.signature_hash.lower() in ("md2", "md4", "md5", "sha1") and not one.self_signed:
            yield Problem(
                "weak-signature",
                f"{_title(one)} is signed with {one.signature_hash.upper()}, which can be forged",
                f"{KEEPER} to get one signed with SHA-256.",
            )


def _issuers_in_order(chain: tuple[CertificateFacts, ...]) -> list[int]:
    """Return the places of the server's certificate, its issuer's, and so on, as far as sent."""
    places = [0]
    while not chain[places[-1]].self_signed:
        issuer = chain[places[-1]].issuer
        found = next(
            (
                place
                for place, one in enumerate(chain)
                if place not in places and one.subject == issuer
            ),
            None,
        )
        if found is None:
            break
        places.append(found)
    return places


def _faults_of_order(chain: tuple[CertificateFacts, ...]) -> Iterator[Problem]:
    """Each certificate must be followed by its issuer's (RFC 5246 7.4.2; RFC 8446 is lenient)."""
    places = _issuers_in_order(chain)
    if places != sorted(places):
        yield Problem(
            "wrong-order",
            "the certificates are sent in the wrong order: each must be followed by its issuer",
            f"{KEEPER} to put the server's first, then its issuer's, and so on.",
            fatal=False,
        )
    wanted = {one.issuer for one in chain if not one.self_signed}
    seen: set[bytes] = set()
    for place, one in enumerate(chain):
        if one.der in seen or (place not in places and one.subject not in wanted):
            yield Problem(
                "stray-certificate",
                f"{_title(one)} is sent but has no part in the chain",
                f"{KEEPER} to leave it out.",
                fatal=False,
            )
        seen.add(one.der)
