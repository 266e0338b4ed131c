"""Completions of local commands and their arguments, by the kinds that their rows name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from smtpshell.conversation.keys import KEYS
from smtpshell.conversation.local import LOCAL
from smtpshell.conversation.settings import SETTINGS
from smtpshell.protocol.commands import VERBS
from smtpshell.shell import remembered
from smtpshell.shell.offers import Offer, Scene, matching
from smtpshell.shell.wire_offers import mechanisms

FILES_MOST = 200
"""Names of a folder that are offered."""

_OPTION = re.compile(r"--[a-z][a-z-]+")

Pairs = Iterator[tuple[str, str]]


def local_offers(text: str, scene: Scene) -> Iterator[Offer]:
    """Yield what may follow a text that begins with a slash."""
    name, space, rest = text[1:].partition(" ")
    if not space:
        yield from matching(text, _commands(scene))
        return
    row = scene.guest.get(name.lower()) or LOCAL.get(name.lower())
    if row is None or not row.arguments:
        return
    while rest.startswith("--") and " " in rest and row.arguments == ("file",):
        rest = rest.partition(" ")[2]
    words = rest.split(" ")
    kind = row.arguments[min(len(words), len(row.arguments)) - 1]
    if words[-1].startswith("-") and kind != "lesson option":
        yield from matching(words[-1], ((name, "") for name in _OPTION.findall(row.syntax)))
    elif kind == "file":
        yield from files(rest if len(row.arguments) == 1 else words[-1])
    elif kind.startswith("choice:"):
        if len(words) <= len(row.arguments):
            yield from matching(words[-1], ((word, "") for word in kind[7:].split("|")))
    elif kind in SOURCES:
        yield from matching(rest if kind in SPACED else words[-1], SOURCES[kind](scene, words))


def _commands(scene: Scene) -> Pairs:
    for guest in scene.guest.values():
        yield f"/{guest.name}", guest.summary
    for row in LOCAL.values():
        if row.name not in scene.guest:
            yield f"/{row.name}", row.summary


def files(prefix: str) -> Iterator[Offer]:
    """Yield the files and folders whose path begins so."""
    folder, _, start = prefix.rpartition("/")
    place = Path(f"{folder}/" if prefix.startswith("/") or folder else ".").expanduser()
    try:
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
    except (OSError, ValueError):
        return
    shown = [entry for entry in entries if start.startswith(".") or not entry.name.startswith(".")]
    for entry in shown[:FILES_MOST]:
        if entry.name.startswith(start) and entry.name.isprintable():
            name = entry.name + ("/" if entry.is_dir() else "")
            yield Offer(name, "folder" if entry.is_dir() else "", len(start), name)


def _users(scene: Scene, _words: list[str]) -> Pairs:
    yield from ((name, "user of the practice server") for name in scene.users)
    yield from remembered.used(scene, "user")


def _settings(_scene: Scene, _words: list[str]) -> Pairs:
    yield from ((row.name, row.summary) for row in SETTINGS.values())


def _values(scene: Scene, words: list[str]) -> Pairs:
    row = SETTINGS.get(words[0])
    if row is not None:
        now = scene.settings(row.name)
        yield from ((value, "as it is now" if value == now else "") for value in row.values)


def _help(_scene: Scene, _words: list[str]) -> Pairs:
    yield "commands", "every command with its arguments"
    yield "keys", "what the keys do"
    yield from ((f"/{row.name}", row.summary) for row in LOCAL.values())
    yield from ((verb.name, verb.summary) for verb in VERBS.values())
    yield from ((key.shown, key.summary) for key in KEYS)


def _words(scene: Scene, _words: list[str]) -> Pairs:
    from smtpshell.knowledge.words import glossary
    from smtpshell.protocol.keywords import KEYWORDS

    extensions = scene.now.extensions
    announced = extensions.names if extensions is not None else ()
    yield from ((name, "announced here") for name in announced if name in KEYWORDS)
    yield from ((verb.name, verb.summary) for verb in VERBS.values())
    yield from ((row.name, row.summary) for row in KEYWORDS.values())
    yield from ((word.name, word.text.partition(". ")[0]) for word in glossary().values())


def _lessons(scene: Scene, _words: list[str]) -> Pairs:
    yield from scene.lessons().items()
    yield "leave", "end the lesson that is played; it goes on there another time"


def _lesson_options(_scene: Scene, words: list[str]) -> Pairs:
    if words[-2] == "--lang":
        from smtpshell.tutor.commands import languages

        yield from languages(words[0]).items()
        return
    if words[-2] != "--seed":
        yield from LESSON_OPTIONS.items()


def _providers(_scene: Scene, _words: list[str]) -> Pairs:
    from smtpshell.knowledge.providers import providers

    yield from ((row.name, f"{row.title}, {row.host}") for row in providers().values())


LESSON_OPTIONS = {
    "--quiz": "its questions alone",
    "--seed": "another variant: --seed 7",
    "--lang": "a translation: --lang de",
}

SOURCES: dict[str, Callable[[Scene, list[str]], Pairs]] = {
    "target": lambda scene, _: remembered.targets(scene),
    "domain": lambda scene, _: remembered.domains(scene),
    "mailbox": lambda scene, _: ((name, remembered.MAILBOX) for name in scene.mailboxes),
    "user": _users,
    "mechanism": lambda scene, _: mechanisms(scene),
    "verb": lambda _, __: ((verb.name, verb.summary) for verb in VERBS.values()),
    "setting": _settings,
    "value": _values,
    "help": _help,
    "word": _words,
    "lesson": _lessons,
    "lesson option": _lesson_options,
    "provider": _providers,
}
"""What completes an argument of each kind."""

SPACED = frozenset({"word"})
"""Kinds whose values may hold spaces, so that all of the argument is the beginning of one."""
