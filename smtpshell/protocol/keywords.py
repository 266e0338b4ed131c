"""Every EHLO keyword: the registered ones, and the private ones that real servers announce.

The registered rows are those of IANA's "SMTP Service Extensions". Keywords that begin with X are
private by agreement (RFC 5321 section 2.2.2); some private ones lack the X all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword that a server may announce.

    `summary` says what it means in words for a beginner. `section` is its RFC and section, or who
    uses it. `syntax` shows the announced line where it has parameters. `verbs` are the commands
    that it brings. `registered` tells whether IANA lists it.
    """

    name: str
    summary: str
    section: str
    syntax: str = ""
    verbs: tuple[str, ...] = ()
    registered: bool = True
    obsolete: bool = False


_REGISTERED = (
    Keyword("8BITMIME", "messages may hold octets beyond ASCII", "RFC 6152 2"),
    Keyword(
        "SIZE",
        "the size of a message may be told in advance",
        "RFC 1870 4",
        "SIZE [octets]",
    ),
    Keyword("PIPELINING", "several commands may be sent without waiting", "RFC 2920 3"),
    Keyword(
        "ENHANCEDSTATUSCODES",
        "replies carry a second, finer code such as 5.1.1",
        "RFC 2034 3",
    ),
    Keyword("STARTTLS", "the connection can be encrypted", "RFC 3207 4", verbs=("STARTTLS",)),
    Keyword("AUTH", "users can log in", "RFC 4954 3", "AUTH mechanism ...", ("AUTH",)),
    Keyword("SMTPUTF8", "addresses and headers may hold any letters", "RFC 6531 3.1"),
    Keyword("DSN", "you may ask for delivery reports", "RFC 3461 3"),
    Keyword(
        "CHUNKING",
        "messages may go in counted chunks with BDAT",
        "RFC 3030 2",
        verbs=("BDAT",),
    ),
    Keyword("BINARYMIME", "messages may hold any octets at all, with BDAT", "RFC 3030 3"),
    Keyword(
        "LIMITS",
        "the server's limits are listed",
        "RFC 9422 3",
        "LIMITS [RCPTMAX=n] [MAILMAX=n] [RCPTDOMAINMAX=n]",
    ),
    Keyword(
        "REQUIRETLS",
        "you may insist on verified encryption all the way",
        "RFC 8689 2",
    ),
    Keyword(
        "DELIVERBY",
        "you may set a deadline for delivery",
        "RFC 2852 3",
        "DELIVERBY [seconds]",
    ),
    Keyword(
        "FUTURERELEASE",
        "messages may be held for later",
        "RFC 4865 3",
        "FUTURERELEASE seconds date-time",
    ),
    Keyword(
        "MT-PRIORITY",
        "messages may be marked urgent",
        "RFC 6710 3",
        "MT-PRIORITY [policy]",
    ),
    Keyword(
        "RRVS",
        "mail may be refused if a mailbox changed its owner",
        "RFC 7293 4",
    ),
    Keyword("ETRN", "a site may ask for its waiting mail", "RFC 1985 4", verbs=("ETRN",)),
    Keyword(
        "ATRN",
        "a site may log in and collect its waiting mail",
        "RFC 2645 4",
        "ATRN",
        ("ATRN",),
    ),
    Keyword(
        "BURL",
        "the server can fetch message parts by IMAP",
        "RFC 4468 3.1",
        "BURL [imap] [imap://host ...]",
        ("BURL",),
    ),
    Keyword(
        "NO-SOLICITING",
        "the server does not want advertising",
        "RFC 3865 2",
        "NO-SOLICITING [keyword,...]",
    ),
    Keyword("MTRK", "a message's way can be asked for later", "RFC 3885 3"),
    Keyword("CONPERM", "servers on the way may be allowed to convert the content", "RFC 4141 4"),
    Keyword("CONNEG", "tells what content the recipient's device can show", "RFC 4141 5"),
    Keyword("CHECKPOINT", "a broken-off transfer can be taken up again", "RFC 1845 3"),
    Keyword(
        "SUBMITTER",
        "the responsible address may be stated (Sender ID, given up)",
        "RFC 4405 3",
        obsolete=True,
    ),
    Keyword(
        "UTF8SMTP",
        "first, abandoned form of SMTPUTF8",
        "RFC 5336 3.1",
        obsolete=True,
    ),
    Keyword("HELP", "the server answers HELP", "RFC 5321 4.1.1.8", verbs=("HELP",)),
    Keyword("EXPN", "the server tells who is on a mailing list", "RFC 5321 4.1.1.7", "", ("EXPN",)),
    Keyword("VRFY", "the server can be asked about a mailbox", "RFC 5321 4.1.1.6", "", ("VRFY",)),
    Keyword(
        "TURN",
        "client and server may swap roles (unsafe)",
        "RFC 821 3.8",
        verbs=("TURN",),
        obsolete=True,
    ),
    Keyword(
        "SEND",
        "messages may go to a terminal",
        "RFC 821 3.4",
        verbs=("SEND",),
        obsolete=True,
    ),
    Keyword(
        "SOML",
        "messages may go to a terminal or a mailbox",
        "RFC 821 3.4",
        verbs=("SOML",),
        obsolete=True,
    ),
    Keyword(
        "SAML",
        "messages may go to a terminal and a mailbox",
        "RFC 821 3.4",
        verbs=("SAML",),
        obsolete=True,
    ),
    Keyword("VERB", "the server can talk more about what it does", "Sendmail", obsolete=True),
    Keyword("ONEX", "one message a connection", "Sendmail", obsolete=True),
)


def _private(name: str, summary: str, owner: str, syntax: str = "", *verbs: str) -> Keyword:
    return Keyword(name, summary, owner, syntax, verbs, registered=False)


_PRIVATE = (
    _private(
        "XCLIENT",
        "trusted proxies may state who the client is",
        "Postfix",
        "XCLIENT attribute ...",
        "XCLIENT",
    ),
    _private(
        "XFORWARD",
        "trusted filters may state where a message came from",
        "Postfix",
        "XFORWARD attribute ...",
        "XFORWARD",
    ),
    _private("VERP", "bounce addresses may be made for each recipient", "Postfix"),
    _private("XVERP", "bounce addresses may be made for each recipient", "Postfix"),
    _private("XEXCH50", "message properties between old Exchange servers", "Exchange"),
    _private("X-LINK2STATE", "routing tables between old Exchange servers", "Exchange"),
    _private("X-EXPS", "Exchange's own login between servers", "Exchange", "X-EXPS mechanism ..."),
    _private("X-ANONYMOUSTLS", "encryption between Exchange servers", "Exchange"),
    _private("XRDST", "routing information between Exchange servers", "Exchange"),
    _private("XSHADOW", "a second copy is kept between Exchange servers", "Exchange"),
    _private("XSHADOWREQUEST", "a second copy may be asked for between servers", "Exchange"),
    _private("XOORG", "the original organisation is passed on", "Exchange"),
    _private("XPROXY", "connection facts from a front-end server", "Exchange"),
    _private("XPROXYFROM", "connection facts from a front-end server", "Exchange"),
    _private("XPROXYTO", "asks a front-end server to pass the session on", "Exchange"),
    _private("XMESSAGECONTEXT", "message facts between Exchange servers", "Exchange"),
    _private("XSYSPROBE", "test messages that watch the service", "Exchange"),
    _private("XORIGFROM", "the original sender is passed on", "Exchange"),
    _private("XLONGADDR", "very long internal addresses are accepted", "Exchange"),
    _private("XHASH", "a hash goes with each recipient", "Exchange"),
    _private("X-RCPTLIMIT", "limits the recipients of a message", "various", "X-RCPTLIMIT n"),
    _private("XXXXXXXA", "a firewall on the way has blotted out STARTTLS", "middlebox"),
    _private("XXXXXXXB", "a firewall on the way has blotted out a keyword", "middlebox"),
    _private("XUSR", "this connection is a user's submission", "Sendmail"),
    _private("XADR", "answers how an address would be rewritten", "PMDF"),
    _private("OK", "a stray word of Microsoft's SMTP service, no extension", "Exchange 2003, IIS"),
    _private("PRDR", "each recipient may be refused after the message", "Exim"),
    _private("PIPE_CONNECT", "the client need not wait for the greeting", "Exim"),
    _private("PIPECONNECT", "the client need not wait for the greeting", "Exim"),
    _private("X_PIPE_CONNECT", "the client need not wait for the greeting", "Exim"),
    _private("XLOOP", "guards against mail loops", "Sun, Oracle Messaging", "XLOOP token"),
    _private("XDFLG", "delivery flags go with a message", "Oracle Messaging"),
    _private("XSECURITY", "security level of a message", "Courier", "XSECURITY=level"),
)

KEYWORDS: Mapping[str, Keyword] = {row.name: row for row in (*_REGISTERED, *_PRIVATE)}
"""Every known keyword, the registered ones first."""
