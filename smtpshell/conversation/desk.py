"""The desk: what a local command may use, whoever runs it.

The interactive shell and the script runner each supply one. A command shows reports, asks questions
and drives the conversation through it, and so works the same typed, scripted and in a lesson.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.report import Row
    from smtpshell.conversation.settings import Settings


class Desk(Protocol):
    """What stands at a local command's disposal."""

    @property
    def conversation(self) -> Conversation:
        """The conversation with the server of the moment."""

    @property
    def settings(self) -> Settings:
        """What is set."""

    @property
    def interactive(self) -> bool:
        """Whether a person is there to be asked."""

    @property
    def practice(self) -> Any:  # noqa: ANN401 - a PracticeServer, or None; loaded only when used
        """The practice server inside this program, if it runs."""

    async def start_practice(self, scenario: str = "plain", *, seed: int | None = None) -> Any:  # noqa: ANN401 - as above
        """Start the practice server (again), with another seed if one is given; return it."""

    def show(self, report: Iterable[Row], facts: dict[str, Any] | None = None) -> None:
        """Show a report; with `--json` the facts are written instead, as one object."""

    def say(self, text: str, style: str = "") -> None:
        """Show one line of ours."""

    async def ask(self, question: str, *, flag: str) -> bool:
        """Ask yes or no. Without a person: False, and a refusal that names the flag."""

    async def ask_text(self, prompt: str, default: str = "") -> str | None:
        """Ask for one line of text; None when there is nobody to ask or they gave up."""

    async def ask_secret(self, prompt: str) -> str | None:
        """Ask for a secret without echo; None when there is nobody to ask or they gave up."""

    async def send_lines(self, lines: Iterable[str]) -> None:
        """Send lines one after the other, each as if it had been typed, waiting for replies."""

    def progress(self, label: str, total: int | None) -> Any:  # noqa: ANN401 - a context manager giving a callable(done)
        """Show a progress bar on a terminal while a context lasts; elsewhere nothing."""

    def put_text(self, text: str) -> None:
        """Put text on the next prompt, unsent; without a person it is shown."""

    def leave(self) -> None:
        """End the program after this command."""
