"""The verdict on a TLS connection: everything that is wrong with it, not only the first fault.

The handshake went through without verification; now each question is asked on its own: does the
chain lead to a trusted root (OpenSSL's answer, see trust.py), does the certificate name the host,
is it valid today, may it serve, are key and signature strong enough, is the chain in order, are
version and cipher of today. `verified` is true exactly when a client that verifies would have
accepted the certificate; faults that such a client overlooks are told, and are not `fatal`.

What concerns the chain is in chain.py, loaded only when the chain is looked at.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from smtpshell.net.certificates import CertificateFacts
    from smtpshell.net.tls import TlsSettings

KEEPER = "Tell the server's keeper"
"""How advice begins that only the server's keeper can follow."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: a `code` for scripts, a sentence without full stop, advice; `fatal` to trust."""

    code: str
    text: str
    advice: str
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What TLS gives on this connection.

    `bits` are the cipher's; `group` is the key exchange group where it is known; `chain` is what
    the server sent, in its order (empty when the ssl module verified and nobody asked for more);
    `trust` says whose trusted certificates were asked: `system`, `given` or `practice`.
    """

    verified: bool
    problems: tuple[Problem, ...]
    version: str
    cipher: str
    bits: int
    group: str | None = None
    chain: tuple[CertificateFacts, ...] = ()
    trust: str = "system"
    host: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields of the `tls` event."""
        return {
            "version": self.version,
            "cipher": self.cipher,
            "verified": self.verified,
            "problems": [problem.text for problem in self.problems],
        }


def judge(
    ssl_object: ssl.SSLObject | ssl.SSLSocket,
    host: str | None,
    settings: TlsSettings,
    *,
    group: str | None = None,
    full: bool = False,
    now: datetime | None = None,
) -> Verdict:
    """Judge a connection whose handshake is done, as seen by someone who wanted `host`.

    Where the ssl module itself has verified, its word is taken and nothing heavy is imported,
    unless `full` asks for the chain's facts. No `host` leaves the name uncompared.
    """
    name, version, bits = ssl_object.cipher() or ("", "", 0)
    version = ssl_object.version() or version
    verified_below = settings.verify and ssl_object.context.verify_mode == ssl.CERT_REQUIRED
    chain: tuple[CertificateFacts, ...] = ()
    problems: list[Problem] = []
    if full or not verified_below:
        from smtpshell.net import certificates
        from smtpshell.net.chain import faults_of_chain

        chain = tuple(certificates.facts(der) for der in certificates.presented_chain(ssl_object))
        problems.extend(faults_of_chain(chain, host, settings, now=now))
    problems.extend(_faults_of_channel(version, name))
    return Verdict(
        verified=verified_below or not any(problem.fatal for problem in problems),
        problems=tuple(problems),
        version=version,
        cipher=name,
        bits=bits,
        group=group,
        chain=chain,
        trust=settings.trust,
        host=host or "",
    )


def _faults_of_channel(version: str, cipher: str) -> Iterator[Problem]:
    if version in ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1"):
        yield Problem(
            "old-version",
            f"{'TLSv1.0' if version == 'TLSv1' else version} is out of use (RFC 8996)",
            f"{KEEPER} to allow TLS 1.2 and 1.3.",
            fatal=False,
        )
    weak = next((mark for mark in _WEAK_CIPHERS if mark in cipher), None)
    if weak is not None:
        yield Problem(
            "weak-cipher",
            f"the cipher {cipher} is weak: {_WEAK_CIPHERS[weak]}",
            f"{KEEPER} to offer AES-GCM or ChaCha20.",
            fatal=False,
        )
    elif cipher and not cipher.startswith(("TLS_", "ECDHE", "DHE")):
        yield Problem(
            "no-forward-secrecy",
            f"the cipher {cipher} has no forward secrecy: who gets the key can read old traffic",
            f"{KEEPER} to prefer ECDHE.",
            fatal=False,
        )


# A part of OpenSSL's name of the cipher, and what is wrong with it.
_WEAK_CIPHERS: dict[str, str] = {
    "NULL": "it does not encrypt",
    "EXP": "its key is so short that anyone can guess it",
    "ADH": "it does not prove who the server is",
    "AECDH": "it does not prove who the server is",
    "RC4": "RC4 is broken (RFC 7465)",
    "DES": "its blocks are too small (Sweet32)",
    "IDEA": "its blocks are too small (Sweet32)",
    "MD5": "it relies on MD5",
}
