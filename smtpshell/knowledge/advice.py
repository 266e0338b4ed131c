"""Likely causes of each failure class, and the one command that settles each of them.

A row of `tables/causes.toml` holds its classes, the facts that make the cause likely, the facts
that rule it out, the cause in plain words, and the command that confirms it. Facts are words that
`situation()` derives from the session ("anonymous", "port-25", "offers-auth", ...). Rows whose
facts all hold move to the front, rows ruled out are dropped, the others keep their order. A row
whose facts do not hold comes last, and only where nobody can tell whether they do: of a reply that
was pasted little is known, of a session of our own nearly all. So the same refusal is explained by
what this very session shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from smtpshell.knowledge.codes import FOLDER
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.logins import KEEPS_PASSWORD, other_mechanism, tried_mechanism
from smtpshell.knowledge.places import nearest_verb
from smtpshell.knowledge.rulebook import read_plain
from smtpshell.protocol.commands import VERBS
from smtpshell.protocol.pairing import EARLY, HASTY
from smtpshell.protocol.values import dataclass

MOST_CAUSES = 4
"""More likely causes than this help nobody."""

MOST_NEXT = 5
"""Commands offered to run next."""

SLOW = 10_000
"""Milliseconds after which a reply is worth a remark."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One likely cause of a class; `confirm` is the command that settles it."""

    class_: str
    when: frozenset[str]
    unless: frozenset[str]
    text: str
    confirm: str


@cache
def advice() -> Mapping[str, tuple[Advice, ...]]:
    """Return the rows of each class, in the order in which causes are likely by themselves."""
    document = read_plain((FOLDER / "causes.toml").read_text(encoding="utf-8"))
    rows: dict[str, tuple[Advice, ...]] = {}
    for table in document["cause"]:
        for class_ in table["class"].split():
            row = Advice(
                class_,
                frozenset(table.get("when", "").split()),
                frozenset(table.get("unless", "").split()),
                table["text"],
                table["confirm"],
            )
            rows[class_] = (*rows.get(class_, ()), row)
    return rows


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
    facts = {f"verb:{verb}"} if verb else set()
    if provider in _BIG:
        facts.add("big-provider")
    if software in _SETTINGS_KNOWN:
        facts.add(f"software:{software}")
    if verb and verb not in ("CONNECT", "MESSAGE"):
        facts.update(_command_facts(verb))
    if enhanced in ("5.6.7", "5.6.8", "5.6.9", "5.6.10"):
        facts.add("smtputf8")
    if code is not None and (verb == "AUTH" or code in _TELLING):
        facts.add(f"code:{code}")
    live = bool(context.host or context.extensions or context.banner or context.port)
    if live:
        facts.update(_session_facts(context))
    return frozenset(facts)


_TELLING = frozenset({421, 530})
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
    if size and limit and size > limit:
        yield "over-size"
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


def _command_facts(verb: str) -> Iterator[str]:
    """Yield what is known of the verb itself."""
    if verb not in VERBS:
        yield "misspelt" if nearest_verb(verb) else "unknown-verb"
    elif verb in _WITH_ADDRESS:
        yield "takes-address"


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
    "null-sender": "the sender is the empty <>",
    "login-differs": "the sender is not the address of the login",
    "bare-helo": "the name after EHLO has no domain",
    "some-passed": "other recipients were accepted",
    "idle": "the reply came without being asked for",
    **{f"early-{name}": f"the reply came when {words}" for name, words in EARLY.items()},
    **{f"hasty-{name}": words for name, words in HASTY.items()},
}


def session_words(context: Context, facts: frozenset[str]) -> tuple[str, ...]:
    """Return the facts of a session in words, in a steady order."""
    words = [text for fact, text in _IN_WORDS.items() if fact in facts] if facts else []
    if context.port:
        words.append(f"port {context.port}")
    if context.ms is not None and context.ms >= SLOW:
        words.append(f"the reply took {context.ms / 1000:.0f} s")
    return tuple(words)


_SEEN_ONLY = (
    *(
        "early-",
        "hasty-",
        "code:",
        "software:",
        "over-size",
        "login-differs",
        "bare-helo",
        "null-sender",
    ),
    *("misspelt", "unknown-verb", "idle", "needs-kept-password", "tried-scram", "not-offered"),
    "offers-another",
)
"""Facts, or how they begin, that a cause does not count without."""


def _possible(missing: frozenset[str], facts: frozenset[str]) -> bool:
    """Tell whether facts that are not known to hold may hold all the same."""
    if any(fact.startswith(_SEEN_ONLY) for fact in missing):
        return False
    if any(fact.startswith("verb:") for fact in missing) and any(
        fact.startswith("verb:") for fact in facts
    ):
        return False
    if "live" not in facts:
        return True
    known_port = any(fact.startswith("port-") for fact in facts)
    return all(fact in _OPEN or (fact.startswith("port-") and not known_port) for fact in missing)


_OPEN = frozenset({"is-mx", "not-mx"})
"""Facts that even a session of our own may leave open."""


@lru_cache(maxsize=2048)
def ranked(class_: str, facts: frozenset[str]) -> tuple[Advice, ...]:
    """Return the rows of a class in order of likelihood under these facts."""
    rows = [row for row in advice().get(class_, ()) if not row.unless & facts]
    fitting = [row for row in rows if row.when and row.when <= facts]
    others = [row for row in rows if not row.when]
    strays = [row for row in rows if row.when - facts and _possible(row.when - facts, facts)]
    return (*fitting, *others, *strays)
