"""Personalities: the words of well-known servers, so that a learner meets them here first.

Only texts differ. What a server does belongs to its scenario; a scenario's own `[replies]` table
goes over the personality's. The lines are as the servers send them in their default configuration.
"""

from __future__ import annotations

from collections.abc import Mapping

PERSONALITIES: Mapping[str, Mapping[str, str]] = {
    "practice": {},
    "postfix": {
        "greeting": "220 {host} ESMTP Postfix",
        "vrfy": "252 2.0.0 {argument}",
        "not-implemented": "502 5.5.1 Error: command not implemented",
        "bad-login": "535 5.7.8 Error: authentication failed: authentication failure",
        "no-mechanism": "535 5.7.8 Error: authentication failed: Invalid authentication mechanism",
    },
    "exim": {
        "greeting": "220 {host} ESMTP Exim 4.97",
        "hello": "250 {host} Hello {helo} [{client}]",
        "mail": "250 OK",
        "rcpt": "250 Accepted",
        "data": '354 Enter message, ending with "." on a line by itself',
        "queued": "250 OK id={queue}",
        "quit": "221 {host} closing connection",
        "relay-denied": "550 relay not permitted",
        "unknown-user": "550 Unrouteable address",
        "not-recognized": "500 unrecognized command",
        "hello-first": "503 HELO or EHLO required",
        "mail-first": "503 sender not yet given",
        "rcpt-first": "503 valid RCPT command must precede DATA",
        "nested-mail": "503 sender already given",
        "bad-login": "535 Incorrect authentication data",
        "too-big": "552 Message size exceeds maximum permitted",
        "starttls": "220 TLS go ahead",
        "logged-in": "235 Authentication succeeded",
    },
    "exchange": {
        "greeting": "220 {host} Microsoft ESMTP MAIL Service ready",
        "hello": "250 {host} Hello [{client}]",
        "mail": "250 2.1.0 Sender OK",
        "rcpt": "250 2.1.5 Recipient OK",
        "data": "354 Start mail input; end with <CRLF>.<CRLF>",
        "queued": "250 2.6.0 <{queue}@{host}> Queued mail for delivery",
        "quit": "221 2.0.0 Service closing transmission channel",
        "relay-denied": "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
        "unknown-user": "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found",
        "not-recognized": "500 5.3.3 Unrecognized command",
        "hello-first": "503 5.5.2 Send hello first",
        "mail-first": "503 5.5.2 Need mail command",
        "rcpt-first": "503 5.5.2 Need rcpt command",
        "bad-login": "535 5.7.3 Authentication unsuccessful",
        "starttls": "220 2.0.0 SMTP server ready",
    },
}
"""Rows of `protocol.serverreplies.REPLIES`, by personality."""
