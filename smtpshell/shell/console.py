"""What a front end can do: the one that draws (terminal) and the one that only appends (plain).

The desk talks to this protocol alone, so everything works the same at both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from smtpshell.conversation.report import Row
    from smtpshell.protocol.events import Event
    from smtpshell.shell.prompt import Prompt


class Key(Enum):
    """What else may come from a prompt than a line."""

    END = "Ctrl-D"
    LOCAL = "Ctrl-]"
    GONE = "the end of the terminal"


@dataclass(frozen=True, slots=True)
class Typed:
    """What came from a prompt: a line, or several that were pasted, or a key.

    `rest` is text that belongs on the next prompt: a pasted line without an end, or what stood
    there when a key was pressed.
    """

    lines: tuple[str, ...] = ()
    pasted: bool = False
    key: Key | None = None
    rest: str = ""


class Console(Protocol):
    """A front end."""

    @property
    def width(self) -> int:
        """The columns of the window."""

    def earlier(self) -> Sequence[str]:
        """Return the lines typed before, the newest first."""

    def event(self, event: Event, *, typed: bool) -> None:
        """Show an event; `typed` says that what is sent stands on the screen already."""

    def report(self, rows: Iterable[Row]) -> None:
        """Show a report."""

    def trouble(self, what: str, advice: str) -> None:
        """Show what went wrong and what to do about it."""

    def echo(self, prompt: Prompt, line: str) -> None:
        """Show a line that was pasted, behind its prompt, as if it had been typed."""

    async def read(self, prompt: Callable[[], Prompt], text: str = "") -> Typed:
        """Read a line; `prompt` is asked again whenever the state changes. `text` stands there."""

    async def wait(self, work: Awaitable[None], waiting: Callable[[], str]) -> bool:
        """Do something that takes time; False when the user stopped it (Ctrl-C).

        `waiting` tells what is being waited for, once that has taken a while; "" for nothing.
        """

    async def ask(self, question: str, default: str = "", *, secret: bool = False) -> str | None:
        """Ask for a line; None when the user gave up."""

    def progress(
        self, label: str, total: int | None
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Show how far a long work is; the callable takes what is done."""

    def remember(self, line: str, shown: str | None = None) -> None:
        """Keep a line in the history; `shown` is it as sent, with secrets hidden."""

    def refresh(self) -> None:
        """Draw the prompt anew, because the state changed."""

    def running(self) -> AbstractContextManager[None]:
        """Take the terminal for as long as the context lasts."""
