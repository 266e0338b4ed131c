"""Who is speaking: the service or the server software behind a banner, an EHLO answer or a text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from smtpshell.knowledge.context import Context
from smtpshell.knowledge.reading import read
from smtpshell.knowledge.rulebook import Rulebook, Speaker, rules_in_use
from smtpshell.knowledge.verdict import listen


@lru_cache(maxsize=256)
def recognise(text: str) -> tuple[str | None, str | None]:
    """Return (provider, software) as far as a banner or a host name gives them away.

    >>> recognise("mx.example.com ESMTP Postfix (Debian/GNU)")
    (None, 'postfix')
    """
    return provider_and_software(listen(rules_in_use(), read(text)).speakers)


OWN_SOFTWARE: dict[str | None, frozenset[str]] = {
    "google": frozenset(),
    "microsoft": frozenset({"exchange"}),
    "yahoo": frozenset(),
}
"""Providers that run nothing but software of their own, whatever words they share with others."""


def provider_and_software(speakers: Iterable[Speaker]) -> tuple[str | None, str | None]:
    """Return the first provider and the first software among speakers, as far as they fit."""
    provider = software = None
    for speaker in speakers:
        if speaker.kind == "provider" and provider is None:
            provider = speaker.name
        elif speaker.kind == "software" and software is None:
            software = speaker.name
    if software not in OWN_SOFTWARE.get(provider, (software,)):
        software = None
    return provider, software


def of_session(context: Context) -> tuple[str | None, str | None]:
    """Return (provider, software) of the server of a session, from its name and its banner."""
    if not (context.banner or context.host or context.provider):
        return None, None
    provider, software = recognise(f"{context.host} {context.banner}")
    return context.provider or provider, software


def title(name: str, book: Rulebook | None = None) -> str:
    """Return the name of a provider or software as people write it."""
    for speaker in (book or rules_in_use()).speakers:
        if speaker.name == name:
            return speaker.title
    return name
