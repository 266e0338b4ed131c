"""What the protocol alone has to say to a request: one function for each verb, in one table.

Form comes first (octets, length, known verb, order, arguments), then the verb's own rules. Nothing
here knows of mailboxes or policies; those speak afterwards, if the protocol has no objection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from smtpshell.protocol import grammar
from smtpshell.protocol.parameters import PARAMETERS
from smtpshell.protocol.state import END_OF_DATA, State
from smtpshell.protocol.verbs import VERBS, Verb

if TYPE_CHECKING:
    from smtpshell.protocol.serverside import Request, ServerSide, Verdict

_FORM = {"overlong": "line-too-long", "bare-lf": "bare-lf"}

_BEFORE_MAIL = ("MAIL", "RCPT", "DATA", "BDAT", "STARTTLS", "AUTH", "XCLIENT")
_OUT_OF_ORDER: dict[tuple[str, State], str] = {
    **{(verb, State.START): "hello-first" for verb in _BEFORE_MAIL},
    **{("MAIL", state): "nested-mail" for state in (State.MAIL, State.RCPT, State.BDAT)},
    **{(verb, State.READY): "mail-first" for verb in ("RCPT", "DATA", "BDAT")},
    **{(verb, State.MAIL): "rcpt-first" for verb in ("DATA", "BDAT")},
    **{(verb, State.BDAT): "during-chunks" for verb in ("RCPT", "DATA", "EHLO", "HELO", "LHLO")},
    **{
        (verb, state): "during-mail"
        for verb in ("STARTTLS", "AUTH", "XCLIENT")
        for state in (State.MAIL, State.RCPT, State.BDAT)
    },
}
"""The reply to a verb in a state where the verb table does not have it (RFC 5321 section 4.1.4)."""


def form_objection(side: ServerSide, request: Request) -> Verdict | None:
    """Return what is wrong with the form or the order of a request, or None."""
    if request.kind == "overlong" and side.state is State.AUTH:
        return side.say("auth-line-too-long")
    if request.kind in _FORM:
        return side.say(_FORM[request.kind])
    if request.kind in ("answer", "end"):
        return None
    command = request.command
    if not side.welcome and command.verb != "QUIT":
        return side.say("not-welcome")
    if _unprintable(request.line):
        return side.say("bad-octets")
    verb = VERBS.get(command.verb)
    if verb is None or verb.protocol == ("smtp" if side.profile.lmtp else "lmtp"):
        return side.say("not-recognized")
    if verb.name == "STARTTLS" and side.tls:
        return side.say("tls-active")
    if verb.name not in side.profile.verbs:
        return side.say("auth-disabled" if verb.name == "AUTH" else "not-implemented")
    problem = _order_problem(side, verb)
    if problem:
        return side.say(problem)
    words = command.argument.split()
    if len(words) < verb.required or (words and not verb.arguments):
        return side.say("syntax", syntax=verb.syntax)
    return None


def _order_problem(side: ServerSide, verb: Verb) -> str:
    if verb.name == "AUTH" and side.user:
        return "logged-in-already"
    if side.state.name in verb.states:
        return ""
    nobody = side.state is State.MAIL and side.transaction.refused
    if nobody and verb.name in ("DATA", "BDAT"):
        return "no-recipients"
    return _OUT_OF_ORDER.get((verb.name, side.state), "sequence")


def _unprintable(line: bytes) -> bool:
    """Tell whether a command line holds control characters or octets that are not UTF-8."""
    if any((octet < 0x20 and octet != 0x09) or octet == 0x7F for octet in line):
        return True
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _hello(side: ServerSide, request: Request) -> Verdict:
    name = request.command.argument.split()[0]
    if grammar.domain_problem(name) is not None:
        return side.say("bad-hello")
    verdict = side.say("hello")
    if request.command.verb == "HELO":
        return verdict
    return side.say_lines("ehlo", ehlo_lines(verdict.reply.text, side.keywords))


def ehlo_lines(greeting: str, keywords: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines of a reply to EHLO as on the wire."""
    texts = (greeting, *keywords)
    return (*(f"250-{text}" for text in texts[:-1]), f"250 {texts[-1]}")


def _bracketed(request: Request, lead: str) -> bool:
    """Tell whether the argument is `lead` and a path in brackets; spaces between are forgiven."""
    argument = request.command.argument
    rest = argument[len(lead) :].lstrip()
    return argument[: len(lead)].upper() == lead and rest.startswith("<") and ">" in rest


def _mail(side: ServerSide, request: Request) -> Verdict:
    command = request.command
    if command.address is None or not _bracketed(request, "FROM:"):
        return side.say("syntax", syntax=VERBS["MAIL"].syntax)
    if command.address and grammar.mailbox_problem(command.address):
        return side.say("bad-sender")
    problem = _parameter_objection(side, request)
    if problem is not None:
        return problem
    if not command.address.isascii() and command.parameter("SMTPUTF8") is None:
        return side.say("needs-utf8")
    size = command.parameter("SIZE")
    if size and side.profile.size and int(size) > side.profile.size:
        return side.say("too-big")
    return side.say("mail")


def _rcpt(side: ServerSide, request: Request) -> Verdict:
    command = request.command
    if command.address is None or not _bracketed(request, "TO:"):
        return side.say("syntax", syntax=VERBS["RCPT"].syntax)
    if not command.address or grammar.mailbox_problem(command.address):
        return side.say("bad-recipient")
    problem = _parameter_objection(side, request)
    if problem is not None:
        return problem
    utf8 = any(keyword == "SMTPUTF8" for keyword, _ in side.transaction.parameters)
    if not command.address.isascii() and not utf8:
        return side.say("needs-utf8")
    if len(side.transaction.recipients) >= side.profile.recipients:
        return side.say("too-many-recipients")
    return side.say("rcpt")


_VALUES: dict[str, Callable[[str], bool]] = {
    "SIZE": lambda value: value.isascii() and value.isdigit() and len(value) <= 20,
    "BODY": lambda value: value.upper() in ("7BIT", "8BITMIME", "BINARYMIME"),
    "RET": lambda value: value.upper() in ("FULL", "HDRS"),
    "ENVID": lambda value: len(value) <= 100 and grammar.matches(grammar.XTEXT, value),
    "ORCPT": lambda value: ";" in value and len(value) <= 500,
    "NOTIFY": lambda value: (
        value.upper() == "NEVER" or set(value.upper().split(",")) <= {"SUCCESS", "FAILURE", "DELAY"}
    ),
}
"""What the values of parameters must be; a parameter that is not here may have any."""


def _parameter_objection(side: ServerSide, request: Request) -> Verdict | None:
    command = request.command
    names = side.profile.names
    seen = set()
    for keyword, value in command.parameters:
        shown = keyword if value is None else f"{keyword}={value}"
        row = PARAMETERS.get((command.verb, keyword))
        if row is None or row.extension not in names or not side.esmtp:
            return side.say("unsupported", parameter=shown)
        if keyword in seen or (value is None) == (row.takes_value == "yes"):
            return side.say("bad-parameter", parameter=shown)
        if value is not None and (row.takes_value == "no" or not _VALUES.get(keyword, bool)(value)):
            return side.say("bad-parameter", parameter=shown)
        if shown.upper() == "BODY=BINARYMIME" and "BINARYMIME" not in names:
            return side.say("unsupported", parameter=shown)
        seen.add(keyword)
    return None


def _data(side: ServerSide, _request: Request) -> Verdict:
    if ("BODY", "BINARYMIME") in side.transaction.parameters:
        return side.say("binary-needs-bdat")
    return side.say("data")


def _end_of_data(side: ServerSide, _request: Request) -> Verdict:
    return side.say("too-big") if side.too_big else side.say("queued")


def _bdat(side: ServerSide, request: Request) -> Verdict:
    if request.kind == "command":
        return side.say("syntax", syntax=VERBS["BDAT"].syntax)
    if side.too_big:
        return side.say("too-big")
    return side.say("queued") if request.last else side.say("chunk", octets=request.octets)


def _always(name: str) -> Callable[[ServerSide, Request], Verdict]:
    return lambda side, _request: side.say(name)


def _vrfy(side: ServerSide, request: Request) -> Verdict:
    return side.say("vrfy", argument=request.command.argument)


def _xclient(side: ServerSide, request: Request) -> Verdict:
    for keyword, value in request.command.parameters:
        if ("XCLIENT", keyword) not in PARAMETERS or not value:
            return side.say("bad-parameter", parameter=keyword)
    return side.say("xclient")


def _help(side: ServerSide, request: Request) -> Verdict:
    topic = request.command.argument.upper()
    verbs = side.profile.verbs
    if not topic:
        lines = ["214-2.0.0 This server knows these commands:"]
        lines += [f"214-2.0.0   {' '.join(verbs[at : at + 7])}" for at in range(0, len(verbs), 7)]
        lines.append("214 2.0.0 HELP and a command tells more, HELP STATUS about this server")
    elif topic == "STATUS":
        lines = [
            f"211-2.0.0 {side.profile.host} is up",
            f"211-2.0.0 The channel is {'encrypted' if side.tls else 'not encrypted'}",
            f"211-2.0.0 {f'Logged in as {side.user}' if side.user else 'Not logged in'}",
            "211 2.0.0 End of status",
        ]
    elif topic in verbs:
        verb = VERBS[topic]
        lines = [f"214-2.0.0 {verb.syntax}", f"214 2.0.0 {verb.summary} ({verb.section})"]
    else:
        return side.say("no-help")
    return side.say_lines("help", tuple(lines))


def _auth(side: ServerSide, request: Request) -> Verdict:
    from smtpshell.protocol.sasl import MECHANISMS, SaslError, decode_line
    from smtpshell.protocol.sasl.exchange import ServerExchange

    words = request.command.argument.split()
    name, initial = words[0].upper(), words[1] if len(words) > 1 else None
    terms, row = side.profile.terms, MECHANISMS.get(name)
    if terms is None or not side.profile.mechanisms:
        return side.say("auth-disabled")
    if row is None or name not in side.profile.mechanisms or len(words) > 2:
        return side.say("no-mechanism")
    if name not in side.mechanisms:
        return side.say("mechanism-needs-tls" if row.plaintext else "tls-first")
    try:
        octets = None if initial is None else decode_line(initial)
    except SaslError:
        return side.say("not-base64")
    side.outcome = None
    side.terms = terms(name)
    side.exchange = ServerExchange(side.terms)
    return _step(side, side.exchange.start(octets))


def _answer(side: ServerSide, request: Request) -> Verdict:
    from smtpshell.protocol.sasl import CANCEL, SaslError, decode_line

    if side.exchange is None:
        return side.say("bad-login")
    if request.line.strip() == CANCEL.encode():
        return side.say("cancelled")
    try:
        octets = decode_line(request.line)
    except SaslError:
        return side.say("not-base64")
    return _step(side, side.exchange.receive(octets))


def _step(side: ServerSide, step: object) -> Verdict:
    from smtpshell.protocol.sasl import Outcome, encode_line

    if isinstance(step, bytes):
        return side.say("challenge", challenge=encode_line(step))
    assert isinstance(step, Outcome)
    side.outcome = step
    return side.say("logged-in", user=step.user) if step.ok else side.say("bad-login")


JUDGES: dict[str, Callable[[ServerSide, Request], Verdict]] = {
    "HELO": _hello,
    "EHLO": _hello,
    "LHLO": _hello,
    "MAIL": _mail,
    "RCPT": _rcpt,
    "DATA": _data,
    END_OF_DATA: _end_of_data,
    "BDAT": _bdat,
    "RSET": _always("rset"),
    "NOOP": _always("noop"),
    "QUIT": _always("quit"),
    "VRFY": _vrfy,
    "HELP": _help,
    "STARTTLS": _always("starttls"),
    "AUTH": _auth,
    "ANSWER": _answer,
    "XCLIENT": _xclient,
}
"""The protocol's own judgement of each verb, of a message's end and of an answer to a challenge."""
