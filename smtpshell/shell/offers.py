"""What may be offered at the prompt: the values that all sources of completions share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from smtpshell.protocol.values import dataclass, field

if TYPE_CHECKING:
    from smtpshell.conversation.guest import GuestCommand
    from smtpshell.protocol.session import Snapshot


@dataclass(frozen=True, slots=True)
class Offer:
    """One completion: the text that replaces the last `replaces` characters, and its meaning.

    `shown` is what the menu shows where that differs from the text.
    """

    text: str
    meaning: str = ""
    replaces: int = 0
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """What completions are made from.

    `history` gives the lines typed before, the newest first; `mailboxes` the addresses of the
    practice server; `published` its users and passwords; `lessons` names and titles.
    """

    now: Snapshot
    kind: str = "command"
    history: Callable[[], Sequence[str]] = tuple
    mailboxes: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    lessons: Callable[[], Mapping[str, str]] = dict
    settings: Callable[[str], str] = lambda _name: ""
    guest: Mapping[str, GuestCommand] = field(default_factory=dict)


def matching(
    prefix: str, candidates: Iterable[tuple[str, str]], *, tail: str = ""
) -> Iterator[Offer]:
    """Yield the candidates (text, meaning) that begin with the prefix, whatever its case.

    A candidate that is typed whole already is not offered. `tail` is added to what is inserted and
    not shown.
    """
    folded = prefix.casefold()
    seen: set[str] = set()
    for text, meaning in candidates:
        key = text.casefold()
        if key.startswith(folded) and key not in seen and (text != prefix or tail):
            seen.add(key)
            yield Offer(text + tail, meaning, len(prefix), text)
