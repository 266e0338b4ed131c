"""The words of a bounce: the replies that they quote, and what they say without one.

Words wrap, quote a reply in pieces, and say the same twice. A reply runs on over the following
lines until an empty one, an address, or the next quotation; what was said once counts once.
"""

from __future__ import annotations

import re
from functools import cache

from smtpshell.protocol.replies import Reply
from smtpshell.transcript.intake.found import Found, clean, find_reply, has_code, reply_of, verb_of
from smtpshell.transcript.intake.phrases import failure_in, place_in

Text = list[tuple[int, str]]
"""Lines with their numbers."""

WORDS_SEARCHED = 80
"""Lines of a bounce without any reply that are tried as a server's words."""

QUOTED_KEPT = 200
"""Different replies kept of the words of one bounce."""

ADDRESS_LINE = re.compile(r"\s{0,8}<?[^\s<>@]{1,64}@[^\s<>@]{1,255}>?:?(?:\s|$)")
"""A line that begins with the address of a recipient."""


_ABOUT = re.compile(
    r"(?i)(?:message to|delivered to|recipient address:|failed address:) "
    r"<?([^\s<>@]{1,64}@[^\s<>@,;]{1,255}?)>?[.,:]?(?:\s|$)"
)
"""Words before the address of a recipient, where it does not begin the line."""


def _recipient_in(line: str) -> str:
    """Return the recipient that a line names, or ""."""
    match = ADDRESS_LINE.match(line)
    if match is not None:
        return match[0].strip(" \t<>:")
    about = _ABOUT.search(line[:1_000]) if "@" in line else None
    return about[1] if about is not None else ""


def from_words(words: str, number: int, facts: dict[str, object], status: str) -> Found:
    """Return what words about one recipient come to: a reply, a failure, or the words as such."""
    coded = find_reply(words)
    if coded:
        return Found(number, "bounce", reply_of(coded), facts=facts)
    kind = failure_in(words)
    if kind:
        place = place_in(words)
        return Found(number, "bounce", None, kind, words, {**place, **facts})
    return Found(number, "bounce", reply_of(words, status=status), facts=facts)


@cache
def _server() -> re.Pattern[str]:
    return re.compile(
        r"(?:\bhost |talking to |^|\s)"
        r"(?P<host>(?:[\w-]{1,63}\.){1,10}[a-zA-Z][\w-]{1,62})\.? ?(?:\[|:$)"
    )


_STOPS = (">>>", "<<<", "... ", "Giving up", "--", "Message ", "Reporting-MTA", "Remote system")


def replies_in(text: Text) -> list[Found]:
    """Find the replies that the words of a bounce quote, each with the lines it goes on for."""
    found: list[Found] = []
    place = 0
    host = recipient = before = ""
    while place < len(text):
        number, line = text[place]
        place += 1
        match = _server().search(line)
        if match is not None:
            host = match["host"]
        start = find_reply(line) or _greeted_with(line)
        recipient = _recipient_in(line.partition(start)[0] if start else line) or recipient
        if start is None:
            before = line
            continue
        words = start
        indent = _indent(line)
        while place < len(text) and _goes_on(words, text[place][1], indent):
            words += " " + text[place][1].strip()
            place += 1
        reply, _, command = words.partition(" (in reply to ")
        lead = line[: max(line.find(start), 0)].strip() or before
        verb = verb_of(command) if command else _verb_in(lead, f"{before} {start}")
        facts = clean({"verb": verb, "host": host, "refused": (recipient,) if recipient else ()})
        one = Found(number, "bounce", reply_of(reply.rstrip("'\"# ")), facts=facts)
        if len(found) < QUOTED_KEPT and not any(_same(one, other) for other in found):
            found.append(one)
    return found


def _greeted_with(line: str) -> str | None:
    line = line.strip()
    return line if has_code(line) and line[0] in "45" and len(line) > 5 else None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _goes_on(words: str, line: str, indent: int) -> bool:
    """Tell whether a line goes on with a reply; an address begins anew unless it stands deeper."""
    stripped = line.strip()
    if not stripped or stripped.startswith(_STOPS):
        return False
    if ADDRESS_LINE.match(line) and _indent(line) <= indent:
        return False
    if has_code(stripped):
        return stripped[:3] == words[:3] and words[3:4] == "-"
    return find_reply(line) is None


def _verb_in(lead: str, words: str) -> str | None:
    """Return the verb that the words before a reply, or the line above them, name."""
    lead = lead.lower()
    for mark in (" after ", "our ", "in response to ", "in reply to "):
        _, found, rest = lead.partition(mark)
        verb = verb_of(rest) if found else None
        if verb:
            return verb
    if "does not like recipient" in words:
        return "RCPT"
    return None


def _key(found: Found) -> tuple[int | None, str]:
    text = found.words if found.reply is None else " ".join(found.reply.lines)
    return found.reply.code if found.reply else None, "".join(text.split())[:200].lower()


def _same(one: Found, other: Found) -> bool:
    """Tell whether two finds say the same, one perhaps cut short or folded."""
    (code, text), (other_code, other_text) = _key(one), _key(other)
    if code != other_code or one.failure != other.failure:
        return False
    return text.startswith(other_text[:WORDS_SEARCHED]) or other_text.startswith(
        text[:WORDS_SEARCHED]
    )


def completed(found: Found, said: list[Found]) -> Found:
    """Add what the words know of the same reply, above all the command."""
    twin = next((other for other in said if _same(found, other)), None)
    if twin is None:
        return found
    return found.with_facts(
        {name: twin.facts[name] for name in ("verb", "host") if name in twin.facts}
    )


def _refused(found: Found) -> tuple[str, ...]:
    refused = found.facts.get("refused")
    return refused if isinstance(refused, tuple) else ()


def beside_replies(text: Text, said: list[Found]) -> list[Found]:
    """Find what is said of the recipients of whom no reply is quoted, each by its own words."""
    answered = [one.line for one in said]
    known = {to for one in said for to in _refused(one)}
    found: list[Found] = []
    place = 0
    while place < len(text) and len(found) < QUOTED_KEPT:
        number, line = text[place]
        place += 1
        match = ADDRESS_LINE.match(line)
        if match is None:
            continue
        words = [line[match.end() :].strip()]
        last = number
        while place < len(text) and text[place][1].strip():
            last, more = text[place]
            if ADDRESS_LINE.match(more) and _indent(more) <= _indent(line):
                break
            words.append(more.strip())
            place += 1
        told = " ".join(filter(None, words))
        recipient = match[0].strip(" \t<>:")
        if told and recipient not in known and not any(number <= at <= last for at in answered):
            facts = clean({"refused": (recipient,)})
            one = from_words(told, number, facts, "")
            if one.failure or known_words(told):
                found.append(one)
    return found


def without_reply(text: Text) -> list[Found]:
    """Find a failure, or words that a rule knows, where no reply is quoted."""
    for number, line in text:
        kind = failure_in(line)
        if kind:
            return [Found(number, "bounce", None, kind, line.strip(), place_in(line))]
    for number, line in text[:WORDS_SEARCHED]:
        if known_words(line):
            return [Found(number, "bounce", Reply(None, (line.strip(),)))]
    return []


KNOWN = 0.6
"""How sure the explainer must be of words without a code, to take them for a server's."""


def known_words(text: str) -> bool:
    """Tell whether the explainer knows a text without a reply code, by a rule or its status."""
    from smtpshell.knowledge.explain import explain

    text = text.strip()
    if not 8 < len(text) < 1_000 or " " not in text:
        return False
    explanation = explain(Reply(None, (text,)))
    if explanation.class_ == "unknown":
        return False
    if explanation.enhanced is not None:
        return True
    telling = bool(explanation.rule)
    return telling and explanation.confidence >= KNOWN
