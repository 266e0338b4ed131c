"""explain(), the only way in: a reply and its session go in, an Explanation comes out.

Pure: no network and no files but the rules, which are read at the first refusal. Success costs
nothing but a look into the table of codes.
"""

from __future__ import annotations

from functools import lru_cache

from smtpshell.knowledge.advice import (
    MOST_CAUSES,
    MOST_NEXT,
    advice,
    ranked,
)
from smtpshell.knowledge.classes import CLASSES, ReplyClass
from smtpshell.knowledge.codes import code_meaning, code_row
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.enhanced import cloud_owner, disagreement, enhanced_row
from smtpshell.knowledge.explanation import Cause, Explanation
from smtpshell.knowledge.likeness import Guesser, train
from smtpshell.knowledge.logins import (
    LOGIN_REFUSED,
    OF_AUTH_ALONE,
    LoginKind,
    is_cancelled,
    login_kind,
)
from smtpshell.knowledge.places import Places, Template, fill, fill_causes, templates
from smtpshell.knowledge.reading import find_enhanced, read
from smtpshell.knowledge.rulebook import Rule, Rulebook, rules_in_use
from smtpshell.knowledge.situation import session_words, situation
from smtpshell.knowledge.speaker import of_session, provider_and_software
from smtpshell.knowledge.verdict import Heard, decide, listen
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.values import replace

NO_CONTEXT = Context()
"""What is known of a reply that was pasted: nothing."""

SENDERS = frozenset({"sender_auth", "sender_rejected", "ip_blocked", "rdns_helo"})
"""Classes whose replies quote the sender's address rather than the recipient's."""

OF_LOGINS = frozenset({"auth_required", "system_error", "policy", "rate_limited", "tls"})
"""Classes into which a refused login may fall."""

ANSWERS = {LOGIN_REFUSED: "AUTH", "tls-not-offered": "STARTTLS"}
"""Rules whose texts answer one command alone, which is then known where nobody told it."""

UNSURE = 0.5
"""Below this confidence the note says "probably"."""


@lru_cache(maxsize=4)
def _guesser(book: Rulebook) -> Guesser:
    return train(book)


def explain(
    reply: Reply, context: Context = NO_CONTEXT, *, book: Rulebook | None = None
) -> Explanation:
    """Explain a reply by everything that is known; never raises, whatever the server sent.

    `book` are the rules to use when they are not those in use (see rulebook.rules_in_use).
    """
    code = reply.code
    if not context.command and code in OF_AUTH_ALONE:
        context = replace(context, verb="AUTH")
    verb = context.command
    if reply.is_positive:
        return _success(reply, context, verb)
    if is_cancelled(reply, context):
        return _cancelled(reply)
    book = book or rules_in_use()
    text = reply.text
    enhanced = reply.enhanced or find_enhanced(text)
    reading = read(text)
    voices = listen(book, reading)
    provider, software = provider_and_software(voices.speakers)
    if context.banner or context.host or context.provider:
        of_provider, of_software = of_session(context)
        provider, software = provider or of_provider, software or of_software
    if provider is None:
        provider = cloud_owner(enhanced)
    owner = "microsoft" if software == "exchange" and provider is None else provider
    speakers = {provider, software, *[speaker.name for speaker in voices.speakers]}
    heard = Heard(code, enhanced, verb, owner, speakers)
    verdict = decide(book, voices, heard, lambda: _guesser(book).guess(reading.words))
    kind = CLASSES[verdict.class_]
    rule = verdict.rule
    answered = verb or ANSWERS.get(rule.name if rule is not None else "", "")
    facts = situation(context, answered, provider, enhanced, code, software)
    login = login_kind(reply, context) if kind.name in OF_LOGINS else None
    if login is not None:
        facts |= {f"login:{login.name}"}
    places = Places(context, text, reading, about_sender=kind.name in SENDERS)
    causes, following = _advise(kind.name, rule, facts, places)
    transient = reply.family == 4
    sentence = fill(rule.meaning, places) if rule is not None and rule.meaning else kind.sentence
    if login is not None:
        sentence = fill(login.meaning, places)
    meaning = _meaning(sentence, transient, code, verdict.confidence)
    return Explanation(
        class_=kind.name,
        who=kind.who,
        retry=_retry(kind, login, transient=transient),
        code=code,
        enhanced=enhanced,
        meaning=meaning,
        short=meaning,
        causes=causes,
        next=following,
        sections=_sections(rule, enhanced, owner, code, verb, kind.sections),
        provider=provider,
        software=software,
        confidence=verdict.confidence,
        facts=verdict.facts + _written(rule) + session_words(context, facts),
        rule=rule.name if rule is not None else "",
        disagreement=disagreement(code, enhanced),
    )


def _written(rule: Rule | None) -> tuple[str, ...]:
    """Return where a user's rule is written; of our own nobody asks that."""
    return (f"written in {rule.source}",) if rule is not None and "/" in rule.source else ()


def _retry(kind: ReplyClass, login: LoginKind | None, *, transient: bool) -> str:
    """Return whether to send it again; a 4yz mends itself, but for a password to be renewed."""
    if login is not None and login.name == "transition":
        return "no"
    return "later" if transient and kind.retry == "no" else kind.retry


def _cancelled(reply: Reply) -> Explanation:
    """Explain the refusal that a line with * asks for."""
    meaning = "The login was given up, as the line with * asked."
    return Explanation(
        class_="protocol",
        who="nobody",
        retry="-",
        code=reply.code,
        enhanced=reply.enhanced,
        meaning=meaning,
        short=meaning,
        causes=(Cause("A line with * cancels a login under way. Begin anew.", "/auth"),),
        next=("/auth",),
        sections=("RFC 4954 4",),
        provider=None,
        software=None,
        confidence=0.99,
        facts=("501 answers the line with *",),
    )


def _success(reply: Reply, context: Context, verb: str) -> Explanation:
    provider, software = of_session(context)
    if verb == "CONNECT" and not context.banner:
        provider, software = of_session(Context(banner=reply.text, host=context.host))
    meaning = code_meaning(reply.code, verb)
    row = code_row(reply.code, verb)
    places = Places(context)
    return Explanation(
        class_="ok",
        who="nobody",
        retry="-",
        code=reply.code,
        enhanced=reply.enhanced,
        meaning=meaning,
        short=meaning,
        causes=(),
        next=tuple(fill(command, places) for command in AFTER.get((reply.code, verb), ())),
        sections=(row.section,) if row is not None else ("RFC 5321 4.2.1",),
        provider=provider,
        software=software,
        confidence=0.99,
        facts=(f"{reply.code}: the first digit says that it went through",),
        disagreement=disagreement(reply.code, reply.enhanced),
    )


AFTER: dict[tuple[int | None, str], tuple[str, ...]] = {
    (220, "CONNECT"): ("EHLO {host_name}",),
    (220, "STARTTLS"): ("EHLO {host_name}",),
    (235, "AUTH"): ("MAIL FROM:<{user}>",),
    (250, "EHLO"): ("MAIL FROM:<{sender}>",),
    (250, "MAIL"): ("RCPT TO:<{recipient}>",),
    (250, "RCPT"): ("RCPT TO:<RECIPIENT>", "DATA"),
    (250, "MESSAGE"): ("MAIL FROM:<{sender}>", "QUIT"),
    (250, "RSET"): ("MAIL FROM:<{sender}>",),
    (354, "DATA"): (".",),
}
"""What usually comes next after success."""


def _meaning(sentence: str, transient: bool, code: int | None, confidence: float) -> str:
    probably = "probably " if confidence < UNSURE else ""
    start = "It failed" if code is None else "Not now" if transient else "Refused for good"
    return f"{start}: {probably}{sentence}."


@lru_cache(maxsize=4096)
def _plan(
    class_: str, rule: Rule | None, facts: frozenset[str]
) -> tuple[tuple[Template, ...], tuple[str, ...]]:
    """Return the causes of a class under these facts, the rule's own first, and its commands."""
    ranks = ranked(class_, facts)
    rows = [(row.text, row.confirm) for row in ranks]
    if rule is not None and rule.causes:
        fitting = {
            row.confirm: row.text for row in reversed(ranks) if row.when and row.when <= facts
        }
        told = {row.text for row in advice()[class_]} - {row.text for row in ranks}
        own = [row for row in rule.causes if row[1] not in fitting and row[0] not in told]
        rows = [*((text, confirm) for confirm, text in reversed(fitting.items())), *own]
    return templates(_joined(rows)), rule.next if rule is not None else ()


def _joined(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Make one cause of those that the same command settles: no two commands are alike then."""
    texts: dict[str, list[str]] = {}
    for text, confirm in rows:
        texts.setdefault(confirm, []).append(text)
    return [(" Or: ".join(some[:2]), confirm) for confirm, some in texts.items()]


def _advise(
    class_: str, rule: Rule | None, facts: frozenset[str], places: Places
) -> tuple[tuple[Cause, ...], tuple[str, ...]]:
    plan, first = _plan(class_, rule, facts)
    causes = fill_causes(plan, places, MOST_CAUSES)
    commands = [fill(command, places) for command in first] if first else []
    commands += [cause.confirm for cause in causes]
    return causes, tuple(dict.fromkeys(commands))[:MOST_NEXT]


@lru_cache(maxsize=4096)
def _sections(
    rule: Rule | None,
    enhanced: str | None,
    owner: str | None,
    code: int | None,
    verb: str,
    of_class: tuple[str, ...],
) -> tuple[str, ...]:
    sections = [rule.section] if rule is not None and rule.section else []
    detail = enhanced_row(enhanced, owner)
    if detail is not None:
        sections.append(detail.section)
    row = code_row(code, verb)
    if row is not None:
        sections.append(row.section)
    return tuple(dict.fromkeys((*sections, *of_class)))
