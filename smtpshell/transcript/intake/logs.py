"""Mail logs: one line of a log of Postfix, Exim, Sendmail, OpenSMTPD and others, and its reply.

A log is mostly lines without a reply, so each reader first asks for the few words that every line
with one has. Prefixes vary (syslog, journalctl, RFC 5424, a container's), so programs are known by
the tag that follows: `postfix/smtp[253]:`.

Two sides write logs. What a client logs is a reply that came to it; what a server logs it sent
itself, and the facts then tell who the client was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from smtpshell.protocol.replies import Reply
from smtpshell.protocol.values import replace
from smtpshell.transcript.intake.found import (
    Found,
    between,
    clean,
    find_reply,
    has_code,
    host_in,
    reply_of,
    verb_of,
)
from smtpshell.transcript.intake.phrases import failure_in, place_in

DENIED, DELAYED = 550, 451
"""What Exim sends when its log, which shows no codes, says rejected or temporarily rejected."""


def _make(
    line: str,
    number: int,
    source: str,
    detail: str,
    facts: dict[str, object],
    *,
    status: str = "",
    repeats: bool = False,
) -> Found:
    """Make a find of what a log says went wrong: a reply, a failure to connect, or words alone."""
    detail = detail.strip()
    if not has_code(detail):
        kind = failure_in(detail)
        if kind:
            place = place_in(detail) or place_in(line)
            return Found(
                number, source, None, kind, detail, {**place, **clean(facts)}, repeats=repeats
            )
    return Found(number, source, reply_of(detail, status=status), facts=clean(facts))


# --- Postfix --------------------------------------------------------------------------------------


def _postfix(line: str, number: int) -> Found | None:
    place = line.find(" status=")
    if place >= 0:
        return _postfix_delivery(line, number, place)
    if "reject" in line:
        return _postfix_reject(line, number)
    if "authentication failed" in line:
        words = line[line.find("SASL ") :] if "SASL " in line else line
        method = between(words, "SASL ", " ")
        address = between(line, "[", "]", begin=line.find("warning: "))
        facts = clean({"verb": "AUTH", "mechanism": method, "client_address": address})
        return Found(number, "postfix log", Reply(None, (words,)), facts=facts)
    if " said: " in line or "refused to talk to me: " in line:
        return _postfix_said(line, number, line[line.find("]: ") + 3 :], {})
    return None


def _postfix_delivery(line: str, number: int, place: int) -> Found | None:
    opening = line.find("(", place)
    detail = line[opening + 1 :] if opening >= 0 else ""
    detail = detail.removesuffix(")")
    relay = between(line, " relay=", ",")
    facts: dict[str, object] = {"host": host_in(relay)}
    port = relay.rpartition("]:")[2]
    if port.isdecimal() and 0 < int(port) < 65536:
        facts["port"] = int(port)
    recipient = between(line, " to=<", ">,")
    if line.startswith("sent", place + 8):
        if not has_code(detail):
            return None
        facts |= {"verb": "MESSAGE", "recipients": (recipient,)}
        return Found(number, "postfix log", reply_of(detail), facts=clean(facts))
    facts["refused"] = (recipient,) if recipient else ()
    return _postfix_said(line, number, detail, facts, between(line, " dsn=", ","))


def _postfix_said(
    line: str, number: int, detail: str, facts: dict[str, object], status: str = ""
) -> Found:
    for mark in (" said: ", " refused to talk to me: "):
        before, found, said = detail.partition(mark)
        if found:
            said, _, command = (
                said.rpartition(" (in reply to ") if "(in rep" in said else (said,) * 3
            )
            host = host_in(before.rpartition("host ")[2])
            verb = verb_of(command) if command is not said else None
            facts = {
                **facts,
                "host": facts.get("host") or host,
                "verb": verb or ("CONNECT" if "talk" in mark else None),
            }
            return Found(number, "postfix log", reply_of(said), facts=clean(facts))
    return _make(line, number, "postfix log", detail, facts, status=status)


def said_by_host(line: str, number: int) -> Found | None:
    """Read "host mx.example.com[192.0.2.1] said: 550 ... (in reply to RCPT TO command)" alone."""
    start = line.find("host ")
    if start < 0 or " said: " not in line or "(in reply to " not in line:
        return None
    found = _postfix_said(line, number, line[start:].rstrip().removesuffix(")"), {})
    return replace(found, source="program")


_STATUS_ALONE = re.compile(r"[45]\.[0-9]{1,3}\.[0-9]{1,3} ")
"""What a filter's refusal (milter-reject) begins with, and one by content; it shows no code."""


def _postfix_reject(line: str, number: int) -> Found | None:
    """Read "NOQUEUE: reject: RCPT from mx.example.com[192.0.2.1]: 550 5.1.1 ...; from=<> to=<>"."""
    start = line.find("reject: ")
    if start < 0:
        return None
    command, _, rest = line[start + 8 :].partition(" from ")
    client, _, detail = rest.partition("]")
    detail = detail.partition(": ")[2]
    status = _STATUS_ALONE.match(detail)
    if not has_code(detail) and status is None:
        return None
    text, _, about = detail.rpartition("; from=<")
    if not text:
        text, about = detail, ""
    recipient = between(about, " to=<", ">")
    facts = {
        "verb": verb_of(command),
        "banner": "ESMTP Postfix",
        "client_address": client.rpartition("[")[2],
        "sender": about.partition(">")[0],
        "refused": (recipient,) if recipient else (),
        "helo": between(about, " helo=<", ">"),
    }
    return Found(number, "postfix log", reply_of(text), facts=clean(facts))


# --- Exim -----------------------------------------------------------------------------------------

_EXIM_ID = r"[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})"


@cache
def _exim_flag() -> re.Pattern[str]:
    return re.compile(rf"{_EXIM_ID} (\*\*|==|=>|->|>>) ")


def _exim(line: str, number: int) -> Found | None:
    match = _exim_flag().search(line, 0, 140)
    if match is not None:
        return _exim_delivery(line, number, match[1], line[match.end() :])
    if " synchronization error (" in line:
        return _exim_hurry(line, number)
    if " rejected " in line:
        return _exim_reject(line, number)
    if " H=" in line and failure_in(line[-80:]):
        after = line[line.find(" H=") + 3 :]
        host, _, detail = after.partition("] ")
        return _make(line, number, "exim log", detail, {"host": host_in(host)})
    if "authenticator failed" in line:
        text = find_reply(line)
        if text:
            facts = clean({"verb": "AUTH", "user": between(text, "set_id=", ")")})
            return Found(number, "exim log", reply_of(text.partition(" (set_id")[0]), facts=facts)
    return None


def _exim_hurry(line: str, number: int) -> Found:
    """Read "SMTP protocol synchronization error (input sent without waiting for greeting): ..."."""
    early = "waiting for greeting" in line
    facts: dict[str, object] = {
        "verb": "CONNECT" if early else None,
        "banner": "ESMTP Exim",
        "hasty": "greeting" if early else "reply",
    }
    reply = Reply(554, ("SMTP synchronization error",))
    return Found(number, "exim log", reply, facts=clean(facts), inferred=True)


def _exim_delivery(line: str, number: int, flag: str, rest: str) -> Found | None:
    recipient = rest.partition(" ")[0].rstrip(":")
    host = host_in(between(rest, " H=", "]"))
    if flag not in ("**", "=="):
        text = between(rest, ' C="', '"')
        facts = clean({"verb": "MESSAGE", "host": host, "recipients": (recipient,)})
        return Found(number, "exim log", reply_of(text), facts=facts) if has_code(text) else None
    facts = {"host": host, "refused": (recipient,)}
    _, mark, said = rest.partition(" error from remote mail server after ")
    if mark:
        command, _, text = said.partition(": ")
        if not has_code(text):
            text = find_reply(said) or text
        facts["verb"] = verb_of(command)
        return Found(number, "exim log", reply_of(text), facts=clean(facts))
    detail = rest.partition(": ")[2]
    if " defer (" in rest:
        detail = rest[rest.find(" defer (") :].partition("): ")[2] or detail
    if not detail or "retry time not reached" in detail:
        return None
    return _make(line, number, "exim log", detail, facts, repeats=flag == "==")


def _exim_reject(line: str, number: int) -> Found | None:
    """Read "H=... F=<a@b> temporarily rejected RCPT <c@d>: text"; Exim logs no code here."""
    before, _, after = line.partition(" rejected ")
    command, _, text = after.partition(": ")
    later = before.endswith(" temporarily")
    client = between(before, "[", "]", begin=max(before.find("H="), 0))
    recipient = between(command, "RCPT <", ">") or between(command, "RCPT ", " ")
    verb = verb_of(command)
    if "after DATA" in command or "after end-of-data" in command:
        verb = "MESSAGE"
    facts = clean(
        {
            "verb": verb,
            "banner": "ESMTP Exim",
            "client_address": client,
            "sender": between(before, "F=<", ">"),
            "refused": (recipient,) if recipient else (),
        }
    )
    if not text:
        return None
    if has_code(text):
        return Found(number, "exim log", reply_of(text), facts=facts)
    reply = Reply(DELAYED if later else DENIED, (text,))
    return Found(number, "exim log", reply, facts=facts, inferred=True)


# --- Sendmail -------------------------------------------------------------------------------------


def _sendmail(line: str, number: int) -> Found | None:
    place = line.find(", reject=")
    if place >= 0:
        facts: dict[str, object] = {
            "verb": verb_of(between(line, "ruleset=check_", ",")),
            "banner": "ESMTP Sendmail",
            "client_address": between(line, "[", "]", begin=max(line.find("relay="), 0)),
        }
        return Found(number, "sendmail log", reply_of(line[place + 9 :]), facts=clean(facts))
    place = line.rfind(", stat=")
    if place < 0:
        return None
    stat = line[place + 7 :]
    recipient = between(line, " to=", ",").strip("<>")
    relay = host_in(between(line, ", relay=", ",") or between(line, ", relay=", ""))
    facts = {"host": relay, "refused": (recipient,)}
    if stat.startswith("Sent"):
        text = between(stat, "(", ")")
        facts = {"host": relay, "recipients": (recipient,), "verb": "MESSAGE"}
        return (
            Found(number, "sendmail log", Reply(250, (text,)), facts=clean(facts)) if text else None
        )
    said = line.find(", reply=")
    if 0 <= said < place:
        return Found(number, "sendmail log", reply_of(line[said + 8 : place]), facts=clean(facts))
    stat = stat.removeprefix("Deferred: ")
    return _make(line, number, "sendmail log", stat, facts, status=between(line, "dsn=", ","))


# --- OpenSMTPD and others -------------------------------------------------------------------------


def _opensmtpd(line: str, number: int) -> Found | None:
    if " failed-command " in line:
        command = between(line, ' command="', '" ')
        text = line[line.find('result="') + 8 :].removesuffix('"')
        facts: dict[str, object] = {"verb": verb_of(command), "banner": "ESMTP OpenSMTPD"}
        return Found(number, "opensmtpd log", reply_of(text), facts=clean(facts))
    place = line.find(' stat="')
    if place < 0:
        return None
    text = line[place + 7 :].removesuffix('"')
    relay = between(line, 'relay="', '"')
    recipient = between(line, " to=<", ">")
    good = 'result="Ok"' in line
    facts = {
        "host": host_in(between(relay, "(", ")") or relay),
        "recipients" if good else "refused": (recipient,),
        "verb": "MESSAGE" if good else None,
    }
    if good and not has_code(text):
        return None
    return _make(line, number, "opensmtpd log", text, facts)


def _dma(line: str, number: int) -> Found | None:
    host = host_in(between(line, "delivery to ", " [") or between(line, "connect to ", " ["))
    facts: dict[str, object] = {"host": host}
    before, mark, text = line.partition(" failed after ")
    if mark:
        command, _, text = text.partition(": ")
        facts["verb"] = verb_of(command)
    elif "delivery failed: " in line or " failed: " in line:
        before, _, text = line.partition(" failed: ")
    else:
        return None
    return _make(line, number, "dma log", text, facts) if before else None


def _nullmailer(line: str, number: int) -> Found | None:
    _, mark, text = line.partition(": Failed: ")
    return _make(line, number, "nullmailer log", text, {}) if mark else None


def _qmail(line: str, number: int) -> Found | None:
    """Read "delivery 3: failure: 192.0.2.1_does_not_like_recipient./Remote_host_said:_550_..."."""
    result = next((word for word in (": failure: ", ": deferral: ") if word in line), "")
    if not result:
        return _other(line, number)
    words = line.partition(result)[2].replace("_", " ").replace("/", "\n", 1)
    _, said, text = words.partition("said: ")
    text = text.partition("/")[0] if said else words.replace("\n", " ")
    facts: dict[str, object] = {"verb": "RCPT" if "like recipient" in words else None}
    if not said and result == ": deferral: ":
        kind = failure_in(text) or ("filtered" if "establish an SMTP connection" in text else "")
        if kind:
            return Found(number, "qmail log", None, kind, text, clean(facts))
    return _make(line, number, "qmail log", text, facts)


def _dovecot(line: str, number: int) -> Found | None:
    for mark in ("save failed to INBOX: ", "save failed to ", "rejected: "):
        _, found, text = line.partition(mark)
        if found:
            return _make(line, number, "dovecot log", text, {"banner": "Dovecot"})
    return None


_EXCHANGE = re.compile(r",([<>]),\"?([2-5][0-9]{2}[ -][^\"]*)")


def _exchange(line: str, number: int) -> Found | None:
    """Read a line of an Exchange protocol log: time,connector,session,number,here,there,>,text,."""
    match = _EXCHANGE.search(line)
    if match is None:
        return None
    return Found(number, "exchange log", reply_of(match[2].rstrip(",")))


def _other(line: str, number: int) -> Found | None:
    """Read a line of any other program's log: a refusal that shows its code, or msmtp's words."""
    if " SMTPSVC" in line:  # IIS writes + for a space within a field
        line = " " * 16 + next((word for word in line.split() if "+" in word), "").replace("+", " ")
    text = find_reply(line[16:])
    if text is not None:
        again = " smtpmsg=" in line
        return Found(number, "log", reply_of(text), facts=_around(line), repeats=again)
    text = between(line, " errormsg='", "' ")
    return _make(line, number, "log", text, _around(line), repeats=True) if text else None


def _around(line: str) -> dict[str, object]:
    host = between(line, "host=", " ") or between(line, "relay=", " ")
    return dict(clean({"host": host_in(host.rstrip(","))}))


Reader = Callable[[str, int], Found | None]

_TAGS: tuple[tuple[str, Reader], ...] = (
    ("postfix/", _postfix),
    ("postfix-", _postfix),
    ("smtpd[", _opensmtpd),
    ("sendmail[", _sendmail),
    ("sm-mta[", _sendmail),
    ("dma[", _dma),
    ("exim[", _exim),
    ("exim4[", _exim),
    (" delivery ", _qmail),
    (" lmtp(", _dovecot),
    ("dovecot:", _dovecot),
    ("dovecot[", _dovecot),
)
"""Tags by which a log line tells its program, and who reads it. The first that occurs counts."""

_STAMPED = re.compile(
    r"(?:<[0-9]{1,3}>1? ?)?(?:"
    r"[A-Z][a-z]{2} [ 0-3]?[0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}[ .]"
    r"|(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2})(?P<t>[ T])[0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"|@4[0-9a-f]{23} "
    r"|smtp: Failed: "
    r"|postfix/[a-z/-]{3,30}\[[0-9]{1,9}\]: "
    r"|lmtp\([^)]{0,80}\))"
)


@cache
def _exim_line() -> re.Pattern[str]:
    return re.compile(
        rf"[0-9-]{{10}} [0-9:.]{{8,15}} (?:[+-][0-9]{{4}} )?(?:\[[0-9]+\] )?"
        rf"(?:{_EXIM_ID} |H=|.{{0,80}}authenticator failed|.{{0,20}}synchronization error"
        rf"|.{{0,40}}rejected )"
    )


def read_log(line: str, number: int) -> tuple[bool, Found | None]:
    """Tell whether a line is a log line, and return what it tells, if anything."""
    match = _STAMPED.match(line)
    if match is None:
        return False, None
    if match["t"] == " " and _exim_line().match(line):
        return True, _exim(line, number)
    for tag, reader in _TAGS:
        if tag in line:
            return True, reader(line, number)
    if line.startswith("smtp: Failed: "):
        return True, _nullmailer(line, number)
    if "CLIENT: " in line or " -> SERVER: " in line:
        return False, None
    if ",<," in line or ",>," in line:
        return True, _exchange(line, number)
    return True, _other(line, number)
