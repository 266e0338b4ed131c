"""The completer: what may be typed next, with a one-line meaning beside each item.

It only offers. Nothing is inserted that was not chosen, and in message data, chunk octets and
answers to a challenge nothing is offered, because there every line is the user's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from smtpshell.protocol.text import visible
from smtpshell.shell.local_offers import local_offers
from smtpshell.shell.offers import Offer, Scene
from smtpshell.shell.wire_offers import wire_offers

OFFERING = frozenset({"command", "closed", "local", "asking"})
"""The kinds of prompt at which something is offered."""

OFFERS_MOST = 60


def offers(text: str, scene: Scene, *, asked: bool = True) -> Iterator[Offer]:
    """Yield what may follow a text; `asked` tells that the user pressed a key for it.

    An empty line offers nothing by itself: a menu that nobody asked for is in the way.
    """
    if scene.kind not in OFFERING or (not text and not asked):
        return
    if scene.kind == "local" and text.startswith("//"):
        text = text[1:]  # typed behind the slash that stood there already
    if text.startswith("//"):
        return
    if text.startswith("/"):
        yield from local_offers(text, scene)
    elif scene.kind == "local":
        for offer in local_offers(f"/{text}", scene):
            yield Offer(offer.text, offer.meaning, min(offer.replaces, len(text)), offer.shown)
    elif scene.kind == "command":
        yield from wire_offers(text, scene)
    elif not text and scene.kind == "closed":
        for offer in local_offers("/", scene):
            yield Offer(offer.text, offer.meaning, 0, offer.shown)


class ShellCompleter(Completer):
    """prompt_toolkit's way to ask."""

    def __init__(self, scene: Callable[[], Scene]) -> None:
        """`scene` returns what is known at the moment."""
        self._scene = scene

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Yield the completions at the cursor, which must stand at the end of the line."""
        if document.text_after_cursor.strip(" >"):
            return
        found = offers(
            document.text_before_cursor, self._scene(), asked=complete_event.completion_requested
        )
        for number, offer in enumerate(found):
            if number >= OFFERS_MOST:
                return
            if not offer.text.isprintable():
                continue  # a server's keyword that nobody would want on the line
            closed = document.text_after_cursor.startswith(">")
            yield Completion(
                offer.text.removesuffix(">") if closed else offer.text,
                start_position=-offer.replaces,
                display=visible(offer.shown or offer.text),
                display_meta=visible(offer.meaning),
            )
