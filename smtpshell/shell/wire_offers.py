"""Completions of SMTP commands: by the state, and by what this server announced."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from smtpshell.protocol.commands import PARAMETERS, VERBS, Verb
from smtpshell.shell import remembered
from smtpshell.shell.offers import Offer, Scene, matching

HELLOS = frozenset({"EHLO", "HELO", "LHLO"})


def wire_offers(text: str, scene: Scene) -> Iterator[Offer]:
    """Yield what may follow a text typed where a command is expected."""
    word, space, rest = text.partition(" ")
    if not space:
        yield from verbs(word, scene)
        return
    verb = VERBS.get(word.upper())
    if verb is None:
        return
    if verb.lead:
        yield from _path(verb, rest, scene)
    elif verb.arguments:
        words = rest.split(" ")
        kind = verb.arguments[min(len(words), len(verb.arguments)) - 1]
        source = _ARGUMENTS.get(kind)
        if source is not None and (len(words) <= len(verb.arguments) or kind == "parameter"):
            yield from source(verb, words[-1], scene)


# --- verbs ----------------------------------------------------------------------------------------


def verbs(prefix: str, scene: Scene) -> Iterator[Offer]:
    """Yield verbs: those that are legal now first, obsolete ones only where they are asked for."""
    ranked = sorted(VERBS.values(), key=lambda verb: _rank(verb, scene))
    for verb in ranked:
        if verb.name.startswith(prefix.upper()) and (prefix or _rank(verb, scene) < _ABSURD):
            yield Offer(_beginning(verb), _meaning(verb, scene), len(prefix), verb.name)


def _beginning(verb: Verb) -> str:
    if verb.lead:
        return f"{verb.name} {verb.lead}<"
    return f"{verb.name} " if verb.required else verb.name


_LEGAL, _UNANNOUNCED, _EARLY, _ABSURD = range(4)


def _rank(verb: Verb, scene: Scene) -> int:
    """Rank a verb: legal now, not announced, out of order, or of another time or protocol."""
    now = scene.now
    if verb.obsolete or (verb.protocol and (verb.protocol == "lmtp") != now.lmtp):
        return _ABSURD
    if now.state.name not in verb.states:
        return _EARLY
    return _UNANNOUNCED if _lacks(verb, scene) else _LEGAL


def _lacks(verb: Verb, scene: Scene) -> bool:
    extensions = scene.now.extensions
    return verb.keyword is not None and (extensions is None or verb.keyword not in extensions)


_WARNINGS = {_EARLY: "out of order now: ", _UNANNOUNCED: "not announced: "}


def _meaning(verb: Verb, scene: Scene) -> str:
    return _WARNINGS.get(_rank(verb, scene), "") + verb.summary


# --- paths and parameters -------------------------------------------------------------------------


def _path(verb: Verb, rest: str, scene: Scene) -> Iterator[Offer]:
    if "<" not in rest:
        yield from matching(rest, [(f"{verb.lead}<", verb.syntax)])
        return
    before, _, after = rest.partition("<")
    address, closed, tail = after.partition(">")
    if not closed:
        known = remembered.recipients(scene) if verb.name == "RCPT" else remembered.senders(scene)
        yield from matching(address, known, tail=">")
        if verb.name != "RCPT" and not address:
            yield Offer(">", "the null reverse-path: nobody is to be told of failure", 0, "<>")
    elif tail.startswith(" ") and before:
        yield from parameters(verb, tail.split(" ")[1:], scene)


def parameters(verb: Verb, words: list[str], scene: Scene) -> Iterator[Offer]:
    """Yield the parameters that this server supports, or the values of the one being typed."""
    keyword, equals, value = words[-1].partition("=")
    if equals:
        row = PARAMETERS.get((verb.name, keyword.upper()))
        if row is not None:
            yield from matching(value, ((known, row.syntax) for known in row.values))
        return
    given = {word.partition("=")[0].upper() for word in words[:-1]}
    extensions = scene.now.extensions
    for (owner, name), row in PARAMETERS.items():
        supported = extensions is not None and row.extension in extensions
        if owner == verb.name and supported and name not in given:
            text = f"{name}=" if row.takes_value == "yes" else name
            yield from matching(keyword, [(text, f"{row.summary} ({row.section})")])


# --- other arguments ------------------------------------------------------------------------------


def mechanisms(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield the mechanisms: those that the server offers, or all where it has not said."""
    from smtpshell.protocol.sasl.table import MECHANISMS, RECOGNISED

    extensions = scene.now.extensions
    offered = extensions.auth_mechanisms if extensions is not None else ()
    for name in offered:
        row = MECHANISMS.get(name)
        words = row.summary if row is not None else RECOGNISED.get(name, "unknown here")
        yield name, f"offered: {words}"
    if not offered:
        yield from ((row.name, row.summary) for row in MECHANISMS.values())


def _hosts(_verb: Verb, prefix: str, scene: Scene) -> Iterator[Offer]:
    yield from matching(prefix, remembered.hosts(scene))


def _mechanisms(_verb: Verb, prefix: str, scene: Scene) -> Iterator[Offer]:
    yield from matching(prefix, mechanisms(scene))


def _mailboxes(_verb: Verb, prefix: str, scene: Scene) -> Iterator[Offer]:
    known = ((address, remembered.MAILBOX) for address in scene.mailboxes)
    yield from matching(prefix, known)


def _verbs(_verb: Verb, prefix: str, _scene: Scene) -> Iterator[Offer]:
    yield from matching(prefix, ((verb.name, verb.summary) for verb in VERBS.values()))


def _last(_verb: Verb, prefix: str, _scene: Scene) -> Iterator[Offer]:
    yield from matching(prefix, [("LAST", "no chunk follows this one")])


def _parameter(verb: Verb, prefix: str, scene: Scene) -> Iterator[Offer]:
    yield from parameters(verb, [prefix], scene)


_ARGUMENTS: dict[str, Callable[[Verb, str, Scene], Iterator[Offer]]] = {
    "host": _hosts,
    "mechanism": _mechanisms,
    "mailbox": _mailboxes,
    "list": _mailboxes,
    "verb": _verbs,
    "last": _last,
    "parameter": _parameter,
}
"""What completes an argument, by the kind that the verb's row names."""
