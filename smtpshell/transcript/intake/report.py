"""Bounces: a mail that says why another could not be delivered, whole or in part.

A delivery status notification (RFC 3464) has three parts: words for people, the delivery status
for programs, and the message that came back. The status names recipient, remote server and the
reply (`Diagnostic-Code`, section 2.3.6); the words often know the command it answered. Other
bounces have words only. So: where there is a status, it gives the finds and the words complete
them; where there is none, the words are searched; the message that came back is never read.
"""

from __future__ import annotations

import binascii
import re

from smtpshell.transcript.intake.found import Found, clean, find_reply, has_code, host_in, reply_of
from smtpshell.transcript.intake.phrases import failure_in
from smtpshell.transcript.intake.words import (
    ADDRESS_LINE,
    beside_replies,
    completed,
    from_words,
    replies_in,
    without_reply,
)

HEADERS, WORDS, STATUS, SKIPPED = "headers", "words", "status", "skipped"

TEXT_KEPT = 600
"""Lines of words kept of one bounce; the reason stands in the first dozens."""

HTML_KEPT = 2_000
"""Lines of HTML kept of one bounce."""

GROUPS_KEPT = 1_000
"""Recipients kept of one bounce."""

_HEADER = re.compile(
    r"(?i)(?:Return-Path|Received|Delivered-To|X-Original-To|From|To|Subject|Date|Message-ID|"
    r"MIME-Version|Content-(?:Type|Description|Transfer-Encoding)|Envelope-to|X-Failed-Recipients|"
    r"Delivery-date|Auto-Submitted|Authentication-Results|DKIM-Signature|ARC-[A-Za-z-]+|"
    r"X-MS-[A-Za-z-]+|X-[A-Za-z-]{2,40}): ?\S"
)
_FIELD = re.compile(
    r"(?i)(?:Reporting-MTA|DSN-Gateway|Received-From-MTA|Arrival-Date|Original-Envelope-Id|"
    r"Original-Recipient|Final-Recipient|Action|Status|Remote-MTA|Diagnostic-Code|"
    r"Last-Attempt-Date|Final-Log-ID|Will-Retry-Until|X-[A-Za-z-]{2,60}):"
)
_BEGINNINGS = (
    "this is the mail system at host",
    "this message was created automatically by mail delivery",
    "the original message was received at",
    "this is the qmail-send program",
    "delivery has failed to these recipients",
    "diagnostic information for administrators",
    "generating server: ",
    "this is the dragonfly mail agent",
    "this is the nullmailer delivery",
    "this is the mailer-daemon, please",
    "an error occurred while trying to deliver the mail",
    "your message wasn't delivered to",
    "your message could not be delivered",
    "delivery to the following recipient",
    "i'm sorry to have to inform you that",
    "sorry, we were unable to deliver your message",
    "was not delivered to:",
    "** address not found **",
    "** message blocked **",
    "** delivery incomplete **",
    "** message not delivered **",
    "this report relates to a message you sent",
    "a message that you sent could not be delivered",
    "a message that you sent has not yet been delivered",
)
_RETURNED = re.compile(
    r"(?i)[-= ]*(?:message headers follow|this is a copy of (?:the|your) (?:message|headers)|"
    r"below this line is a copy of the message|original message headers|"
    r"original message(?! details)|below is a copy of the original|returned message|"
    r"message text follows|the body of the message is)\b"
)


_MBOX = re.compile(r"From [^ ]{1,320} .{0,40}[0-9]{2}:[0-9]{2}.{0,40}[0-9]{4}")
"""The line between two mails of an mbox file."""


def begins_bounce(line: str) -> bool:
    """Tell whether a line begins a mail or the words of a bounce."""
    return (
        _HEADER.match(line) is not None
        or line.startswith(("From ", "Your message to "))
        or any(words in line[:200].lower() for words in _BEGINNINGS)
    )


def is_status_field(line: str) -> bool:
    """Tell whether a line is a field of a delivery status, which may be pasted alone."""
    return line[:1] in "RFADrfad" and line[:6].lower() in _HEADS and _FIELD.match(line) is not None


_HEADS = frozenset(("report", "final-", "action", "diagno"))


class Bounce:
    """One bounce as far as it has been read."""

    def __init__(self, line: str) -> None:
        self.done = False
        header = _HEADER.match(line) is not None or line.startswith("From ")
        self._mode = HEADERS if header else STATUS if _FIELD.match(line) else WORDS
        self._alone = self._mode == STATUS
        self._boundaries: set[str] = set()
        self._outer = ""
        self._closed = self._blank = False
        self._header: list[str] = []
        self._encoding = ""
        self._encoded: list[str] = []
        self._kind = ""
        self._html: list[str] = []
        self._html_at = 0
        self._text: list[tuple[int, str]] = []
        self._fields: dict[str, str] = {}
        self._field = ""
        self._group = 0
        self._reports: list[Found | tuple[int, dict[str, str]]] = []

    def feed(self, line: str, number: int) -> None:
        """Take a line; `done` tells whether it no longer belongs to the bounce."""
        blank, self._blank = self._blank, not line.strip()
        if (blank and _MBOX.match(line)) or (self._closed and not self._blank):
            self.done = True
            return
        if line.startswith("--") and self._is_boundary(line):
            self._end_part(number)
            self._closed = line[2:].rstrip() == f"{self._outer}--"
            self._mode = HEADERS
            self._header = []
            return
        match self._mode:
            case "headers":
                self._take_header(line, number)
            case "status":
                self._take_field(line, number)
            case "words":
                self._take_words(line, number)
            case _:
                pass

    def _is_boundary(self, line: str) -> bool:
        name = line[2:].rstrip()
        if name.removesuffix("--") in self._boundaries or name in self._boundaries:
            return True
        plain = not self._boundaries and len(name) > 8 and name.strip("-") and " " not in name
        if plain:
            self._add_boundary(name)
        return bool(plain)

    def _add_boundary(self, name: str) -> None:
        self._outer = self._outer or name
        self._boundaries.add(name)

    def _take_header(self, line: str, number: int) -> None:
        if line.strip():
            if len(self._header) < 300:
                joined = line[:1] in " \t" and self._header
                if joined:
                    self._header[-1] += " " + line.strip()[:2_000]
                else:
                    self._header.append(line[:2_000])
            return
        if not self._header:
            return
        kind = self._value("content-type").lower()
        match = re.search(r'(?i)boundary="?([^";]{1,200})', self._value("content-type"))
        if match is not None:
            self._add_boundary(match[1].strip())
        self._encoding = self._value("content-transfer-encoding").lower()
        self._kind = kind
        self._mode = next((mode for start, mode in _PARTS if kind.startswith(start)), WORDS)
        self._group = number + 1

    def _value(self, name: str) -> str:
        start = name + ":"
        return next(
            (row[len(start) :].strip() for row in self._header if row.lower().startswith(start)), ""
        )

    def _take_words(self, line: str, number: int) -> None:
        if _RETURNED.match(line) and not self._boundaries:
            self._mode = SKIPPED
        elif is_status_field(line):
            self._mode = STATUS
            self._take_field(line, number)
        elif "base64" in self._encoding:
            if len(self._encoded) < 4_000:
                self._encoded.append(line)
                self._group = self._group or number
        elif self._kind.startswith("text/html"):
            if len(self._html) < HTML_KEPT:
                self._html.append(line[:2_000])
                self._html_at = self._html_at or number
        elif len(self._text) < TEXT_KEPT:
            self._text.append((number, line[:2_000]))

    def _take_field(self, line: str, number: int) -> None:
        if not line.strip():
            self._end_group()
            self._group = number + 1
        elif line[0] in " \t" and self._field:
            self._fields[self._field] = f"{self._fields[self._field]} {line.strip()}"[:8_000]
        elif _FIELD.match(line) or not self._alone:
            name, _, value = line.partition(":")
            self._field = name.strip().lower()[:80]
            if len(self._fields) < 100:
                self._fields.setdefault(self._field, value.strip()[:4_000])
            else:
                self._field = ""
            if self._field == "final-recipient" or not self._group:
                self._group = number
        else:
            self._end_group()
            self._mode, self._alone = WORDS, False
            self._take_words(line, number)

    def _end_group(self) -> None:
        fields, self._fields, self._field = self._fields, {}, ""
        telling = {"final-recipient", "diagnostic-code", "action", "status"} & fields.keys()
        if telling and len(self._reports) < GROUPS_KEPT:
            self._reports.append((self._group, fields))

    def _end_part(self, number: int) -> None:
        if self._mode == STATUS:
            self._end_group()
        if self._encoded:
            self._decode(number)
        if "quoted-printable" in self._encoding:
            self._text = _unquoted(self._text)
            self._html = [line for _, line in _unquoted(list(enumerate(self._html)))]
        self._encoding = self._kind = ""

    def _decode(self, number: int) -> None:
        encoded, self._encoded = "".join(self._encoded), []
        try:
            octets = binascii.a2b_base64(encoded[: len(encoded) // 4 * 4])
        except ValueError:
            return
        lines = octets.decode("utf-8", "replace").splitlines()[:TEXT_KEPT]
        if self._kind.startswith("text/html"):
            self._html += [line[:8_000] for line in lines]
            self._html_at = self._html_at or self._group or number
            return
        self._text += [(self._group or number, line[:2_000]) for line in lines]

    # --- what it comes to -------------------------------------------------------------------------

    def close(self) -> list[Found]:
        """Return what the bounce tells, in order."""
        self._end_part(0)
        if self._html and not any(find_reply(line) for _, line in self._text):
            self._read_html()
        said = replies_in(self._text)
        if not self._reports:
            beside = beside_replies(self._text, said)
            found = sorted([*said, *beside], key=lambda one: one.line)
            return found or without_reply(self._text)
        told = [
            self._found(*report) if isinstance(report, tuple) else report
            for report in self._reports
        ]
        return [completed(one, said) for one in told if one is not None]

    def _read_html(self) -> None:
        """Take the words of a part in HTML, where no part says them in plain text."""
        from smtpshell.transcript.intake.markup import text_of_html

        lines = text_of_html("\n".join(self._html))
        end = next((at for at, line in enumerate(lines) if _RETURNED.match(line)), len(lines))
        self._text += [(self._html_at, line) for line in lines[:end]]

    def _found(self, number: int, fields: dict[str, str]) -> Found | None:
        recipient = _typed(fields.get("final-recipient", "")).strip("<>")
        status = fields.get("status", "").partition(" ")[0]
        action = fields.get("action", "").lower()
        diagnostic = _typed(fields.get("diagnostic-code", ""))
        good = action in ("delivered", "relayed", "expanded")
        facts = clean(
            {
                "host": host_in(_typed(fields.get("remote-mta", ""))),
                "recipients" if good else "refused": (recipient,) if recipient else (),
            }
        )
        if good:
            words = diagnostic if has_code(diagnostic) else f"250 {status} {diagnostic}".strip()
            return Found(number, "bounce", reply_of(words), facts=facts)
        if has_code(diagnostic):
            return Found(number, "bounce", reply_of(diagnostic), facts=facts)
        coded = find_reply(diagnostic)
        if coded:
            return Found(number, "bounce", reply_of(coded), facts=facts)
        words = diagnostic or self._about(recipient)
        return from_words(words or f"{status} {action}", number, facts, status)

    def _about(self, recipient: str) -> str:
        """Return what the words say of a recipient where the status says nothing."""
        if not recipient:
            return ""
        told = ""
        for place, (_, line) in enumerate(self._text):
            if recipient not in line:
                continue
            words = line.partition(recipient)[2].lstrip(">:. ")
            for _, following in self._text[place + 1 : place + 12]:
                if not following.strip() or ADDRESS_LINE.match(following):
                    break
                words += " " + following.strip()
            words = words.strip()
            if find_reply(words) or failure_in(words):
                return words
            told = told or words
        return told


_PARTS: tuple[tuple[str, str], ...] = (
    ("message/delivery-status", STATUS),
    ("message/global-delivery-status", STATUS),
    ("message/", SKIPPED),
    ("text/rfc822-headers", SKIPPED),
    ("image/", SKIPPED),
    ("application/", SKIPPED),
)
"""What is done with a part of each type; others are words."""


def _typed(value: str) -> str:
    """Return a value without its type: "rfc822; a@b", "smtp; 550 ...", "dns; mx.example.com"."""
    head, semicolon, rest = value.partition(";")
    return (
        rest.strip() if semicolon and len(head) < 30 and " " not in head.strip() else value.strip()
    )


def _unquoted(text: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Undo quoted-printable: soft line ends and =XX (RFC 2045 section 6.7)."""
    lines: list[tuple[int, str]] = []
    open_line = False
    for number, raw in text:
        octets = binascii.a2b_qp(raw.encode("utf-8", "surrogateescape"))
        line = octets.decode("utf-8", "replace")
        if open_line and lines and len(lines[-1][1]) < 8_000:
            lines[-1] = (lines[-1][0], lines[-1][1] + line)
        else:
            lines.append((number, line))
        open_line = raw.rstrip().endswith("=")
        if open_line:
            lines[-1] = (lines[-1][0], lines[-1][1].removesuffix("="))
    return lines
