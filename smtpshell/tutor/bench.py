"""A desk with nobody at it: runs local commands for a lesson and keeps what they show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from smtpshell.conversation.report import Row, plain_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.settings import Settings
    from smtpshell.practice.server import PracticeServer


class Bench:
    """The desk of a performance: reports are kept as lines, and every question is a yes."""

    interactive = False

    def __init__(
        self, conversation: Conversation, settings: Settings, practice: PracticeServer
    ) -> None:
        self.conversation = conversation
        self.settings = settings
        self.practice = practice
        self.lines: list[str] = []

    async def start_practice(self, scenario: str = "plain", *, seed: int | None = None) -> Any:  # noqa: ANN401 - see Desk
        """Return the practice server of the lesson; it is never replaced."""
        return self.practice

    def show(self, report: Iterable[Row], facts: dict[str, Any] | None = None) -> None:
        """Keep a report."""
        self.lines += plain_lines(report)

    def say(self, text: str, style: str = "") -> None:
        """Keep one line."""
        self.show([Row(text, style)])

    async def ask(self, question: str, *, flag: str) -> bool:
        """Answer yes: what happens here reaches nobody."""
        return True

    async def ask_text(self, prompt: str, default: str = "") -> str | None:
        """Answer with the default."""
        return default or None

    async def ask_secret(self, prompt: str) -> str | None:
        """Answer with the published password of the user that the prompt names, if it names one."""
        return next(
            (word for user, word in self.practice.credentials.items() if user in prompt), None
        )

    async def send_lines(self, lines: Iterable[str]) -> None:
        """Send lines one after the other."""
        for line in lines:
            await self.conversation.send_line(line)
            await self.conversation.settle()

    @contextmanager
    def progress(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Show nothing."""
        yield lambda _done: None

    def put_text(self, text: str) -> None:
        """Do nothing: there is no prompt."""

    def leave(self) -> None:
        """Stay."""
