"""The notes under a reply: one line always, a few labelled lines on demand.

The short note of a success comes from the table of codes alone and reads no rules, so the first
prompt of a session waits for nothing. Only a refusal is diagnosed.
"""

from __future__ import annotations

from smtpshell.knowledge.codes import code_meaning
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.enhanced import enhanced_row
from smtpshell.protocol.replies import Reply

NO_CONTEXT = Context()

UNASKED = "Nobody asked: the server ends the session by itself."

TOO_EARLY: dict[str, str] = {
    "message": "It came before the end of the message: what you send is message data still, "
    "up to the line with the dot.",
    "chunk": "It came before the end of the chunk: the rest of its octets is still due.",
    "command": "It came before the end of the command.",
    "group": "It came before the whole group was sent.",
}
"""What an early refusal means for what is sent next, by what was not whole yet."""


DRIVEN: dict[int, str] = {
    334: "The server goes on with the login.",
    354: "The server takes the message now.",
}
"""What is said of replies whose meaning is all advice, where a program takes it."""


def short(reply: Reply, context: Context = NO_CONTEXT, *, diagnose: bool = True) -> str:
    """Return the note of one line: what the code means for this command, or why it was refused.

    Without `diagnose` a refusal too is read by its codes alone, and no rules are loaded.
    """
    if reply.is_positive and reply.family == 3 and reply.code not in (334, 353, 354):
        return "Go on: the server waits for more."
    if not reply.is_refusal or not diagnose:
        return _by_codes(reply, context)
    from smtpshell.knowledge.explain import explain

    reason = explain(reply, context).short
    if context.driven:
        return reason
    if context.unasked and reply.code == 421:
        return f"{UNASKED} {reason}"
    return f"{reason} {TOO_EARLY.get(context.early, '')}".rstrip()


def _by_codes(reply: Reply, context: Context) -> str:
    meaning = code_meaning(reply.code, _asked(context))
    if not reply.is_refusal:
        return _without_advice(reply.code, meaning) if context.driven else meaning
    detail = enhanced_row(reply.enhanced)
    start = "Not now" if reply.family == 4 else "Refused for good"
    sentence = f"{start}: {meaning[:1].lower()}{meaning[1:]}"
    if detail is None or not detail.likely:
        return sentence
    return f"{sentence.rstrip('.')} ({reply.enhanced}: {detail.meaning})."


def _asked(context: Context) -> str:
    """Return what the reply answers; a chunk that is not the last ends no message (RFC 3030 2)."""
    words = context.line.upper().split()
    return "CHUNK" if words[:1] == ["BDAT"] and "LAST" not in words else context.command


def _without_advice(code: int | None, meaning: str) -> str:
    """Return what a reply means without what to type next: the first sentence of the table."""
    first, stop, _ = meaning.partition(". ")
    return DRIVEN.get(code or 0, f"{first}." if stop else meaning)


def long(reply: Reply, context: Context = NO_CONTEXT) -> list[tuple[str, str]]:
    """Return the labelled lines of the long note: meaning, who must act, what to try, the RFC."""
    from smtpshell.knowledge.classes import RETRY, WHO
    from smtpshell.knowledge.explain import explain

    explanation = explain(reply, context)
    lines = [("meaning", explanation.meaning)]
    if explanation.class_ == "ok" and context.driven:
        lines = [("meaning", short(reply, context))]
    elif explanation.class_ == "ok":
        lines += [("next", command) for command in explanation.next[:1]]
    else:
        lines.append(("who must act", WHO[explanation.who]))
        lines.append(("send it again", RETRY[explanation.retry]))
        lines += [("perhaps", cause.text) for cause in explanation.causes[:2]]
        lines += [("try", command) for command in explanation.next[:3]]
    if explanation.disagreement:
        lines.append(("odd", explanation.disagreement))
    lines.append(("read", ", ".join(explanation.sections[:3])))
    return lines
