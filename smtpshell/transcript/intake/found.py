"""What was found in a text: a reply or a failure, and what the text tells around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from smtpshell.protocol.replies import Reply
from smtpshell.protocol.values import dataclass, field, replace

if TYPE_CHECKING:
    from smtpshell.knowledge.context import Context
    from smtpshell.knowledge.explanation import Explanation

LONGEST = 4_000
"""Characters of one reply that are kept; its reason stands at the beginning."""

Facts = Mapping[str, object]
"""Fields of `knowledge.context.Context`, by name."""


@dataclass(frozen=True, slots=True)
class Found:
    """One reply or failure in a text.

    `line` counts from 1. `source` names the form of the text ("postfix log", "bounce", "session").
    `failure` is a key of `knowledge.failures.failures()` where there is no reply, `text` then what
    the text says. `repeats` marks forms that say again what was said before; `inferred` marks a
    code that the text does not show.
    """

    line: int
    source: str
    reply: Reply | None
    failure: str = ""
    text: str = ""
    facts: Facts = field(default_factory=dict)
    repeats: bool = False
    inferred: bool = False

    @property
    def is_refusal(self) -> bool:
        """Whether something went wrong: anything but a 2yz or 3yz reply."""
        return self.reply is None or not self.reply.is_positive

    @property
    def words(self) -> str:
        """The reply on one line, or what the text says of the failure."""
        if self.reply is None:
            return self.text
        text = " ".join(self.reply.lines)
        return text if self.reply.code is None else f"{self.reply.code} {text}".rstrip()

    def with_facts(self, more: Facts) -> Found:
        """Return the same with facts that were not known before."""
        known = {name: value for name, value in self.facts.items() if value not in (None, "", ())}
        return replace(self, facts={**more, **known})


def has_code(text: str) -> bool:
    """Tell whether text begins with a reply code and an end of the word.

    >>> has_code("550 5.1.1 no"), has_code("5501"), has_code("550-no"), has_code("192 x")
    (True, False, True, False)
    """
    return (
        text[:1] in "2345"
        and text[:3].isdigit()
        and text[:3].isascii()
        and len(text) >= 3
        and (len(text) == 3 or text[3] in " -:;,\t")
    )


def reply_of(text: str, *, status: str = "") -> Reply:
    r"""Return a reply written on one line, as logs and reports write it; never raises.

    The lines of a longer one stand behind each other there, each with its code. Text without a code
    becomes a reply without one; the enhanced `status` from beside it, if it says something, is put
    before it.

    >>> reply_of("550-5.1.1 No such user 550 5.1.1 here").lines
    ('5.1.1 No such user', '5.1.1 here')
    >>> reply_of("User unknown", status="5.1.1").lines
    ('5.1.1 User unknown',)
    """
    text = text[: 2 * LONGEST].strip()[:LONGEST]
    if not has_code(text):
        told = status and not status.endswith(".0.0") and status not in text
        return Reply(None, (f"{status} {text}".strip() if told else text,))
    code = text[:3]
    rest = text[4:].lstrip() if text[3:4] != "-" else text[4:]
    if text[3:4] != "-" and "\\n" not in text:
        return Reply(int(code), (rest,))
    return Reply(int(code), tuple(line.strip() for line in _inner(code).split(rest)))


@lru_cache(maxsize=32)
def _inner(code: str) -> re.Pattern[str]:
    return re.compile(rf"(?:\\r)?\\n(?:{code}[ -])?|[ \t]{code}[ -]")


_CODE = re.compile(r"(?<![\w.:/-])[245][0-9]{2}(?=[ :-])")
_STATUS = re.compile(r"[ :-]{1,2}[#(]?[245]\.[0-9]{1,3}\.[0-9]{1,3}")
_WORDS = re.compile(r"[ -](?:[^\d\s]|[245][0-9]{2}[ -]|[0-9]{1,3}(?:\.[0-9]{1,3}){3})")
_MARKS = tuple(":;,=([\"'<`")
_LEADS = (*(mark + " " for mark in _MARKS), *_MARKS)
_LEADS += (" said ", " with ", " reply ", " response ", "returned ", "rror ", ">: ")
_BARE = re.compile(r"(?:[:;=(] ?)(?=[45][0-5][0-9](?:$|[)'\",;]))")


def find_reply(text: str) -> str | None:
    """Return the part of a text that begins with a refusal, or None where there is none.

    A code with an enhanced code behind it counts wherever it stands; a code alone only behind a
    mark such as a colon or a quote.

    >>> find_reply("Remote server returned '550 5.1.1 not found'")
    '550 5.1.1 not found'
    >>> find_reply("took 550 ms") is None
    True
    """
    text = text[:LONGEST]
    weak = -1
    for match in _CODE.finditer(text):
        start, end = match.span()
        if _STATUS.match(text, end):
            return _cut(text, start)
        if weak < 0 and text[start] != "2" and text[start + 1] < "6" and _WORDS.match(text, end):
            before = text[max(start - 12, 0) : start]
            weak = start if not before.strip() or before.endswith(_LEADS) else -1
    return _cut(text, weak) if weak >= 0 else None


_ENDS = (" ##", "> #SMTP#", " #SMTP#", " [RCPT_TO]")
"""What Exchange and others put behind the reply that they quote."""


def _cut(text: str, start: int) -> str:
    """Return text from a place on, up to the mark that closes what was opened before it."""
    before, rest = text[start - 1 : start] if start else "", text[start:]
    for mark in _ENDS:
        rest = rest.partition(mark)[0]
    if before and before in "'\"`":
        end = rest.find(before)
        while end > 0 and rest[end - 1] == "\\":
            end = rest.find(before, end + 1)
        return rest[:end] if end > 0 else rest
    if rest.count(")") > rest.count("("):
        return rest[: rest.rfind(")")]
    return rest


def find_bare_code(text: str) -> str | None:
    """Return a code that ends a text, as in "RCPT failed: 550"."""
    match = _BARE.search(text[:LONGEST])
    return text[match.end() : match.end() + 3] if match is not None else None


_COMMANDS: tuple[tuple[str, str], ...] = (
    ("end of data", "MESSAGE"),
    ("data content", "MESSAGE"),
    ("message body", "MESSAGE"),
    ("sending message", "MESSAGE"),
    ("sending data block", "MESSAGE"),
    ("data_end", "MESSAGE"),
    ("end-of-data", "MESSAGE"),
    ("end-of-message", "MESSAGE"),
    ("message failed", "MESSAGE"),
    ("starttls", "STARTTLS"),
    ("auth", "AUTH"),
    ("login", "AUTH"),
    ("ehlo", "EHLO"),
    ("helo", "EHLO"),
    ("lhlo", "LHLO"),
    ("mail", "MAIL"),
    ("sender", "MAIL"),
    ("from address", "MAIL"),
    ("rcpt", "RCPT"),
    ("recipient", "RCPT"),
    ("bdat", "MESSAGE"),
    ("data", "DATA"),
    ("initial connection", "CONNECT"),
    ("initial server greeting", "CONNECT"),
    ("greeting", "CONNECT"),
    ("banner", "CONNECT"),
    ("connect", "CONNECT"),
    ("rset", "RSET"),
    ("vrfy", "VRFY"),
    ("quit", "QUIT"),
    ("noop", "NOOP"),
    (".", "MESSAGE"),
)


def verb_of(words: str) -> str | None:
    """Return the verb that a text names in its own way ("end of DATA", "MAIL FROM"), or None.

    >>> verb_of("end of DATA command"), verb_of("RCPT TO"), verb_of("nothing")
    ('MESSAGE', 'RCPT', None)
    """
    words = words[:80].strip().lower()
    if words.startswith(("mail", "rcpt")):
        return words[:4].upper()
    return next((verb for mark, verb in _COMMANDS if mark in words), None)


def host_in(text: str) -> str:
    """Return the host at the head of "mx.example.com[192.0.2.1]:25", "mx.example.com. [...]".

    >>> host_in("mx.example.com[192.0.2.1]:25"), host_in("none"), host_in("[192.0.2.1]")
    ('mx.example.com', '', '192.0.2.1')
    """
    head, bracket, rest = text[:300].strip().partition("[")
    name = head.strip().rstrip(".:,")
    if not name and bracket:
        name = rest.partition("]")[0]
    if name in ("none", "unknown", "local", "virtual", "localhost", "-", "None") or " " in name:
        return ""
    return name if "." in name or ":" in name else ""


def between(text: str, start: str, end: str, *, begin: int = 0) -> str:
    """Return what stands between two marks, or "" when either is missing."""
    first = text.find(start, begin)
    if first < 0:
        return ""
    first += len(start)
    last = text.find(end, first)
    return text[first:last] if last >= 0 else ""


def clean(facts: Facts) -> dict[str, object]:
    """Drop the facts that say nothing."""
    return {name: value for name, value in facts.items() if value not in (None, "", ())}


def explained(found: Found, given: Facts | None = None) -> Explanation:
    """Explain what was found; facts that are `given` win over those of the text."""
    from smtpshell.knowledge.context import Context
    from smtpshell.knowledge.explain import explain
    from smtpshell.knowledge.failures import explain_failure

    facts = {**found.facts, **(given or {})}
    context: Context = Context(**facts)  # type: ignore[arg-type] # the names are those of Context
    if found.reply is None:
        return explain_failure(found.failure, context, detail=found.text)
    return explain(found.reply, context)
