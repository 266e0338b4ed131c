"""The conditions of a `check` fence: what they are about, and whether they hold.

Every subject is a row: a function from the evidence (session, world, captures) to a value, which is
a text, a tuple of texts, or None where there is nothing. Operators compare values with operands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from smtpshell.practice.clock import parse_duration
from smtpshell.practice.globs import matches_glob
from smtpshell.protocol.text import decode, visible
from smtpshell.protocol.values import dataclass, field
from smtpshell.tutor.functions import TemplateError, fill, unescape
from smtpshell.tutor.lesson import Condition

if TYPE_CHECKING:
    from smtpshell.practice.mailbox import Message
    from smtpshell.practice.world import World
    from smtpshell.protocol.replies import Reply
    from smtpshell.protocol.session import Snapshot

Value: TypeAlias = str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What conditions look at.

    `world` is None where the server is a real one; conditions that need it then cannot be judged.
    `arrived` are the messages that reached the world, oldest first. `elapsed` is in seconds on the
    practice clock since the step began.
    """

    snapshot: Snapshot
    values: Mapping[str, str]
    reply: Reply | None = None
    verbs: tuple[str, ...] = ()
    user: str = ""
    world: World | None = None
    arrived: tuple[Message, ...] = ()
    elapsed: float = 0.0
    sent: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> Message | None:
        """The message that arrived last."""
        return self.arrived[-1] if self.arrived else None


PRACTICE_ONLY = frozenset(
    {"header", "body", "raw", "delivered", "delivered count", "spf", "dkim", "dmarc", "elapsed"}
)
"""Subjects that only a practice world can answer."""

OF_LETTERS = frozenset({"header", "body", "raw"})
"""... but for these a letter that arrived will do."""


def _code(evidence: Evidence, _argument: str) -> Value:
    return str(evidence.reply.code) if evidence.reply and evidence.reply.code else None


def _enhanced(evidence: Evidence, _argument: str) -> Value:
    return evidence.reply.enhanced if evidence.reply else None


def _reply_text(evidence: Evidence, _argument: str) -> Value:
    return evidence.reply.text if evidence.reply else None


def _tls(evidence: Evidence, _argument: str) -> Value:
    return "yes" if evidence.snapshot.tls else None


def _auth(evidence: Evidence, _argument: str) -> Value:
    return (evidence.user or "yes") if evidence.snapshot.user is not None else None


def _verbs(evidence: Evidence, _argument: str) -> Value:
    return evidence.verbs


def _helo(evidence: Evidence, _argument: str) -> Value:
    return evidence.snapshot.helo


def _from(evidence: Evidence, _argument: str) -> Value:
    if evidence.snapshot.sender is not None or evidence.message is None:
        return evidence.snapshot.sender
    return evidence.message.envelope.sender


def _to(evidence: Evidence, _argument: str) -> Value:
    if evidence.snapshot.sender is not None or evidence.message is None:
        return evidence.snapshot.recipients
    return evidence.message.envelope.recipients


def _header(evidence: Evidence, argument: str) -> Value:
    return evidence.message.header(argument) if evidence.message else None


def _body(evidence: Evidence, _argument: str) -> Value:
    return decode(evidence.message.body) if evidence.message else None


def _raw(evidence: Evidence, _argument: str) -> Value:
    return decode(evidence.message.content) if evidence.message else None


def _delivered(evidence: Evidence, argument: str) -> Value:
    held = evidence.world.mailbox(argument) if evidence.world else ()
    return tuple(decode(message.raw) for message in held)


def _delivered_count(evidence: Evidence, argument: str) -> Value:
    return str(len(evidence.world.mailbox(argument))) if evidence.world else None


def _result(method: str) -> Callable[[Evidence, str], Value]:
    def subject(evidence: Evidence, _argument: str) -> Value:
        results = evidence.message.results if evidence.message else ""
        found = re.search(rf"\b{method}=(\w+)", results)
        return found[1] if found else None

    return subject


def _elapsed(evidence: Evidence, _argument: str) -> Value:
    return f"{evidence.elapsed:g}s"


def _variable(evidence: Evidence, argument: str) -> Value:
    return evidence.values.get(argument)


SUBJECTS: dict[str, Callable[[Evidence, str], Value]] = {
    "reply.code": _code,
    "reply.enhanced": _enhanced,
    "reply.text": _reply_text,
    "session.tls": _tls,
    "session.auth": _auth,
    "session.verbs": _verbs,
    "session.helo": _helo,
    "envelope.from": _from,
    "envelope.to": _to,
    "header": _header,
    "body": _body,
    "raw": _raw,
    "delivered": _delivered,
    "delivered count": _delivered_count,
    "spf": _result("spf"),
    "dkim": _result("dkim"),
    "dmarc": _result("dmarc"),
    "elapsed": _elapsed,
    "var": _variable,
}
"""Every subject, and how its value is found."""

_ADDRESSES = ("envelope.from", "envelope.to")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds; None when it cannot be judged here. `found` is in words."""

    holds: bool | None
    found: str
    wanted: str


def judge(condition: Condition, evidence: Evidence) -> Verdict:
    """Judge one condition; raises `TemplateError` when it names an unknown variable."""
    wanted = in_words(condition)
    answered = evidence.message is not None and condition.subject in OF_LETTERS
    if evidence.world is None and condition.subject in PRACTICE_ONLY and not answered:
        return Verdict(None, "only the practice server can tell", wanted)
    argument = fill(condition.argument, evidence.values)
    operand = decode(unescape(fill(condition.operand, evidence.values)))
    value = SUBJECTS[condition.subject](evidence, argument)
    holds = _OPERATORS[condition.operator](value, operand, condition.subject)
    return Verdict(holds is not condition.negated, _told(value), wanted)


def in_words(condition: Condition) -> str:
    """Return a condition as its author wrote it."""
    subject = condition.subject
    head = f"delivered {condition.argument} count" if subject == "delivered count" else subject
    if condition.argument and subject != "delivered count":
        head += f" {condition.argument}"
    words = [head, "is not" if condition.negated else "", condition.operator, condition.operand]
    return " ".join(word for word in words if word)


def unknown_names(condition: Condition, values: Mapping[str, str]) -> str:
    """Return what is wrong with the names of a condition, or ""."""
    try:
        fill(condition.argument, values)
        fill(condition.operand, values)
    except TemplateError as error:
        return str(error)
    return ""


def _told(value: Value) -> str:
    if value is None or value in ("", ()):
        return "nothing"
    text = ", ".join(value) if isinstance(value, tuple) else value
    short = text if len(text) <= 60 else text[:57] + "..."
    return visible(short)


# --- operators ---------------------------------------------------------------------------------


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return parse_duration(text)
    except ValueError:
        return None


def _normal(text: str, subject: str) -> str:
    if subject in _ADDRESSES:
        return text.strip().strip("<>").casefold()
    if subject in ("session.helo", "session.auth", "session.tls", "session.verbs"):
        return text.strip().casefold()
    return text


def _equal(value: Value, operand: str, subject: str) -> bool:
    if isinstance(value, tuple):
        wanted = [word.strip() for word in re.split(r"[,\s]+", operand) if word.strip()]
        if subject == "session.verbs":
            return [word.casefold() for word in wanted] == [each.casefold() for each in value]
        return sorted(_normal(each, subject) for each in value) == sorted(
            _normal(each, subject) for each in wanted
        )
    if value is None:
        return False
    left, right = _number(value), _number(operand)
    if left is not None and right is not None:
        return left == right
    return _normal(value, subject) == _normal(operand, subject)


def _ordered(less: bool) -> Callable[[Value, str, str], bool]:
    def operator(value: Value, operand: str, _subject: str) -> bool:
        left = _number(value) if isinstance(value, str) else None
        right = _number(operand)
        if left is None or right is None:
            return False
        return left < right if less else left > right

    return operator


def _includes(value: Value, operand: str, subject: str) -> bool:
    wanted = _normal(operand, subject)
    if isinstance(value, tuple):
        return any(_normal(each, subject) == wanted for each in value)
    return value is not None and wanted in _normal(value, subject)


def _contains(value: Value, operand: str, subject: str) -> bool:
    wanted = _normal(operand, subject)
    if isinstance(value, tuple):
        joined = " ".join(_normal(each, subject) for each in value)
        return wanted in joined
    return value is not None and wanted in _normal(value, subject)


def _matches(value: Value, operand: str, _subject: str) -> bool:
    texts = value if isinstance(value, tuple) else (value,)
    return any(text is not None and matches_glob(operand, text) for text in texts)


_OPERATORS: dict[str, Callable[[Value, str, str], bool]] = {
    "==": _equal,
    "!=": lambda value, operand, subject: not _equal(value, operand, subject),
    "<": _ordered(less=True),
    ">": _ordered(less=False),
    "includes": _includes,
    "contains": _contains,
    "matches": _matches,
    "exists": lambda value, _operand, _subject: value is not None and value != (),
    "empty": lambda value, _operand, _subject: value is None or not "".join(value).strip(),
}
