"""What fails without a reply: the phrases of operating systems, TLS libraries and programs.

A program that gets no reply tells what its system said: "Connection refused", "Name or service not
known". Each row is a phrase in lower case and the kind of failure, a key of
`knowledge.failures.failures()`. The first row that occurs in a line counts, so the more telling
ones stand first.
"""

from __future__ import annotations

import re
from functools import cache

_PHRASES: tuple[tuple[str, str], ...] = (
    # No greeting, and other silence on a connection that stands.
    ("connection unexpectedly closed: timed out", "no-banner"),
    ("connection unexpectedly closed: the read operation timed out", "no-banner"),
    ("greeting never received", "no-banner"),
    ("timed out while receiving the initial server greeting", "no-banner"),
    ("timed out while waiting for the greeting", "no-banner"),
    ("with 0 bytes received", "no-banner"),
    ("waiting for server response", "no-banner"),
    ("exception reading response", "no-banner"),
    ("[net::smtp] timeout", "no-banner"),
    ("network read error: the operation timed out", "no-banner"),
    ("read timed out", "timeout"),
    ("net::readtimeout", "timeout"),
    ("the operation has timed out", "timeout"),
    ("read operation timed out", "timeout"),
    ("timed out while", "timeout"),
    ("data timeout", "timeout"),
    # The name.
    ("temporary failure in name resolution", "no-dns"),
    ("try again)", "no-dns"),
    ("host not found, try again", "no-dns"),
    ("eai_again", "no-dns"),
    ("etimeout", "no-dns"),
    ("name or service not known", "unresolved"),
    ("nodename nor servname", "unresolved"),
    ("no address associated with host", "unresolved"),
    ("could not resolve host", "unresolved"),
    ("getaddrinfo enotfound", "unresolved"),
    ("getaddrinfo failed", "unresolved"),
    ("no such host", "unresolved"),
    ("unknownhostexception", "unresolved"),
    ("bad hostname", "unresolved"),
    ("cannot locate host", "unresolved"),
    ("remote name could not be resolved", "unresolved"),
    ("could not translate host name", "unresolved"),
    # The way there.
    ("connection refused", "refused"),
    ("econnrefused", "refused"),
    ("actively refused", "refused"),
    ("couldn't connect to server", "refused"),
    ("[errno 111] connect call failed", "refused"),
    ("network is unreachable", "unreachable"),
    ("no route to host", "unreachable"),
    ("host is unreachable", "unreachable"),
    ("enetunreach", "unreachable"),
    ("ehostunreach", "unreachable"),
    ("unreachable host", "unreachable"),
    ("unreachable network", "unreachable"),
    ("connection timed out", "filtered"),
    (": timed out]", "filtered"),
    ("did not accept our requests to connect", "filtered"),
    ("able to establish an smtp connection", "filtered"),
    ("connect timed out", "filtered"),
    ("connection timeout", "filtered"),
    ("connection attempt failed because the connected party", "filtered"),
    ("etimedout", "filtered"),
    ("timeout was reached", "filtered"),
    ("execution expired", "filtered"),
    ("i/o timeout", "filtered"),
    ("operation timed out", "filtered"),
    ("timeouterror", "filtered"),
    ("socket.timeout", "filtered"),
    ("connection reset", "reset"),
    ("econnreset", "reset"),
    ("forcibly closed", "reset"),
    # TLS.
    ("wrong version number", "tls-to-plain"),
    ("wrong_version_number", "tls-to-plain"),
    ("unsupported or unrecognized ssl message", "tls-to-plain"),
    ("unexpected tls packet", "tls-to-plain"),
    ("first record does not look like a tls handshake", "tls-to-plain"),
    ("unknown protocol", "tls-to-plain"),
    ("certificate verify failed", "certificate"),
    ("certificate_verify_failed", "certificate"),
    ("certificate verification failed", "certificate"),
    ("unable to verify the first certificate", "certificate"),
    ("unable to get local issuer certificate", "certificate"),
    ("unable to get issuer certificate", "certificate"),
    ("self-signed certificate", "certificate"),
    ("self signed certificate", "certificate"),
    ("depth_zero_self_signed_cert", "certificate"),
    ("pkix path building failed", "certificate"),
    ("certificate has expired", "certificate"),
    ("cert_has_expired", "certificate"),
    ("certificate's altnames", "certificate"),
    ("altname_invalid", "certificate"),
    ("did not match expected name", "certificate"),
    ("no alternative certificate subject name", "certificate"),
    ("remote certificate is invalid", "certificate"),
    ("x509: certificate", "certificate"),
    ("tls startup failed", "tls-failed"),
    ("handshake failed", "tls-failed"),
    ("handshake failure", "tls-failed"),
    ("handshake_failure", "tls-failed"),
    ("ssl_connect error", "tls-failed"),
    ("no protocols available", "tls-failed"),
    ("no shared cipher", "tls-failed"),
    ("eof occurred in violation of protocol", "tls-failed"),
    ("unsupported protocol", "tls-failed"),
    ("no appropriate protocol", "tls-failed"),
    ("sslhandshakeexception", "tls-failed"),
    # What mail programs with windows say: Thunderbird, Outlook, Apple Mail.
    ("may be unavailable or is refusing smtp connections", "refused"),
    ("was lost in the middle of the transaction", "closed"),
    ("connection to outgoing server", "filtered"),
    ("using starttls since it does", "no-starttls"),
    ("seem to support encrypted passwords", "no-auth"),
    ("not support the selected authentication method", "no-auth"),
    ("support any compatible authentication method", "no-auth"),
    ("n't support the selected authentication method", "no-auth"),
    ("unable to authenticate to outgoing server", "login-failed"),
    ("login to server", "login-failed"),
    ("cannot connect to your outgoing", "failed"),
    ("connect using smtp on port", "failed"),
    ("0x800ccc0d", "unresolved"),
    ("0x800ccc0e", "failed"),
    ("0x800ccc0f", "closed"),
    ("0x80042109", "failed"),
    # What the server does not offer.
    ("starttls command failed", "no-starttls"),
    ("did not advertise starttls", "no-starttls"),
    ("starttls extension not supported", "no-starttls"),
    ("starttls is required but", "no-starttls"),
    ("starttls not supported", "no-starttls"),
    ("starttls is not supported", "no-starttls"),
    ("requested ssl level failed", "no-starttls"),
    ("support tls via the starttls", "no-starttls"),
    ("not support secure connections", "no-starttls"),
    ("not support the connection encryption", "no-starttls"),
    ("not support encryption", "no-starttls"),
    ("n't support encryption", "no-starttls"),
    ("not support ssl", "no-starttls"),
    ("n't support ssl", "no-starttls"),
    ("not support tls", "no-starttls"),
    ("n't support tls", "no-starttls"),
    ("tls is required, but was not offered", "no-starttls"),
    ("server doesn't support starttls", "no-starttls"),
    ("did not advertise authentication", "no-auth"),
    ("auth extension not supported", "no-auth"),
    ("does not support authentication", "no-auth"),
    ("server doesn't support auth", "no-auth"),
    ("no authentication mechanisms supported", "no-auth"),
    ("no supported authentication", "no-auth"),
    ("no suitable authentication", "no-auth"),
    ("no authentication type succeeded", "login-failed"),
    ("login denied", "login-failed"),
    ("could not authenticate", "login-failed"),
    ("no password was given", "login-failed"),
    ("no password found", "login-failed"),
    # The end of a connection.
    ("connection unexpectedly closed", "closed"),
    ("closed connection unexpectedly", "closed"),
    ("server closed the connection", "closed"),
    ("lost connection with", "closed"),
    ("remote end closed", "closed"),
    ("unexpected eof", "closed"),
    ("broken pipe", "closed"),
    ("end of file reached", "closed"),
    ("empty reply from server", "closed"),
    ("unexpected socket close", "closed"),
    ("net_io_connectionclosed", "closed"),
    ("weird server reply", "not-smtp"),
    # Programs that tell no reason.
    ("could not connect to smtp host", "failed"),
    ("failure sending mail", "failed"),
    ("unable to connect to the remote server", "failed"),
    ("transport failed to connect", "failed"),
    ("smtp connect() failed", "failed"),
    ("unable to initialize smtp", "failed"),
    ("cannot open mailhub", "failed"),
    ("ssmtp: cannot open", "failed"),
    ("timed out", "timeout"),
)

_HINTS = (
    *("refus", "time", "name", "host", "connect", "ssl", "tls", "auth", "cert", "closed", "reset"),
    *("unreach", "route", "login", "eof", "pipe", "eai_", "version", "greeting", "0 bytes"),
    *("econn", "encrypt", "secure conn", "0x800", "lost in"),
    *("reading response", "waiting for", "enotfound", "try again", "server response", "protocol"),
    *("getaddrinfo", "cipher", "handshake", "password", "no address", "pkix", "sending mail"),
    *("expired", "end of file", "empty reply", "socket close", "weird server", "suitable auth"),
    *("ssl level", "initialize smtp", "cannot open"),
)
"""Each phrase holds one of these, so that most lines are done with after a few quick looks."""


def failure_in(text: str) -> str:
    """Return the kind of failure that a text tells of, or "".

    >>> failure_in("connect to mx.example.com[192.0.2.1]:25: Connection refused")
    'refused'
    """
    text = text[:2_000].lower()
    if not any(hint in text for hint in _HINTS):
        return ""
    return next((kind for phrase, kind in _PHRASES if phrase in text), "")


PHRASES = _PHRASES
"""Every row, for those who check them."""


@cache
def _places() -> tuple[re.Pattern[str], ...]:
    name = r"(?<![\w.-])(?P<host>[\w-]{1,63}(?:\.[\w-]{1,63}){1,10})\.?"
    return (
        re.compile(name + r"(?:\[[0-9a-fA-F.:]{2,45}\])?:(?P<port>[0-9]{2,5})(?![\w.])"),
        re.compile(name + r",?(?: on)? port:? (?P<port>[0-9]{2,5})(?!\w)"),
        re.compile(r"host, port: " + name + r", (?P<port>[0-9]{2,5})"),
        re.compile(r"host: " + name + r", port: (?P<port>[0-9]{2,5})"),
        re.compile(
            r"(?i)(?:\bhost(?: ?name)?[:=]? |enotfound |unknownhostexception: |lookup "
            r"|bad hostname |connect(?:ion)? (?:to|with) | by |\(smtp\) |login to server )['\"]?"
            + name
        ),
    )


_FILES = (".c", ".php", ".js", ".ts", ".py", ".pl", ".pm", ".go", ".java", ".rb", ".cs")
"""Ends of names that look like a host's with a port, and are a file's with a line number."""


def place_in(text: str) -> dict[str, object]:
    """Return the host and the port that a text about a failure names.

    >>> place_in("cannot connect to mx.example.com, port 25: Connection refused")
    {'host': 'mx.example.com', 'port': 25}
    """
    text = text[:2_000]
    for pattern in _places():
        match = pattern.search(text)
        if match is not None and not match["host"].endswith(_FILES):
            found = match.groupdict()
            facts: dict[str, object] = {"host": found["host"]}
            if found.get("port") and 0 < int(found["port"]) < 65536:
                facts["port"] = int(found["port"])
            return facts
    return {}
