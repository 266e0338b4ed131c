"""The verb table: the one place that knows a verb.

How it is written, in which states it is legal, which replies it can get, which keyword must be
announced and which arguments are secret. The completer, the lexer, the bar, the help and the
server all read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.protocol.parameters import PARAMETERS
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_CODES = (421, 500, 501)
"""What every verb may get (RFC 5321 sections 3.8 and 4.3.2)."""

BANNER_CODES = (220, 421, 521, 554)
"""What a server may greet with (RFC 5321 section 3.1; 521: RFC 7504 section 3)."""

MESSAGE_CODES = (250, 450, 451, 452, 550, 552, 554)
"""What may answer the end of the message data (RFC 5321 section 4.3.2)."""

_SESSION = frozenset({"START", "READY", "MAIL", "RCPT", "BDAT"})
_HELLO = frozenset({"START", "READY", "MAIL", "RCPT"})
_READY = frozenset({"READY"})
_RECIPIENT = frozenset({"MAIL", "RCPT"})
_DATA = frozenset({"RCPT"})
_CHUNK = frozenset({"RCPT", "BDAT"})


AFTER_FIRST = "after-first"
"""`Verb.secret`: every argument behind the first is secret."""

EVERYTHING = "all"
"""`Verb.secret`: every argument is secret."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One command of the protocol.

    `states` names the states of a session in which it is legal. `codes` are the replies of its own,
    beside `ANY_CODES`. `keyword` is the EHLO keyword that must be announced, or None. `arguments`
    names what each argument is, for completion; the first `required` must be given. `lead` is what
    stands before a path ("FROM:"). `secret` is "", `AFTER_FIRST` or `EVERYTHING`. `protocol` is
    "smtp" or "lmtp" where only that one has the verb, otherwise "".
    """

    name: str
    syntax: str
    summary: str
    section: str
    states: frozenset[str]
    codes: tuple[int, ...] = (250,)
    keyword: str | None = None
    arguments: tuple[str, ...] = ()
    required: int = 0
    secret: str = ""
    obsolete: bool = False
    protocol: str = ""
    lead: str = ""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The keywords of the parameters that the verb takes, in the order of their table."""
        return tuple(keyword for verb, keyword in PARAMETERS if verb == self.name)

    @property
    def success(self) -> tuple[int, ...]:
        """The codes that mean done."""
        return tuple(code for code in self.codes if code < 300)

    @property
    def intermediate(self) -> tuple[int, ...]:
        """The codes that ask for more."""
        return tuple(code for code in self.codes if 300 <= code < 400)

    @property
    def errors(self) -> tuple[int, ...]:
        """The codes that mean no, those that any verb may get included."""
        return tuple(sorted({*ANY_CODES, *(code for code in self.codes if code >= 400)}))


VERBS: Mapping[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "EHLO",
            "EHLO host",
            "greet the server and ask what it can do",
            "RFC 5321 4.1.1.1",
            _HELLO,
            (250, 502, 504, 550),
            arguments=("host",),
            required=1,
            protocol="smtp",
        ),
        Verb(
            "HELO",
            "HELO host",
            "greet the server the old way, without extensions",
            "RFC 5321 4.1.1.1",
            _HELLO,
            (250, 502, 504, 550),
            arguments=("host",),
            required=1,
            protocol="smtp",
        ),
        Verb(
            "LHLO",
            "LHLO host",
            "greet a server that speaks LMTP, the local delivery form of SMTP",
            "RFC 2033 4.1",
            _HELLO,
            (250, 502, 504, 550),
            arguments=("host",),
            required=1,
            protocol="lmtp",
        ),
        Verb(
            "MAIL",
            "MAIL FROM:<address> [parameters]",
            "begin a message and name its sender (<> for none)",
            "RFC 5321 4.1.1.2",
            _READY,
            (250, 450, 451, 452, 455, 503, 530, 550, 552, 553, 555),
            arguments=("reverse-path",),
            required=1,
            lead="FROM:",
        ),
        Verb(
            "RCPT",
            "RCPT TO:<address> [parameters]",
            "name one recipient",
            "RFC 5321 4.1.1.3",
            _RECIPIENT,
            (250, 251, 450, 451, 452, 455, 503, 530, 550, 551, 552, 553, 555, 556),
            arguments=("forward-path",),
            required=1,
            lead="TO:",
        ),
        Verb(
            "DATA",
            "DATA",
            "send the message itself; a line with only a dot ends it",
            "RFC 5321 4.1.1.4",
            _DATA,
            (354, 250, 450, 451, 452, 503, 550, 552, 554),
        ),
        Verb(
            "BDAT",
            "BDAT octets [LAST]",
            "send the message in counted chunks, with no dots to double",
            "RFC 3030 2",
            _CHUNK,
            (250, 450, 451, 452, 503, 550, 552, 554),
            keyword="CHUNKING",
            arguments=("size", "last"),
            required=1,
        ),
        Verb(
            "RSET",
            "RSET",
            "forget the sender, the recipients and the message begun",
            "RFC 5321 4.1.1.5",
            _SESSION,
        ),
        Verb(
            "NOOP",
            "NOOP [text]",
            "do nothing, only answer",
            "RFC 5321 4.1.1.9",
            _SESSION,
            arguments=("text",),
        ),
        Verb(
            "QUIT",
            "QUIT",
            "say goodbye; the server answers 221 and closes",
            "RFC 5321 4.1.1.10",
            _SESSION,
            (221,),
        ),
        Verb(
            "VRFY",
            "VRFY user",
            "ask whether a mailbox exists; most servers will not tell",
            "RFC 5321 4.1.1.6",
            _SESSION,
            (250, 251, 252, 502, 504, 550, 551, 553),
            arguments=("mailbox",),
            required=1,
        ),
        Verb(
            "EXPN",
            "EXPN list",
            "ask who is on a mailing list; most servers will not tell",
            "RFC 5321 4.1.1.7",
            _SESSION,
            (250, 252, 502, 504, 550),
            arguments=("list",),
            required=1,
        ),
        Verb(
            "HELP",
            "HELP [verb]",
            "ask the server for its own help",
            "RFC 5321 4.1.1.8",
            _SESSION,
            (211, 214, 502, 504),
            arguments=("verb",),
        ),
        Verb(
            "STARTTLS",
            "STARTTLS",
            "encrypt this connection; greet again afterwards",
            "RFC 3207 4",
            _READY,
            (220, 454, 502, 503, 554),
            keyword="STARTTLS",
        ),
        Verb(
            "AUTH",
            "AUTH mechanism [initial-response]",
            "log in",
            "RFC 4954 4",
            _READY,
            (235, 334, 432, 454, 502, 503, 504, 530, 534, 535, 538),
            keyword="AUTH",
            arguments=("mechanism", "initial-response"),
            required=1,
            secret=AFTER_FIRST,
        ),
        Verb(
            "ETRN",
            "ETRN domain",
            "ask the server to start sending the mail it holds for a domain",
            "RFC 1985 5",
            _READY,
            (250, 251, 252, 253, 458, 459, 502, 530),
            keyword="ETRN",
            arguments=("host",),
            required=1,
        ),
        Verb(
            "ATRN",
            "ATRN [domain,...]",
            "log in first, then swap roles and receive the mail held for your domains",
            "RFC 2645 5.2.1",
            _READY,
            (250, 450, 451, 453, 502, 503, 530),
            keyword="ATRN",
            arguments=("host",),
        ),
        Verb(
            "BURL",
            "BURL imap-url [LAST]",
            "let the server fetch a part of the message from an IMAP server",
            "RFC 4468 3",
            _CHUNK,
            (250, 450, 451, 452, 503, 550, 552, 554),
            keyword="BURL",
            arguments=("url", "last"),
            required=1,
            secret=EVERYTHING,
        ),
        Verb(
            "TURN",
            "TURN",
            "swap the roles of client and server (unsafe, replaced by ATRN)",
            "RFC 821 3.8",
            _READY,
            (250, 502, 503),
            keyword="TURN",
            obsolete=True,
            protocol="smtp",
        ),
        Verb(
            "SEND",
            "SEND FROM:<address>",
            "write to the recipient's terminal instead of the mailbox",
            "RFC 821 3.4",
            _READY,
            (250, 451, 452, 502, 552),
            keyword="SEND",
            arguments=("reverse-path",),
            required=1,
            obsolete=True,
            protocol="smtp",
            lead="FROM:",
        ),
        Verb(
            "SOML",
            "SOML FROM:<address>",
            "write to the terminal, or to the mailbox if nobody is there",
            "RFC 821 3.4",
            _READY,
            (250, 451, 452, 502, 552),
            keyword="SOML",
            arguments=("reverse-path",),
            required=1,
            obsolete=True,
            protocol="smtp",
            lead="FROM:",
        ),
        Verb(
            "SAML",
            "SAML FROM:<address>",
            "write to the terminal and to the mailbox",
            "RFC 821 3.4",
            _READY,
            (250, 451, 452, 502, 552),
            keyword="SAML",
            arguments=("reverse-path",),
            required=1,
            obsolete=True,
            protocol="smtp",
            lead="FROM:",
        ),
        Verb(
            "XCLIENT",
            "XCLIENT name=value ...",
            "tell the server whose connection it shall pretend this is (trusted proxies)",
            "Postfix XCLIENT",
            _READY,
            (220, 503, 550),
            keyword="XCLIENT",
            arguments=("parameter",),
            required=1,
        ),
        Verb(
            "XFORWARD",
            "XFORWARD name=value ...",
            "tell the server where the message came from, for its log (trusted filters)",
            "Postfix XFORWARD",
            _READY,
            (250, 503, 550),
            keyword="XFORWARD",
            arguments=("parameter",),
            required=1,
        ),
    )
}
"""Every verb, by name, the common ones first."""
