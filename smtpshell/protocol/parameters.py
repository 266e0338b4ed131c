"""The parameters that extensions add to commands, one row each.

A parameter stands behind the path of MAIL or RCPT as KEYWORD=value (RFC 5321 section 4.1.2), or
behind XCLIENT and XFORWARD as NAME=value. The rows feed the completer, the help and the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of one verb.

    `values` are complete values worth offering; where there are none, `syntax` shows the form.
    `extension` is the EHLO keyword that brings the parameter. `octets` is by how much that
    extension, with all its parameters, lengthens the command line that is allowed. `takes_value`
    is "yes" or "no".
    """

    verb: str
    keyword: str
    syntax: str
    summary: str
    extension: str
    section: str
    values: tuple[str, ...] = ()
    octets: int = 0
    takes_value: str = "yes"
    obsolete: bool = False


PARAMETERS: Mapping[tuple[str, str], Parameter] = {
    (row.verb, row.keyword): row
    for row in (
        Parameter(
            "MAIL",
            "SIZE",
            "SIZE=octets",
            "how large the message is, so that the server can refuse it early",
            "SIZE",
            "RFC 1870 6",
            octets=26,
        ),
        Parameter(
            "MAIL",
            "BODY",
            "BODY=7BIT|8BITMIME|BINARYMIME",
            "what kind of octets the message holds",
            "8BITMIME",
            "RFC 6152 2",
            ("7BIT", "8BITMIME", "BINARYMIME"),
            octets=17,
        ),
        Parameter(
            "MAIL",
            "SMTPUTF8",
            "SMTPUTF8",
            "addresses or headers hold characters beyond ASCII",
            "SMTPUTF8",
            "RFC 6531 3.4",
            octets=10,
            takes_value="no",
        ),
        Parameter(
            "MAIL",
            "RET",
            "RET=FULL|HDRS",
            "what a failure report shall return: the whole message or its headers",
            "DSN",
            "RFC 3461 4.3",
            ("FULL", "HDRS"),
            octets=100,
        ),
        Parameter(
            "MAIL",
            "ENVID",
            "ENVID=xtext",
            "your own name for this message, repeated in reports about it",
            "DSN",
            "RFC 3461 4.4",
            octets=100,
        ),
        Parameter(
            "MAIL",
            "AUTH",
            "AUTH=xtext|<>",
            "who first submitted the message, as a trusted server knows it",
            "AUTH",
            "RFC 4954 5",
            ("<>",),
            octets=500,
        ),
        Parameter(
            "MAIL",
            "BY",
            "BY=seconds;R|N[T]",
            "deliver within so many seconds, or Return it, or Notify the sender",
            "DELIVERBY",
            "RFC 2852 4",
            octets=17,
        ),
        Parameter(
            "MAIL",
            "HOLDFOR",
            "HOLDFOR=seconds",
            "keep the message so many seconds before sending it on",
            "FUTURERELEASE",
            "RFC 4865 4",
            octets=34,
        ),
        Parameter(
            "MAIL",
            "HOLDUNTIL",
            "HOLDUNTIL=date-time",
            "keep the message until this moment, as 2030-01-01T09:00:00Z",
            "FUTURERELEASE",
            "RFC 4865 4",
            octets=34,
        ),
        Parameter(
            "MAIL",
            "MT-PRIORITY",
            "MT-PRIORITY=-9..9",
            "how urgent the message is; 0 is normal, 9 the most urgent",
            "MT-PRIORITY",
            "RFC 6710 4.1",
            ("-4", "-2", "0", "2", "4"),
            octets=15,
        ),
        Parameter(
            "MAIL",
            "REQUIRETLS",
            "REQUIRETLS",
            "return the message rather than send it on over an unverified connection",
            "REQUIRETLS",
            "RFC 8689 2",
            octets=11,
            takes_value="no",
        ),
        Parameter(
            "MAIL",
            "SOLICIT",
            "SOLICIT=keyword[,keyword]",
            "what kinds of unasked advertising the message holds",
            "NO-SOLICITING",
            "RFC 3865 2",
            octets=1007,
        ),
        Parameter(
            "MAIL",
            "TRANSID",
            "TRANSID=<identifier>",
            "a name by which a broken-off transfer can be taken up again",
            "CHECKPOINT",
            "RFC 1845",
            octets=88,
        ),
        Parameter(
            "MAIL",
            "MTRK",
            "MTRK=certifier[:timeout]",
            "let the sender ask later where the message went",
            "MTRK",
            "RFC 3885 3",
            octets=40,
        ),
        Parameter(
            "MAIL",
            "CONPERM",
            "CONPERM",
            "servers on the way may convert the content",
            "CONPERM",
            "RFC 4141 4",
            octets=8,
            takes_value="no",
        ),
        Parameter(
            "MAIL",
            "SUBMITTER",
            "SUBMITTER=xtext",
            "the address responsible for this transmission (Sender ID, given up)",
            "SUBMITTER",
            "RFC 4405 4",
            octets=266,
            obsolete=True,
        ),
        Parameter(
            "MAIL",
            "ALT-ADDRESS",
            "ALT-ADDRESS=xtext",
            "an ASCII address to fall back to (first form of UTF-8 mail, given up)",
            "UTF8SMTP",
            "RFC 5336 3.4",
            octets=460,
            obsolete=True,
        ),
        Parameter(
            "RCPT",
            "NOTIFY",
            "NOTIFY=NEVER|SUCCESS,FAILURE,DELAY",
            "when to report about this recipient",
            "DSN",
            "RFC 3461 4.1",
            ("NEVER", "FAILURE", "SUCCESS", "DELAY", "SUCCESS,FAILURE", "SUCCESS,FAILURE,DELAY"),
            octets=500,
        ),
        Parameter(
            "RCPT",
            "ORCPT",
            "ORCPT=rfc822;xtext",
            "the recipient's address as the sender first wrote it",
            "DSN",
            "RFC 3461 4.2",
            ("rfc822;",),
            octets=500,
        ),
        Parameter(
            "RCPT",
            "RRVS",
            "RRVS=date-time[;C|R]",
            "deliver only if the mailbox has had the same owner since then",
            "RRVS",
            "RFC 7293 3.1",
            octets=33,
        ),
        Parameter(
            "RCPT",
            "CONNEG",
            "CONNEG",
            "ask what content the recipient's device can show",
            "CONNEG",
            "RFC 4141 5",
            octets=7,
            takes_value="no",
        ),
        Parameter(
            "RCPT",
            "ALT-ADDRESS",
            "ALT-ADDRESS=xtext",
            "an ASCII address to fall back to (first form of UTF-8 mail, given up)",
            "UTF8SMTP",
            "RFC 5336 3.4",
            octets=460,
            obsolete=True,
        ),
        *(
            Parameter(
                "XCLIENT", keyword, f"{keyword}={value}", summary, "XCLIENT", "Postfix XCLIENT"
            )
            for keyword, value, summary in (
                ("NAME", "host", "the client's verified name, or [UNAVAILABLE]"),
                ("ADDR", "address", "the client's address: 192.0.2.1 or IPV6:2001:db8::1"),
                ("PORT", "number", "the client's port"),
                ("PROTO", "SMTP|ESMTP", "the protocol the client spoke"),
                ("HELO", "host", "the name the client gave in its greeting"),
                ("LOGIN", "user", "the name the client logged in with"),
                ("DESTADDR", "address", "the address the client connected to"),
                ("DESTPORT", "number", "the port the client connected to"),
                ("REVERSE_NAME", "host", "the client's name, not verified"),
                ("SESSION", "identifier", "a name for the session in logs (Dovecot)"),
                ("TTL", "number", "how many more servers may pass this on (Dovecot)"),
                ("TIMEOUT", "seconds", "how long the client will wait (Dovecot)"),
            )
        ),
        *(
            Parameter(
                "XFORWARD", keyword, f"{keyword}={value}", summary, "XFORWARD", "Postfix XFORWARD"
            )
            for keyword, value, summary in (
                ("NAME", "host", "the name of the client before this one"),
                ("ADDR", "address", "the address of the client before this one"),
                ("PORT", "number", "the port of the client before this one"),
                ("PROTO", "SMTP|ESMTP", "the protocol that client spoke"),
                ("HELO", "host", "the name that client gave in its greeting"),
                ("IDENT", "identifier", "the queue identifier of the server before this one"),
                ("SOURCE", "LOCAL|REMOTE", "whether the message came from inside or outside"),
            )
        ),
    )
}
"""Every parameter, by verb and keyword."""


def parameters_of(verb: str) -> tuple[Parameter, ...]:
    """Return the parameters of a verb, in the order of the table."""
    return tuple(row for row in PARAMETERS.values() if row.verb == verb.upper())
