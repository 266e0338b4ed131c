"""Error texts of mail programs and libraries: the reply within an exception, a log, a dump.

Libraries wrap a reply in words of their own, and many print it twice or thrice (an exception and
its cause, a message and its fields). The forms that say it again are marked, so that one refusal
stays one.
"""

from __future__ import annotations

import re
from functools import cache

from smtpshell.protocol.replies import Reply
from smtpshell.transcript.intake.found import Found, clean, find_bare_code, find_reply, reply_of

_VERBS: tuple[tuple[str, str], ...] = (
    ("recipientsrefused", "RCPT"),
    ("addressfailedexception", "RCPT"),
    ("failedrecipient", "RCPT"),
    ("recipient command failed", "RCPT"),
    ("recipients were rejected", "RCPT"),
    ("recipients failed", "RCPT"),
    ("rcpt to command", "RCPT"),
    ("rcpt failed", "RCPT"),
    ("senderrefused", "MAIL"),
    ("senderfailedexception", "MAIL"),
    ("mail command failed", "MAIL"),
    ("mail from command", "MAIL"),
    ("from address failed", "MAIL"),
    ("mail failed", "MAIL"),
    ("authenticationerror", "AUTH"),
    ("authenticationfailed", "AUTH"),
    ("authenticationexception", "AUTH"),
    ("invalid login", "AUTH"),
    ("could not authenticate", "AUTH"),
    ("password command", "AUTH"),
    ("username command", "AUTH"),
    ("auth command", "AUTH"),
    ("data end command", "MESSAGE"),
    ("dataerror", "MESSAGE"),
    ("message failed", "MESSAGE"),
    ("data command failed", "DATA"),
    ("data command", "DATA"),
    ("heloerror", "EHLO"),
    ("connecterror", "CONNECT"),
    ("with starttls", "STARTTLS"),
    ("starttls command failed", "STARTTLS"),
    ("ehlo command", "EHLO"),
    ("helo command", "EHLO"),
)
"""What programs call the command that failed, in lower case, and the verb that it was."""

_AT_HEAD = re.compile(r"(MAIL|RCPT|DATA|AUTH|EHLO|HELO|STARTTLS): ")


_HEAD_ENHANCED = re.compile(r"[A-Z]{4,8}: (?=[45]\.[0-9]{1,3}\.[0-9]{1,3} )")


def verb_before(words: str) -> str | None:
    """Return the verb that a program's words before a reply name, or None."""
    match = _AT_HEAD.match(words)
    if match is not None:
        return "EHLO" if match[1] == "HELO" else match[1]
    words = words[-400:].lower()
    return next((verb for mark, verb in _VERBS if mark in words), None)


@cache
def _tuples() -> re.Pattern[str]:
    body = r"(?:'(?P<one>(?:[^'\\]|\\.){0,4000})'|\"(?P<two>(?:[^\"\\]|\\.){0,4000})\")"
    return re.compile(rf"(?:'(?P<to>[^']{{1,320}})': )?\((?P<code>[2-5][0-9]{{2}}), b?{body}")


def python_errors(line: str, number: int) -> list[Found]:
    """Read `SMTPRecipientsRefused: {'a@b': (550, b'5.1.1 ...')}` and the other forms of smtplib."""
    if ", b'" not in line and ", '" not in line and ', b"' not in line and ', "' not in line:
        return []
    found = []
    for match in _tuples().finditer(line[:16_000]):
        text = (match["one"] or match["two"] or "").replace("\\r", "").replace("\\'", "'")
        lines = tuple(part.strip() for part in text.split("\\n"))
        facts = {"verb": verb_before(line[: match.start()])}
        if match["to"]:
            facts["verb"] = facts["verb"] or "RCPT"
        refused = (match["to"],) if match["to"] else ()
        found.append(
            Found(
                number,
                "smtplib",
                Reply(int(match["code"]), lines),
                facts=clean({**facts, "refused": refused}),
            )
        )
    return found


_DOTNET: tuple[tuple[str, int], ...] = (
    ("Mailbox unavailable.", 550),
    ("Mailbox name not allowed.", 553),
    ("User not local; please try a different path.", 551),
    ("Exceeded storage allocation.", 552),
    ("Transaction failed.", 554),
    ("requires a secure connection or the client was not authenticated.", 530),
    ("Service not available, closing transmission channel.", 421),
    ("Insufficient system storage.", 452),
    ("Error in processing.", 451),
    ("Bad sequence of commands.", 503),
    ("Syntax error, command unrecognized.", 500),
    ("Command not implemented.", 502),
    ("Command parameter not implemented.", 504),
)
"""How System.Net.Mail words a code, which it does not show (`SmtpStatusCode` in its reference)."""

_RESPONSE = "erver response was: "


def dotnet_error(line: str, number: int) -> Found | None:
    """Read "Mailbox unavailable. The server response was: 5.1.1 User unknown" of .NET."""
    before, mark, text = line.partition(_RESPONSE)
    text = text.strip()
    if not mark or not text:
        return None
    code = next((code for words, code in _DOTNET if words in before), None)
    verb = verb_before(before)
    if text[:3].isdigit():
        return Found(number, "program", reply_of(text), facts=clean({"verb": verb}))
    return Found(
        number,
        "program",
        Reply(code, (text,)),
        facts=clean({"verb": verb}),
        inferred=code is not None,
    )


_PHP_FAILED = "The following recipients failed: "
_AGAIN = ("Caused by: ", "response: ", "nested exception is", "msmtp: server message: ")


class ProgramErrors:
    """Reads the error texts of programs, some of which take several lines."""

    def __init__(self) -> None:
        self._detail = ""
        self._command = ""

    def feed(self, line: str, number: int) -> list[Found]:
        """Take a line and return what it tells."""
        if "(" in line:
            found = python_errors(line, number)
            if found:
                return found
        if _RESPONSE in line:
            one = dotnet_error(line, number)
            return [one] if one is not None else []
        if "PHPMailer" in line or "SMTP " in line:
            one = self._phpmailer(line, number)
            if one is not None:
                return [one]
        text = find_reply(line) if "[Net::" not in line else None
        if text is None:
            return self._bare(line, number)
        before = line[: max(line.find(text), 0)]
        again = before.lstrip().startswith(_AGAIN) or (before[:1] == " " and "Error: " in before)
        facts = clean({"verb": verb_before(before)})
        return [Found(number, "program", reply_of(text), facts=facts, repeats=again)]

    def _bare(self, line: str, number: int) -> list[Found]:
        """Read "curl: (55) RCPT failed: 550", which shows the code alone."""
        match = _HEAD_ENHANCED.match(line)
        if match is not None:
            facts = clean({"verb": verb_before(line)})
            return [Found(number, "program", reply_of(line[match.end() :]), facts=facts)]
        if "failed: " not in line:
            return []
        code = find_bare_code(line)
        if code is None:
            return []
        facts = clean({"verb": verb_before(line)})
        return [Found(number, "program", Reply(int(code), ("",)), facts=facts)]

    def _phpmailer(self, line: str, number: int) -> Found | None:
        _, failed, rest = line.partition(_PHP_FAILED)
        if failed:
            recipient, _, text = rest.partition(": ")
            facts = clean({"verb": "RCPT", "refused": (recipient,)})
            return Found(number, "program", reply_of(text), facts=facts) if text else None
        _, detail, rest = line.partition(" Detail: ")
        if detail:
            self._detail, self._command = rest, line.partition(" Detail: ")[0]
        _, mark, rest = line.partition("SMTP code: ")
        if not mark or not rest[:3].isdigit() or not self._detail:
            return None
        more = rest.partition("Additional SMTP info: ")[2].partition(" ")[0]
        text = self._detail.partition("SMTP code:")[0].strip()
        facts = clean({"verb": verb_before(self._command)})
        self._detail = ""
        reply = Reply(int(rest[:3]), (f"{more} {text}".strip(),))
        return Found(number, "program", reply, facts=facts)
