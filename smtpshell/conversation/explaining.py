"""/explain and /why: what a text means, and what stands behind the last refusal.

/explain reads a code, an enhanced status code, a word of the field or a whole reply. /why takes the
last thing that went wrong together with all that this session has shown, and ranks the causes, each
with the one command that confirms it or rules it out; `/why N` runs that command.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from smtpshell.conversation.report import Report, Row
from smtpshell.conversation.trouble import Told, is_past, last_trouble, newest_trouble
from smtpshell.knowledge.classes import CLASSES, RETRY, WHO
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.protocol.commands import VERBS
from smtpshell.protocol.errors import SmtpshellError, Status, UsageError
from smtpshell.protocol.events import Attempt, BodySent, Failed, Received, Sent
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import replace
from smtpshell.transcript.context import context_of, session_facts

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.conversation.driver import Conversation
    from smtpshell.knowledge.explanation import Explanation

_CODE = re.compile(r"[1-9][0-9]{2}")
_ENHANCED = re.compile(r"[245xX]\.[0-9]{1,3}\.[0-9]{1,3}")


# --- /explain -------------------------------------------------------------------------------------


def explain_text(text: str, conversation: Conversation) -> tuple[Report, dict[str, Any]]:
    """Return the report on a text, and its facts for `--json`; raises `UsageError` if unknown."""
    text = text.strip()
    if _CODE.fullmatch(text):
        return _explain_code(int(text))
    if _ENHANCED.fullmatch(text):
        return _explain_enhanced(text)
    if not text[:1].isdigit():
        found = _explain_word(text)
        if found is not None:
            return found
    if " " not in text and not text[:1].isdigit():
        raise UsageError(
            f"{text!r} is not in the glossary",
            "/explain",
            "Give a code (550), an enhanced code (5.1.1), a word such as envelope, or a reply.",
        )
    facts = session_facts(conversation.snapshot) if conversation.connected else {}
    explanation = explain(Reply.parse(text), Context(**facts))  # type: ignore[arg-type] # its names
    return report_of(explanation), explanation.to_json()


def _explain_code(code: int) -> tuple[Report, dict[str, Any]]:
    from smtpshell.knowledge.codes import code_meaning, code_row

    row = code_row(code)
    general = code_meaning(code, "")
    rows: Report = [Row(f"{code}: {general}", "title")]
    by_verb: dict[str, str] = {}
    for verb in ("CONNECT", *VERBS, "MESSAGE"):
        special = code_row(code, verb)
        if special is not None and special is not row:
            by_verb[verb] = code_meaning(code, verb)
    rows += [Row(meaning, label=verb, indent=1) for verb, meaning in by_verb.items()]
    if row is None and not by_verb:
        rows.append(Row("No RFC defines it; its first digit tells what to do with it.", indent=1))
    section = row.section if row is not None else ""
    if section:
        rows.append(Row(section, "dim", label="see", indent=1))
    return rows, {"code": code, "meaning": general, "by_verb": by_verb, "section": section}


def _explain_enhanced(text: str) -> tuple[Report, dict[str, Any]]:
    from smtpshell.knowledge.enhanced import enhanced_row

    enhanced = text.lower().replace("x", "5", 1)
    row = enhanced_row(enhanced)
    if row is None:
        words = "It is not registered: a private code of whoever sent it."
        return [Row(f"{text}: {words}")], {"enhanced": text, "meaning": words}
    rows: Report = [Row(f"{text}: {row.meaning}.", "title")]
    if row.class_ in CLASSES and row.class_ not in ("ok", "unknown"):
        rows.append(Row(CLASSES[row.class_].sentence, label="usually", indent=1))
    rows.append(Row(row.section, "dim", label="see", indent=1))
    return rows, {"enhanced": text, "meaning": row.meaning, "section": row.section}


def _explain_word(text: str) -> tuple[Report, dict[str, Any]] | None:
    from smtpshell.knowledge.words import lookup_word
    from smtpshell.protocol.extensions import gloss, parse_extension
    from smtpshell.protocol.keywords import KEYWORDS

    word = lookup_word(text)
    if word is not None:
        rows: Report = [Row(word.name, "title"), Row(word.text, "prose", indent=1)]
        if word.section:
            rows.append(Row(word.section, "dim", label="see", indent=1))
        return rows, {"word": word.name, "meaning": word.text, "section": word.section}
    name = text.upper()
    if name in VERBS:
        verb = VERBS[name]
        return (
            [Row(verb.syntax, "code"), Row(f"{verb.summary} ({verb.section})", indent=1)],
            {"word": name, "meaning": verb.summary, "section": verb.section},
        )
    if name.partition(" ")[0] in KEYWORDS:
        keyword = KEYWORDS[name.partition(" ")[0]]
        meaning = gloss(parse_extension(text))
        return (
            [Row(name, "title"), Row(f"EHLO keyword: {meaning} ({keyword.section})", indent=1)],
            {"word": name, "meaning": meaning, "section": keyword.section},
        )
    return None


# --- an explanation as a report -------------------------------------------------------------------


def report_of(explanation: Explanation, *, numbered: bool = False) -> Report:
    """Return an explanation as rows: the meaning first, then who acts, causes and what to run.

    `numbered` is for `/why`, where `/why N` runs what checks cause N.
    """
    style = "good" if explanation.class_ == "ok" else "bad"
    codes = " ".join(str(code) for code in (explanation.code, explanation.enhanced) if code)
    rows: Report = [Row(f"{codes}  {explanation.meaning}".strip(), style)]
    speaker = ", ".join(word for word in (explanation.provider, explanation.software) if word)
    facts = [
        ("class", explanation.class_ if explanation.class_ != "ok" else ""),
        ("who must act", WHO.get(explanation.who, "") if explanation.class_ != "ok" else ""),
        ("send it again?", RETRY.get(explanation.retry, "") if explanation.class_ != "ok" else ""),
        ("speaker", speaker),
        ("odd", explanation.disagreement or ""),
        ("read", ", ".join(explanation.sections)),
        (
            "sure",
            f"{explanation.confidence:.0%}, because "
            + "; ".join(fact.rstrip(".") for fact in explanation.facts)
            if explanation.facts
            else "",
        ),
    ]
    rows += [Row(visible(text), label=label, indent=1) for label, text in facts if text]
    if explanation.causes:
        rows.append(Row("Likely causes, the likeliest first", "title"))
        for number, cause in enumerate(explanation.causes, 1):
            rows.append(Row(visible(cause.text), label=f"{number}.", indent=1))
            if cause.confirm:
                hint = f"/why {number}  runs  " if numbered else "check with  "
                rows.append(Row(f"{hint}{visible(cause.confirm)}", "code", indent=3))
    listed = {cause.confirm for cause in explanation.causes}
    further = [command for command in explanation.next if command not in listed]
    if further:
        rows.append(Row("Next", "title"))
        rows += [Row(visible(command), "code", indent=1) for command in further]
    return rows


# --- /why -----------------------------------------------------------------------------------------


def diagnose(
    conversation: Conversation, *, at_home: bool | None = None, client: str = ""
) -> Explanation:
    """Explain the last thing that went wrong by everything this session has shown.

    `at_home` tells whether the server is a mail exchanger of the recipient's domain, `client` the
    address that the server sees us under, where it is another than our own end's. Raises
    `SmtpshellError` when nothing has gone wrong.
    """
    trouble = last_trouble(conversation.log.events)
    match trouble:
        case Received():
            context = context_of(trouble, recipient_mx=at_home)
            if not is_past(conversation.log.events, trouble):
                context = _with_session(context, conversation, client)
            return explain(trouble.reply, context)
        case Failed():
            from smtpshell.knowledge.failures import explain_failure, kind_of

            target = conversation.failed_at
            facts = session_facts(trouble.after)
            context = Context(**facts)  # type: ignore[arg-type] # its names
            if target is not None:
                context = replace(
                    context,
                    host=target.host or target.label,
                    port=target.endpoint.named.port or None,
                )
            if trouble.kind == "timeout":
                context = replace(context, ms=_waited(conversation, trouble))
            kind = kind_of(trouble.stage, trouble.kind, greeted=trouble.after.banner is not None)
            return explain_failure(kind, context, detail=trouble.what)
    raise SmtpshellError(
        "nothing has been refused in this session",
        "/why",
        "/explain 550 tells what a code means.",
        status=Status.USAGE,
    )


def _waited(conversation: Conversation, failed: Failed) -> float:
    """Return how many milliseconds were waited in vain, by the attempt or since the last event."""
    before = 0.0
    tries = 0.0
    for event in conversation.log.events:
        if event is failed:
            break
        if isinstance(event, Attempt):
            tries = event.ms
        else:
            before, tries = event.at, 0.0
    return tries or (failed.at - before) * 1000


def _with_session(context: Context, conversation: Conversation, client: str) -> Context:
    """Add what the conversation knows beside the state: verdict, provider, the message's size."""
    target = conversation.target
    verdict = conversation.verdict
    return replace(
        context,
        tls_verified=verdict.verified if verdict is not None else None,
        provider=target.provider if target is not None else None,
        message_size=context.message_size or _message_size(conversation),
        client_address=client or conversation.own_address,
    )


def _message_size(conversation: Conversation) -> int | None:
    """Return the octets of the last message sent, or None when none was."""
    size = 0
    for event in reversed(conversation.log.events):
        match event:
            case BodySent():
                return event.octets
            case Sent(kind="data"):
                size += len(event.line) + 2
            case Sent(verb="DATA"):
                return size or None
            case _:
                pass
    return size or None


ABOUT_THE_SENDER = frozenset(
    {"sender_auth", "rdns_helo", "sender_rejected", "ip_blocked", "policy", "spam_content"}
)
"""Classes for which it matters what a receiver sees in the sender."""


def _foreseen(
    conversation: Conversation, explanation: Explanation, facts: dict[str, Any]
) -> Report:
    """Return what /preview found of this sender, or that it should be asked."""
    if explanation.class_ not in ABOUT_THE_SENDER:
        return []
    found = conversation.foreseen
    if found is None:
        return [
            Row("/preview IP  shows what a receiver sees in you: SPF, DMARC, reverse DNS", "dim")
        ]
    from smtpshell.conversation.lookups.preview import seen

    facts["preview"] = found.to_json()
    return [Row("What a receiver sees in you (/preview)", "title"), *seen(found)]


def _followed(desk: Desk) -> Report:
    """Tell that the last thing that went wrong followed from the refusal that is explained."""
    events = desk.conversation.log.events
    if last_trouble(events) is newest_trouble(events):
        return []
    return [Row("What came after this refusal followed from it.", "dim")]


async def why(desk: Desk, argument: str) -> None:
    """Diagnose the last refusal, run the command of its cause number N, or look a word up.

    Numbers are those of the list that was made last: what a check changes in the session, or is
    refused itself, does not make its neighbours another command.
    """
    if argument and not argument.isdecimal():
        from smtpshell.conversation.commands.knowing import explain as look_up

        await look_up(desk, argument)
        return
    log = desk.conversation.log
    told = log.told
    if not argument or told is None or told.newest is not newest_trouble(log.events):
        told = log.told = await _tell(desk)
    explanation = told.explanation
    if not argument:
        facts = explanation.to_json()
        foreseen = _foreseen(desk.conversation, explanation, facts)
        desk.show([*report_of(explanation, numbered=True), *foreseen, *_followed(desk)], facts)
        return
    if not 1 <= int(argument) <= len(explanation.causes):
        raise UsageError(
            f"there is no cause {argument}",
            "/why",
            f"There are {len(explanation.causes)}; /why lists them.",
        )
    command = explanation.causes[int(argument) - 1].confirm
    if not command:
        desk.say("No command can tell; the text of the cause says what to look at.")
        return
    from smtpshell.conversation.confirming import run_check

    try:
        await run_check(command, desk, told.before, told.line)
    finally:
        log.told = replace(told, newest=newest_trouble(log.events))


async def _tell(desk: Desk) -> Told:
    """Diagnose the last trouble; raises `SmtpshellError` when nothing has gone wrong."""
    from smtpshell.conversation.whereabouts import takes_mail_for_recipient

    conversation = desk.conversation
    events = conversation.log.events
    trouble = last_trouble(events)
    past = trouble is not None and is_past(events, trouble)
    at_home = None if past else await takes_mail_for_recipient(desk)
    target = conversation.target
    practising = desk.practice is not None and target is not None and target.is_practice
    client = desk.practice.world.client if practising else ""
    explanation = diagnose(conversation, at_home=at_home, client=client)
    newest = newest_trouble(events)
    if isinstance(trouble, Received):
        return Told(explanation, trouble.before, trouble.line, newest)
    before = trouble.after if trouble is not None else conversation.snapshot
    where = conversation.failed_at
    if not before.target and where is not None:
        before = replace(before, target=where.label)
    return Told(explanation, before, "", newest)
