"""The rules: what the texts of servers mean, as files that a postmaster can read and extend.

Each file of the folder `rules` is TOML with `[[rule]]` tables:

    [[rule]]
    name = "no-such-user"           unique
    class = "user_unknown"          one of classes.CLASSES
    match = ["no such {person}"]    patterns, see patterns.py; any one is enough
    examples = ["RCPT: 550 ..."]    replies that this rule decides: its test

and, where wanted: `weight` (default 5; 8 and more for what cannot be mistaken, 3 and less for
hints), `codes` (basic codes, their first digit, enhanced codes, or the beginning of these such as
"5.7.*"; one must fit), `verbs` (commands the reply must answer), `speaker` (providers or software
that must be speaking), `unless` (patterns that silence it), `meaning` (a sentence), `causes` (each
"text => command"), `next` (commands), `section` (an RFC section).
`[[speaker]]` tables recognise who is speaking, or which site is spoken of; `[words]` names groups.

Our own files keep to a part of TOML in which a value is written as in JSON and stands on one line,
or as a list with one string per line. That part is read ten times faster than tomllib reads the
whole language, and the first refusal of a session should not be kept waiting. A test holds that
tomllib reads the same from them. Files of users, in the folder `rules` of the configuration, are
read by tomllib, and may use all of TOML; `smtpshell explain --rules` tries their examples.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from smtpshell.knowledge.classes import CLASSES
from smtpshell.knowledge.patterns import Matcher, PatternError
from smtpshell.protocol.errors import FileError, UsageError
from smtpshell.protocol.values import dataclass

FOLDER = Path(__file__).parent / "rules"
"""Where our own rules live."""

WEIGHT = 5.0
"""The weight of a rule of ours that names none."""

USER_WEIGHT = 20.0
"""The weight of a user's rule that names none: it wins over all that ours and the codes say."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule; see the head of this file for the fields. Equal only to itself."""

    name: str
    class_: str
    match: tuple[str, ...]
    examples: tuple[str, ...]
    weight: float = WEIGHT
    codes: tuple[str, ...] = ()
    verbs: frozenset[str] = frozenset()
    speaker: frozenset[str] = frozenset()
    unless: tuple[str, ...] = ()
    meaning: str = ""
    causes: tuple[tuple[str, str], ...] = ()
    next: tuple[str, ...] = ()
    section: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who may be speaking: recognised by `match` in a text or by one of its own `domains`.

    `kind` is "provider" for a service that runs its own servers, "software" for a program, "list"
    for a site that is spoken of: a block list, or one that explains refusals. `class_` is what a
    text is about that names the site ("" when that tells nothing).
    """

    name: str
    title: str
    kind: str
    match: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    class_: str = ""


KINDS = ("provider", "software", "list")
"""What a speaker may be."""


class RuleError(UsageError):
    """A rule that cannot be used; the message names the file and the rule."""


_RULE_FIELDS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "class": str,
    "match": list,
    "examples": list,
    "weight": (int, float),
    "codes": list,
    "verbs": list,
    "speaker": list,
    "unless": list,
    "meaning": str,
    "causes": list,
    "next": list,
    "section": str,
}

_SPEAKER_FIELDS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "title": str,
    "kind": str,
    "match": list,
    "domains": list,
    "class": str,
}


def read_plain(text: str) -> dict[str, Any]:
    """Read the part of TOML that our own files keep to; raises ValueError beyond it."""
    document: dict[str, Any] = {}
    table: dict[str, Any] = document
    key = ""
    items: list[str] | None = None
    for line in text.splitlines():
        line = line.strip()
        if items is not None:
            if line == "]":
                table[key] = json.loads("[" + "".join(items).rstrip(",") + "]")
                items = None
            else:
                items.append(line)
        elif not line or line[0] == "#":
            continue
        elif line.startswith("[["):
            table = {}
            document.setdefault(line.strip("[]"), []).append(table)
        elif line[0] == "[":
            table = document.setdefault(line.strip("[]"), {})
        else:
            key, _, value = line.partition(" = ")
            if value == "[":
                items = []
            else:
                table[key] = json.loads(value)
    return document


def _check_fields(
    table: Mapping[str, Any], fields: Mapping[str, Any], needed: Iterable[str], where: str
) -> None:
    for key in needed:
        if not table.get(key):
            raise RuleError(f"{key} is missing", where, f"Write {key} = ...")
    for key, value in table.items():
        if key not in fields:
            known = ", ".join(fields)
            raise RuleError(f"unknown field {key!r}", where, f"Fields are {known}.")
        if not isinstance(value, fields[key]) or isinstance(value, bool):
            raise RuleError(f"{key} has the wrong type", where)
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise RuleError(f"{key} must be a list of strings", where)


def _cause(text: str, where: str) -> tuple[str, str]:
    cause, arrow, command = text.partition(" => ")
    if not arrow:
        raise RuleError(f"no command in cause {cause!r}", where, 'Write "text => command".')
    return cause, command


def _rule(table: Mapping[str, Any], source: str, weight: float, where: str = "") -> Rule:
    return Rule(
        name=table["name"],
        class_=table["class"],
        match=tuple(table["match"]),
        examples=tuple(table["examples"]),
        weight=float(table.get("weight", weight)),
        codes=tuple(table.get("codes", ())),
        verbs=frozenset(verb.upper() for verb in table.get("verbs", ())),
        speaker=frozenset(table.get("speaker", ())),
        unless=tuple(table.get("unless", ())),
        meaning=table.get("meaning", ""),
        causes=tuple(_cause(text, where) for text in table.get("causes", ())),
        next=tuple(table.get("next", ())),
        section=table.get("section", ""),
        source=source,
    )


def _speaker(table: Mapping[str, Any]) -> Speaker:
    return Speaker(
        table["name"],
        table["title"],
        table["kind"],
        tuple(table.get("match", ())),
        tuple(table.get("domains", ())),
        table.get("class", ""),
    )


def users_rule(table: Mapping[str, Any], source: str) -> Rule:
    """Make a rule from a user's table; raises RuleError with the file's and the rule's name."""
    where = f"{source}: rule {table.get('name', '?')!r}"
    _check_fields(table, _RULE_FIELDS, ("name", "class", "match", "examples"), where)
    if table["class"] not in CLASSES:
        raise RuleError(
            f"unknown class {table['class']!r}", where, f"Classes are {', '.join(CLASSES)}."
        )
    return _rule(table, source, USER_WEIGHT, where)


def users_speaker(table: Mapping[str, Any], source: str) -> Speaker:
    """Make a speaker from a user's table; raises RuleError."""
    where = f"{source}: speaker {table.get('name', '?')!r}"
    _check_fields(table, _SPEAKER_FIELDS, ("name", "title", "kind"), where)
    if table["kind"] not in KINDS:
        raise RuleError(f"unknown kind {table['kind']!r}", where, f"Kinds are {', '.join(KINDS)}.")
    if table.get("class", "unknown") not in CLASSES:
        raise RuleError(
            f"unknown class {table['class']!r}", where, f"Classes are {', '.join(CLASSES)}."
        )
    return _speaker(table)


@dataclass(frozen=True, slots=True, eq=False)
class Rulebook:
    """All rules, grown into one matcher.

    The owners of hits are numbers: below `len(rules)` a rule, from there on a speaker; a negative
    number is the `unless` of rule `-number - 1`.
    """

    rules: tuple[Rule, ...]
    speakers: tuple[Speaker, ...]
    domains: Mapping[str, Speaker]
    groups: Mapping[str, tuple[str, ...]]
    matcher: Matcher


def _compile(
    rules: list[Rule],
    speakers: list[Speaker],
    groups: dict[str, tuple[str, ...]],
    trusted: int | None = None,
) -> Rulebook:
    """Grow the rulebook; the patterns of rules after the first `trusted` ones are read at once."""
    matcher = Matcher(groups)
    seen: dict[str, str] = {}
    for number, rule in enumerate(rules):
        where = f"{rule.source}: rule {rule.name!r}"
        if rule.name in seen:
            raise RuleError(f"the name stands in {seen[rule.name]} too", where, "Rename one.")
        seen[rule.name] = rule.source
        try:
            matcher.add(number, rule.match, rule.weight)
            matcher.add(-number - 1, rule.unless)
            if trusted is not None and number >= trusted:
                matcher.check(rule.match + rule.unless)
        except PatternError as error:
            raise RuleError(f"{error.what}: {error.where!r}", where) from error
    for number, speaker in enumerate(speakers, len(rules)):
        matcher.add(number, speaker.match)
    domains = {domain: speaker for speaker in speakers for domain in speaker.domains}
    return Rulebook(tuple(rules), tuple(speakers), domains, groups, matcher)


def _own() -> tuple[list[Rule], list[Speaker], dict[str, tuple[str, ...]]]:
    rules: list[Rule] = []
    speakers: list[Speaker] = []
    groups: dict[str, tuple[str, ...]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        document = read_plain(path.read_text(encoding="utf-8"))
        groups |= {name: tuple(words) for name, words in document.get("words", {}).items()}
        rules += [_rule(table, path.name, WEIGHT) for table in document.get("rule", ())]
        speakers += [_speaker(table) for table in document.get("speaker", ())]
    return rules, speakers, groups


@cache
def own_rulebook() -> Rulebook:
    """Return our own rules, read at the first call."""
    return _compile(*_own())


def load_rulebook(folder: Path) -> Rulebook:
    """Return our own rules with those of a user's folder of TOML files added.

    A folder that does not exist adds nothing. Raises FileError for a file that cannot be read,
    RuleError for one that is not TOML or holds a rule that cannot be used.
    """
    import tomllib

    rules, speakers, groups = _own()
    ours = len(rules)
    for path in sorted(folder.glob("*.toml")):
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise FileError.from_os(error, path, "read") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RuleError(f"not TOML: {error}", str(path)) from error
        _add_users(document, str(path), rules, speakers, groups)
    return _compile(rules, speakers, groups, ours)


_in_use: ContextVar[Rulebook | None] = ContextVar("rules in use", default=None)


def rules_in_use() -> Rulebook:
    """Return the rules that this program goes by: our own, or those that `use_rules` has loaded."""
    return _in_use.get() or own_rulebook()


def use_rules(folder: Path) -> None:
    """Go by the rules of a user's folder too from now on; errors are those of `load_rulebook`."""
    if any(folder.glob("*.toml")):
        _in_use.set(load_rulebook(folder))


def _add_users(
    document: Mapping[str, Any],
    source: str,
    rules: list[Rule],
    speakers: list[Speaker],
    groups: dict[str, tuple[str, ...]],
) -> None:
    for key, kind in (("rule", list), ("speaker", list), ("words", dict)):
        if not isinstance(document.get(key, kind()), kind):
            raise RuleError(f"{key} must be written [[{key}]]", source)
    unknown = set(document) - {"rule", "speaker", "words"}
    if unknown:
        raise RuleError(
            f"unknown table {min(unknown)!r}", source, "Write [[rule]], [[speaker]] or [words]."
        )
    for name, words in document.get("words", {}).items():
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise RuleError(f"the word group {name!r} must be a list of strings", source)
        groups[name] = tuple(words)
    rules += [users_rule(table, source) for table in document.get("rule", ())]
    speakers += [users_speaker(table, source) for table in document.get("speaker", ())]
