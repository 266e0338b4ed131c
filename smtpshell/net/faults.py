"""OpenSSL's reasons in plain words: what went wrong in the handshake and what to try.

OpenSSL names a reason in capitals (`TLSV1_ALERT_PROTOCOL_VERSION`); the table below turns it into a
kind, a sentence and advice. Reasons that are not in the table are still told, as OpenSSL put them.
"""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING

from smtpshell.net.doors import plain_smtp, wrong_door
from smtpshell.net.errors import TlsError, TlsKind
from smtpshell.protocol.errors import Status
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from smtpshell.net.layer import TlsLayer

_OLD = "Allow older versions (minimum TLS 1.0), or ask the server's keeper to update it."

# A pattern that the whole reason matches, the kind, what happened, what to try.
_REASONS: tuple[tuple[str, TlsKind, str, str], ...] = (
    (
        r"(TLSV1_ALERT|SSLV3_ALERT|TLSV13_ALERT)_PROTOCOL_VERSION|TLSV1_ALERT_INSUFFICIENT_SECURITY",
        "version",
        "the server accepts no TLS version that we offered",
        "Widen the range of TLS versions (minimum and maximum).",
    ),
    (
        r"UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_SSL_VERSION|INAPPROPRIATE_FALLBACK",
        "version",
        "the server chose a TLS version older than allowed here",
        _OLD,
    ),
    (
        r"NO_PROTOCOLS_AVAILABLE",
        "settings",
        "no TLS version is left between minimum and maximum",
        "Widen the range of TLS versions.",
    ),
    (
        r"NO_CIPHERS_AVAILABLE|NO_CIPHER_MATCH|NO_SHARED_CIPHER|WRONG_CIPHER_RETURNED",
        "cipher",
        "no cipher suite is common to both sides",
        "Leave the cipher list at its default, or allow older ciphers.",
    ),
    (
        r"SSLV3_ALERT_HANDSHAKE_FAILURE|TLSV1_ALERT_HANDSHAKE_FAILURE",
        "alert",
        "the server found no common ground (alert handshake_failure)",
        "It may want other ciphers, other versions or a client certificate.",
    ),
    (
        r"TLSV1_UNRECOGNIZED_NAME|TLSV1_ALERT_UNRECOGNIZED_NAME",
        "alert",
        "the server does not know the name we asked for (alert unrecognized_name)",
        "Give another name for SNI, or none.",
    ),
    (
        r"TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "alert",
        "the server demands a client certificate (alert certificate_required)",
        "Give a client certificate and its key.",
    ),
    (
        (
            r"(TLSV1|SSLV3)_ALERT_UNKNOWN_CA|SSLV3_ALERT_(BAD|UNKNOWN|NO)_?CERTIFICATE.*|"
            r"SSLV3_ALERT_CERTIFICATE_\w+|TLSV1_ALERT_ACCESS_DENIED"
        ),
        "alert",
        "the server refused our client certificate (alert {alert})",
        "Give a certificate that the server's keeper has accepted.",
    ),
    (
        r"DH_KEY_TOO_SMALL|EE_KEY_TOO_SMALL|CA_KEY_TOO_SMALL|CA_MD_TOO_WEAK|BAD_EC?POINT|BAD_LENGTH",
        "cipher",
        "the server's key or its key exchange is too weak for the security level",
        "Leave the cipher list at its default, which allows weak ones for diagnosis.",
    ),
    (
        r"UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
        "version",
        "the server knows only the unsafe renegotiation of old TLS (before RFC 5746)",
        "Ask the server's keeper to update it.",
    ),
    (
        r"\w*_ALERT_\w+",
        "alert",
        "the server refused the handshake (alert {alert})",
        "Try other versions, another name for SNI, or look into the server's log.",
    ),
    (
        (
            r"APPLICATION_DATA_AFTER_CLOSE_NOTIFY|DECRYPTION_FAILED_OR_BAD_RECORD_MAC|BAD_RECORD_TYPE|DATA_LENGTH_TOO_LONG|"
            r"UNEXPECTED_(MESSAGE|RECORD)|PACKET_LENGTH_TOO_LONG"
        ),
        "failed",
        "the server's octets are damaged TLS",
        "Something on the way changes the traffic: try from another network.",
    ),
)


def _looks_like_tls(first_octets: bytes) -> bool:
    return len(first_octets) < 3 or (first_octets[0] in range(0x14, 0x18) and first_octets[1] == 3)


def reason_of(error: ssl.SSLError) -> str:
    """Return OpenSSL's reason in capitals, from the error's text where it stands only there."""
    reason = getattr(error, "reason", None)
    if reason:
        return str(reason)
    words = re.sub(r"^\[.*?\] *|,? *\(_ssl\.c:\d+\).*$", "", error.strerror or str(error))
    return re.sub(r"\W+", "_", words).strip("_").upper()


def not_tls(first_octets: bytes, label: str) -> TlsError:
    """Make the error of a server that answered our handshake with something else."""
    door = wrong_door(first_octets)
    shown = visible(first_octets[:60].split(b"\r")[0].split(b"\n")[0])
    if plain_smtp(first_octets) and (door is None or door.service != "ftp"):
        what = f"the server speaks plain text here, not TLS: {shown}"
        advice = "Connect without TLS, then upgrade with STARTTLS if it is offered."
    elif door is not None:
        what, advice = f"no TLS here: {door.meaning}", door.next
    else:
        what = f"the server's answer is not TLS: {shown}"
        advice = "Check the port: TLS at once is on 465; elsewhere use STARTTLS."
    return TlsError("not-tls", what, label, advice, first_octets=first_octets)


def closed(label: str, *, spoke: bool) -> TlsError:
    """Make the error of a server that closed while the handshake was under way."""
    if spoke:
        what = "the server closed the connection in the middle of the handshake"
    else:
        what = "the server closed the connection when the handshake began"
    return TlsError(
        "closed",
        what,
        label,
        "It may want other TLS versions or have no certificate set up: look into its log.",
    )


def timed_out(label: str, seconds: float, *, spoke: bool) -> TlsError:
    """Make the error of a handshake that took too long."""
    what = (
        f"the handshake did not end within {seconds:g} s"
        if spoke
        else f"the server did not answer the handshake within {seconds:g} s"
    )
    advice = (
        "Try again, or give it more time."
        if spoke
        else "It may wait for plain text: connect without TLS, and check the port."
    )
    return TlsError("timeout", what, label, advice, status=Status.LOST)


def unusable_name(name: str | None, label: str) -> TlsError:
    """Make the error of a name that TLS cannot carry, or that is missing where it is verified."""
    what = (
        f"the name {visible(name)} cannot be used with TLS"
        if name
        else "there is no host name to verify the certificate by"
    )
    return TlsError("settings", what, label, "Give a host name for SNI.")


def tls_error(error: Exception | None, layer: TlsLayer, label: str) -> TlsError:
    """Turn what ended TLS (None: the peer's end of stream) into an error in plain words."""
    first = layer.first_octets
    if not layer.established and first and not _looks_like_tls(first):
        return not_tls(first, label)
    if isinstance(error, ssl.SSLCertVerificationError):
        return certificate(error, label, first)
    if error is None or isinstance(
        error, ssl.SSLEOFError | ssl.SSLSyscallError | ssl.SSLZeroReturnError
    ):
        return closed(label, spoke=bool(first))
    if not isinstance(error, ssl.SSLError):
        made = closed(label, spoke=bool(first))
        return TlsError("reset", made.what.replace("closed", "cut"), label, made.next)
    return known_reason(reason_of(error), label, first)


def known_reason(reason: str, label: str, first: bytes = b"") -> TlsError:
    """Turn one of OpenSSL's reasons into an error by the table."""
    for pattern, kind, what, advice in _REASONS:
        if re.fullmatch(pattern, reason):
            alert = re.sub(r"^(TLSV1|TLSV13|SSLV3)_(ALERT_)?", "", reason).lower()
            what = what.format(alert=alert)
            return TlsError(kind, what, label, advice, first_octets=first, reason=reason)
    words = reason.replace("_", " ").lower() or "for a reason that is not told"
    return TlsError(
        "failed",
        f"TLS failed: {words}",
        label,
        "Try other versions or ciphers, or look into the server's log.",
        first_octets=first,
        reason=reason,
    )


def certificate(error: ssl.SSLCertVerificationError, label: str, first: bytes) -> TlsError:
    """Make the error of a certificate that the ssl module itself refused."""
    message = (error.verify_message or "it could not be verified").rstrip(".")
    return TlsError(
        "certificate",
        f"the server's certificate was refused: {message[:1].lower()}{message[1:]}",
        label,
        "Connect without demanding verification to see the certificate and all its faults.",
        first_octets=first,
        reason="CERTIFICATE_VERIFY_FAILED",
    )
