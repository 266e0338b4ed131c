"""What is known of a session, as words that the tables of causes name: "anonymous", "port-25", ...

A fact is a word that holds or is not known to hold. Facts that are worth telling have words beside
them, in which the explainer says what decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from smtpshell.knowledge.context import Context
from smtpshell.knowledge.logins import (
    KEEPS_PASSWORD,
    other_mechanism,
    plain_mechanism,
    tried_mechanism,
)
from smtpshell.knowledge.places import nearest_verb, parameters_of, problems_of
from smtpshell.protocol.commands import VERBS
from smtpshell.protocol.pairing import EARLY, HASTY

SHOWN = 3
"""Recipients that are named before it says "and others"."""

SLOW = 10_000
"""Milliseconds after which a reply is worth a remark."""


_BIG = frozenset({"google", "microsoft", "yahoo", "apple", "zoho", "fastmail", "gmx"})


def situation(
    context: Context,
    verb: str,
    provider: str | None,
    enhanced: str | None,
    code: int | None = None,
    software: str | None = None,
) -> frozenset[str]:
    """Derive the facts that the rows name from what is known of the session."""
    facts = _reply_facts(verb, provider, enhanced, code, software)
    if verb and verb not in ("CONNECT", "MESSAGE"):
        facts = facts.union(_command_facts(context, verb))
    if context.host or context.extensions or context.banner or context.port:
        facts = facts.union(_session_facts(context))
    return facts


@lru_cache(maxsize=4096)
def _reply_facts(
    verb: str, provider: str | None, enhanced: str | None, code: int | None, software: str | None
) -> frozenset[str]:
    """Return what a reply tells without its session; of pasted replies that is all there is."""
    facts = {f"verb:{verb}"} if verb else set()
    if provider in _BIG:
        facts.add("big-provider")
    if software in _SETTINGS_KNOWN:
        facts.add(f"software:{software}")
    if enhanced in ("5.6.7", "5.6.8", "5.6.9", "5.6.10"):
        facts.add("smtputf8")
    if code is not None and (verb in ("AUTH", "CONNECT") or code in _TELLING):
        facts.add(f"code:{code}")
    return frozenset(facts)


_TELLING = frozenset({421, 500, 501, 502, 503, 530, 555})
"""Codes that tell something of their own behind any command."""


def _session_facts(context: Context) -> Iterator[str]:
    offered = {keyword.upper() for keyword in context.extensions}
    login = bool(context.auth_mechanisms) or "AUTH" in offered
    if context.state or offered:
        yield "live"
    if context.user:
        yield "logged-in"
    elif context.state or offered:
        yield "anonymous"
    if offered:
        yield "offers-auth" if login else "no-auth-offered"
        if "SMTPUTF8" in offered:
            yield "offers-smtputf8"
        if not context.tls:
            yield "offers-starttls" if "STARTTLS" in offered else "no-starttls-offered"
            if not login and "STARTTLS" in offered:
                yield "needs-tls-first"
    elif login:
        yield "offers-auth"
    if context.tls is not None:
        yield "tls" if context.tls else "plain"
    if context.port:
        yield f"port-{context.port}"
    if context.recipient_mx is not None:
        yield "is-mx" if context.recipient_mx else "not-mx"
    size, limit = context.message_size, context.size_limit
    if size and limit:
        yield "over-size" if size > limit else "under-size"
    if context.sender is not None:
        yield "has-sender" if context.sender else "null-sender"
    if context.user and context.sender and not _same_domain(context.user, context.sender):
        yield "login-differs"
    if context.helo and "." not in context.helo and not context.helo.startswith("["):
        yield "bare-helo"
    if context.recipients and context.command == "RCPT":
        yield "some-passed"
    if context.early:
        yield f"early-{context.early}"
    if context.hasty:
        yield f"hasty-{context.hasty}"
    if context.command == "AUTH":
        yield from _login_facts(context)
    if context.practice:
        yield "practice"
    if context.unasked:
        yield "idle"


_SETTINGS_KNOWN = frozenset({"postfix", "exim", "sendmail", "opensmtpd", "exchange", "iis"})
"""Software whose settings the causes name."""

_WITH_ADDRESS = frozenset({"MAIL", "RCPT", "VRFY", "EXPN"})


_INSIDE = frozenset({"MAIL", "RCPT", "BDAT"})
"""States of a transaction."""


def _command_facts(context: Context, verb: str) -> Iterator[str]:
    """Yield what is known of the command itself: its form, and whether its moment had come."""
    row = VERBS.get(verb)
    if row is None:
        yield "misspelt" if nearest_verb(verb) else "unknown-verb"
        return
    if verb in _WITH_ADDRESS:
        yield "takes-address"
    if context.line and problems_of(context):
        yield "malformed"
    if parameters_of(context):
        yield "with-parameters"
    if row.keyword and context.extensions and row.keyword not in context.extensions:
        yield "not-announced"
    if not context.state or context.state in row.states:
        return
    if context.state == "START":
        yield "before-hello"
    elif context.state in _INSIDE and "READY" in row.states:
        yield "inside-transaction"
    elif context.state == "READY":
        yield "before-mail"
    elif context.state == "MAIL":
        yield "before-rcpt"


def _login_facts(context: Context) -> Iterator[str]:
    """Yield what is known of the mechanism that was tried."""
    tried = tried_mechanism(context)
    if tried in KEEPS_PASSWORD:
        yield "needs-kept-password"
    if tried.startswith("SCRAM-"):
        yield "tried-scram"
    if tried and tried not in context.auth_mechanisms:
        yield "not-offered"
    if other_mechanism(context):
        yield "offers-another"
    if plain_mechanism(context) not in ("", tried):
        yield "offers-plain"


def _same_domain(user: str, sender: str) -> bool:
    if "@" not in user:
        return sender.partition("@")[0].lower() == user.lower()
    return user.lower() == sender.lower()


_IN_WORDS: dict[str, str] = {
    "logged-in": "you are logged in",
    "anonymous": "you are not logged in",
    "offers-auth": "the server offers AUTH",
    "no-auth-offered": "the server offers no AUTH",
    "offers-starttls": "the server offers STARTTLS",
    "no-starttls-offered": "the server offers no STARTTLS",
    "tls": "the connection is encrypted",
    "plain": "the connection is not encrypted",
    "is-mx": "this host is a mail exchanger of the recipient's domain",
    "not-mx": "this host is no mail exchanger of the recipient's domain",
    "over-size": "the message is larger than SIZE allows",
    "malformed": "the command departs from the grammar",
    "before-hello": "no EHLO had been answered yet",
    "before-mail": "no MAIL had been accepted yet",
    "before-rcpt": "no RCPT had been accepted yet",
    "inside-transaction": "a transaction was under way",
    "null-sender": "the sender is the empty <>",
    "login-differs": "the sender is not the address of the login",
    "bare-helo": "the name after EHLO has no domain",
    "idle": "the reply came without being asked for",
    **{f"early-{name}": f"the reply came when {words}" for name, words in EARLY.items()},
    **{f"hasty-{name}": words for name, words in HASTY.items()},
}


def session_words(context: Context, facts: frozenset[str]) -> tuple[str, ...]:
    """Return the facts of a session in words, in a steady order."""
    words = (
        []
        if facts.isdisjoint(_IN_WORDS)
        else [text for fact, text in _IN_WORDS.items() if fact in facts]
    )
    if "some-passed" in facts:
        shown = ", ".join(context.recipients[:SHOWN])
        others = " and others" if len(context.recipients) > SHOWN else ""
        words.append(f"accepted in the same transaction: {shown}{others}")
    if context.port:
        words.append(f"port {context.port}")
    if context.ms is not None and context.ms >= SLOW:
        words.append(f"the reply took {context.ms / 1000:.0f} s")
    return tuple(words)
