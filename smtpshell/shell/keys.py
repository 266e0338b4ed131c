"""What the keys do: the actions that `conversation.keys` names, bound for prompt_toolkit.

Keys that the table leaves to the line editor (search, suggestions) are prompt_toolkit's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys

from smtpshell.conversation.keys import KEYS
from smtpshell.shell.console import Key, Typed

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer

    from smtpshell.shell.terminal import Terminal

REOPENING = ("<", ":", "=", "/", " ")
"""How a completion ends that leads on to further ones."""

INNER = ("data", "octets", "answer")
"""The kinds of prompt at which only Ctrl-] opens a local command."""


def name_for_toolkit(shown: str) -> str:
    """Return prompt_toolkit's name of a key: "Ctrl-]" is "c-]", "F1" is "f1"."""
    return shown.lower().replace("ctrl-", "c-")


def bindings_for(terminal: Terminal) -> KeyBindings:
    """Return the bindings of the table's actions."""
    bindings = KeyBindings()
    searching = Condition(lambda: terminal.searching)
    for key in KEYS:
        if key.action:
            bindings.add(name_for_toolkit(key.shown), filter=~searching, eager=key.action in EAGER)(
                _bound(terminal, key.action)
            )
    bindings.add(Keys.BracketedPaste)(_bound(terminal, "paste"))
    return bindings


def _bound(terminal: Terminal, action: str) -> Callable[[KeyPressEvent], None]:
    def handle(event: KeyPressEvent) -> None:
        ACTIONS[action](event, terminal)

    return handle


def _enter(event: KeyPressEvent, _terminal: Terminal) -> None:
    """Take a selected completion without sending; otherwise send the line as it stands."""
    buffer = event.current_buffer
    if _selected(buffer):
        buffer.complete_state = None
        if buffer.text.endswith(REOPENING):
            buffer.start_completion(select_first=False)
        return
    buffer.complete_state = None
    buffer.validate_and_handle()


def _tab(event: KeyPressEvent, _terminal: Terminal) -> None:
    buffer = event.current_buffer
    if buffer.complete_state:
        buffer.complete_next()
    else:
        buffer.start_completion(insert_common_part=True)


def _selected(buffer: Buffer) -> bool:
    state = buffer.complete_state
    return state is not None and state.current_completion is not None


def _up(event: KeyPressEvent, _terminal: Terminal) -> None:
    """Walk up a menu that has been entered; otherwise through earlier lines that begin so."""
    buffer = event.current_buffer
    if _selected(buffer):
        buffer.complete_previous()
    else:
        buffer.cancel_completion()
        buffer.history_backward(count=event.arg)


def _down(event: KeyPressEvent, _terminal: Terminal) -> None:
    buffer = event.current_buffer
    if buffer.complete_state:
        buffer.complete_next()
    else:
        buffer.history_forward(count=event.arg)


def _interrupt(event: KeyPressEvent, terminal: Terminal) -> None:
    """Clear the line; at a question, give up."""
    event.current_buffer.reset()
    if terminal.kind in ("question", "local"):
        event.app.exit(result=Typed(key=Key.END))


def _end(event: KeyPressEvent, _terminal: Terminal) -> None:
    """Delete forwards, or end on an empty line."""
    buffer = event.current_buffer
    if buffer.text:
        buffer.delete()
        return
    event.app.erase_when_done = True
    event.app.exit(result=Typed(key=Key.END))


def _local(event: KeyPressEvent, terminal: Terminal) -> None:
    """Leave the line as it stands for a local command, where none can be typed."""
    if terminal.kind in INNER:
        event.app.erase_when_done = True
        event.app.exit(result=Typed(key=Key.LOCAL, rest=event.current_buffer.text))


def _paste(event: KeyPressEvent, terminal: Terminal) -> None:
    """Insert what was pasted; whole lines of it are sent, one after the other."""
    buffer = event.current_buffer
    text = event.data.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" not in text or terminal.kind in ("question", "local"):
        buffer.insert_text(text.partition("\n")[0])
        return
    document = buffer.document
    whole = document.text_before_cursor + text + document.text_after_cursor
    *lines, rest = whole.split("\n")
    event.app.erase_when_done = True
    event.app.exit(result=Typed(tuple(lines), pasted=True, rest=rest))


def _told(action: str) -> Callable[[KeyPressEvent, Terminal], None]:
    def handle(event: KeyPressEvent, terminal: Terminal) -> None:
        terminal.on_key(action, event.current_buffer.text)
        event.app.invalidate()

    return handle


EAGER = frozenset({"local"})
"""Actions whose key may not wait for a second one; Ctrl-] begins a command in both modes."""

ACTIONS: dict[str, Callable[[KeyPressEvent, Terminal], None]] = {
    "enter": _enter,
    "tab": _tab,
    "up": _up,
    "down": _down,
    "interrupt": _interrupt,
    "end": _end,
    "local": _local,
    "paste": _paste,
    "help": _told("help"),
    "notes": _told("notes"),
    "timing": _told("timing"),
    "editing": _told("editing"),
}
"""From the names of actions to what they do."""
