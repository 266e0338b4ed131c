"""/explain: what a code, an enhanced code, a word or a whole reply means, as a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smtpshell.conversation.report import Report

if TYPE_CHECKING:
    from smtpshell.conversation.driver import Conversation


def explain_text(text: str, conversation: Conversation) -> tuple[Report, dict[str, Any]]:
    """Return the report on a text, and its facts for `--json`; raises `UsageError` if unknown."""
    raise NotImplementedError
